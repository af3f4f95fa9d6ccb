"""Every algorithm of the table: its contract, its convergence, and its update against a plain twin of the paper."""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from evo.algorithms import ALGORITHMS, Algorithm, DensePopulation, PerturbedPopulation, Population
from evo.algorithms.genetic.deep_ga import DeepGA
from evo.algorithms.genetic.ga import GA
from evo.algorithms.strategies.ars import ARS
from evo.algorithms.strategies.openai_es import OpenAIES
from evo.envs.reference import resolve
from evo.genomes.noise import Noise
from evo.genomes.seed_lists import Reconstruction, SeedPopulation
from evo.numerics.randomness import generator
from evo.testing import check_algorithm

Floats = NDArray[np.float64]
Fitness = Callable[[Floats], Floats]

# Small and quick; an algorithm not listed is tested with its defaults.
SETTINGS: dict[str, dict[str, Any]] = {
    "ars": {"learning_rate": 0.02, "sigma": 0.02, "directions": 16, "elite_directions": 8},
    "crowding": {"population_size": 40, "cross": "blend", "mutate": "self-adaptive"},
    "ga": {"population_size": 50, "select": "truncation:truncation=10", "elites": 2, "mutate": "gaussian:sigma=0.02"},
    "islands": {
        "islands": 2,
        "algorithm": "ga:population_size=24,select='truncation:truncation=6',mutate='self-adaptive'",
    },
    "deep-ga": {"population_size": 50, "truncation": 10, "elites": 2, "sigma": 0.05},
    "cma-mae": {"ranges": "-2:2,-2:2", "archive": "grid:8", "emitters": 3, "population_size": 12},
    "cma-me": {"ranges": "-2:2,-2:2", "archive": "grid:8", "emitters": 3, "population_size": 12},
    "map-elites": {"ranges": "-2:2,-2:2", "archive": "grid:8", "mutate": "gaussian:sigma=0.1"},
    "me-es": {"ranges": "-2:2,-2:2", "archive": "grid:8", "pairs": 8},
    "novelty-search": {"ranges": "-2:2,-2:2", "archive": "grid:8", "population_size": 40},
    "nslc": {"ranges": "-2:2,-2:2", "archive": "grid:8", "population_size": 40},
    "openai-es": {"learning_rate": 0.01, "sigma": 0.02, "pairs": 8, "weight_decay": 0.0},
    "pgpe": {"learning_rate": 0.02, "sigma": 0.1, "pairs": 8},
}

# those that search graphs have tests of their own
OF_VECTORS = [name for name in ALGORITHMS if getattr(resolve(name, ALGORITHMS), "searches", "vectors") == "vectors"]
every_algorithm = pytest.mark.parametrize("name", OF_VECTORS)


def make(name: str, initial: Floats, seed: int = 0, **changes: Any) -> Algorithm:
    algorithm: Algorithm = resolve(ALGORITHMS[name])(initial, seed, **(SETTINGS.get(name, {}) | changes))
    return algorithm


def run(algorithm: Algorithm, fitness: Fitness, generations: int) -> None:
    for _ in range(generations):
        algorithm.tell(fitness(algorithm.ask().dense()))


def sphere(population: Floats) -> Floats:
    fitness: Floats = -np.sum(np.square(population), axis=1)
    return fitness


SHIFT = np.linspace(-1, 1, 10)


def shifted_ellipsoid(population: Floats) -> Floats:
    """Condition number 100, its optimum at SHIFT."""
    fitness: Floats = -np.sum(np.logspace(0, 2, 10) * np.square(population - SHIFT), axis=1)
    return fitness


def assert_same_state(first: Algorithm, second: Algorithm) -> None:
    one, other = first.state(), second.state()
    assert one.keys() == other.keys()
    for name in one:
        assert one[name].dtype == other[name].dtype
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)
    assert first.diagnostics() == second.diagnostics()
    np.testing.assert_array_equal(first.candidates(), second.candidates())


# Populations


def populations() -> list[Population]:
    random = generator(0, "test population")
    center, noise = random.standard_normal(7), random.standard_normal((4, 7))
    seeds = random.integers(2**62, size=9)
    parents, ancestors = [seeds[:1], seeds[:3]], np.array([0, 0, 0, 1, 1, 1])
    return [
        DensePopulation(random.standard_normal((8, 7))),
        PerturbedPopulation(center, noise, 0.3),
        PerturbedPopulation(center, Noise(random, 4, 7), 0.3),
        SeedPopulation(Reconstruction(center, 1.0, 0.5, 0.0), parents, 2, ancestors, seeds[3:]),
    ]


@pytest.mark.parametrize("population", populations(), ids=lambda population: type(population).__name__)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_rows_are_those_of_dense_cast(population: Population, dtype: type[np.floating[Any]]) -> None:
    dense = population.dense()
    assert (len(population), population.size) == dense.shape == (8, 7)
    assert dense.dtype == np.float64
    for individual in range(len(population)):
        out = np.full(7, np.nan, dtype=dtype)
        population.row(individual, out)
        np.testing.assert_array_equal(out, dense[individual].astype(dtype))
    with pytest.raises(IndexError):
        population.row(8, np.empty(7))


def test_perturbed_pairs_are_mirror_images() -> None:
    center, noise = np.array([1.0, 2.0]), np.array([[4.0, -8.0], [0.5, 0.0]])
    rows = PerturbedPopulation(center, noise, 0.5).dense()
    np.testing.assert_array_equal(rows, [[3, -2], [-1, 6], [1.25, 2], [0.75, 2]])


def test_a_dense_population_is_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        DensePopulation(np.zeros((2, 3))).dense()[0, 0] = 1.0


# The contract


@every_algorithm
def test_every_algorithm_of_ours_keeps_the_contract(name: str) -> None:
    check_algorithm(functools.partial(resolve(ALGORITHMS[name]), **SETTINGS.get(name, {})))


POSITIVE: list[Any] = [0.0, -1.0, math.inf, math.nan, "0.1", None, True]
OUT_OF_RANGE: dict[str, dict[str, list[Any]]] = {
    "ars": {
        "learning_rate": POSITIVE,
        "sigma": POSITIVE,
        "directions": [0, -3, 2.5, True, "8"],
        "elite_directions": [0, 17, 1.0],
    },
    "ga": {
        "population_size": [1, 0, 50.0],
        "elites": [-1, 50],
        "children": [0, 2.5],
        "niche_radius": [value for value in POSITIVE if value is not None],
        "offered": [0, 51],
    },
    "crowding": {"population_size": [1, 0, 50.0, 7], "elites": [-1, 41], "offered": [0, 41]},
    "islands": {"islands": [1, 2.5], "interval": [0, True], "migrants": [0, 25]},
    "deep-ga": {
        "population_size": [1, 0, 50.0],
        "truncation": [0, 51],
        "elites": [-1, 50],
        "sigma": POSITIVE,
        "initial_spread": [-0.1, math.inf, math.nan],
        "offered": [0, 51],
        "cache_mb": [-1.0, math.inf, "512"],
    },
    **{
        name: {"sigma": POSITIVE, "population_size": [2, 0, 8.0]}
        for name in ("cma-es", "sep-cma-es", "lm-ma-es", "ipop", "bipop")
    },
    **{
        name: {"sigma": POSITIVE, "population_size": [1, 0], "learning_rate": [0.0, -1.0, math.nan, "1"]}
        for name in ("snes", "xnes")
    },
    "me-es": {
        "learning_rate": [0.0, -1.0, math.nan],
        "sigma": POSITIVE,
        "pairs": [0, 1.5],
        "weight_decay": [-0.1, math.nan],
        "mode": ["novelty", ""],
        "consecutive": [0, 1.5],
        "neighbours": [0, 1.5],
        "remembered_most": [0, -1],
    },
    "nslc": {"population_size": [1, 2.5], "neighbours": [0, 1.5], "added": [-1, 41], "remembered_most": [-1]},
    "novelty-search": {"population_size": [1, 2.5], "neighbours": [0, 1.5], "added": [-1, 41], "remembered_most": [-1]},
    "cma-me": {"emitters": [0, 1.5], "population_size": [2, 1.5], "sigma": POSITIVE, "strategy": ["pgpe", ""]},
    "cma-mae": {"learning_rate": [-0.1, 1.1, math.nan], "threshold_min": [math.nan, math.inf, -math.inf]},
    "map-elites": {
        "population_size": [0, 1.5],
        "offered": [0, 2.5],
        "qd_offset": [math.nan, "0"],
        "archive": ["", "tree:3", "grid:0"],
        "ranges": ["", "1:0,0:1", "0"],
        "measures": ["x"],
    },
    "nsga-ii": {
        "population_size": [1, 2.5],
        "offered": [0, 2.5],
        "objectives": ["speed"],
        "reference": ["0", "a,b", "nan,0"],
    },
    "nsga-iii": {"population_size": [1, 2.5], "partitions": [0, 1.5]},
    "mo-cma-es": {"population_size": [1, 2.5], "sigma": POSITIVE},
    "pgpe": {
        "learning_rate": POSITIVE,
        "sigma": POSITIVE,
        "pairs": [0, 1.5],
        "sigma_learning_rate": [-0.1, math.nan],
        "sigma_change": [-0.1, 1.1],
    },
    "cem": {
        "sigma": POSITIVE,
        "population_size": [1, 2.0],
        "elites": [1, 65],
        "extra_noise": [-0.1, math.inf],
        "decay": [-0.1, 1.1],
    },
    "guided-es": {
        "learning_rate": POSITIVE,
        "sigma": POSITIVE,
        "pairs": [0, 1.5],
        "subspace": [0, 1.5],
        "balance": [-0.1, 1.1],
    },
    "differential-evolution": {
        "population_size": [3, 5.0],
        "weight": [-0.1, 2.1],
        "crossover": [-0.1, 1.1],
        "initial_spread": POSITIVE,
    },
    "random-search": {"sigma": POSITIVE, "population_size": [0, 1.5]},
    "hill-climber": {"step": POSITIVE, "growth": [0.9, math.inf], "shrinkage": [-0.1, 1.1]},
    "openai-es": {
        "learning_rate": POSITIVE,
        "sigma": POSITIVE,
        "pairs": [0, 1.5],
        "weight_decay": [-0.1, math.inf, math.nan],
        "optimizer": ["adm", "bfgs"],
    },
}


@pytest.mark.parametrize(
    ("name", "parameter", "value"),
    [(name, key, value) for name, keys in OUT_OF_RANGE.items() for key, values in keys.items() for value in values],
)
def test_a_hyper_parameter_out_of_range_is_refused_in_one_line(name: str, parameter: str, value: Any) -> None:
    with pytest.raises(ValueError, match="must be") as error:
        make(name, np.zeros(3), **{parameter: value})
    message = str(error.value)
    assert message.startswith(f"{parameter}={value!r}: must be ")
    assert "\n" not in message


def test_the_ends_of_the_ranges_are_allowed() -> None:
    start = np.zeros(3)
    run(ARS(start, 0, directions=1, elite_directions=1), sphere, 2)
    run(OpenAIES(start, 0, pairs=1, weight_decay=0), sphere, 2)
    still, lone = "uniform:probability=0", "truncation:truncation=1"
    run(GA(start, 0, population_size=2, select="uniform", elites=1, genome="real:spread=0", offered=2), sphere, 2)
    run(GA(start, 0, population_size=2, select=lone, elites=0, children=2, cross=still, offered=1), sphere, 2)
    run(DeepGA(start, 0, population_size=2, truncation=2, elites=1, initial_spread=0, offered=2, cache_mb=0), sphere, 2)
    run(DeepGA(start, 0, population_size=2, truncation=1, elites=0, offered=1), sphere, 2)


# Convergence


# Searches that do not narrow: random search, those that fill a map, and those for a front.
OF_MAPS = ("map-elites", "cma-me", "cma-mae", "me-es", "novelty-search", "nslc")
EXPLORING = ("random-search", *OF_MAPS, "mo-cma-es", "nsga-ii", "nsga-iii")


@pytest.mark.parametrize("name", [name for name in OF_VECTORS if name not in EXPLORING])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("fitness", "optimum", "evaluations", "distance"),
    [(sphere, np.zeros(10), 4_000, 0.1), (shifted_ellipsoid, SHIFT, 8_000, 0.25)],
    ids=["sphere", "shifted ellipsoid"],
)
def test_convergence(
    name: str, seed: int, fitness: Fitness, optimum: Floats, evaluations: int, distance: float
) -> None:
    """From a distance of about 3 (sphere) and 2 (ellipsoid, condition 100), in 10 dimensions."""
    start = np.ones(10) if fitness is sphere else np.zeros(10)
    algorithm = make(name, start, seed)
    run(algorithm, fitness, evaluations // len(algorithm.ask()))
    reached = algorithm.candidates()[:1]
    assert np.sqrt(np.sum(np.square(reached[0] - optimum))) < distance
    assert fitness(reached)[0] > 0.01 * fitness(start[np.newaxis])[0]  # 99 % of the way up


@pytest.mark.parametrize("pairs", [25, 100])
def test_ars_follows_the_gradient_as_closely_as_theory_says(pairs: int) -> None:
    """On a linear function in d dimensions the cosine to the gradient is near sqrt(m / (m + d)) for m pairs."""
    dimensions, cosines = 100, []
    slope = np.zeros(dimensions)
    slope[0] = 1.0
    for seed in range(60):
        algorithm = ARS(np.zeros(dimensions), seed, directions=pairs)
        run(algorithm, lambda population: population @ slope, 1)
        mean = algorithm.candidates()[0]
        cosines.append(mean[0] / np.sqrt(np.sum(np.square(mean))))
    assert np.mean(cosines) == pytest.approx(np.sqrt(pairs / (pairs + dimensions)), abs=0.03)


# What an algorithm must not depend on


def test_ars_does_not_see_the_scale_and_the_zero_of_fitness() -> None:
    algorithm, doubled, rescaled = (make("ars", np.ones(5)) for _ in range(3))
    run(algorithm, sphere, 6)
    run(doubled, lambda population: 4 * sphere(population), 6)
    run(rescaled, lambda population: 3 * sphere(population) + 11, 6)
    np.testing.assert_array_equal(algorithm.candidates(), doubled.candidates())  # powers of two are exact
    np.testing.assert_allclose(algorithm.candidates(), rescaled.candidates(), rtol=0, atol=1e-10)


# Updates against plain twins


def told(algorithm: ARS | OpenAIES, seed: int) -> tuple[list[list[float]], list[float]]:
    """One round on random fitness: its noise directions and rewards as plain lists."""
    population = algorithm.ask()
    rewards = generator(seed, "rewards", algorithm.generation).standard_normal(len(population))
    algorithm.tell(rewards)
    return [row.tolist() for row in population.noise], rewards.tolist()


@pytest.mark.parametrize("elite_directions", [None, 1, 3])
def test_ars_equals_its_plain_twin(elite_directions: int | None) -> None:
    initial = [0.5, -1.0, 2.0, 0.0]
    algorithm = ARS(initial, 1, learning_rate=0.3, sigma=0.1, directions=5, elite_directions=elite_directions)
    M = list(initial)
    for generation in range(4):
        asked = algorithm.ask().dense()
        delta, r = told(algorithm, 2)
        for k in range(5):
            np.testing.assert_allclose(asked[2 * k], [M[p] + 0.1 * delta[k][p] for p in range(4)], rtol=1e-13)
            np.testing.assert_allclose(asked[2 * k + 1], [M[p] - 0.1 * delta[k][p] for p in range(4)], rtol=1e-13)

        b = elite_directions or 5
        plus, minus = r[0::2], r[1::2]
        top = sorted(range(5), key=lambda k: max(plus[k], minus[k]), reverse=True)[:b]
        used = [plus[k] for k in top] + [minus[k] for k in top]
        average = sum(used) / (2 * b)
        sigma_R = math.sqrt(sum((reward - average) ** 2 for reward in used) / (2 * b))
        M = [M[p] + 0.3 / (b * sigma_R) * sum((plus[k] - minus[k]) * delta[k][p] for k in top) for p in range(4)]
        np.testing.assert_allclose(algorithm.candidates(), [M], rtol=1e-12)
        assert algorithm.generation == generation + 1


def test_ars_stays_where_it_is_when_all_rewards_are_equal() -> None:
    algorithm = make("ars", np.ones(5))
    run(algorithm, lambda population: np.full(len(population), 0.1), 3)
    np.testing.assert_array_equal(algorithm.candidates(), np.ones((1, 5)))
    assert algorithm.diagnostics()["update_norm"] == 0


def test_ars_refuses_rewards_that_overflow_and_stays_as_it_was() -> None:
    algorithm, untouched = make("ars", np.ones(5)), make("ars", np.ones(5))
    rewards = np.where(np.arange(len(algorithm.ask())) % 2, 1e308, -1e308)
    with pytest.raises(FloatingPointError):
        algorithm.tell(rewards)
    assert_same_state(algorithm, untouched)


def test_openai_es_equals_its_plain_twin() -> None:
    initial = [0.5, -1.0, 2.0]
    algorithm = OpenAIES(initial, 1, learning_rate=0.05, sigma=0.1, pairs=4, weight_decay=0.02)
    theta, m, v = list(initial), [0.0] * 3, [0.0] * 3
    for t in range(1, 6):
        asked = algorithm.ask().dense()
        epsilon, F = told(algorithm, 3)
        for k in range(4):
            np.testing.assert_allclose(asked[2 * k], [theta[p] + 0.1 * epsilon[k][p] for p in range(3)], rtol=1e-13)
            np.testing.assert_allclose(asked[2 * k + 1], [theta[p] - 0.1 * epsilon[k][p] for p in range(3)], rtol=1e-13)

        order = sorted(range(8), key=lambda i: F[i])
        shaped = [order.index(i) / 7 - 0.5 for i in range(8)]
        for p in range(3):
            samples = [shaped[2 * k] * epsilon[k][p] + shaped[2 * k + 1] * -epsilon[k][p] for k in range(4)]
            g = sum(samples) / 8 - 0.02 * theta[p]
            m[p] = 0.9 * m[p] + 0.1 * g
            v[p] = 0.999 * v[p] + 0.001 * g**2
            theta[p] += 0.05 * (m[p] / (1 - 0.9**t)) / (math.sqrt(v[p] / (1 - 0.999**t)) + 1e-8)
        np.testing.assert_allclose(algorithm.candidates(), [theta], rtol=1e-11)


def test_openai_es_decays_its_weights_when_fitness_says_nothing() -> None:
    for weight_decay, grows_smaller in ((0.0, False), (0.1, True)):
        algorithm = make("openai-es", np.array([1.0, -2.0]), weight_decay=weight_decay)
        run(algorithm, lambda population: np.zeros(len(population)), 5)
        size = np.abs(algorithm.candidates()[0])
        assert (size < [1, 2]).all() == grows_smaller
        assert (size == [1, 2]).all() != grows_smaller
