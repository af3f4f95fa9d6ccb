"""Functions of several objectives whose Pareto fronts are known, and the landscape that they are.

ZDT1 to 4 and 6: Zitzler, Deb & Thiele 2000, "Comparison of Multiobjective Evolutionary Algorithms: Empirical Results".
DTLZ1 and 2: Deb, Thiele, Laumanns & Zitzler 2002, "Scalable Multi-Objective Optimization Test Problems". Their values
are to be minimised. Points outside the domain have the values of the nearest point in it and a little more: 1e-6 of
their squared distance, as in Igel, Hansen & Roth 2007, "Covariance Matrix Adaptation for Multi-objective Optimization".
"""

from collections.abc import Callable
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from evo.algorithms.multi_objective.reference_directions import das_dennis, find_partitions
from evo.numerics.validation import whole_number
from evo.problems.function import Landscape

_Floats = NDArray[np.float64]

_PENALTY = 1e-6


class ObjectiveFunction(NamedTuple):
    """A function of several objectives, to be minimised.

    values: points (individuals, n) and the number of objectives k → (individuals, k). front: about how many points, and
    k → points of the Pareto front (points, k). size: customary numbers of a point. low, high: bounds of the numbers;
    the first number of all these functions is in [0, 1]. reference: worse than the front in every objective.
    """

    values: Callable[[_Floats, int], _Floats]
    front: Callable[[int, int], _Floats]
    size: int
    low: float
    high: float
    reference: float
    summary: str
    objectives: int = 2


def _zdt(
    first: Callable[[_Floats], _Floats],
    distance: Callable[[_Floats], _Floats],
    second: Callable[[_Floats, _Floats], _Floats],
) -> Callable[[_Floats, int], _Floats]:
    """Return f1 = first(x1), f2 = g second(f1, g), where g = distance(x2, …), at least 1."""

    def values(x: _Floats, objectives: int) -> _Floats:
        f1, g = first(x[:, 0]), distance(x[:, 1:])
        return np.stack([f1, g * second(f1, g)], axis=1)

    return values


def _mean(x: _Floats) -> _Floats:
    return np.sum(x, axis=1) / x.shape[1]


def _distance(x: _Floats) -> _Floats:
    return 1 + 9 * _mean(x)


def _rugged_distance(x: _Floats) -> _Floats:
    return 1 + 10 * x.shape[1] + np.sum(np.square(x) - 10 * np.cos(4 * np.pi * x), axis=1)


def _biased_distance(x: _Floats) -> _Floats:
    return 1 + 9 * _mean(x) ** 0.25


def _same(x: _Floats) -> _Floats:
    return x


def _uneven(x: _Floats) -> _Floats:
    return 1 - np.exp(-4 * x) * np.sin(6 * np.pi * x) ** 6


def _convex(f: _Floats, g: _Floats) -> _Floats:
    return 1 - np.sqrt(f / g)


def _concave(f: _Floats, g: _Floats) -> _Floats:
    return 1 - np.square(f / g)


def _broken(f: _Floats, g: _Floats) -> _Floats:
    return 1 - np.sqrt(f / g) - f / g * np.sin(10 * np.pi * f)


def _curve(second: Callable[[_Floats, _Floats], _Floats], least: float = 0.0) -> Callable[[int, int], _Floats]:
    """Return the front where g is 1, without the parts that others dominate."""

    def front(count: int, objectives: int) -> _Floats:
        f1 = np.linspace(least, 1, count)
        f2 = second(f1, np.ones(count))
        kept = f2 < np.concatenate([[np.inf], np.minimum.accumulate(f2)[:-1]])
        return np.stack([f1, f2], axis=1)[kept]

    return front


def _dtlz1(x: _Floats, objectives: int) -> _Floats:
    position, rest = x[:, : objectives - 1], x[:, objectives - 1 :] - 0.5
    g = 100 * (rest.shape[1] + np.sum(np.square(rest) - np.cos(20 * np.pi * rest), axis=1))
    return 0.5 * (1 + g)[:, None] * _corner(position, 1 - position)


def _dtlz2(x: _Floats, objectives: int) -> _Floats:
    angles = x[:, : objectives - 1] * np.pi / 2
    g = np.sum(np.square(x[:, objectives - 1 :] - 0.5), axis=1)
    return (1 + g)[:, None] * _corner(np.cos(angles), np.sin(angles))


def _corner(ahead: _Floats, aside: _Floats) -> _Floats:
    """Return ahead_1 … ahead_{k-1}, then ahead_1 … aside_{k-1}, …, and aside_1: (individuals, k)."""
    ones = np.ones((len(ahead), 1))
    products = np.hstack([ones, np.cumprod(ahead, axis=1)])
    return products[:, ::-1] * np.hstack([ones, aside[:, ::-1]])


def _plane(count: int, objectives: int) -> _Floats:
    return 0.5 * das_dennis(objectives, find_partitions(objectives, count))


def _sphere(count: int, objectives: int) -> _Floats:
    rays = das_dennis(objectives, find_partitions(objectives, count))
    return rays / np.sqrt(np.sum(np.square(rays), axis=1, keepdims=True))


# The least f1 of ZDT6, where its derivative is 0: 3 pi = 2 tan(6 pi x) at x = 0.0816…
_LEAST = 0.2807753191

OBJECTIVE_FUNCTIONS: dict[str, ObjectiveFunction] = {
    "dtlz1": ObjectiveFunction(
        _dtlz1, _plane, 7, 0.0, 1.0, 0.55, "a flat front behind very many local ones; three objectives or more", 3
    ),
    "dtlz2": ObjectiveFunction(_dtlz2, _sphere, 12, 0.0, 1.0, 1.1, "a round front of three objectives or more", 3),
    "zdt1": ObjectiveFunction(
        _zdt(_same, _distance, _convex), _curve(_convex), 30, 0.0, 1.0, 1.1, "two objectives, a convex front"
    ),
    "zdt2": ObjectiveFunction(
        _zdt(_same, _distance, _concave), _curve(_concave), 30, 0.0, 1.0, 1.1, "two objectives, a concave front"
    ),
    "zdt3": ObjectiveFunction(
        _zdt(_same, _distance, _broken), _curve(_broken), 30, 0.0, 1.0, 1.1, "two objectives, a front in five parts"
    ),
    "zdt4": ObjectiveFunction(
        _zdt(_same, _rugged_distance, _convex), _curve(_convex), 10, -5.0, 5.0, 1.1,
        "two objectives, a convex front behind very many local ones",
    ),
    "zdt6": ObjectiveFunction(
        _zdt(_uneven, _biased_distance, _concave), _curve(_concave, _LEAST), 10, 0.0, 1.0, 1.1,
        "two objectives, a concave front that is dense at one end",
    ),
}  # fmt: skip


@final
class ObjectiveLandscape(Landscape):
    """A function of several objectives, of which the Pareto front is sought.

    Objectives are the function's values with the sign turned, named f1, f2 and so on; fitness is their mean.
    """

    def __init__(self, name: str, function: ObjectiveFunction, size: int, objectives: int) -> None:
        most = whole_number("objectives", objectives, 2)
        if size < most:
            raise ValueError(f"dim={size}: must be at least {most}, the number of objectives")
        super().__init__(name, size, function.low, function.high)
        self.function, self.objectives = function, tuple(f"f{1 + place}" for place in range(most))
        self._low, self._high = np.full(size, function.low), np.full(size, function.high)
        self._low[0], self._high[0] = 0.0, 1.0

    def heights(self, points: np.ndarray, seeds: np.ndarray) -> np.ndarray:
        return self.judge(points, seeds)[0]

    def judge(self, points: np.ndarray, seeds: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        inside = np.clip(points, self._low, self._high)
        outside = _PENALTY * np.sum(np.square(points - inside), axis=1, keepdims=True)
        found = -(self.function.values(inside, len(self.objectives)) + outside)
        return _mean(found)[:, None], np.zeros((len(points), 0)), found

    def initial(self, random: np.random.Generator) -> np.ndarray:
        return random.uniform(self._low, self._high)

    def describe(self, params: np.ndarray, seed: int) -> dict[str, Any]:
        known = [(name, -self.function.reference) for name in self.objectives]
        return {"domain": (self._low, self._high), "known_objectives": known}

    def front(self, count: int = 1000) -> np.ndarray:
        """Return points of the Pareto front, as objectives (points, k); about `count` of them."""
        return -self.function.front(count, len(self.objectives))
