"""Fronts and crowding: equal to their plain definitions, on any objectives, ties and failures among them."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from evo.algorithms.multi_objective.dominance import crowding_distances, rank_fronts, split_fronts, thin_front

Floats = NDArray[np.float64]
FEW = st.integers(-3, 3).map(float)  # so that many are equal
ANY = st.one_of(FEW, st.floats(-1e3, 1e3))


@st.composite
def populations(draw: st.DrawFn, values: st.SearchStrategy[float] = ANY, least: int = 0) -> Floats:
    width, count = draw(st.integers(2, 4)), draw(st.integers(least, 14))
    rows = [[draw(values) for _ in range(width)] for _ in range(count)]
    objectives = np.array(rows).reshape(count, width)
    failed = draw(st.lists(st.integers(0, count - 1), max_size=2)) if count else []
    objectives[failed] = -np.inf
    return objectives


def dominates(one: Floats, other: Floats) -> bool:
    return bool((one >= other).all() and (one > other).any())


def plain_ranks(objectives: Floats) -> list[int]:
    """Peel off front after front."""
    left, ranks = set(range(len(objectives))), [0] * len(objectives)
    for rank in itertools.count():
        front = {p for p in left if not any(dominates(objectives[q], objectives[p]) for q in left)}
        for p in front:
            ranks[p] = rank
        left -= front
        if not left:
            return ranks
    return ranks


def plain_distances(objectives: Floats, front: list[int], spans: list[float] | None = None) -> dict[int, float]:
    found = dict.fromkeys(front, 0.0)
    for k in range(objectives.shape[1]):
        order = sorted(front, key=lambda one: objectives[one, k])
        least, most = objectives[order[0], k], objectives[order[-1], k]
        span = most - least if spans is None else spans[k]
        found[order[0]] = found[order[-1]] = math.inf
        for before, one, after in zip(order, order[1:], order[2:], strict=False):
            if span > 0:
                found[one] += (objectives[after, k] - objectives[before, k]) / span
    return found


@settings(max_examples=200)
@given(populations())
def test_ranks_are_those_of_peeling_front_after_front(objectives: Floats) -> None:
    assert rank_fronts(objectives).tolist() == (plain_ranks(objectives) if len(objectives) else [])


def test_without_objectives_there_is_no_front() -> None:
    assert rank_fronts(np.zeros((0, 0))).shape == (0,)


@settings(max_examples=200)
@given(populations(least=1))
def test_crowding_is_as_defined(objectives: Floats) -> None:
    ranks = rank_fronts(objectives)
    found = crowding_distances(objectives, ranks)
    for rank in range(ranks.max() + 1):
        front = np.flatnonzero(ranks == rank).tolist()
        if np.isinf(objectives[front]).any():
            assert (found[front] == 0).all()  # they failed
            continue
        for one, distance in plain_distances(objectives, front).items():
            assert found[one] == distance


@settings(max_examples=200)
@given(populations(least=1), st.data())
def test_a_front_is_thinned_as_if_all_were_computed_anew(objectives: Floats, data: st.DataObject) -> None:
    front = objectives[np.isfinite(objectives).all(axis=1)]
    front = front[rank_fronts(front) == 0]
    kept = data.draw(st.integers(0, len(front)))
    left = list(range(len(front)))
    spans = [float(np.ptp(front[:, k])) for k in range(front.shape[1])] if len(front) else []
    while len(left) > kept:
        distances = plain_distances(front, left, spans)
        left.remove(min(reversed(left), key=lambda one: distances[one]))
    assert thin_front(front, kept).tolist() == left


@given(populations(least=1), st.integers(0, 20))
def test_fronts_are_split_where_no_more_fit(objectives: Floats, most: int) -> None:
    ranks = rank_fronts(objectives)
    whole, last = split_fronts(ranks, most)
    assert len(whole) <= most and (np.diff(ranks[whole]) >= 0).all()
    assert len(whole) + len(last) >= min(most, len(ranks))
    for rank in set(ranks.tolist()):
        everyone = set(np.flatnonzero(ranks == rank).tolist())
        assert everyone <= {*whole.tolist()} or everyone.isdisjoint(whole.tolist())
    if len(last):
        assert len(set(ranks[last].tolist())) == 1 and len(last) == np.count_nonzero(ranks == ranks[last[0]])


def test_the_middle_of_three_is_the_most_crowded() -> None:
    objectives = np.array([[0.0, 3.0], [1.0, 2.0], [1.5, 1.5], [3.0, 0.0]])
    assert crowding_distances(objectives, rank_fronts(objectives)).tolist() == pytest.approx(
        [math.inf, 1.5 / 3 + 1.5 / 3, 2 / 3 + 2 / 3, math.inf]
    )
    assert thin_front(objectives, 3).tolist() == [0, 2, 3]
