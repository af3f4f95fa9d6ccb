"""Residual connection: outputs = inputs + layers(inputs).

He et al. 2016, "Deep residual learning for image recognition", equation 1.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from evo.networks.layer import Blocks, Layer, Shape, carried_by, neurons_of, shape_text
from evo.networks.program import plan_of, walk

if TYPE_CHECKING:  # acting does not need scipy, which brings BLAS
    from evo.autodiff import Node, Tape


def _step(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    """Run the inner layers and add the inputs.

    numbers: count of layers, size of their memories, their plan row by row. memory: theirs, then the scratch of a walk.
    """
    layers, kept = numbers[0], numbers[1]
    plan = numbers[2:].reshape((layers, (numbers.size - 2) // layers))
    scratch = memory[kept:]
    scratch[: inputs.size] = inputs
    _, at = walk(plan, params, memory[:kept], scratch, inputs.size)
    for index in range(outputs.size):
        outputs[index] = inputs[index] + scratch[at + index]


@dataclass(frozen=True, init=False)
class Residual(Layer):
    """A residual connection: outputs = inputs + layers(inputs) (He et al. 2016).

    Parameters: those of the layers, in order. Raises ValueError for no layers, or where outputs and inputs differ in
    shape.
    """

    layers: tuple[Layer, ...]

    def __init__(self, *layers: Layer) -> None:
        if not layers:
            raise ValueError("a residual needs at least one layer")
        if own := [layer.text for layer in layers if layer.own_length]:
            raise ValueError(f"{own[0]!r} has as many parameters as an individual likes: it cannot be in a residual")
        object.__setattr__(self, "layers", layers)

    @property
    def text(self) -> str:
        return f"residual({'>'.join(layer.text for layer in self.layers)})"

    @property
    def step(self) -> Any:
        return _step

    def _shapes(self, inputs: Shape) -> list[Shape]:
        """Return the input shape of each layer, and the output shape of the last."""
        shapes = [inputs]
        for layer in self.layers:
            shapes.append(layer.shape(shapes[-1]))
        return shapes

    def _given(self, inputs: Shape) -> list[tuple[Layer, Shape]]:
        return list(zip(self.layers, self._shapes(inputs), strict=False))

    def _kept(self, inputs: Shape) -> int:
        return sum(layer.memory_size(shape) for layer, shape in self._given(inputs))

    def shape(self, inputs: Shape) -> Shape:
        outputs = self._shapes(inputs)[-1]
        if outputs != inputs:
            raise ValueError(
                f"{self.text} makes {shape_text(outputs)} of {shape_text(inputs)}: to be added they must be alike"
            )
        return inputs

    def size(self, inputs: Shape) -> int:
        return sum(layer.size(shape) for layer, shape in self._given(inputs))

    def blocks(self, inputs: Shape) -> Blocks:
        """Return the arrays of the inner layers, as `0.W`, `1.gain`."""
        given = enumerate(self._given(inputs))
        return [(f"{at}.{name}", block) for at, (layer, shape) in given for name, block in layer.blocks(shape)]

    def products(self, inputs: Shape) -> int:
        return sum(layer.products(shape) for layer, shape in self._given(inputs))

    def initial(self, inputs: Shape, rng: np.random.Generator) -> np.ndarray:
        return np.concatenate([layer.initial(shape, rng) for layer, shape in self._given(inputs)])

    def memory_size(self, inputs: Shape) -> int:
        return self._kept(inputs) + 2 * max(math.prod(shape) for shape in self._shapes(inputs))

    def carried(self, inputs: Shape) -> np.ndarray:
        return carried_by(self._given(inputs))

    def numbers(self, inputs: Shape) -> tuple[int, ...]:
        plan = plan_of(self._given(inputs))
        return len(plan), self._kept(inputs), *map(int, plan.ravel())

    def neurons(self, inputs: Shape) -> np.ndarray:
        """Return the neurons of the inner layers, numbered across them."""
        return neurons_of(self._given(inputs))

    def remembers(self, inputs: Shape) -> bool:
        return any(layer.remembers(shape) for layer, shape in self._given(inputs))

    @property
    def differentiable(self) -> bool:
        return all(layer.differentiable for layer in self.layers)

    def apply(self, tape: "Tape", inputs: "Node", at: int, shape: Shape, steps: int) -> "Node":
        outputs = inputs
        for layer, given in self._given(shape):
            outputs, at = layer.apply(tape, outputs, at, given, steps), at + layer.size(given)
        return inputs + outputs
