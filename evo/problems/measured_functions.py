"""Functions with measures, on which searches for a map are compared, and the landscape that they are.

Linear projection (Fontaine, Togelius, Nikolaidis & Hoover 2020, "Covariance Matrix Adaptation for the Rapid
Illumination of Behavior Space", section 5): the two measures are sums over the halves of the point, each number
clipped, so that the extremes of a map need every number at its bound. Sphere and Rastrigin have their optimum at 0.4 ×
5.12 and are scaled to [0, 100]. Arm repertoire (Cully, Clune, Tarapore & Mouret 2015; Vassiliades & Mouret 2018): joint
angles of a planar arm whose measures are where its end is; fitness is the evenness of the angles, 100 where they are
the same.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from evo.problems.classic_functions import rastrigin, sphere
from evo.problems.function import Landscape

_Floats = NDArray[np.float64]

_SIDE = 5.12
_SHIFT = 0.4 * _SIDE


class MeasuredFunction(NamedTuple):
    """A function and its measures.

    fitness: points (individuals, n) → (individuals,), maximised. measure: points → (individuals, measures). ranges: of
    the measures, from n. low, high: the customary domain of every number.
    """

    fitness: Callable[[_Floats], _Floats]
    measure: Callable[[_Floats], _Floats]
    names: tuple[str, ...]
    ranges: Callable[[int], tuple[tuple[float, float], ...]]
    low: float
    high: float
    summary: str


def _scaled(cost: Callable[[_Floats], _Floats]) -> Callable[[_Floats], _Floats]:
    """Return a fitness that is 100 at the optimum and 0 in the farthest corner of the domain."""

    def fitness(x: _Floats) -> _Floats:
        worst = cost(np.full((1, x.shape[1]), -_SIDE - _SHIFT))[0]
        return 100 * (1 - cost(x - _SHIFT) / worst)

    return fitness


def project(x: _Floats) -> _Floats:
    """Return the sums of the two halves, (individuals, 2), of clipped numbers: 5.12 / x where |x| > 5.12."""
    outside = np.abs(x) > _SIDE
    clipped = np.where(outside, _SIDE / np.where(outside, x, 1.0), x)
    half = x.shape[1] // 2
    return np.stack([clipped[:, :half].sum(axis=1), clipped[:, half:].sum(axis=1)], axis=1)


def _projected_ranges(size: int) -> tuple[tuple[float, float], ...]:
    most = size / 2 * _SIDE
    return ((-most, most), (-most, most))


def _evenness(angles: _Floats) -> _Floats:
    return 100 * (1 - np.sqrt(np.mean(np.square(angles - angles.mean(axis=1, keepdims=True)), axis=1)))


def reach(angles: _Floats) -> _Floats:
    """Return x and y, (individuals, 2), of the end of arms of joint angles (rad), whose length is 1."""
    heading, link = np.cumsum(angles, axis=1), 1 / angles.shape[1]
    return link * np.stack([np.cos(heading).sum(axis=1), np.sin(heading).sum(axis=1)], axis=1)


_HALVES = ("first_half", "second_half")
MEASURED_FUNCTIONS: dict[str, MeasuredFunction] = {
    "arm-repertoire": MeasuredFunction(
        _evenness, reach, ("x", "y"), lambda size: ((-1.0, 1.0), (-1.0, 1.0)), -math.pi, math.pi,
        "a planar arm: reach every place with angles as even as can be",
    ),
    "projected-rastrigin": MeasuredFunction(
        _scaled(rastrigin), project, _HALVES, _projected_ranges, -_SIDE, _SIDE,
        "Rastrigin's function with linear projections as measures",
    ),
    "projected-sphere": MeasuredFunction(
        _scaled(sphere), project, _HALVES, _projected_ranges, -_SIDE, _SIDE,
        "a bowl with linear projections as measures",
    ),
}  # fmt: skip


@final
class MeasuredLandscape(Landscape):
    """A function with measures, of which the greatest value of every behaviour is sought."""

    def __init__(self, name: str, function: MeasuredFunction, size: int) -> None:
        if size < 2:
            raise ValueError(f"dim={size}: must be at least 2, as there are two measures")
        super().__init__(name, size, function.low, function.high)
        self.function, self.measures = function, function.names

    def heights(self, points: np.ndarray, seeds: np.ndarray) -> np.ndarray:
        return self.function.fitness(points)[:, None]

    def judge(self, points: np.ndarray, seeds: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.heights(points, seeds), self.function.measure(points), np.zeros((len(points), 0))

    def initial(self, random: np.random.Generator) -> np.ndarray:
        """Return the middle of the domain, where the papers begin."""
        return np.zeros(self.size)

    def describe(self, params: np.ndarray, seed: int) -> dict[str, Any]:
        ranges = self.function.ranges(self.size)
        return {"measured": [(name, *both) for name, both in zip(self.measures, ranges, strict=True)]}
