"""ClipUp: momentum on normalised gradients, its speed limited.

Toklu, Liskowski & Srivastava 2020, "ClipUp: A Simple and Powerful Optimizer for Distribution-based Policy Evolution",
Algorithm 1.
"""

from typing import Any, final

import numpy as np

from evo.numerics.validation import number_between, positive_number
from evo.optimizers.optimizer import Optimizer


def clipup(numbers: Any, steps: int, length: float, velocity: Any, second: Any, direction: Any, delta: Any) -> None:
    """Compute ClipUp's step but for the speed limit, which needs the length of the whole velocity."""
    real = delta.dtype.type
    learning_rate, fading, length_of_all = real(numbers[0]), real(numbers[1]), real(length)
    divisor = length_of_all if length_of_all > real(0) else real(1)
    for index in range(delta.size):
        velocity[index] = fading * velocity[index] + learning_rate * (direction[index] / divisor)
        delta[index] = velocity[index]


@final
class ClipUp(Optimizer):
    """ClipUp: momentum on normalised gradients with limited speed.

    `max_speed` (by default 2 `learning_rate`, section 3's rule of thumb) and `momentum`, 0 to 1, as in the paper.
    `size`, `learning_rate`, `dtype`: see `Optimizer`.
    """

    kernel = staticmethod(clipup)
    vectors = ("velocity",)

    def __init__(
        self,
        size: int,
        learning_rate: float,
        max_speed: float | None = None,
        momentum: float = 0.9,
        dtype: Any = np.float64,
    ) -> None:
        fading = number_between("momentum", momentum, 0, 1)
        limit = 2 * positive_number("learning_rate", learning_rate) if max_speed is None else max_speed
        super().__init__(size, learning_rate, fading, max_speed=positive_number("max_speed", limit), dtype=dtype)
