"""NSLC: its objectives equal their plain definitions; it keeps niches of unequal fitness, and resumes to the bit."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from evo.algorithms.quality_diversity.novelty import local_competition, novelty_of
from evo.algorithms.quality_diversity.nslc import NSLC
from evo.numerics.randomness import generator

Floats = NDArray[np.float64]


@given(st.integers(0, 2**20), st.integers(1, 12), st.integers(0, 12), st.integers(1, 20))
def test_competitors_are_the_nearest(seed: int, own: int, others: int, k: int) -> None:
    random = generator(seed, "test")
    behaviours, past = random.random((own, 2)), random.random((others, 2))
    fitness, past_fitness = random.integers(3, size=own) * 1.0, random.integers(3, size=others) * 1.0
    novelty, beaten = local_competition(behaviours, past, fitness, past_fitness, k)
    np.testing.assert_array_equal(novelty, novelty_of(behaviours, past, k))
    for i in range(own):
        rest = np.concatenate([np.delete(behaviours, i, axis=0), past])
        rivals = np.concatenate([np.delete(fitness, i), past_fitness])
        near = np.argsort(np.square(rest - behaviours[i]).sum(axis=1), kind="stable")[:k]
        assert beaten[i] == np.count_nonzero(rivals[near] < fitness[i])


def kinds(rows: Floats) -> Floats:
    return 2 * np.sin(rows[:, :2])


def hills(rows: Floats) -> Floats:
    """Fitness rises by 100 a unit from left to right, and everywhere falls with the numbers beside the kind."""
    return 100 * kinds(rows)[:, 0] - np.square(rows[:, 2:]).sum(axis=1)


def make(seed: int) -> NSLC:
    options = {"population_size": 50, "mutate": "gaussian:sigma=0.1", "neighbours": 8}
    return NSLC(np.full(6, 0.5), seed, ranges="-2:2,-2:2", archive="grid:8", **options)  # type: ignore[arg-type]


def search(algorithm: NSLC, generations: int) -> NSLC:
    for _ in range(generations):
        rows = algorithm.ask().dense()
        algorithm.tell(hills(rows), measures=kinds(rows))
    return algorithm


def test_the_fittest_of_every_kind_survive() -> None:
    """Far apart in fitness, individuals on both sides live on, and those of all kinds lose what only costs fitness."""
    algorithm = search(make(0), 150)
    assert algorithm.diagnostics()["coverage"] > 0.8
    where = kinds(algorithm.individuals)[:, 0]
    assert where.min() < -1 and where.max() > 1
    kept = algorithm.archive.pool.population(algorithm.archive.elites()).dense()
    assert np.median(np.abs(kept[:, 2:])) < 0.25  # of 0.5 at the start


def test_it_goes_on_from_its_state_to_the_bit() -> None:
    whole, first, resumed = search(make(3), 20), search(make(3), 9), make(3)
    resumed.restore(first.state())
    again = search(resumed, 11).state()
    assert all(np.array_equal(array, again[name]) for name, array in whole.state().items())


def test_the_failed_do_not_survive() -> None:
    algorithm = make(1)
    rows = algorithm.ask().dense()
    measures = kinds(rows)
    measures[::2] = np.nan
    algorithm.tell(hills(rows), measures=measures)
    rows = algorithm.ask().dense()
    algorithm.tell(hills(rows), measures=kinds(rows))
    assert not np.isnan(algorithm.kinds).any() and len(algorithm.behaviours) == 4
