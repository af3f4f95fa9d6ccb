"""Novelty: how far behaviours are from the nearest others, and how many of these are less fit, compiled."""

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
    return _nearest(behaviours, np.concatenate([behaviours, others]), neighbours, True)[0]


def novelty_beside(behaviours: Floats, others: Floats, neighbours: int) -> Floats:
    """Return the mean distance of each behaviour to its nearest neighbours among the others alone, (individuals,).

    Shapes and what counts where there are fewer: as in `novelty_of`.
    """
    return _nearest(behaviours, others, neighbours, False)[0]


def local_competition(
    behaviours: Floats, others: Floats, fitness: Floats, other_fitness: Floats, neighbours: int
) -> tuple[Floats, NDArray[np.int64]]:
    """Return the novelty of each behaviour as `novelty_of` does, and how many of its neighbours are less fit.

    fitness (individuals,), other_fitness (others,). Both results are (individuals,). Lehman & Stanley 2011, "Evolving a
    Diversity of Virtual Creatures through Novelty Search and Local Competition", section 3.
    """
    novelty, places = _nearest(behaviours, np.concatenate([behaviours, others]), neighbours, True)
    rivals = np.concatenate([fitness, other_fitness])[places]
    return novelty, np.count_nonzero(rivals < fitness[:, np.newaxis], axis=1)


@njit(cache=True)
def _nearest(behaviours: Any, points: Any, neighbours: int, among: bool) -> tuple[Any, Any]:
    """Return the mean distance of each behaviour to the nearest points, and which these are, the nearest first.

    among: whether the first points are the behaviours themselves, each of which is not its own neighbour.
    """
    count = min(neighbours, points.shape[0] - (1 if among else 0))
    out, places = np.empty(behaviours.shape[0]), np.empty((behaviours.shape[0], max(count, 0)), np.int64)
    nearest = np.empty(max(count, 1))
    for one in range(behaviours.shape[0]):
        held = 0
        for other in range(points.shape[0]):
            if among and other == one:
                continue
            square = 0.0
            for k in range(points.shape[1]):
                square += (behaviours[one, k] - points[other, k]) ** 2
            if held == count and (count == 0 or square >= nearest[count - 1]):
                continue
            place = held if held < count else count - 1
            while place > 0 and nearest[place - 1] > square:
                nearest[place], places[one, place] = nearest[place - 1], places[one, place - 1]
                place -= 1
            nearest[place], places[one, place] = square, other
            held = min(held + 1, count)
        total = 0.0
        for place in range(held):
            total += np.sqrt(nearest[place])
        out[one] = total / held if held else 0.0
    return out, places
