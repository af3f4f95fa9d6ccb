"""Program: layers as a table of numbers, and the compiled walk through it.

A row is int64: the address of a layer's step, offset and number of its parameters (-1: all to the end of the row of
parameters, as each individual may have its own number of them), offset and size of its memory, the
number of its outputs, the number of its own integer arguments, and these arguments.
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numba import types

from evo.envs.engine.compile import compile_kernel, njit
from evo.envs.engine.physics import call
from evo.networks.layer import Layer, Shape

_FLOATS, _WHOLE = types.Array(types.float32, 1, "C"), types.Array(types.int64, 1, "C")
_STEP, _PARAMS, _PARAMS_SIZE, _MEMORY, _MEMORY_SIZE, _OUTPUTS, _COUNT, _NUMBERS = range(8)
_TO_THE_END = -1  # the number of parameters of a layer that takes the rest of its individual's row


@functools.cache
def _compiled(step: Callable[..., None]) -> Any:
    return compile_kernel(step, (_WHOLE, *(_FLOATS,) * 4), "numbers, params, memory, inputs, outputs")


def plan_of(given: Sequence[tuple[Layer, Shape]], stop: int = 0) -> np.ndarray:
    """Build the table of layers with these input shapes, int64 (layers, columns).

    stop: the address of the stop flag that interruptible layers poll, 0 for none.
    """
    rows, params, memory = [], 0, 0
    for layer, shape in given:
        size, kept, numbers = layer.size(shape), layer.memory_size(shape), layer.numbers(shape)
        if layer.interruptible:
            numbers = stop, *numbers[1:]
        address, outputs = _compiled(layer.step).address, math.prod(layer.shape(shape))
        known = _TO_THE_END if layer.own_length else size
        rows.append([address, params, known, memory, kept, outputs, len(numbers), *numbers])
        params, memory = params + size, memory + kept
    plan = np.zeros((len(rows), max(map(len, rows))), np.int64)
    for row, values in zip(plan, rows, strict=True):
        row[: len(values)] = values
    return plan


@njit
def walk(plan: Any, params: Any, memory: Any, scratch: Any, inputs: int) -> tuple[int, int]:
    """Run all layers on the first `inputs` numbers of the scratch; return the number of outputs and their offset in it.

    scratch: float32, twice as many as the widest layer has inputs or outputs.
    """
    widest = scratch.size // 2
    count, at = inputs, 0
    for layer in range(plan.shape[0]):
        row = plan[layer]
        width, after = row[_OUTPUTS], widest - at
        size = row[_PARAMS_SIZE] if row[_PARAMS_SIZE] >= 0 else params.size - row[_PARAMS]
        call(
            row[_STEP],
            (
                row[_NUMBERS : _NUMBERS + row[_COUNT]],
                params[row[_PARAMS] : row[_PARAMS] + size],
                memory[row[_MEMORY] : row[_MEMORY] + row[_MEMORY_SIZE]],
                scratch[at : at + count],
                scratch[after : after + width],
            ),
        )
        count, at = width, after
    return count, at
