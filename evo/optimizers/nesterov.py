"""Nesterov's accelerated gradient: momentum that looks one step ahead.

Nesterov 1983, "A method for solving the convex programming problem with convergence rate O(1/k²)"; Sutskever, Martens,
Dahl & Hinton 2013, "On the importance of initialization and momentum in deep learning", equations 3 and 4, in torch's
form: the parameters are those at which the next direction is evaluated.
"""

from typing import Any, final

import numpy as np

from evo.numerics.validation import number_between
from evo.optimizers.optimizer import Optimizer


def nesterov(numbers: Any, steps: int, length: float, velocity: Any, second: Any, direction: Any, delta: Any) -> None:
    real = delta.dtype.type
    learning_rate, fading = real(numbers[0]), real(numbers[1])
    for index in range(delta.size):
        velocity[index] = fading * velocity[index] + direction[index]
        delta[index] = learning_rate * (direction[index] + fading * velocity[index])


@final
class Nesterov(Optimizer):
    """Nesterov momentum: steps along the direction plus the velocity to come.

    `momentum`, 0 to 1, is the share of the velocity kept from one step to the next. `size`, `dtype`: see `Optimizer`.
    """

    kernel = staticmethod(nesterov)
    vectors = ("velocity",)

    def __init__(self, size: int, learning_rate: float, momentum: float = 0.9, dtype: Any = np.float64) -> None:
        super().__init__(size, learning_rate, number_between("momentum", momentum, 0, 1), dtype=dtype)
