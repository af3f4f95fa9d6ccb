"""Optimizer: turns a direction of ascent into a change of the parameters, with its state.

An optimiser's rule is one plain function, its kernel, compiled for float64 and for float32: `Optimizer.step` calls it
on whole vectors, descent (`evo.autodiff.descent`) on pieces of them, several threads at once.
"""

import functools
import math
from abc import ABC
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
from numba import types
from numba.np.numpy_support import from_dtype
from numpy.typing import NDArray

from evo.envs.engine.compile import compile_kernel, njit
from evo.envs.engine.physics import call
from evo.numerics.validation import positive_number, whole_number


class Optimizer(ABC):
    """An optimiser: `step(direction) -> delta`, a direction of ascent to a change of parameters, both (parameters,).

    Fitness is maximised, so `delta` points uphill: `parameters + delta`. The optimiser never sees the parameters
    themselves: their owner applies weight decay.

    `size` parameters; `learning_rate` > 0; dtype: of all its numbers. memory: (vectors, parameters), initially zeros;
    steps: the number taken. A step replaces the memory and never writes into it, so that a shallow copy continues from
    where it was taken. Raises ValueError for a hyper-parameter out of its range.

    A subclass is final: it gives the kernel, which writes delta and updates the memory, kernel(numbers, steps, length,
    first, second, direction, delta). numbers: float64, the learning rate and those the subclass passes on; steps: this
    one included; length: the direction's, where there is a `max_speed`; first, second: the vectors of the memory, empty
    where there are fewer. It must be elementwise, and allocates nothing.
    """

    kernel: ClassVar[Callable[..., None]]
    vectors: ClassVar[tuple[str, ...]] = ()
    """Names of the memory's vectors, in order: at most two."""
    decoupled: ClassVar[bool] = False
    """Whether weight decay is decoupled: each step also subtracts learning rate × weight decay × weights.

    Otherwise the decay is an L2 penalty, whose gradient is part of the direction.
    """

    def __init__(
        self, size: int, learning_rate: float, *numbers: float, max_speed: float = math.inf, dtype: Any = np.float64
    ) -> None:
        self.learning_rate = positive_number("learning_rate", learning_rate)
        self.max_speed = max_speed  # the greatest length of a step; longer ones are shortened, with the first vector
        self.steps = 0
        self.memory = np.zeros((len(self.vectors), whole_number("size", size, 0)), dtype)
        self._numbers = numbers

    def step(self, direction: NDArray[Any], factor: float = 1.0) -> NDArray[Any]:
        """Return the change of parameters, (parameters,), for a direction of ascent, (parameters,).

        factor: multiplies the learning rate in this step, as a schedule prescribes. Raises ValueError for another
        shape.
        """
        size = self.memory.shape[1]
        direction = np.ascontiguousarray(direction, self.memory.dtype)
        if direction.shape != (size,):
            raise ValueError(f"a direction of shape {direction.shape}: it must be ({size},)")
        limited = math.isfinite(self.max_speed)
        memory, delta, length = self.memory.copy(), np.empty_like(direction), _length(direction) if limited else 0.0
        learning_rates = np.array([factor * self.learning_rate])
        numbers, limit = self.numbers(learning_rates)[0], self.limits(learning_rates)[0]
        step_part(self.address, numbers, self.steps + 1, length, memory, 0, size, direction, delta)
        if limited and (speed := _length(delta)) > limit:
            shorten_part(memory, 0, size, delta, limit / speed)
        self.steps, self.memory = self.steps + 1, memory
        return delta

    @property
    def address(self) -> int:
        """Return the address of the kernel, compiled for this dtype."""
        address: int = _compile(self.kernel, self.memory.dtype).address
        return address

    def numbers(self, learning_rates: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the kernel's `numbers` for steps at these rates, (steps,): float64 (steps, numbers)."""
        told = np.empty((len(learning_rates), 1 + len(self._numbers)))
        told[:, 0], told[:, 1:] = learning_rates, self._numbers
        return told

    def limits(self, learning_rates: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the greatest lengths of steps at these rates, (steps,): `max_speed`, scaled like the learning rate."""
        if not math.isfinite(self.max_speed):
            return np.full(len(learning_rates), math.inf)
        return self.max_speed * (learning_rates / self.learning_rate)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return copies of everything that changes."""
        vectors = {name: vector.copy() for name, vector in zip(self.vectors, self.memory, strict=True)}
        return {"steps": np.array(self.steps, dtype=np.int64)} | vectors

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Restore a `state()` exactly."""
        memory = np.empty_like(self.memory)
        for vector, name in zip(memory, self.vectors, strict=True):
            vector[:] = state[name]
        self.steps, self.memory = int(state["steps"]), memory


@functools.cache
def _compile(kernel: Callable[..., None], dtype: np.dtype[Any]) -> Any:
    vector, numbers = types.Array(from_dtype(dtype), 1, "C"), types.Array(types.float64, 1, "C")
    names = "numbers, steps, length, first, second, direction, delta"
    return compile_kernel(kernel, (numbers, types.int64, types.float64, *(vector,) * 4), names)


@njit(cache=True, nogil=True)
def step_part(
    address: int,
    numbers: Any,
    steps: int,
    length: float,
    memory: Any,
    start: int,
    stop: int,
    direction: Any,
    delta: Any,
) -> None:
    """Apply the kernel at `address` to elements `start` to `stop` of memory, direction and delta."""
    none, count = delta[:0], memory.shape[0]
    first = memory[0, start:stop] if count > 0 else none
    second = memory[1, start:stop] if count > 1 else none
    call(address, (numbers, steps, length, first, second, direction[start:stop], delta[start:stop]))


@njit(cache=True, nogil=True)
def shorten_part(memory: Any, start: int, stop: int, delta: Any, factor: float) -> None:
    """Multiply delta and the first vector of memory by `factor`, from `start` to `stop`."""
    factor = delta.dtype.type(factor)
    for index in range(start, stop):
        delta[index] *= factor
        memory[0, index] *= factor


def _length(vector: NDArray[Any]) -> float:
    return math.sqrt(np.sum(np.square(vector)))
