"""NSGA-III: its directions, normalisation and niches are the paper's, and it reaches known fronts."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evo.algorithms.multi_objective.niching import associate, fill_niches, find_extremes, intercepts_of
from evo.algorithms.multi_objective.nsga_iii import NSGAIII
from evo.algorithms.multi_objective.reference_directions import count_directions, das_dennis, find_partitions
from tests.support.fronts import landscape, search


@pytest.mark.parametrize(("name", "share"), [("zdt1", 0.98), ("zdt2", 0.97), ("dtlz2", 0.91), ("dtlz1", 0.9)])
def test_it_reaches_known_fronts(name: str, share: float) -> None:
    assert search(NSGAIII, landscape(name), 0, 300) > share


@given(st.integers(2, 5), st.integers(1, 8))
def test_directions_are_all_the_fractions_with_sum_one(objectives: int, partitions: int) -> None:
    found = das_dennis(objectives, partitions)
    every = itertools.product(range(partitions + 1), repeat=objectives)
    expected = {parts for parts in every if sum(parts) == partitions}
    assert {tuple(np.rint(row * partitions).astype(int).tolist()) for row in found} == expected
    assert len(found) == len(expected) == count_directions(objectives, partitions)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-14)


def test_the_papers_numbers_of_directions() -> None:
    assert [len(das_dennis(3, 12)), len(das_dennis(5, 6)), len(das_dennis(2, 99))] == [91, 210, 100]
    assert find_partitions(3, 100) == 12 and find_partitions(2, 100) == 99 and find_partitions(5, 3) == 1


def test_normalisation_is_by_the_plane_through_the_extreme_points() -> None:
    """Points of the plane f1 / 2 + f2 / 4 + f3 = 1, moved by the ideal point, whose intercepts are 2, 4 and 1."""
    ideal = np.array([1.0, -3.0, 0.5])
    costs = das_dennis(3, 6) * [2.0, 4.0, 1.0] + ideal
    extremes = find_extremes(costs, ideal)
    np.testing.assert_allclose(extremes - ideal, np.diag([2.0, 4.0, 1.0]), atol=1e-12)
    np.testing.assert_allclose(intercepts_of(extremes - ideal, costs - ideal), [2, 4, 1], rtol=1e-12)


@pytest.mark.parametrize("extremes", [np.ones((2, 2)), np.zeros((2, 2)), np.array([[1.0, 2.0], [3.0, 1.0]]) * [1, -1]])
def test_where_there_is_no_plane_the_worst_of_the_front_scales(extremes: np.ndarray) -> None:
    assert intercepts_of(extremes, np.array([[0.0, 3.0], [2.0, 0.0]])).tolist() == [2, 3]


@settings(max_examples=100)
@given(st.integers(0, 2**32), st.integers(2, 4), st.integers(1, 20))
def test_association_is_with_the_nearest_line(seed: int, k: int, count: int) -> None:
    costs, directions = np.random.default_rng(seed).random((count, k)), das_dennis(k, 4)
    niches, distances = associate(costs, directions)
    for one, point in enumerate(costs):
        apart = []
        for line in directions:
            unit = line / math.sqrt(sum(part**2 for part in line))
            along = sum(a * b for a, b in zip(point, unit, strict=True))
            apart.append(math.sqrt(sum((a - along * b) ** 2 for a, b in zip(point, unit, strict=True))))
        assert distances[one] == pytest.approx(min(apart), abs=1e-9)
        assert apart[niches[one]] == pytest.approx(min(apart), abs=1e-9)


@settings(max_examples=200)
@given(st.data(), st.integers(1, 5), st.integers(1, 12))
def test_niches_fill_evenly(data: st.DataObject, lines: int, count: int) -> None:
    """Each choice is of a direction that the fewest share; where nobody shares it, of its nearest individual."""
    niches = np.array(data.draw(st.lists(st.integers(0, lines - 1), min_size=count, max_size=count)))
    distances = np.array(data.draw(st.permutations(range(count))), np.float64)
    counts = np.array(data.draw(st.lists(st.integers(0, 3), min_size=lines, max_size=lines)))
    left = data.draw(st.integers(1, count))
    draws = np.random.default_rng(0).random((left, 2))
    chosen = fill_niches(niches, distances, counts, draws).tolist()
    assert len(set(chosen)) == left
    shares, waiting = counts.tolist(), set(range(count))
    for one in chosen:
        open_lines = {int(niches[other]) for other in waiting}
        line = int(niches[one])
        assert shares[line] == min(shares[other] for other in open_lines)
        if shares[line] == 0:
            assert distances[one] == min(distances[other] for other in waiting if niches[other] == line)
        shares[line] += 1
        waiting.remove(one)


def test_failures_are_kept_only_where_nobody_else_is_left() -> None:
    algorithm = NSGAIII(np.zeros(2), 0, population_size=4)
    algorithm.ask()
    objectives = np.array([[1.0, 0.0], [np.nan, np.nan], [0.0, 1.0], [np.nan, np.nan]])
    algorithm.tell(np.zeros(4), objectives=objectives)
    assert algorithm.ideal.tolist() == [-1, -1]
    algorithm.ask()
    algorithm.tell(np.zeros(4), objectives=np.array([[np.nan, np.nan]] * 3 + [[0.6, 0.6]]))
    assert np.isinf(algorithm.objectives).all(axis=1).sum() == 1
