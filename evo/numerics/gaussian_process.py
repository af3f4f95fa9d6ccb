"""Gaussian process regression over a finite set of points, one observation at a time.

Rasmussen & Williams 2006, "Gaussian Processes for Machine Learning", chapter 2. The Cholesky factor of the covariance
of the observations grows by a row with each of them, and so do the products that mean and variance are made of. There
are only sums in order of index and elementwise functions: no BLAS, whose bits depend on the machine's threads.
"""

import math
from typing import final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def matern_5_2(distances: Floats, length_scale: float) -> Floats:
    """Return the Matérn covariance with nu = 5/2 and variance 1 at these distances, of any shape.

    (1 + √5 d/ρ + 5 d²/(3 ρ²)) exp(-√5 d/ρ): Rasmussen & Williams 2006, equation 4.17.
    """
    scaled = math.sqrt(5.0) * distances / length_scale
    return (1.0 + scaled + scaled * scaled / 3.0) * np.exp(-scaled)


@final
class GaussianProcess:
    """The posterior over `points` (points, k): `mean` and `variance`, both (points,), of a Matérn 5/2 process.

    prior_mean: (points,). length_scale: of the kernel, in the units of the points. noise: variance of an observation;
    that of the process is 1.
    """

    def __init__(self, points: Floats, prior_mean: Floats, length_scale: float, noise: float) -> None:
        self.points, self.length_scale, self.noise = points, length_scale, noise
        self.mean, self.variance = np.array(prior_mean, np.float64), np.ones(len(points))
        # of L^-1 K(observed, points), where L is the Cholesky factor of the covariance of the observations
        self._rows = list[Floats]()

    def observe(self, point: int, value: float) -> None:
        """Condition on a noisy observation of the process at one of the points, by its index."""
        differences = self.points - self.points[point]
        squared = np.zeros(len(self.points))
        for column in differences.T:  # a fixed order of the sum
            squared += column * column
        row = matern_5_2(np.sqrt(squared), self.length_scale)
        for earlier in self._rows:  # earlier[point] is the factor's entry for that observation
            row = row - earlier[point] * earlier
        # the new entry on the factor's diagonal, squared, is what was still unknown there, and the noise
        unknown = self.variance[point] + self.noise
        row = row / math.sqrt(unknown)
        self.mean = self.mean + row * (value - self.mean[point]) / math.sqrt(unknown)
        self.variance = np.maximum(self.variance - row * row, 0.0)
        self._rows.append(row)
