"""Box bounds by a smooth mapping into the box, for strategies that sample without bounds.

The strategy samples without bounds, and its samples are mapped into the box to be evaluated: the identity but for a
margin along each bound, where a parabola bends smoothly back into the box. So an optimum on the bound, or beyond it, is
an ordinary optimum in the strategy's space, and fitness and ranks are unchanged, unlike with penalties; resampling, the
other common way, finds no individual inside where many parameters are at their bounds. Hansen, Akimoto & Baudis, pycma:
the map and its margins are those of its `BoxConstraintsLinQuadTransformation`, the limit of the deviations that of its
option `maxstd_boundrange`.
"""

import math
from typing import final

import numpy as np
from numpy.typing import NDArray

from evo.numerics.validation import finite_number

_Floats = NDArray[np.float64]


@final
class Box:
    """A box from `low` to `high`, the same for every parameter; None where there is no bound.

    Raises ValueError unless low < high, and unless `initial`, (parameters,), lies between them.
    """

    def __init__(self, low: float | None, high: float | None, initial: _Floats) -> None:
        self.low = -math.inf if low is None else finite_number("low", low)
        self.high = math.inf if high is None else finite_number("high", high)
        if not self.low < self.high:
            raise ValueError(f"low={self.low:g}, high={self.high:g}: low must be below high")
        inside = (self.low <= initial) & (initial <= self.high)
        if not inside.all():
            worst = int(np.argmin(inside))
            raise ValueError(
                f"low={self.low:g}, high={self.high:g}: must hold what the search begins with, "
                f"but parameter {worst} of initial is {initial[worst]:g}"
            )
        half = (self.high - self.low) / 2
        self.widest = (self.high - self.low) / 3  # with larger deviations, samples hardly depend on the mean
        self.low_margin = min(half, max(1.0, abs(self.low)) / 20)
        self.high_margin = min(half, max(1.0, abs(self.high)) / 20)

    def inside(self, points: _Floats) -> _Floats:
        """Map points of any shape and anywhere into the box; outside the margins the map repeats by reflection."""
        mapped = self._fold(points)
        if self.low > -math.inf:
            edge, margin = self.low - self.low_margin, self.low_margin
            mapped = np.where(mapped < self.low + margin, self.low + np.square(mapped - edge) / (4 * margin), mapped)
        if self.high < math.inf:
            edge, margin = self.high + self.high_margin, self.high_margin
            mapped = np.where(mapped > self.high - margin, self.high - np.square(edge - mapped) / (4 * margin), mapped)
        return mapped

    def outside(self, points: _Floats) -> _Floats:
        """Return the nearest preimages under `inside` of points in the box."""
        mapped = points
        if self.low > -math.inf:
            edge, margin = self.low - self.low_margin, self.low_margin
            root = 2 * np.sqrt(margin * np.maximum(points - self.low, 0.0))
            mapped = np.where(points < self.low + margin, edge + root, mapped)
        if self.high < math.inf:
            edge, margin = self.high + self.high_margin, self.high_margin
            root = 2 * np.sqrt(margin * np.maximum(self.high - points, 0.0))
            mapped = np.where(points > self.high - margin, edge - root, mapped)
        return mapped

    def cap_sigma(self, sigma: float, variances: _Floats) -> float:
        """Return `sigma`, reduced so that no deviation exceeds `widest`; variances (n,), in units of its square."""
        if self.widest == math.inf:
            return sigma
        return min(sigma, self.widest / math.sqrt(np.max(variances)))

    def _fold(self, points: _Floats) -> _Floats:
        """Reflect points at the outer edges of the margins until they lie between them."""
        first, last = self.low - self.low_margin, self.high + self.high_margin
        if first == -math.inf:
            return points if last == math.inf else np.where(points > last, 2 * last - points, points)
        if last == math.inf:
            return np.where(points < first, 2 * first - points, points)
        width = last - first
        mirrored = last - np.abs(np.mod(points - first, 2 * width) - width)
        return np.where((points < first) | (points > last), mirrored, points)


EVERYWHERE = Box(None, None, np.zeros(0))
