"""BBOB's 24 functions, from the package `coco-experiment`, whose code defines them.

Hansen, Auger, Ros, Mersmann, Tušar & Brockhoff 2021, "COCO: A Platform for Comparing Continuous Optimizers in a
Black-Box Setting".
"""

from typing import final

import numpy as np

from evo.numerics.validation import whole_number
from evo.problems.function import Landscape

DIMENSIONS = (2, 3, 5, 10, 20, 40)
_MOST_INSTANCES = 1000


@final
class BBOBLandscape(Landscape):
    """BBOB function `number`, 1 to 24, in `size` dimensions; an instance translates and rotates it.

    Fitness is the best value minus its value, at most 0. Raises ValueError where the package is missing, and for a
    dimension that the suite does not have.
    """

    def __init__(self, number: int, size: int, instance: int) -> None:
        super().__init__(f"bbob-f{number}", size, -5.0, 5.0)
        if size not in DIMENSIONS:
            raise ValueError(f"dim={size}: the suite has {', '.join(map(str, DIMENSIONS))}")
        try:
            from cocoex import BareProblem
        except ImportError:
            raise ValueError("needs the package coco-experiment: pip install coco-experiment") from None
        self.instance = whole_number("instance", instance, 1, _MOST_INSTANCES)
        self._problem = BareProblem("bbob", number, size, self.instance)
        self._least = self._problem.best_value()

    def heights(self, points: np.ndarray, seeds: np.ndarray) -> np.ndarray:
        return np.array([self._least - self._problem(point) for point in points])[:, None]
