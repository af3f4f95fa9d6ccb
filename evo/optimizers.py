"""Gradient optimisers: a direction of ascent in, the change of the parameters out.

Each is one final class with `step(direction) -> delta`, both (parameters,) float64, and `state()`/`restore()`; it never
sees the parameters themselves. Fitness is maximised, so `delta` points uphill: `parameters + delta`.
"""

from collections.abc import Mapping
from typing import Any, final

import numpy as np
from numpy.typing import NDArray


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
        first = self.beta1 * self.first_moment + (1 - self.beta1) * direction
        second = self.beta2 * self.second_moment + (1 - self.beta2) * np.square(direction)
        # Both moments start at zero; dividing removes that bias (section 3).
        unbiased_first = first / (1 - self.beta1**steps)
        unbiased_second = second / (1 - self.beta2**steps)
        delta = self.step_size * unbiased_first / (np.sqrt(unbiased_second) + self.epsilon)
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
