"""Dominance: ranks of individuals by non-dominated fronts, and how crowded they are within theirs.

Deb, Pratap, Agarwal & Meyarivan 2002, "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II", sections III.A
and III.B. Objectives are (individuals, objectives), each maximised; an individual that failed has -inf in all.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evo.envs.engine.compile import njit

Floats = NDArray[np.float64]


def rank_fronts(objectives: Floats) -> NDArray[np.int64]:
    """Return the front of each individual, (individuals,): 0 for those that nobody dominates, and so on.

    Individuals enter the fronts from the greatest first objective down, so that none is dominated by a later one:
    Zhang, Tian, Cheng & Jin 2015, "An Efficient Approach to Nondominated Sorting for Evolutionary Multiobjective
    Optimization".
    The fronts are those of Deb's fast non-dominated sort, and take fewer comparisons.
    """
    if not objectives.shape[1]:  # nothing was told yet
        return np.zeros(len(objectives), np.int64)
    order = np.lexsort(-objectives.T[::-1])
    return _rank_fronts(np.ascontiguousarray(objectives), order)


def split_fronts(ranks: NDArray[np.int64], most: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the individuals of the best fronts that are at most `most` together, and those of the next front."""
    order = np.argsort(ranks, kind="stable")
    last = ranks[order[min(most, len(ranks) - 1)]] if most < len(ranks) else ranks.max() + 1
    return order[ranks[order] < last], order[ranks[order] == last]


def crowding_distances(objectives: Floats, ranks: NDArray[np.int64]) -> Floats:
    """Return the crowding distance of each individual within its front, (individuals,).

    It is infinite at the ends of a front, and 0 for individuals that failed.
    """
    return _crowding_distances(np.ascontiguousarray(objectives), ranks)


def thin_front(objectives: Floats, kept: int) -> NDArray[np.int64]:
    """Return the `kept` individuals of one front, in order, that are left when the most crowded go one after the other.

    objectives: (individuals, objectives). After each, its neighbours' distances are computed anew: Kukkonen &
    Deb 2006, "Improved Pruning of Non-Dominated Solutions Based on Crowding Distance for Bi-Objective Optimization
    Problems". Of equally crowded ones the last goes first.
    """
    return _thin_front(np.ascontiguousarray(objectives), kept)


def win_tournaments(objectives: Floats, one: NDArray[np.intp], other: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the winners of tournaments of two, by rank and then by crowding; `one` where both are as good."""
    ranks = rank_fronts(objectives)
    distances = crowding_distances(objectives, ranks)
    tied = ranks[one] == ranks[other]
    wins = (ranks[one] < ranks[other]) | (tied & (distances[one] >= distances[other]))
    return np.where(wins, one, other)


def survive(objectives: Floats, count: int) -> NDArray[np.intp]:
    """Return the `count` individuals that survive, front by front; the last that does not fit whole is thinned."""
    whole, last = split_fronts(rank_fronts(objectives), count)
    return np.concatenate([whole, last[thin_front(objectives[last], count - len(whole))]])


@njit(cache=True)
def _rank_fronts(objectives: Any, order: Any) -> Any:
    count, width = objectives.shape
    ranks = np.zeros(count, np.int64)
    newest, older = np.full(count, -1), np.full(count, -1)  # of each front, and the one before each individual in it
    for p in order:
        rank = 0
        while True:
            q, dominated = newest[rank], False
            while q >= 0:
                # q comes before p: it dominates it where nothing of it is less and they are not equal
                covers, equal = True, True
                for k in range(width):
                    if objectives[q, k] < objectives[p, k]:
                        covers = False
                        break
                    equal = equal and objectives[q, k] == objectives[p, k]
                if covers and not equal:
                    dominated = True
                    break
                # by two objectives the newest of a front is the greatest in the second: no other can dominate
                q = -1 if width == 2 else older[q]
            if not dominated:
                break
            rank += 1
        ranks[p], older[p], newest[rank] = rank, newest[rank], p
    return ranks


@njit(cache=True)
def _crowding_distances(objectives: Any, ranks: Any) -> Any:
    count, width = objectives.shape
    distances = np.zeros(count)
    for k in range(width):
        by_value = np.argsort(objectives[:, k], kind="mergesort")
        order = by_value[np.argsort(ranks[by_value], kind="mergesort")]  # by front, and within it by value
        begin = 0
        while begin < count:
            end = begin
            while end < count and ranks[order[end]] == ranks[order[begin]]:
                end += 1
            least, most = objectives[order[begin], k], objectives[order[end - 1], k]
            if least > -np.inf:
                distances[order[begin]] = distances[order[end - 1]] = np.inf
                for place in range(begin + 1, end - 1):
                    if most > least:
                        gap = objectives[order[place + 1], k] - objectives[order[place - 1], k]
                        distances[order[place]] += gap / (most - least)
            begin = end
    return distances


@njit(cache=True)
def _thin_front(objectives: Any, kept: int) -> Any:
    count, width = objectives.shape
    before, after = np.full((width, count), -1), np.full((width, count), -1)  # neighbours by each objective
    spans = np.zeros(width)
    for k in range(width if count else 0):
        order = np.argsort(objectives[:, k], kind="mergesort")
        spans[k] = objectives[order[count - 1], k] - objectives[order[0], k]
        for place in range(1, count):
            before[k, order[place]] = order[place - 1]
            after[k, order[place - 1]] = order[place]
    distances = np.empty(count)
    for one in range(count):
        distances[one] = _distance_between(objectives, before, after, spans, one)
    lives = np.full(count, True)
    for _ in range(count - kept):
        crowded = -1
        for one in range(count):
            if lives[one] and (crowded < 0 or distances[one] <= distances[crowded]):
                crowded = one
        lives[crowded] = False
        for k in range(width):
            one, other = before[k, crowded], after[k, crowded]
            if one >= 0:
                after[k, one] = other
            if other >= 0:
                before[k, other] = one
        for k in range(width):
            for one in (before[k, crowded], after[k, crowded]):
                if one >= 0:
                    distances[one] = _distance_between(objectives, before, after, spans, one)
    return np.flatnonzero(lives)


@njit(cache=True)
def _distance_between(objectives: Any, before: Any, after: Any, spans: Any, one: int) -> float:
    """Return the crowding distance of one individual between its neighbours, infinite where it lacks one."""
    total = 0.0
    for k in range(len(spans)):
        if before[k, one] < 0 or after[k, one] < 0:
            return np.inf
        if spans[k] > 0:
            total += (objectives[after[k, one], k] - objectives[before[k, one], k]) / spans[k]
    return total
