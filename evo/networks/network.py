"""Network: a stack of layers from observation to action, compiled to one table of addresses."""

import functools
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from evo.envs.engine.compile import njit
from evo.networks.layer import Layer, Shape, carried_by, neurons_of
from evo.networks.program import plan_of, walk
from evo.numerics.running_statistics import normalise
from evo.storage.memory import check_bytes, size_text

if TYPE_CHECKING:  # acting does not need scipy, which brings BLAS
    from evo.autodiff import Node, Tape

_LARGEST = 2**31  # numbers
_EPISODE_BYTES = 2**28  # the most memory and scratch of a network in each of many concurrent episodes
_PARAMETER_BYTES = 24  # the least that each parameter takes: drawn, searched and evaluated


class Block(NamedTuple):
    """An array of parameters: `params[place].reshape(shape)` is `name` of layer number `layer`."""

    layer: int
    name: str
    place: slice
    shape: Shape


class Network:
    """A stack of layers on an observation of `inputs` numbers, or of a shape such as (height, width, channels).

    text: how it is written (`linear`, `mlp:64,64`). normalise: whether observations are normalised by running
    statistics before the first layer. clip_observation: the bound ± of normalised observations; infinity does not clip,
    and without normalisation nothing is clipped. size: number of parameters. outputs: size of the action. remembers:
    whether an action depends on earlier observations. own_length: whether individuals may have their own number of
    parameters, `size` being what `initial` makes. Raises ValueError for a layer that does not fit its predecessor.
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
        self.shapes = [(inputs,) if isinstance(inputs, int) else inputs]  # each layer's input, then the output
        self.inputs = math.prod(self.shapes[0])
        for layer in self.layers:
            self.shapes.append(layer.shape(self.shapes[-1]))
        self.outputs = math.prod(self.shapes[-1])
        self._given = list(zip(self.layers, self.shapes, strict=False))
        self.sizes = [layer.size(shape) for layer, shape in self._given]  # parameters of each layer
        self.size = sum(self.sizes)
        self.own_length = any(layer.own_length for layer in self.layers)
        if self.own_length:
            _check_own_length(self.layers, self.sizes)
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
        """Return the state without addresses of compiled code, which copies and pickles must not hold."""
        return {name: value for name, value in self.__dict__.items() if name != "plan"}

    def check(self, params: np.ndarray) -> None:
        """Raise ValueError where parameters of one individual, (parameters,), are not such as this network takes."""
        if not self.own_length:
            if params.shape != (self.size,):
                raise ValueError(f"{_count(params)}; {self.text!r} has {self.size}")
            return
        layer, shape, at = self._of_own_length
        if params.ndim != 1 or len(params) < at:
            raise ValueError(f"{_count(params)}; {self.text!r} has at least {at}")
        layer.check(params[at:], shape)

    def misfit(self, values: np.ndarray, offsets: np.ndarray) -> int:
        """Return the first individual whose parameters `check` refuses, -1 where it takes all.

        values: float32. offsets: int64 (individuals + 1,); individual k has `values[offsets[k]:offsets[k + 1]]`.
        """
        begins, ends = offsets[:-1], offsets[1:]
        if not self.own_length:
            return _first(ends - begins != self.size)
        layer, shape, at = self._of_own_length
        short = _first(ends - begins < at)
        return short if short >= 0 else layer.misfit(values, np.column_stack([begins + at, ends]), shape)

    @property
    def _of_own_length(self) -> tuple[Layer, Shape, int]:
        """Return the layer of own length, its inputs' shape, and where its parameters begin."""
        index = next(index for index, layer in enumerate(self.layers) if layer.own_length)
        return *self._given[index], sum(self.sizes[:index])

    def bounds(self, params: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the parameters of an individual that gradient descent keeps within bounds: see `Layer.bounds`."""
        found, at = [], 0
        for (layer, shape), size in zip(self._given, self.sizes, strict=True):
            places, least, greatest = layer.bounds(params[at:] if layer.own_length else params[at : at + size], shape)
            found.append((places + at, least, greatest))
            at += size
        places, least, greatest = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
        return places, least, greatest

    @property
    def facts(self) -> dict[str, Any]:
        """Return what an algorithm may know: `groups`, the neuron of each parameter, and its layers' facts."""
        return {"groups": self.neurons} | {name: value for layer in self.layers for name, value in layer.facts.items()}

    @functools.cached_property
    def products(self) -> int:
        """Return the approximate number of multiplications of a step."""
        return sum(layer.products(shape) for layer, shape in self._given)

    @functools.cached_property
    def plan(self) -> np.ndarray:
        """Return the compiled program, int64 (layers, columns): see `evo.networks.program`."""
        return plan_of(self._given)

    def plan_until(self, stop: int) -> np.ndarray:
        """Return the compiled program, whose longest steps end early when the stop flag at this address is set."""
        return plan_of(self._given, stop)

    @property
    def interruptible(self) -> bool:
        """Return whether a step may take long, and polls the stop flag of `plan_until`."""
        return any(layer.interruptible for layer in self.layers)

    @functools.cached_property
    def neurons(self) -> np.ndarray:
        """Return the neuron that each parameter belongs to, int64 (size,), numbered across all layers.

        Crossover may pass on a neuron as a whole (Montana & Davis 1989). A layer without units of its own counts as
        one.
        """
        return neurons_of(self._given)

    @functools.cached_property
    def carried(self) -> np.ndarray:
        """Return the indices into the memory of the state carried from step to step, int64.

        They are in the order of a tape's `states`. Empty where the network remembers nothing, or has a layer that can
        only begin with an empty memory.
        """
        return carried_by(self._given)

    def layout(self) -> tuple[Block, ...]:
        """Return the parameter arrays, in their order.

            for block in network.layout():
                weights = params[block.place].reshape(block.shape)

        A dense layer has `W` (inputs, outputs) and `b` (outputs,); other layers' docstrings list theirs.
        """
        found, at = [], 0
        for index, (layer, inputs) in enumerate(self._given):
            for name, shape in layer.blocks(inputs):
                found.append(Block(index, name, slice(at, at + math.prod(shape)), shape))
                at += math.prod(shape)
        return tuple(found)

    def unroll(
        self,
        params: np.ndarray,
        observations: np.ndarray,
        mean: np.ndarray,
        scale: np.ndarray,
        layers: int | None = None,
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Run the compiled network on observations, one after the other, and yield what each step leaves.

        observations: (steps, inputs). layers: how many of the first layers run; none give the normalised observation.
        Yields the last of these layers' outputs, float64 (numbers,), and the memory, float32 (memory_size,), which the
        next step changes.
        """
        plan = self.plan[:layers]
        memory, scratch = np.zeros(self.memory_size, np.float32), np.zeros(self.scratch_size, np.float32)
        row, count = np.array(params, np.float32), math.prod(self.shapes[len(plan)])
        for observation in observations:
            outputs = np.zeros(count)
            seen = np.array(observation, np.float64)
            propagate(plan, row, memory, scratch, seen, mean, scale, self.clip_observation, outputs)
            yield outputs, memory

    @property
    def scratch_size(self) -> int:
        """Return the number of float32 numbers that `propagate` needs for a layer's inputs and outputs, in turn."""
        return 2 * self.widest

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        """Return initial parameters, float64 (size,)."""
        return np.concatenate([layer.initial(shape, rng) for layer, shape in self._given])

    def apply(self, tape: "Tape", inputs: "Node", at: int, steps: int) -> "Node":
        """Record the network on a tape for a batch of normalised observations; return (steps × batch, outputs).

        inputs (steps × batch, inputs), the batch of the first step first. at: where the parameters begin.

        Raises ValueError for a layer without gradient, or rows that are not `steps` steps of one batch.
        """
        if steps < 1 or inputs.rows % steps:
            raise ValueError(f"{inputs.rows} rows are not a batch in each of {steps} steps")
        for (layer, shape), size in zip(self._given, self.sizes, strict=True):
            inputs, at = layer.apply(tape, inputs, at, shape, steps), at + size
        return inputs


def _check_own_length(layers: Sequence[Layer], sizes: Sequence[int]) -> None:
    """Raise ValueError where parameters come after those of a layer that takes all to the end of the row."""
    index = next(index for index, layer in enumerate(layers) if layer.own_length)
    later = zip(layers[index + 1 :], sizes[index + 1 :], strict=True)
    after = [layer.text for layer, size in later if size or layer.own_length]
    if after:
        raise ValueError(
            f"{layers[index].text!r} has as many parameters as an individual likes, so no layer after it may have any; "
            f"{after[0]!r} has"
        )


def _first(chosen: np.ndarray) -> int:
    """Return the place of the first that is chosen, -1 where none is."""
    return int(np.argmax(chosen)) if chosen.any() else -1


def _count(params: np.ndarray) -> str:
    return f"{len(params)} parameters" if params.ndim == 1 else f"parameters of shape {params.shape}"


@njit
def propagate(
    plan: Any, params: Any, memory: Any, scratch: Any, obs: Any, mean: Any, scale: Any, clip: float, outputs: Any
) -> None:
    """Compute unbounded outputs from an observation, both float64; the layers work in float32.

    The observation is first normalised as (obs - mean) * scale, clipped to ±clip. scratch: float32 (2 widest).
    """
    normalise(obs, mean, scale, clip, scratch)
    count, at = walk(plan, params, memory, scratch, obs.size)
    for index in range(count):
        outputs[index] = scratch[at + index]


@njit(cache=True)
def decide(outputs: Any, low: Any, high: Any, choices: int, action: Any) -> None:
    """Convert outputs to the action (action_size,): clipped to its bounds, or the index of the best score.

    choices: the number of scores; 0 for continuous actions. A score of NaN makes the action NaN.
    """
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
    """Run `propagate` into outputs, float64 (network.outputs,), then `decide`."""
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
    """Run `act` for every row of observations, each with its row of memories (rows, memory_size)."""
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
