"""Novelty search: novelty equals its plain definition, and it reaches what a deceptive fitness leads away from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from evo.algorithms.genetic.ga import GA
from evo.algorithms.quality_diversity.novelty import novelty_of
from evo.algorithms.quality_diversity.novelty_search import NoveltySearch
from evo.numerics.randomness import generator

Floats = NDArray[np.float64]


@given(st.integers(0, 2**20), st.integers(1, 12), st.integers(0, 12), st.integers(1, 20), st.sampled_from([2, 1000]))
def test_novelty_is_the_mean_distance_to_the_nearest(seed: int, own: int, others: int, k: int, steps: int) -> None:
    random = generator(seed, "test")
    behaviours, past = (random.integers(steps, size=(count, 2)) / steps for count in (own, others))
    for i, found in enumerate(novelty_of(behaviours, past, k)):
        rest = np.concatenate([np.delete(behaviours, i, axis=0), past])
        distances = sorted(np.sqrt(np.square(rest - behaviours[i]).sum(axis=1)))[:k]
        assert found == pytest.approx(np.mean(distances) if distances else 0.0, abs=1e-12)


def deceptive(points: Floats) -> Floats:
    """A hill at the start, from which the way to the true height beyond x = 4 first goes down."""
    hill = -np.square(points).sum(axis=1)
    return np.where(points[:, 0] > 4, 100.0, hill)


@pytest.mark.parametrize("seed", range(3))
def test_it_gets_where_fitness_leads_away_from(seed: int) -> None:
    options = {"population_size": 40, "mutate": "gaussian:sigma=0.2"}
    search = NoveltySearch(np.zeros(2), seed, ranges="-5:5,-5:5", archive="grid:20", **options)  # type: ignore[arg-type]
    plain = GA(np.zeros(2), seed, **options)  # type: ignore[arg-type]
    for _ in range(150):
        rows = search.ask().dense()
        search.tell(deceptive(rows), measures=rows)
        plain.tell(deceptive(plain.ask().dense()))
    assert deceptive(search.candidates())[0] == 100.0
    assert deceptive(plain.candidates())[0] < 0.0
    assert search.diagnostics()["coverage"] > 0.5


def test_behaviours_are_remembered_until_there_are_too_many() -> None:
    search = NoveltySearch(
        np.zeros(2), 0, ranges="-5:5,-5:5", archive="grid:4", population_size=6, added=3, remembered_most=7
    )
    for generation in range(5):
        rows = search.ask().dense()
        search.tell(np.zeros(6), measures=rows)
        assert search.diagnostics()["remembered"] == min(7, 3 * (generation + 1))
    newest = (search.ask(), search.behaviours)[1][-3:]
    scaled = (rows + 5) / 10
    assert all((np.abs(scaled - one).sum(axis=1) < 1e-12).any() for one in newest)


def test_the_failed_are_the_least_novel() -> None:
    search = NoveltySearch(np.zeros(2), 0, ranges="-5:5,-5:5", archive="grid:4", population_size=4, added=4)
    search.ask()
    search.tell(np.zeros(4), measures=np.array([[np.nan, np.nan], [0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
    assert search.novelty.argmin() == 0 and len(search.behaviours) == 3
    search.ask()
    search.tell(np.zeros(4), measures=np.full((4, 2), np.nan))
    assert len(search.behaviours) == 3 and np.isfinite(search.ask().dense()).all()
