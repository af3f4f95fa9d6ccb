"""Momentum: directions accumulate in a decaying velocity.

Polyak 1964, "Some methods of speeding up the convergence of iteration methods"; Sutskever, Martens, Dahl & Hinton 2013,
"On the importance of initialization and momentum in deep learning", equations 1 and 2, with the learning rate outside
of the velocity, as in torch.
"""

from typing import Any, final

import numpy as np

from evo.numerics.validation import number_between
from evo.optimizers.optimizer import Optimizer


def momentum(numbers: Any, steps: int, length: float, velocity: Any, second: Any, direction: Any, delta: Any) -> None:
    real = delta.dtype.type
    learning_rate, fading = real(numbers[0]), real(numbers[1])
    for index in range(delta.size):
        velocity[index] = fading * velocity[index] + direction[index]
        delta[index] = learning_rate * velocity[index]


@final
class Momentum(Optimizer):
    """Momentum: steps of `learning_rate` times the velocity.

    `momentum`, 0 to 1, is the share of the velocity kept from one step to the next. `size`, `dtype`: see `Optimizer`.
    """

    kernel = staticmethod(momentum)
    vectors = ("velocity",)

    def __init__(self, size: int, learning_rate: float, momentum: float = 0.9, dtype: Any = np.float64) -> None:
        super().__init__(size, learning_rate, number_between("momentum", momentum, 0, 1), dtype=dtype)
