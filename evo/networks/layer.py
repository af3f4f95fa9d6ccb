"""Layer: the interface of what networks are stacked from."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

if TYPE_CHECKING:  # scipy, which brings BLAS, is not needed to act
    from evo.autodiff import Node, Tape

Shape = tuple[int, ...]  # of one example: (features,) or (height, width, channels)
Blocks = Sequence[tuple[str, Shape]]  # arrays of parameters one after the other, each row by row


class Layer:
    """A layer says for the shape of its inputs what comes out of it, what it needs, and how it is computed.

    `step`, a property or a static method, is a plain function step(numbers, params, memory, inputs, outputs), compiled
    once for every network and task: numbers are its own whole numbers, int64; the rest are float32 vectors. `memory` is
    the layer's own, zeroed at the start of an episode; what it needs besides, to compute with, is part of it, so that
    nothing is allocated. A layer that is differentiable has `apply` too, and the two agree to float rounding.
    surrogate: whether the gradient of `apply` is meant to be another function's, since its own says nothing.
    """

    surrogate: ClassVar[bool] = False

    @property
    def text(self) -> str:
        """As it is written in a chain: `dense:64:relu`. Of a layer of your own, `package.module:function:arguments`,
        where function(arguments) gives layers."""
        raise NotImplementedError

    @property
    def step(self) -> Callable[..., None]:
        raise NotImplementedError

    def shape(self, inputs: Shape) -> Shape:
        """Of its outputs. Raises ValueError where the inputs do not fit."""
        raise NotImplementedError

    def size(self, inputs: Shape) -> int:
        """The number of its parameters."""
        return 0

    def blocks(self, inputs: Shape) -> Blocks:
        """Names and shapes of the arrays that its parameters are, in their order; their numbers add up to `size`."""
        size = self.size(inputs)
        return [("parameters", (size,))] if size else []

    def initial(self, inputs: Shape, rng: np.random.Generator) -> np.ndarray:
        """Initial parameters, float64 (size,)."""
        return np.zeros(self.size(inputs))

    def memory_size(self, inputs: Shape) -> int:
        """float32 numbers that it remembers from one step to the next, and computes with."""
        return 0

    def remembers(self, inputs: Shape) -> bool:
        """Whether what comes out of a step depends on those before it; else its memory is for computing only."""
        return self.memory_size(inputs) > 0

    def products(self, inputs: Shape) -> int:
        """How many multiplications a step takes, about; that of each parameter once, where it does not say."""
        return self.size(inputs)

    def carried(self, inputs: Shape) -> np.ndarray:
        """Where in its memory the next step finds what it depends on, int64, in the order in which `apply` asks a tape
        for its `state`; the rest is for computing only. Empty where `apply` can only begin with an empty memory.
        """
        return np.zeros(0, np.int64)

    def numbers(self, inputs: Shape) -> tuple[int, ...]:
        """What its step is told."""
        return ()

    def neurons(self, inputs: Shape) -> np.ndarray:
        """The unit that each parameter leads into, int64 (size,); all the same where it has none."""
        return np.zeros(self.size(inputs), np.int64)

    @property
    def differentiable(self) -> bool:
        """Whether it has an `apply` of its own."""
        return type(self).apply is not Layer.apply

    def apply(self, tape: "Tape", inputs: "Node", at: int, shape: Shape, steps: int) -> "Node":
        """The layer on a batch in each of some steps of time, inputs (steps × batch, numbers of an example), the batch
        of the first step first; its parameters begin at `at`; shape: of one example. What it remembers it begins with
        `tape.state`, and takes from step to step through `tape.carried`.

        Raises ValueError where it has no gradient.
        """
        raise ValueError(f"{type(self).__name__} has no gradient")


def neurons_of(given: Sequence[tuple[Layer, Shape]]) -> np.ndarray:
    """The neuron that each parameter of layers leads into, given the shapes of their inputs: int64, counted through."""
    parts, count = [], 0
    for layer, shape in given:
        units = layer.neurons(shape)
        parts.append(units + count)
        count += int(units.max(initial=-1)) + 1
    return np.concatenate(parts)


def carried_by(given: Sequence[tuple[Layer, Shape]]) -> np.ndarray:
    """Where layers find what they carry in their memories, one after the other; empty where one of them remembers and
    does not say."""
    parts, at = [], 0
    for layer, shape in given:
        places = layer.carried(shape)
        if layer.remembers(shape) and not places.size:
            return places
        parts.append(places + at)
        at += layer.memory_size(shape)
    return np.concatenate(parts)


def shape_text(shape: Shape) -> str:
    """`28 × 28 × 1`."""
    return " × ".join(map(str, shape))


def flat(layer: Layer, inputs: Shape) -> int:
    """The number of features of inputs (features,). Raises ValueError for pictures."""
    if len(inputs) != 1:
        raise ValueError(
            f"{type(layer).__name__} takes a row of features, not {shape_text(inputs)}: flatten them first"
        )
    return inputs[0]
