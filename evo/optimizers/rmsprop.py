"""RMSProp: each parameter's direction is divided by the root of its running mean square.

Tieleman & Hinton 2012, "Lecture 6.5 - rmsprop", COURSERA: Neural Networks for Machine Learning; epsilon is outside of
the root, and the default decay 0.99, as in torch.
"""

import math
from typing import Any, final

import numpy as np

from evo.numerics.validation import number_between, positive_number
from evo.optimizers.optimizer import Optimizer


def rmsprop(numbers: Any, steps: int, length: float, square: Any, second: Any, direction: Any, delta: Any) -> None:
    real = delta.dtype.type
    learning_rate, epsilon = real(numbers[0]), real(numbers[2])
    decay, fresh = real(numbers[1]), real(1.0 - numbers[1])
    for index in range(delta.size):
        square[index] = decay * square[index] + fresh * (direction[index] * direction[index])
        delta[index] = learning_rate * direction[index] / (math.sqrt(square[index]) + epsilon)


@final
class RMSProp(Optimizer):
    """RMSProp. `decay`, 0 to 1: the share of the mean square kept; `epsilon` is added to its root.

    `size`, `learning_rate`, `dtype`: see `Optimizer`.
    """

    kernel = staticmethod(rmsprop)
    vectors = ("mean_square",)

    def __init__(
        self, size: int, learning_rate: float, decay: float = 0.99, epsilon: float = 1e-8, dtype: Any = np.float64
    ) -> None:
        numbers = number_between("decay", decay, 0, 1), positive_number("epsilon", epsilon)
        super().__init__(size, learning_rate, *numbers, dtype=dtype)
