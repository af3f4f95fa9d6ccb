"""Adam and, with decoupled weight decay, AdamW.

Kingma & Ba 2015, "Adam: A Method for Stochastic Optimization", Algorithm 1; Loshchilov & Hutter 2019, "Decoupled Weight
Decay Regularization", Algorithm 2.
"""

import math
from typing import Any, final

import numpy as np

from evo.numerics.validation import number_between, positive_number
from evo.optimizers.optimizer import Optimizer

# Smaller moments, such as those of a relu unit that is never active any more, are set to 0: they no longer move a
# parameter, but would shrink into subnormal numbers and stay there, with which processors count some ten times slower.
_LEAST32, _LEAST64 = 64.0 * float(np.finfo(np.float32).tiny), 64.0 * float(np.finfo(np.float64).tiny)


def adam(numbers: Any, steps: int, length: float, first: Any, second: Any, direction: Any, delta: Any) -> None:
    real = delta.dtype.type
    one, learning_rate, beta1, beta2 = (
        real(1),
        real(numbers[0]),
        real(numbers[1]),
        real(numbers[2]),
    )  # 1 of their own type
    epsilon = real(numbers[3])
    least, none = real(_LEAST32 if delta.itemsize == 4 else _LEAST64), real(0)
    correction1, correction2 = real(1.0 - numbers[1] ** float(steps)), real(1.0 - numbers[2] ** float(steps))
    for index in range(delta.size):
        moment1 = beta1 * first[index] + (one - beta1) * direction[index]
        moment2 = beta2 * second[index] + (one - beta2) * (direction[index] * direction[index])
        first[index] = none if abs(moment1) < least else moment1
        second[index] = none if moment2 < least else moment2
        # Both moments start at zero; dividing removes that bias (section 3).
        unbiased_first = first[index] / correction1
        unbiased_second = second[index] / correction2
        delta[index] = learning_rate * unbiased_first / (math.sqrt(unbiased_second) + epsilon)


def _numbers(beta1: float, beta2: float, epsilon: float) -> tuple[float, ...]:
    for name, value in (("beta1", beta1), ("beta2", beta2)):
        if number_between(name, value, 0, 1) == 1:
            raise ValueError(f"{name}={value!r}: must be less than 1")
    return beta1, beta2, positive_number("epsilon", epsilon)


class _Moments(Optimizer):
    """Adam's numbers, vectors and kernel."""

    kernel = staticmethod(adam)
    vectors = ("first_moment", "second_moment")

    def __init__(
        self,
        size: int,
        learning_rate: float,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        dtype: Any = np.float64,
    ) -> None:
        super().__init__(size, learning_rate, *_numbers(beta1, beta2, epsilon), dtype=dtype)


@final
class Adam(_Moments):
    """Adam with `beta1`, `beta2`, in [0, 1), and `epsilon`, as in the paper.

    `size`, `learning_rate`, `dtype`: see `Optimizer`.
    """


@final
class AdamW(_Moments):
    """Adam with decoupled weight decay, which the owner of the parameters applies."""

    decoupled = True
