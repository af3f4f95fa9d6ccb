"""Network: a stack of layers from observation to action, compiled to one table of addresses."""

import functools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from evo.envs.engine.compile import njit
from evo.networks.layer import Layer, Shape, carried_by, neurons_of
from evo.networks.program import plan_of, walk
from evo.numerics.running_statistics import normalise
from evo.storage.memory import check_bytes, size_text

if TYPE_CHECKING:  # scipy, which brings BLAS, is not needed to act
    from evo.autodiff import Node, Tape

_LARGEST = 2**31  # numbers
_EPISODE_BYTES = 2**28  # that a network may remember and compute with, in each of many episodes at once
_PARAMETER_BYTES = 24  # that each parameter takes at least: drawn, searched and evaluated


class Block(NamedTuple):
    """An array of parameters: `params[place].reshape(shape)` is `name` of layer number `layer`."""

    layer: int
    name: str
    place: slice
    shape: Shape


class Network:
    """Layers stacked on an observation of `inputs` numbers, or of a shape such as (height, width, channels).

    text: how it is written (`linear`, `mlp:64,64`). normalise: whether observations are normalised by running
    statistics before the first layer. clip_observation: they are then kept within ± so much; infinity does not clip,
    and nothing is clipped where nothing is normalised. size: number of parameters. outputs: size of the action.
    remembers: whether an action depends on earlier observations. Raises ValueError for a layer that does not fit what
    comes before it.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        inputs: int | Shape,
        text: str,
        normalise: bool,
        clip_observation: float = math.inf,
    ) -> None:
        if not clip_observation > 0:
            raise ValueError(f"clip_observation must be more than 0, got {clip_observation}")
        self.layers, self.text, self.normalise = tuple(layers), text, normalise
        self.clip_observation = clip_observation if normalise else math.inf
        self.shapes = [(inputs,) if isinstance(inputs, int) else inputs]  # of what each layer is given, and of the end
        self.inputs = math.prod(self.shapes[0])
        for layer in self.layers:
            self.shapes.append(layer.shape(self.shapes[-1]))
        self.outputs = math.prod(self.shapes[-1])
        self._given = list(zip(self.layers, self.shapes, strict=False))
        self.sizes = [layer.size(shape) for layer, shape in self._given]  # parameters of each layer
        self.size = sum(self.sizes)
        self.widest = max(math.prod(shape) for shape in self.shapes)
        self.memory_size = sum(layer.memory_size(shape) for layer, shape in self._given)
        if max(self.size, self.memory_size, self.widest) > _LARGEST:
            raise ValueError(
                f"{text!r} has {self.size:,} parameters and {self.memory_size:,} numbers of memory: too large"
            )
        remembered = 4 * (self.memory_size + self.scratch_size)
        if remembered > _EPISODE_BYTES:
            raise ValueError(
                f"{text!r} keeps {size_text(remembered)} in every episode; at most {size_text(_EPISODE_BYTES)} are "
                "meant: take a shorter window, or narrower layers"
            )
        check_bytes(f"{text!r}, {self.size:,} parameters", _PARAMETER_BYTES * self.size, "take narrower layers")
        self.remembers = any(layer.remembers(shape) for layer, shape in self._given)

    def __repr__(self) -> str:
        return f"Network({self.text!r}, {self.inputs} inputs, {self.outputs} outputs, {self.size:,} parameters)"

    def __getstate__(self) -> dict[str, Any]:
        """Copies and pickles hold no addresses of compiled code."""
        return {name: value for name, value in self.__dict__.items() if name != "plan"}

    @functools.cached_property
    def products(self) -> int:
        """How many multiplications one step takes, about."""
        return sum(layer.products(shape) for layer, shape in self._given)

    @functools.cached_property
    def plan(self) -> np.ndarray:
        """int64 (layers, columns): see `evo.networks.program`."""
        return plan_of(self._given)

    @functools.cached_property
    def neurons(self) -> np.ndarray:
        """The neuron that each parameter belongs to, int64 (size,), counted through all layers: what crossover may hand
        over as a whole (Montana & Davis 1989). A layer that does not say what its units are counts as one.
        """
        return neurons_of(self._given)

    @functools.cached_property
    def carried(self) -> np.ndarray:
        """Where in its memory its layers find what they carry from step to step, int64, in the order of a tape's
        `states`. Empty where it remembers nothing, or has a layer that can only begin with an empty memory."""
        return carried_by(self._given)

    def layout(self) -> tuple[Block, ...]:
        """The arrays that its parameters are, in their order.

            for block in network.layout():
                weights = params[block.place].reshape(block.shape)

        A dense layer has `W` (inputs, outputs) and `b` (outputs,); what others have is in their docstrings.
        """
        found, at = [], 0
        for index, (layer, inputs) in enumerate(self._given):
            for name, shape in layer.blocks(inputs):
                found.append(Block(index, name, slice(at, at + math.prod(shape)), shape))
                at += math.prod(shape)
        return tuple(found)

    @property
    def scratch_size(self) -> int:
        """float32 numbers that `propagate` needs beside the memory: the inputs and outputs of a layer, in turn."""
        return 2 * self.widest

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        """Initial parameters, float64 (size,)."""
        return np.concatenate([layer.initial(shape, rng) for layer, shape in self._given])

    def apply(self, tape: "Tape", inputs: "Node", at: int, steps: int) -> "Node":
        """The network on a batch of normalised observations, (steps × batch, inputs), the batch of the first step
        first; its parameters begin at `at`. Returns (steps × batch, outputs).

        Raises ValueError for a layer that has no gradient, or rows that are not so many steps of one batch.
        """
        if steps < 1 or inputs.rows % steps:
            raise ValueError(f"{inputs.rows} rows are not a batch in each of {steps} steps")
        for (layer, shape), size in zip(self._given, self.sizes, strict=True):
            inputs, at = layer.apply(tape, inputs, at, shape, steps), at + size
        return inputs


@njit
def propagate(
    plan: Any, params: Any, memory: Any, scratch: Any, obs: Any, mean: Any, scale: Any, clip: float, outputs: Any
) -> None:
    """From an observation to unbounded outputs, both float64; the layers work in float32.

    The observation is first normalised as (obs - mean) * scale, within ±clip. scratch: float32 (2 widest).
    """
    normalise(obs, mean, scale, clip, scratch)
    count, at = walk(plan, params, memory, scratch, obs.size)
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
    clip: float,
    low: Any,
    high: Any,
    choices: int,
    outputs: Any,
    action: Any,
) -> None:
    """`propagate` into outputs, float64 (network.outputs,), then `decide`."""
    propagate(plan, params, memory, scratch, obs, mean, scale, clip, outputs)
    decide(outputs, low, high, choices, action)


@njit(cache=True)
def act_each(
    plan: Any,
    params: Any,
    memories: Any,
    scratch: Any,
    observations: Any,
    mean: Any,
    scale: Any,
    clip: float,
    low: Any,
    high: Any,
    choices: int,
    outputs: Any,
    actions: Any,
) -> None:
    """`act` for every row of observations, each with a memory of its own: memories (rows, memory_size)."""
    for row in range(observations.shape[0]):
        act(
            plan,
            params,
            memories[row],
            scratch,
            observations[row],
            mean,
            scale,
            clip,
            low,
            high,
            choices,
            outputs,
            actions[row],
        )


__all__ = ["Block", "Network", "act", "act_each", "decide", "propagate"]
