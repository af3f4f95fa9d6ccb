"""The Deep GA: seed lists mean what the paper says, whatever memory there is."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from evo.algorithms.genetic.deep_ga import DeepGA
from evo.genomes import seed_lists
from evo.numerics.randomness import generator

Floats = NDArray[np.float64]

SETTINGS: dict[str, Any] = {"population_size": 30, "truncation": 6, "elites": 2, "sigma": 0.3, "initial_spread": 0.7}


def luck(algorithm: DeepGA, individuals: int = 30) -> Floats:
    """Fitness that says nothing: lineages drift."""
    return generator(5, "luck", algorithm.generation).standard_normal(individuals)


def drift(algorithm: DeepGA, generations: int) -> None:
    for _ in range(generations):
        algorithm.tell(luck(algorithm, len(algorithm.ask())))


def noise(seed: int, size: int) -> Floats:
    return np.random.default_rng(seed).standard_normal(size)


def test_it_equals_a_plain_twin_that_stores_all_parameters() -> None:
    initial = np.linspace(-1, 1, 6)
    algorithm = DeepGA(initial, 3, **SETTINGS)
    best: list[Floats] = []  # parameters, the fittest first
    for g in range(12):
        population = algorithm.ask()
        born = population.seeds.tolist()
        if g == 0:
            P = [initial + 0.7 * noise(seed, 6) for seed in born]
        else:
            children = zip(population.ancestors.tolist(), born, strict=True)
            P = best[:2] + [best[k] + 0.3 * noise(seed, 6) for k, seed in children]
        np.testing.assert_array_equal(population.dense(), P)
        F = luck(algorithm)
        algorithm.tell(F)
        best = [P[i] for i in sorted(range(30), key=lambda i: -F[i])]
        np.testing.assert_array_equal(algorithm.candidates(), best[:3])


def test_parents_are_drawn_uniformly_from_the_fittest_and_every_mutation_is_another() -> None:
    algorithm = DeepGA(np.zeros(2), 0, population_size=20_001, truncation=4, elites=1)
    drift(algorithm, 1)
    population = algorithm.ask()
    counts = np.bincount(population.ancestors, minlength=4)
    assert counts.shape == (4,)
    assert np.abs(counts - 5_000).max() < 5 * np.sqrt(20_000 * 0.25 * 0.75)
    seeds = {*population.seeds.tolist(), *(int(seed) for seeds in population.parents for seed in seeds)}
    assert len(seeds) == 20_000 + 4


def test_the_seeds_alone_are_the_champion() -> None:
    """Read as the module says, by NumPy alone, in float64 and in order."""
    initial = np.arange(50.0)
    algorithm = DeepGA(initial, 1, **SETTINGS)
    drift(algorithm, 25)
    params = initial
    for age, seed in enumerate(algorithm.survivors()[0]):
        params = params + (0.3 if age else 0.7) * noise(seed, 50)
    np.testing.assert_array_equal(algorithm.candidates()[0], params)
    assert sum(array.nbytes for array in algorithm.state().values()) < 8 * 6 * 25 + 500


class Draws:
    """Counts the mutations that are drawn."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count, real = 0, seed_lists._mutate

        def counted(*arguments: Any) -> None:
            self.count += 1
            real(*arguments)

        monkeypatch.setattr(seed_lists, "_mutate", counted)


def test_what_the_cache_holds_changes_no_bit() -> None:
    algorithms = [DeepGA(np.zeros(40), 2, **SETTINGS, cache_mb=megabytes) for megabytes in (0, 4 * 40 * 8e-6, 1.0)]
    resumed = DeepGA(np.zeros(40), 2, **SETTINGS)
    for _ in range(40):
        resumed.restore(algorithms[0].state())
        rows = [algorithm.ask().dense() for algorithm in (*algorithms, resumed)]
        backwards = np.empty_like(rows[0])
        for individual in reversed(range(30)):
            resumed.ask().row(individual, backwards[individual])
        for other in (*rows[1:], backwards):
            np.testing.assert_array_equal(rows[0], other)
        for algorithm in algorithms:
            drift(algorithm, 1)


@pytest.mark.parametrize(("megabytes", "most"), [(6.5 * 10 * 8e-6, 36), (0.0, 30 + 6 * 60)])
def test_a_generation_costs_no_more_however_long_the_lists_are(
    megabytes: float, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With room for six parents: a draw for each of 28 children and 6 parents, and about one for the ancestor of all,
    which moves on as time does. Without: a draw for all that a parent does not share with the others, a few times T.
    """
    algorithm = DeepGA(np.zeros(10), 4, **SETTINGS, cache_mb=megabytes)
    row = np.empty(10, np.float32)
    spent = []
    for _ in range(240):
        draws = Draws(monkeypatch)
        population = algorithm.ask()
        for individual in range(30):
            population.row(individual, row)
        algorithm.tell(luck(algorithm))
        spent.append(draws.count)
        monkeypatch.undo()
    assert algorithm.diagnostics()["mutations"] > 120
    assert np.mean(spent[120:]) < most
    assert np.mean(spent[180:]) < 1.5 * np.mean(spent[60:120])


def test_a_resumed_run_puts_together_once_what_all_survivors_share(monkeypatch: pytest.MonkeyPatch) -> None:
    algorithm = DeepGA(np.zeros(10), 4, **SETTINGS)
    drift(algorithm, 300)
    resumed = DeepGA(np.zeros(10), 4, **SETTINGS)
    resumed.restore(algorithm.state())
    draws = Draws(monkeypatch)
    dense = resumed.ask().dense()
    longest, divergence = max(map(len, resumed.survivors())), resumed.diagnostics()["divergence"]
    assert draws.count <= longest + 6 * divergence + 28  # the lists whole would be 6 times as many
    assert divergence < longest / 6
    np.testing.assert_array_equal(dense, algorithm.ask().dense())


def test_diagnostics_tell_how_far_back_the_survivors_are_related() -> None:
    algorithm = DeepGA(np.zeros(3), 0, **SETTINGS | {"truncation": 2})
    assert algorithm.diagnostics() == {"mutations": 0, "divergence": 0}
    drift(algorithm, 1)
    assert algorithm.diagnostics() == {"mutations": 1, "divergence": 1}
    founder = algorithm.survivors()[1]
    of_the_second = algorithm.ask().ancestors == 1
    algorithm.tell(np.append([0.0, 0.0], of_the_second))
    assert [seeds[0] for seeds in algorithm.survivors()] == [founder[0]] * 3
    assert algorithm.diagnostics() == {"mutations": 2, "divergence": 1}
    alone = DeepGA(np.zeros(3), 0, population_size=30, truncation=1, elites=0, offered=1)
    drift(alone, 5)
    assert alone.diagnostics() == {"mutations": 5, "divergence": 0}


def test_a_thousand_networks_of_four_million_parameters_fit_in_a_few_times_one() -> None:
    size = 4_000_000
    initial, row = np.zeros(size), np.empty(size, np.float32)
    tracemalloc.start()
    try:
        algorithm = DeepGA(initial, 0, cache_mb=100)
        algorithm.tell(luck(algorithm, len(algorithm.ask())))
        population = algorithm.ask()
        for individual in (0, 1, 999):  # the elite, and children of two parents
            population.row(individual, row)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(population) == 1000
    assert peak < 5 * initial.nbytes  # its own copy of the initial ones, and three parents


def test_a_state_that_is_not_its_own_is_refused_and_changes_nothing() -> None:
    algorithm = DeepGA(np.zeros(5), 0, **SETTINGS)
    drift(algorithm, 3)
    state = algorithm.state()
    torn = state | {"seeds": state["seeds"][:-1]}
    negative = state | {"lengths": state["lengths"] + np.array([-4, 4, 0, 0, 0, 0])}
    for foreign, named in (
        (state | {"parameters": np.array(6)}, "'parameters' is 6, expected 5"),
        (torn, "'lengths' is .*, expected"),
        (negative, "'lengths' is .*, expected"),
        (state | {"seeds": state["seeds"].astype(float)}, "'seeds' is float64 of shape .*any length"),
        (state | {"seeds": state["seeds"][:, np.newaxis]}, "'seeds' is int64"),
        (DeepGA(np.zeros(5), 0, **SETTINGS | {"truncation": 7}).state(), "'lengths' is int64 of shape"),
    ):
        with pytest.raises(ValueError, match=f"^state {named}"):
            algorithm.restore(foreign)
        assert all(np.array_equal(array, state[name]) for name, array in algorithm.state().items())
