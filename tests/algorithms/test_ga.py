"""The genetic algorithm: its own promises, compositions of all operators, plain twins, and genomes of every kind."""

import functools
import inspect
import math
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import evo
from evo.algorithms.genetic.ga import GA
from evo.numerics.randomness import generator
from evo.operators import CROSSOVER, GENOMES, MUTATION, REPLACEMENT, SELECTION, SELF_ADAPTIVE_MUTATION
from evo.operators.crossover import two_point_crossover, uniform_crossover
from evo.operators.kinds import binary_genome, kind_from_text
from evo.operators.mutation import bit_flip_mutation
from evo.operators.replacement import plus_replacement
from evo.operators.selection import best, tournament_selection

Floats = NDArray[np.float64]
Fitness = Callable[[Floats], Floats]


def run(algorithm: GA, fitness: Fitness, generations: int) -> None:
    for _ in range(generations):
        algorithm.tell(fitness(algorithm.ask().dense()))


def sphere(population: Floats) -> Floats:
    fitness: Floats = -np.sum(np.square(population), axis=1)
    return fitness


def ones(population: Floats) -> Floats:
    fitness: Floats = np.sum(population, axis=1)
    return fitness


def in_place(population: Floats) -> Floats:
    """How many genes are at the place of their own number."""
    fitness: Floats = np.sum(population == np.arange(population.shape[1]), axis=1).astype(np.float64)
    return fitness


class Composition(NamedTuple):
    """Settings of a genetic algorithm, where it begins, and a fitness of which it comes near the greatest value."""

    settings: dict[str, Any]
    initial: Floats
    fitness: Fitness
    reached: float
    generations: int


BITS, REALS, INTEGERS, ORDER = np.zeros(24), np.ones(6), np.full(10, 2.0), np.arange(9.0)[::-1]
TOURNAMENT = "tournament:size=3"

# One row a composition; between them they name every operator that suits.
COMPOSITIONS: dict[str, Composition] = {
    "default": Composition({}, REALS, sphere, -0.01, 120),
    "sbx": Composition(
        {
            "select": TOURNAMENT,
            "cross": "sbx:eta=10,low=-2,high=2",
            "mutate": "polynomial:low=-2,high=2",
            "replace": "elitist:elites=4",
            "elites": 0,
        },
        *(REALS, sphere, -0.01, 60),
    ),
    "blend, roulette": Composition(
        {"select": "roulette", "cross": "blend", "mutate": "cauchy:scale=0.002"}, REALS, sphere, -0.05, 60
    ),
    "arithmetic, universal sampling, steady state": Composition(
        {
            "select": "sus",
            "cross": "arithmetic",
            "mutate": "gaussian:sigma=0.1",
            "replace": "steady-state",
            "children": 6,
        },
        *(REALS, sphere, -0.05, 300),
    ),
    "evolution strategy": Composition(
        {
            "select": "uniform",
            "cross": "none",
            "mutate": "self-adaptive",
            "replace": "comma",
            "elites": 0,
            "population_size": 15,
            "children": 100,
        },
        *(REALS, sphere, -1e-6, 60),
    ),
    "sharing": Composition({"select": "rank", "niche_radius": 0.5}, REALS, sphere, -0.05, 100),
    "neurons": Composition(
        {
            "select": "boltzmann:temperature=0.1",
            "cross": "neuron:groups=[0, 0, 1, 1, 2, 2]",
            "mutate": "safe:sigma=0.02",
            "sensitivity": np.ones_like,
        },
        *(REALS, sphere, -0.02, 120),
    ),
    "iso + line": Composition(
        {"select": TOURNAMENT, "cross": "line", "mutate": "gaussian:sigma=0.05"}, REALS, sphere, -0.05, 60
    ),
    "real genes drawn anew and moved": Composition(
        {
            "cross": "two-point",
            "mutate": "uniform-reset:low=-1,high=1",
            "replace": "plus",
            "select": "tournament",
        },
        *(REALS, sphere, -0.05, 60),
    ),
    "within bounds": Composition(
        {"genome": "bounded:low=-2,high=2", "cross": "sbx", "mutate": "polynomial", "select": TOURNAMENT},
        *(REALS, sphere, -0.01, 60),
    ),
    "bits": Composition({"genome": "binary", "mutate": "bit-flip", "select": TOURNAMENT}, BITS, ones, 24, 40),
    "bits, callables": Composition(
        {
            "genome": binary_genome(),
            "select": functools.partial(tournament_selection, size=3),
            "cross": two_point_crossover,
            "mutate": functools.partial(bit_flip_mutation, probability=0.05),
            "replace": plus_replacement,
        },
        *(BITS, ones, 24, 40),
    ),
    "bits, aging": Composition(
        {
            "genome": "binary",
            "cross": "one-point",
            "mutate": "bit-flip",
            "select": "tournament:size=5",
            "replace": "aging",
            "elites": 0,
            "children": 16,
        },
        *(BITS, ones, 24, 120),
    ),
    "integers": Composition(
        {"genome": "integer:low=-3,high=5", "mutate": "uniform-reset", "select": TOURNAMENT}, INTEGERS, ones, 50, 60
    ),
    "orders, pmx": Composition(
        {"genome": "permutation", "cross": "pmx", "mutate": "swap", "select": TOURNAMENT}, ORDER, in_place, 9, 60
    ),
    "orders, ox": Composition(
        {"genome": "permutation", "cross": "order", "mutate": "inversion", "select": TOURNAMENT, "replace": "plus"},
        *(ORDER, in_place, 9, 60),
    ),
    "orders, scrambled": Composition(
        {"genome": "permutation", "cross": "none", "mutate": "scramble", "select": TOURNAMENT, "replace": "plus"},
        *(ORDER, in_place, 6, 60),
    ),
}

every_composition = pytest.mark.parametrize("name", COMPOSITIONS)


def make(name: str, seed: int = 0) -> GA:
    composition = COMPOSITIONS[name]
    return GA(composition.initial, seed, **({"population_size": 50} | composition.settings))


def assert_same_state(first: GA, second: GA) -> None:
    one, other = first.state(), second.state()
    assert one.keys() == other.keys()
    for name in one:
        assert one[name].dtype == other[name].dtype
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)
    np.testing.assert_array_equal(first.candidates(), second.candidates())
    assert first.diagnostics() == second.diagnostics()


# Every composition


def test_the_compositions_name_every_operator() -> None:
    defaults = {name: option.default for name, option in inspect.signature(GA).parameters.items()}
    for option, table in (
        ("select", [name for name in SELECTION if "lexicase" not in name]),
        ("cross", CROSSOVER),
        ("mutate", MUTATION | SELF_ADAPTIVE_MUTATION),
        ("replace", REPLACEMENT),
        ("genome", GENOMES),
    ):
        chosen = [composition.settings.get(option, defaults[option]) for composition in COMPOSITIONS.values()]
        assert {text.partition(":")[0] for text in chosen if isinstance(text, str)} == set(table)


@every_composition
def test_a_composition_comes_near_the_best(name: str) -> None:
    composition, algorithm = COMPOSITIONS[name], make(name)
    run(algorithm, composition.fitness, composition.generations)
    assert composition.fitness(algorithm.candidates()[:1])[0] >= composition.reached


@every_composition
def test_a_resumed_composition_equals_the_uninterrupted_one(name: str) -> None:
    fitness = COMPOSITIONS[name].fitness
    whole, states = make(name, 3), []
    for _ in range(5):
        states.append(whole.state())
        run(whole, fitness, 1)
    for generation, state in enumerate(states):
        resumed = make(name, 3)
        resumed.restore(state)
        run(resumed, fitness, 5 - generation)
        assert_same_state(resumed, whole)


@every_composition
def test_other_seeds_are_other_searches(name: str) -> None:
    first, second = make(name, 1), make(name, 2)
    for algorithm in (first, second):
        run(algorithm, COMPOSITIONS[name].fitness, 2)
    assert not np.array_equal(first.ask().dense(), second.ask().dense())


KINDS = ["real:spread=0.5", "bounded:low=-1,high=4", "binary", "integer:low=0,high=4", "permutation"]


@settings(max_examples=40)
@given(st.data(), st.integers(0, 2**64), st.sampled_from(KINDS), st.integers(4, 9), st.integers(0, 3))
def test_any_suitable_operators_keep_the_genome_and_the_size(
    data: st.DataObject, seed: int, genome: str, population: int, elites: int
) -> None:
    """Whatever is drawn from the tables: individuals stay genomes, as many as there were, and each was asked for."""
    kind = kind_from_text(genome)
    options = {"sbx": ":low=-9,high=9", "polynomial": ":low=-9,high=9", "neuron": ":groups=[0,0,1,1,2]"}
    if kind.name == "bounded":  # whose bounds its operators know
        options = {"neuron": options["neuron"]}
    options |= {"elitist": ":elites=1", "truncation": ":truncation=2"}
    if kind.name == "real":
        options["uniform-reset"] = ":low=-9,high=9"

    def drawn(names: Any) -> str:
        name = data.draw(st.sampled_from(sorted(names)))
        return name + options.get(name, "")

    of_fitness = [name for name in SELECTION if "lexicase" not in name]
    algorithm = GA(
        np.zeros(5) if genome == "binary" else np.arange(5.0),
        seed,
        sensitivity=np.ones_like,
        population_size=population,
        elites=elites,
        select=drawn(of_fitness),
        cross=drawn(kind.crossovers),
        mutate=drawn(kind.mutations),
        replace=drawn(REPLACEMENT),
        genome=genome,
        offered=population,
    )
    seen = np.zeros((0, 5))
    for generation in range(3):
        asked = algorithm.ask().dense()
        assert len(asked) == population
        assert kind.keeps(kind.convert(asked))
        seen = np.concatenate([seen, asked])
        algorithm.tell(generator(seed, "fitness", generation).standard_normal(len(asked)))
        living = algorithm.candidates()
        assert living.shape == (population, 5)
        assert (living[:, np.newaxis] == seen).all(axis=2).any(axis=1).all()
        ages = algorithm.state()["ages"]
        assert ((ages >= 0) & (ages <= generation)).all()


# Plain twins, from the streams of random numbers that have names


def lists(array: NDArray[Any]) -> list[Any]:
    result: list[Any] = array.tolist()
    return result


@pytest.mark.parametrize("scale", [100.0, 1.0], ids=["few ties", "many ties"])
def test_the_default_equals_its_plain_twin_to_the_bit(scale: float) -> None:
    """Such 2017, Algorithm 1, with crossover; also a promise to champions of before operators could be chosen."""

    def fitness(population: Floats) -> Floats:
        return np.round(scale * sphere(population))

    N, T, E, sigma, n, seed = 12, 5, 2, 0.3, 4, 9
    chosen = {"select": f"truncation:truncation={T}", "mutate": f"gaussian:sigma={sigma}", "elites": E}
    algorithm = GA(np.ones(n), seed, population_size=N, **chosen)
    noise = lists(generator(seed, "initial population").standard_normal((N, n)))
    P = [[1.0 + 0.1 * noise[i][g] for g in range(n)] for i in range(N)]
    for generation in range(1, 12):
        np.testing.assert_array_equal(algorithm.ask().dense(), P)
        F = lists(fitness(np.array(P)))
        algorithm.tell(np.array(F))
        P = [P[i] for i in sorted(range(N), key=lambda i: -F[i])]  # stable: of equals the first comes first
        np.testing.assert_array_equal(algorithm.candidates(), P[:3])
        random = generator(seed, "selection", generation)
        k = lists(random.integers(T, size=2 * (N - E)))
        random = generator(seed, "crossover", generation)
        has_two, coins = lists(random.random(N - E)), lists(random.integers(2, size=(N - E, n), dtype=np.bool_))
        epsilon = lists(generator(seed, "mutation", generation).standard_normal((N - E, n)))
        children = []
        for i in range(N - E):
            mother, father = P[k[2 * i]], P[k[2 * i + 1]]
            genes = [father[g] if has_two[i] < 0.5 and coins[i][g] else mother[g] for g in range(n)]
            children.append([genes[g] + sigma * epsilon[i][g] for g in range(n)])
        P = P[:E] + children


def test_mu_plus_lambda_on_bits_equals_its_plain_twin() -> None:
    mu, lam, n, seed = 7, 5, 6, 4
    settings = {"select": "tournament:size=2", "cross": "one-point", "mutate": "bit-flip", "replace": "plus"}
    algorithm = GA(
        np.zeros(n), seed, population_size=mu, children=lam, elites=1, offered=mu, genome="binary", **settings
    )
    P = [[0] * n, *lists(generator(seed, "initial population").integers(2, size=(mu - 1, n), dtype=np.bool_) * 1)]
    np.testing.assert_array_equal(algorithm.ask().dense(), P)
    F = [float(value) for value in range(mu)]
    algorithm.tell(np.array(F))
    for generation in range(1, 10):
        contests = lists(generator(seed, "selection", generation).integers(mu, size=(2 * lam, 2)))
        parents = [a if F[a] >= F[b] else b for a, b in contests]
        cuts = lists(generator(seed, "crossover", generation).integers(1, n, size=(lam, 1)))
        flips = lists(generator(seed, "mutation", generation).random((lam, n)))
        children = []
        for i in range(lam):
            genes = P[parents[2 * i]][: cuts[i][0]] + P[parents[2 * i + 1]][cuts[i][0] :]
            children.append([gene ^ (flips[i][g] < 1 / n) for g, gene in enumerate(genes)])
        elite = max(range(mu), key=lambda i: F[i])
        np.testing.assert_array_equal(algorithm.ask().dense(), [P[elite], *children])

        told = lists(generator(seed, "fitness", generation).standard_normal(1 + lam))
        algorithm.tell(np.array(told))
        others = [(P[i], F[i]) for i in range(mu) if i != elite]
        # of equals a child comes before an old one; here none are equal
        fittest = sorted([*others, *zip(children, told[1:], strict=True)], key=lambda pair: -pair[1])[: mu - 1]
        P = [P[elite], *(genes for genes, _ in fittest)]
        F = [told[0], *(fitness for _, fitness in fittest)]
        np.testing.assert_array_equal(algorithm.candidates(), [P[i] for i in sorted(range(mu), key=lambda i: -F[i])])


def test_aging_equals_reals_queue() -> None:
    """Real 2019, Algorithm 1, of several children a turn: whoever was born first dies first, however fit."""
    population, children, n, seed = 8, 3, 5, 2
    settings = {"select": "tournament:size=4", "cross": "none", "mutate": "swap", "replace": "aging"}
    algorithm = GA(
        np.arange(n), seed, population_size=population, children=children, elites=0, genome="permutation", **settings
    )
    queue = deque(lists(algorithm.ask().dense()))
    algorithm.tell(np.arange(population)[::-1].astype(float))  # the first born are the fittest
    for generation in range(1, 7):
        born = lists(algorithm.ask().dense())
        assert len(born) == children
        algorithm.tell(generator(seed, "fitness", generation).standard_normal(children))
        for child in born:
            queue.append(child)
            queue.popleft()
        np.testing.assert_array_equal(algorithm.state()["individuals"], queue)
        assert lists(algorithm.state()["ages"][-children:]) == [0] * children


# What it promises


def test_it_starts_around_the_initial_parameters() -> None:
    initial = np.array([5.0, -5.0, 0.0])
    rows = GA(initial, 0, population_size=5_000, genome="real:spread=0.5").ask().dense()
    assert np.abs(rows.mean(axis=0) - initial).max() < 5 * 0.5 / np.sqrt(5_000)
    assert np.abs(rows.std(axis=0) - 0.5).max() < 5 * 0.5 / np.sqrt(10_000)


@pytest.mark.parametrize("genome", ["binary", "integer:low=0,high=5", "permutation"])
def test_other_genomes_start_with_the_initial_one_and_random_ones(genome: str) -> None:
    initial = np.array([1.0, 0.0, 2.0, 3.0]) if genome != "binary" else np.array([1.0, 0.0, 0.0, 1.0])
    rows = GA(initial, 0, population_size=6_001, genome=genome, mutate="swap", cross="none").ask().dense()
    np.testing.assert_array_equal(rows[0], initial)
    values, counts = np.unique(rows[1:, 2], return_counts=True)
    assert lists(values) == list(range({"binary": 2, "permutation": 4}.get(genome, 6)))
    assert (np.abs(counts - 6_000 / len(values)) < 5 * np.sqrt(6_000 / len(values))).all()


def test_it_keeps_its_elites_unchanged_and_scores_them_anew() -> None:
    algorithm = GA(np.zeros(4), 0, population_size=10, select="truncation:truncation=3", elites=2)
    first = algorithm.ask().dense()
    algorithm.tell(np.array([0, 1, 2, 3, 9, 5, 6, 8, 7, 4], dtype=float))
    second = algorithm.ask().dense()
    np.testing.assert_array_equal(second[:2], first[[4, 7]])
    algorithm.tell(np.array([-1, 5, 0, 0, 0, 0, 0, 0, 0, 9], dtype=float))  # the first elite had only been lucky
    third = algorithm.ask().dense()
    np.testing.assert_array_equal(third[:2], second[[9, 1]])
    assert not (third == first[4]).all(axis=1).any()


@pytest.mark.parametrize("replace", ["plus", "steady-state"])
def test_where_the_old_live_on_a_lucky_one_is_found_out(replace: str) -> None:
    algorithm = GA(
        np.zeros(4), 0, population_size=6, select="uniform", replace=replace, elites=1, children=2, offered=1
    )
    lucky = algorithm.ask().dense()[2]
    algorithm.tell(np.array([1.0, 2.0, 99.0, 3.0, 4.0, 5.0]))
    np.testing.assert_array_equal(algorithm.candidates()[0], lucky)
    np.testing.assert_array_equal(algorithm.ask().dense()[0], lucky)
    algorithm.tell(np.array([0.0, -1.0, -1.0]))
    assert algorithm.state()["fitness"].max() == 5.0
    assert not np.array_equal(algorithm.candidates()[0], lucky)


def test_it_offers_the_best_of_the_last_population() -> None:
    algorithm = GA(np.zeros(4), 0, population_size=10, select="truncation:truncation=2", elites=0, offered=4)
    run(algorithm, sphere, 3)
    last = algorithm.ask().dense()
    algorithm.tell(sphere(last))
    np.testing.assert_array_equal(algorithm.candidates(), last[np.argsort(-sphere(last))[:4]])


def related(cross: str) -> Floats:
    """How far each child of the two fittest is from either, (children, 2), when mutation does next to nothing."""
    chosen = {"select": "truncation:truncation=2", "cross": cross, "mutate": "gaussian:sigma=1e-6"}
    algorithm = GA(np.zeros(20), 0, population_size=40, elites=0, offered=2, **chosen)
    run(algorithm, sphere, 1)
    parents = algorithm.candidates()
    distances: Floats = np.abs(algorithm.ask().dense()[:, np.newaxis] - parents).max(axis=2)
    return distances


def test_children_descend_from_the_fittest_only() -> None:
    distances = related("none")
    assert distances.min(axis=1).max() < 1e-5
    assert set(distances.argmin(axis=1)) == {0, 1}


def test_children_of_crossover_are_like_neither_parent() -> None:
    assert (related("uniform:probability=1").min(axis=1) > 1e-3).any()


def test_diversity_is_the_distance_from_the_mean() -> None:
    algorithm = GA(np.zeros(4), 0, population_size=6, select="truncation:truncation=2")
    rows = algorithm.ask().dense()
    algorithm.tell(sphere(rows))
    squared = [sum((row - rows.mean(axis=0)) ** 2) for row in rows]
    assert algorithm.diagnostics()["diversity"] == pytest.approx(math.sqrt(sum(squared) / 6))


def test_sigmas_are_inherited_and_shrink_as_the_optimum_comes_near() -> None:
    """Log-linear convergence, which no fixed deviation has: Beyer & Schwefel 2002."""
    algorithm = make("evolution strategy")
    run(algorithm, sphere, 30)
    sigmas, distance = algorithm.state()["sigmas"], math.sqrt(-sphere(algorithm.candidates())[0])
    assert len(np.unique(sigmas)) > 5
    run(algorithm, sphere, 60)
    nearer = math.sqrt(-sphere(algorithm.candidates())[0])
    assert nearer < 1e-4 * distance
    assert np.median(algorithm.state()["sigmas"]) < 1e-3 * np.median(sigmas)


def test_sharing_keeps_both_of_two_peaks_and_without_it_one_is_lost() -> None:
    def peaks(population: Floats) -> Floats:
        nearest = np.minimum(np.sum((population - 2) ** 2, axis=1), np.sum((population + 2) ** 2, axis=1))
        fitness: Floats = np.exp(-nearest)
        return fitness

    def on_the_lesser(niche_radius: float | None) -> int:
        chosen = {"select": "sus", "cross": "none", "mutate": "gaussian:sigma=0.1", "genome": "real:spread=2"}
        algorithm = GA(np.zeros(2), 0, population_size=60, niche_radius=niche_radius, **chosen)
        run(algorithm, peaks, 250)
        living = algorithm.state()["individuals"][:, 0]
        return int(min(np.sum(living > 0), np.sum(living < 0)))

    assert on_the_lesser(2.0) >= 15
    assert on_the_lesser(None) <= 3


def test_groups_are_handed_over_whole() -> None:
    groups = np.array([0, 1, 0, 1, 2, 2])
    chosen = {"select": "uniform", "cross": "neuron", "mutate": "gaussian:sigma=0"}
    algorithm = GA(np.zeros(6), 0, groups, population_size=10, elites=0, **chosen)
    rows = algorithm.ask().dense()
    algorithm.tell(np.zeros(10))
    children = algorithm.ask().dense()
    mother_of = (children[:, np.newaxis] == rows).argmax(axis=1)  # (children, genes): who had each gene
    for group in range(3):
        assert (np.ptp(mother_of[:, groups == group], axis=1) == 0).all()
    assert (np.ptp(mother_of, axis=1) > 0).any()


# What it refuses


def mean_of_both(random: np.random.Generator, first: Floats, second: Floats) -> Floats:
    return (first + second) / 2


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"select": "tournement"}, "select: unknown operator 'tournement'; did you mean 'tournament'?"),
    ({"select": "truncation:truncation=51"}, "select: truncation=51: must be a whole number in [1, 50]"),
    ({"select": "lexicase"}, "select: lexicase does not suit one fitness an individual; one of boltzmann, rank, "),
    ({"select": lambda random, fitness, count: [99] * count}, "select: gave int64 of shape (96,): must be 96 whole"),
    ({"cross": "uniform:probability=1.1"}, "cross: probability=1.1: must be a number in [0, 1]"),
    ({"cross": "pmx"}, "cross: pmx does not suit real genomes; one of arithmetic, blend, line, neuron, none, o"),
    ({"cross": "neuron"}, "cross: neuron needs groups"),
    ({"cross": lambda random, first, second: first[:, 1:]}, "cross: gave float64 of shape (1, 2): must be float64 of"),
    ({"mutate": "gaussian:sigma=-1"}, "mutate: sigma=-1: must be a finite number >= 0"),
    (
        {"mutate": "bit-flip"},
        "mutate: bit-flip does not suit real genomes; one of cauchy, gaussian, inversion, polynomial, safe, ",
    ),
    ({"mutate": bit_flip_mutation}, "mutate: bit-flip does not suit real genomes"),
    ({"mutate": "uniform-reset"}, "mutate: uniform-reset needs low and high"),
    ({"mutate": lambda random, genomes: genomes * np.nan}, "mutate: gave genomes that are not finite numbers"),
    ({"mutate": "self-adaptive", "genome": "real:spread=0"}, "genome: sigmas begin as the spread of the first genomes"),
    ({"replace": "plus:mu=3"}, "replace: plus has no option 'mu'"),
    ({"replace": "comma", "children": 9}, "replace: 9 children: must be at least 48"),
    ({"children": 9}, "replace: 9 children: must be 48 to replace a whole population"),
    ({"genome": "reel"}, "genome: unknown kind 'reel'; did you mean 'real'?"),
    ({"genome": "os:getcwd"}, "genome: unknown kind 'os'; one of binary, bounded, integer, permutation, real"),
    ({"genome": "integer"}, "genome: integer needs low and high: integer:low=…,high=…"),
    ({"genome": "integer:low=3,high=3"}, "genome: high=3: must be a whole number in [4, "),
    ({"genome": "real:spread=-1"}, "genome: spread=-1: must be a finite number >= 0"),
    ({"genome": "binary"}, "initial: must be 0 or 1, as it is a genome of kind binary"),
    ({"genome": "permutation"}, "initial: must be each of 0 … genes - 1 once, as it is a genome of kind permutation"),
    ({"genome": "integer:low=5,high=9"}, "initial: must be whole numbers in [5, 9], as it is"),
]


@pytest.mark.parametrize(("chosen", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_does_not_fit_is_refused_in_one_line(chosen: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as error:
        GA(np.array([1.5, 2.0, 3.0]), 0, **({"population_size": 50} | chosen))
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_an_operator_of_ones_own_must_keep_the_genome() -> None:
    with pytest.raises(ValueError, match="cross: gave float64 of shape"):
        GA(np.arange(9.0), 0, genome="permutation", cross=mean_of_both, mutate="swap")
    with pytest.raises(ValueError, match="cross: uniform does not suit permutation genomes; one of none, order, pmx"):
        GA(np.arange(9.0), 0, genome="permutation", cross=uniform_crossover, mutate="swap")
    own = GA(np.ones(3), 0, cross=mean_of_both, select=lambda random, fitness, count: best(fitness, 1).repeat(count))
    run(own, sphere, 30)
    assert sphere(own.candidates())[0] > -0.05


def test_it_is_a_word_of_the_package() -> None:
    assert evo.GA is GA
