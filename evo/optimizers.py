"""Gradient optimisers: a direction of ascent in, the change of the parameters out.

Each is one final class with `step(direction) -> delta`, both (parameters,) float64, and `state()`/`restore()`; it never
sees the parameters themselves. Fitness is maximised, so `delta` points uphill: `parameters + delta`.
"""

import math
from collections.abc import Mapping
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from envs.kernels import njit


@njit(cache=True, error_model="numpy")  # a check for division by zero would keep the loop from being vectorised
def adam(
    direction: Any,
    first: Any,
    second: Any,
    delta: Any,
    step_size: Any,
    beta1: Any,
    beta2: Any,
    epsilon: Any,
    correction1: Any,
    correction2: Any,
) -> None:
    """One step of Adam in place: the moments `first` and `second`, and `delta`, all (parameters,) and of one type.

    correction1, correction2: 1 - beta1**t and 1 - beta2**t. Kingma & Ba 2015, Algorithm 1.
    """
    one = direction.dtype.type(1)  # a plain 1 would turn float32 into float64
    for index in range(direction.size):
        first[index] = beta1 * first[index] + (one - beta1) * direction[index]
        second[index] = beta2 * second[index] + (one - beta2) * (direction[index] * direction[index])
        # Both moments start at zero; dividing removes that bias (section 3).
        unbiased_first = first[index] / correction1
        unbiased_second = second[index] / correction2
        delta[index] = step_size * unbiased_first / (np.sqrt(unbiased_second) + epsilon)


@final
class Adam:
    """Kingma & Ba 2015, "Adam: A Method for Stochastic Optimization", Algorithm 1.

    `size` parameters; `step_size`, `beta1`, `beta2` and `epsilon` as in the paper. `step` replaces its arrays and never
    writes into them.
    """

    def __init__(
        self, size: int, step_size: float, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8
    ) -> None:
        self.step_size = step_size
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.steps = 0
        self.first_moment = np.zeros(size)  # (parameters,)
        self.second_moment = np.zeros(size)  # (parameters,)

    def step(self, direction: NDArray[np.float64]) -> NDArray[np.float64]:
        """The change of the parameters, (parameters,), for a direction of ascent, (parameters,)."""
        steps = self.steps + 1
        first, second, delta = self.first_moment.copy(), self.second_moment.copy(), np.empty(len(direction))
        corrections = 1 - self.beta1**steps, 1 - self.beta2**steps
        adam(direction, first, second, delta, self.step_size, self.beta1, self.beta2, self.epsilon, *corrections)
        self.steps, self.first_moment, self.second_moment = steps, first, second
        return delta

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything that changes, as copies."""
        return {
            "steps": np.array(self.steps, dtype=np.int64),
            "first_moment": self.first_moment.copy(),
            "second_moment": self.second_moment.copy(),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly where `state()` was taken."""
        self.steps = int(state["steps"])
        self.first_moment = np.array(state["first_moment"], dtype=np.float64)
        self.second_moment = np.array(state["second_moment"], dtype=np.float64)


@final
class ClipUp:
    """Toklu, Liskowski & Srivastava 2020, "ClipUp: A Simple and Powerful Optimizer for Distribution-based Policy
    Evolution", Algorithm 1: momentum on normalised gradients, its speed limited.

    `size` parameters; `step_size`, `max_speed` and `momentum` as in the paper. `step` replaces its array and never
    writes into it.
    """

    def __init__(self, size: int, step_size: float, max_speed: float | None = None, momentum: float = 0.9) -> None:
        self.step_size = step_size
        self.max_speed = 2 * step_size if max_speed is None else max_speed  # section 3's rule of thumb
        self.momentum = momentum
        self.velocity = np.zeros(size)  # (parameters,)

    def step(self, direction: NDArray[np.float64]) -> NDArray[np.float64]:
        """The change of the parameters, (parameters,), for a direction of ascent, (parameters,)."""
        length = math.sqrt(np.sum(np.square(direction)))
        normalised = direction / length if length > 0 else direction
        velocity = self.momentum * self.velocity + self.step_size * normalised
        speed = math.sqrt(np.sum(np.square(velocity)))
        self.velocity = velocity * (self.max_speed / speed) if speed > self.max_speed else velocity
        return self.velocity

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything that changes, as copies."""
        return {"velocity": self.velocity.copy()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly where `state()` was taken."""
        self.velocity = np.array(state["velocity"], dtype=np.float64)
