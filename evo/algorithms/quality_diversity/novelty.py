"""Novelty: how far behaviours are from the nearest others, compiled."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evo.envs.engine.compile import njit

Floats = NDArray[np.float64]


def novelty_of(behaviours: Floats, others: Floats, neighbours: int) -> Floats:
    """Return the mean distance of each behaviour to its nearest neighbours, (individuals,).

    behaviours (individuals, m); others (others, m): the neighbours are among both, itself left out. Where there are
    fewer than `neighbours` all count; 0 where there are none. Lehman & Stanley 2011, equation 1.
    """
    out = np.empty(len(behaviours))
    _novelty(behaviours, np.concatenate([behaviours, others]), neighbours, out)
    return out


@njit(cache=True)
def _novelty(behaviours: Any, points: Any, neighbours: int, out: Any) -> None:
    count = min(neighbours, points.shape[0] - 1)
    nearest = np.empty(max(count, 1))
    for one in range(behaviours.shape[0]):
        held = 0
        for other in range(points.shape[0]):
            if other == one:  # the first points are the behaviours themselves
                continue
            square = 0.0
            for k in range(points.shape[1]):
                square += (behaviours[one, k] - points[other, k]) ** 2
            if held == count and (count == 0 or square >= nearest[count - 1]):
                continue
            place = held if held < count else count - 1
            while place > 0 and nearest[place - 1] > square:
                nearest[place] = nearest[place - 1]
                place -= 1
            nearest[place] = square
            held = min(held + 1, count)
        total = 0.0
        for place in range(held):
            total += np.sqrt(nearest[place])
        out[one] = total / held if held else 0.0
