"""Plain gradient ascent: a step along the direction, Robbins & Monro 1951, "A Stochastic Approximation Method"."""

from typing import Any, final

import numpy as np

from evo.optimizers.optimizer import Optimizer


def sgd(numbers: Any, steps: int, length: float, first: Any, second: Any, direction: Any, delta: Any) -> None:
    learning_rate = delta.dtype.type(numbers[0])
    for index in range(delta.size):
        delta[index] = learning_rate * direction[index]


@final
class SGD(Optimizer):
    """Gradient ascent: `learning_rate` times the direction. `size`, `dtype`: see `Optimizer`."""

    kernel = staticmethod(sgd)

    def __init__(self, size: int, learning_rate: float, dtype: Any = np.float64) -> None:
        super().__init__(size, learning_rate, dtype=dtype)
