"""Reference directions: evenly spread weights of several objectives.

Das & Dennis 1998, "Normal-Boundary Intersection: A New Method for Generating the Pareto Surface in Nonlinear
Multicriteria Optimization Problems".
"""

import itertools
import math

import numpy as np
from numpy.typing import NDArray

from evo.numerics.validation import whole_number

Floats = NDArray[np.float64]


def das_dennis(objectives: int, partitions: int) -> Floats:
    """Return all weights that are multiples of 1 / partitions with sum 1, (directions, objectives), in order."""
    places = objectives - 1  # bars between stars: the gaps between them are the weights
    bars = np.array(list(itertools.combinations(range(partitions + places), places)), np.int64)
    bars = bars.reshape(-1, places)
    ends = np.full((len(bars), 1), partitions + places)
    gaps = np.diff(np.hstack([np.full((len(bars), 1), -1), bars, ends]), axis=1) - 1
    return gaps / partitions


def count_directions(objectives: int, partitions: int) -> int:
    """Return how many directions `das_dennis` makes."""
    return math.comb(objectives + partitions - 1, partitions)


def find_partitions(objectives: int, most: int) -> int:
    """Return the greatest number of partitions that makes at most `most` directions, at least 1."""
    whole_number("objectives", objectives, 2)
    partitions = 1
    while count_directions(objectives, partitions + 1) <= most:
        partitions += 1
    return partitions
