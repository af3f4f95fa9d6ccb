"""Centroidal Voronoi tessellation: points spread evenly over the unit cube.

Lloyd 1982, "Least squares quantization in PCM", on uniform samples: Ju, Du & Gunzburger 2002, "Probabilistic methods
for centroidal Voronoi tessellations and their parallel implementations". Sums are in order of index, so the same
numbers give the same points in every run.
"""

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from evo.envs.engine.compile import njit
from evo.numerics.randomness import generator

Floats = NDArray[np.float64]

_SAMPLES, _MOST = 25, 100_000  # for every point, and of all: the deviation of a mean is a fifth of that of its cell
_ROUNDS = 15


@functools.lru_cache(maxsize=16)
def centroids(count: int, measures: int, seed: int) -> Floats:
    """Return `count` points in the unit cube, (count, measures), each near the mean of its Voronoi cell; read-only."""
    samples = generator(seed, "centroids", count, measures).random((max(count, min(_SAMPLES * count, _MOST)), measures))
    points = np.ascontiguousarray(samples[:count])
    for _ in range(_ROUNDS):
        points = _means(samples, cKDTree(points).query(samples)[1], points)
    points.flags.writeable = False
    return points


@njit(cache=True)
def _means(samples: Any, cells: Any, points: Any) -> Any:
    """Return the mean of the samples of each cell, (count, m); the point as it was where there are none."""
    sums, counts = np.zeros(points.shape), np.zeros(points.shape[0])
    for sample in range(samples.shape[0]):
        counts[cells[sample]] += 1.0
        for k in range(samples.shape[1]):
            sums[cells[sample], k] += samples[sample, k]
    for cell in range(points.shape[0]):
        for k in range(points.shape[1]):
            sums[cell, k] = sums[cell, k] / counts[cell] if counts[cell] else points[cell, k]
    return sums
