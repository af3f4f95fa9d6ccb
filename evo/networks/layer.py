"""Layer: the interface of a network's layers."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from evo.grammar import Call

if TYPE_CHECKING:  # acting does not need scipy, which brings BLAS
    from evo.autodiff import Node, Tape

Shape = tuple[int, ...]  # of one example: (features,) or (height, width, channels)
Blocks = Sequence[tuple[str, Shape]]  # consecutive arrays of parameters, each row by row


class Layer:
    """A layer: output shape, parameters, memory and computation for a given input shape.

    `step`, a property or a static method, is a plain function step(numbers, params, memory, inputs, outputs), compiled
    once for every network and task: numbers are the layer's own int64 arguments; the rest are float32 vectors. `memory`
    belongs to the layer and is zeroed at the start of an episode; it includes working space, so that nothing is
    allocated. A differentiable layer has `apply` too, and the two agree to float rounding. surrogate: whether the
    gradient of `apply` is meant to be that of another function, as the true one is uninformative.

    word: its name in text. summary: a line for `evo list`: how it is written, what it is, its source. Layers of
    `evo.networks.layers` have both; a layer of your own is named by its module.
    """

    surrogate: ClassVar[bool] = False
    own_length: ClassVar[bool] = False
    """Whether every individual has as many parameters for it as it likes: `step` is given all to the end of the row, so
    no layer after it may have any. `size` is how many `initial` makes; `check` tells which it takes.
    """
    interruptible: ClassVar[bool] = False
    """Whether a step may take so long that it polls a stop flag: the first of `numbers`, which is 0, is replaced by the
    flag's address (see `evo.envs.engine.physics.is_stopped`). What a step leaves that was stopped is not used.
    """
    word: ClassVar[str] = ""
    summary: ClassVar[str] = ""

    @classmethod
    def from_call(cls, call: Call) -> "list[Layer]":
        """Return the layers that a call of `word` stands for. Raises ValueError for arguments that do not fit."""
        raise NotImplementedError

    @property
    def text(self) -> str:
        """Return the layer as it is written in a chain: `dense:64:relu`.

        For a layer of your own, `package.module:function(arguments)`, where the function, or class, returns layers; or
        `package.module:function:text`, where it is given the text.
        """
        raise NotImplementedError

    @property
    def step(self) -> Callable[..., None]:
        raise NotImplementedError

    def shape(self, inputs: Shape) -> Shape:
        """Return the shape of the outputs. Raises ValueError where the inputs do not fit."""
        raise NotImplementedError

    def size(self, inputs: Shape) -> int:
        """Return the number of parameters."""
        return 0

    def as_action_layer(self, outputs: int, bounds: tuple[np.ndarray, np.ndarray] | None) -> "Layer | None":
        """Return the layer as one that gives the actions of a task; None where another is appended for that.

        outputs: how many numbers the task needs. bounds: least and greatest actions, (outputs,) each, or None.
        """
        return None

    def check(self, params: np.ndarray, inputs: Shape) -> None:
        """Raise ValueError where parameters, (own length,), are not such as a layer of `own_length` takes.

        Compiled code does not check what it is given.
        """

    def bounds(self, params: np.ndarray, inputs: Shape) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the parameters that gradient descent keeps within bounds: int64 indices, and their least and greatest.

        params: of one individual. Where least and greatest are equal the parameter is left as it is, and has no
        gradient; penalties do not apply to it.
        """
        return np.zeros(0, np.int64), np.zeros(0), np.zeros(0)

    @property
    def facts(self) -> Mapping[str, Any]:
        """Return what an algorithm that varies its parameters may know, by the names of a constructor's arguments."""
        return {}

    def misfit(self, values: np.ndarray, places: np.ndarray, inputs: Shape) -> int:
        """Return the first individual whose parameters `check` refuses, -1 where it takes all.

        values: float32. places: int64 (individuals, 2); individual k has `values[places[k, 0]:places[k, 1]]`.
        """
        for individual, (begin, end) in enumerate(places.tolist()):
            try:
                self.check(values[begin:end], inputs)
            except ValueError:
                return individual
        return -1

    def blocks(self, inputs: Shape) -> Blocks:
        """Return names and shapes of the parameter arrays, in their order; their sizes add up to `size`."""
        size = self.size(inputs)
        return [("row" if self.own_length else "parameters", (size,))] if size else []

    def initial(self, inputs: Shape, rng: np.random.Generator) -> np.ndarray:
        """Return initial parameters, float64 (size,)."""
        return np.zeros(self.size(inputs))

    def memory_size(self, inputs: Shape) -> int:
        """Return the size of the memory in float32 numbers, working space included."""
        return 0

    def remembers(self, inputs: Shape) -> bool:
        """Return whether outputs depend on earlier steps; else the memory is working space only."""
        return self.memory_size(inputs) > 0

    def products(self, inputs: Shape) -> int:
        """Return the approximate number of multiplications of a step; by default one for each parameter."""
        return self.size(inputs)

    def carried(self, inputs: Shape) -> np.ndarray:
        """Return the indices into the memory that the next step depends on, int64.

        They are in the order in which `apply` requests `state` from a tape; the rest is working space. Empty where
        `apply` can only begin with an empty memory.
        """
        return np.zeros(0, np.int64)

    def numbers(self, inputs: Shape) -> tuple[int, ...]:
        """Return the integer arguments of `step`."""
        return ()

    def neurons(self, inputs: Shape) -> np.ndarray:
        """Return the unit that each parameter belongs to, int64 (size,); all 0 by default."""
        return np.zeros(self.size(inputs), np.int64)

    @property
    def differentiable(self) -> bool:
        """Return whether the layer has an `apply` of its own."""
        return type(self).apply is not Layer.apply

    def apply(self, tape: "Tape", inputs: "Node", at: int, shape: Shape, steps: int) -> "Node":
        """Record the layer on a tape, for a batch at each time step.

        inputs (steps × batch, numbers of an example), the batch of the first step first. at: where the parameters
        begin. shape: of one example. A recurrent layer begins with `tape.state` and passes its state between steps
        through `tape.carried`.

        Raises ValueError where it has no gradient.
        """
        raise ValueError(f"{type(self).__name__} has no gradient")


def neurons_of(given: Sequence[tuple[Layer, Shape]]) -> np.ndarray:
    """Return the neuron of each parameter, int64, numbered across layers, given layers and their input shapes."""
    parts, count = [], 0
    for layer, shape in given:
        units = layer.neurons(shape)
        parts.append(units + count)
        count += int(units.max(initial=-1)) + 1
    return np.concatenate(parts)


def carried_by(given: Sequence[tuple[Layer, Shape]]) -> np.ndarray:
    """Return the indices of the layers' carried state in their joint memory.

    Empty where a layer remembers but does not say where.
    """
    parts, at = [], 0
    for layer, shape in given:
        places = layer.carried(shape)
        if layer.remembers(shape) and not places.size:
            return places
        parts.append(places + at)
        at += layer.memory_size(shape)
    return np.concatenate(parts)


def shape_text(shape: Shape) -> str:
    """Format a shape as `28 × 28 × 1`."""
    return " × ".join(map(str, shape))


def flat(layer: Layer, inputs: Shape) -> int:
    """Return the number of features of inputs (features,). Raises ValueError for other shapes."""
    if len(inputs) != 1:
        raise ValueError(
            f"{type(layer).__name__} takes a row of features, not {shape_text(inputs)}: flatten them first"
        )
    return inputs[0]
