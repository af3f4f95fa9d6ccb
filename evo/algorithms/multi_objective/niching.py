"""Normalisation, association and niching of NSGA-III.

Deb & Jain 2014, sections IV.B to IV.E, algorithms 2 to 4. Costs are objectives to be minimised.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evo.envs.engine.compile import njit

Floats = NDArray[np.float64]

_OTHERS = 1e-6  # weight of the other axes in the achievement scalarising function, equation 4
_LEAST = 1e-12  # intercepts below are none


def find_extremes(costs: Floats, ideal: Floats) -> Floats:
    """Return the costs of the point nearest to each axis, (objectives, objectives), equation 4.

    costs: (individuals, objectives). ideal: (objectives,). Of equal ones the first.
    """
    shifted, k = costs - ideal, len(ideal)
    weights = np.where(np.eye(k, dtype=bool), 1.0, _OTHERS)
    return costs[np.argmin((shifted[:, np.newaxis] / weights).max(axis=2), axis=0)]


def intercepts_of(extremes: Floats, front: Floats) -> Floats:
    """Return where the plane through the extreme points cuts the axes, (objectives,); all less the ideal point.

    Where there is no such plane, the greatest costs of the `front`, (individuals, objectives).
    """
    worst = np.maximum(front.max(axis=0), _LEAST)
    try:
        inverse = np.linalg.solve(extremes, np.ones(len(extremes)))
    except np.linalg.LinAlgError:
        return worst
    if not np.isfinite(inverse).all() or not (inverse > 0).all() or (inverse > 1 / _LEAST).any():
        return worst
    return 1 / inverse


def associate(costs: Floats, directions: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Return the nearest reference line of each individual and its distance, each (individuals,), algorithm 3.

    costs: normalised, (individuals, objectives). directions: (directions, objectives).
    """
    units = directions / np.sqrt(np.sum(np.square(directions), axis=1, keepdims=True))
    return _associate(np.ascontiguousarray(costs), units)


def fill_niches(
    niches: NDArray[np.int64], distances: Floats, counts: NDArray[np.int64], draws: Floats
) -> NDArray[np.int64]:
    """Return which individuals of the last front are chosen, as many as there are draws, algorithm 4.

    niches, distances: of the last front, (individuals,). counts: of those already chosen, (directions,). draws: two
    uniform numbers for each choice, (choices, 2).
    """
    return _fill_niches(niches, distances, counts, draws)


@njit(cache=True)
def _associate(costs: Any, units: Any) -> Any:
    count, width = costs.shape
    niches, distances = np.zeros(count, np.int64), np.full(count, np.inf)
    for one in range(count):
        for line in range(len(units)):
            along, squared = 0.0, 0.0
            for k in range(width):
                along += costs[one, k] * units[line, k]
            for k in range(width):
                gap = costs[one, k] - along * units[line, k]
                squared += gap * gap
            if squared < distances[one]:
                niches[one], distances[one] = line, squared
    return niches, np.sqrt(distances)


@njit(cache=True)
def _fill_niches(niches: Any, distances: Any, counts: Any, draws: Any) -> Any:
    shares, waiting = counts.copy(), np.zeros(len(counts), np.int64)  # rho_j, and how many of the last front are left
    for line in niches:
        waiting[line] += 1
    free, chosen = np.full(len(niches), True), np.empty(len(draws), np.int64)
    for choice in range(len(draws)):
        least, tied = np.int64(2**62), 0
        for line in range(len(shares)):
            if waiting[line] and shares[line] < least:
                least, tied = shares[line], 0
            if waiting[line] and shares[line] == least:
                tied += 1
        place, picked = min(tied - 1, int(draws[choice, 0] * tied)), -1
        for line in range(len(shares)):
            if waiting[line] and shares[line] == least:
                if place == 0:
                    picked = line
                    break
                place -= 1
        best, place = -1, min(waiting[picked] - 1, int(draws[choice, 1] * waiting[picked]))
        for one in range(len(niches)):
            if free[one] and niches[one] == picked:
                if least == 0 and (best < 0 or distances[one] < distances[best]):
                    best = one
                elif least > 0:
                    if place == 0:
                        best = one
                        break
                    place -= 1
        chosen[choice], free[best] = best, False
        shares[picked] += 1
        waiting[picked] -= 1
    return chosen
