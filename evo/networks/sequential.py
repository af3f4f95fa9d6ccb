"""Network: a stack of layers from an observation to an action, as one table of addresses that an episode walks.

A layer has `outputs`, `memory_size`, `size(inputs)`, `initial(inputs, rng)` and a plain function `step(params, memory,
inputs, outputs)` on float32 vectors, compiled here once for every network and task. `memory` is the layer's own,
zeroed at the start of an episode. Where it is differentiable it has `apply`, and where it consists of units,
`neurons(inputs)`, which says for each parameter to which of them it belongs.
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numba import types

from envs.kernels import compile_kernel, njit
from envs.physics import call

if TYPE_CHECKING:  # scipy, which brings BLAS, is not needed to act
    from evo.autodiff import Node, Tape

_FLOATS = types.Array(types.float32, 1, "C")
# Columns of a network's plan: one row a layer.
_STEP, _PARAMS, _PARAMS_SIZE, _MEMORY, _MEMORY_SIZE, _OUTPUTS = range(6)


class Layer(Protocol):
    """What a network is stacked from."""

    @property
    def outputs(self) -> int: ...
    @property
    def memory_size(self) -> int: ...
    @property
    def step(self) -> Callable[..., None]: ...
    def size(self, inputs: int) -> int: ...
    def initial(self, inputs: int, rng: np.random.Generator) -> np.ndarray: ...


@functools.cache
def _compiled(step: Callable[..., None]) -> Any:
    return compile_kernel(step, (_FLOATS,) * 4, "params, memory, inputs, outputs")


class Network:
    """Layers stacked on an observation of `inputs` numbers.

    text: how it is written (`linear`, `mlp:64,64`). normalise: whether observations are normalised by running
    statistics before the first layer. size: number of parameters. outputs: size of the action.
    """

    def __init__(self, layers: Sequence[Layer], inputs: int, text: str, normalise: bool) -> None:
        self.layers, self.inputs, self.text, self.normalise = tuple(layers), inputs, text, normalise
        self.outputs = self.layers[-1].outputs
        widths = [inputs, *(layer.outputs for layer in self.layers)]
        self._sizes = [layer.size(width) for layer, width in zip(self.layers, widths, strict=False)]
        self.size = sum(self._sizes)
        self.widest = max(widths)
        self.memory_size = sum(layer.memory_size for layer in self.layers)

    @functools.cached_property
    def plan(self) -> np.ndarray:
        """int64 (layers, 6): step address, parameters from, count, memory from, count, outputs."""
        rows, params, memory = [], 0, 0
        for layer, size in zip(self.layers, self._sizes, strict=True):
            address = _compiled(layer.step).address
            rows.append((address, params, size, memory, layer.memory_size, layer.outputs))
            params, memory = params + size, memory + layer.memory_size
        return np.array(rows, np.int64)

    @functools.cached_property
    def neurons(self) -> np.ndarray:
        """The neuron that each parameter belongs to, int64 (size,), counted through all layers: what crossover may hand
        over as a whole (Montana & Davis 1989). A layer that does not say what its units are counts as one.
        """
        parts, width, count = [], self.inputs, 0
        for layer, size in zip(self.layers, self._sizes, strict=True):
            units = layer.neurons(width) if hasattr(layer, "neurons") else np.zeros(size, np.int64)
            parts.append(units + count)
            width, count = layer.outputs, count + int(units.max(initial=-1)) + 1
        return np.concatenate(parts)

    @property
    def scratch_size(self) -> int:
        """float32 numbers that `propagate` needs beside the memory: the inputs and outputs of a layer, in turn."""
        return 2 * self.widest

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        """Initial parameters, float64 (size,)."""
        widths = [self.inputs, *(layer.outputs for layer in self.layers)]
        parts = [layer.initial(width, rng) for layer, width in zip(self.layers, widths, strict=False)]
        return np.concatenate(parts)

    def apply(self, tape: "Tape", inputs: "Node", at: int) -> "Node":
        """The network on a batch of normalised observations, (batch, inputs) to (batch, outputs), parameters from `at`.

        Raises ValueError for a layer that has no gradient.
        """
        for layer, size in zip(self.layers, self._sizes, strict=True):
            if not hasattr(layer, "apply"):
                raise ValueError(f"{type(layer).__name__} of {self.text!r} has no gradient")
            inputs, at = layer.apply(tape, inputs, at), at + size
        return inputs


@njit
def propagate(plan: Any, params: Any, memory: Any, scratch: Any, obs: Any, mean: Any, scale: Any, outputs: Any) -> None:
    """From an observation to unbounded outputs, both float64; the layers work in float32.

    The observation is first normalised as (obs - mean) * scale. scratch: float32 (2 widest).
    """
    widest = scratch.size // 2
    for index in range(obs.size):
        scratch[index] = (obs[index] - mean[index]) * scale[index]
    count, at = obs.size, 0
    for layer in range(plan.shape[0]):
        row = plan[layer]
        width = row[_OUTPUTS]
        after = widest - at
        call(
            row[_STEP],
            (
                params[row[_PARAMS] : row[_PARAMS] + row[_PARAMS_SIZE]],
                memory[row[_MEMORY] : row[_MEMORY] + row[_MEMORY_SIZE]],
                scratch[at : at + count],
                scratch[after : after + width],
            ),
        )
        count, at = width, after
    for index in range(count):
        outputs[index] = scratch[at + index]


@njit(cache=True)
def decide(outputs: Any, low: Any, high: Any, choices: int, action: Any) -> None:
    """The action (action_size,) that a network's outputs mean: clipped to its bounds, or the choice of best score."""
    if choices == 0:
        for index in range(action.size):
            action[index] = min(max(outputs[index], low[index]), high[index])
        return
    best = 0
    for index in range(choices):
        if math.isnan(outputs[index]):
            best = index
            break
        if outputs[index] > outputs[best]:
            best = index
    action[0] = outputs[best] if math.isnan(outputs[best]) else best


@njit(cache=True)
def act(
    plan: Any,
    params: Any,
    memory: Any,
    scratch: Any,
    obs: Any,
    mean: Any,
    scale: Any,
    low: Any,
    high: Any,
    choices: int,
    outputs: Any,
    action: Any,
) -> None:
    """`propagate` into outputs, float64 (network.outputs,), then `decide`."""
    propagate(plan, params, memory, scratch, obs, mean, scale, outputs)
    decide(outputs, low, high, choices, action)


__all__ = ["Layer", "Network", "act", "decide", "propagate"]
