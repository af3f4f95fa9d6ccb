"""Simple recurrent layer: h = tanh(x W + h U + b), with W (inputs, units), U (units, units), b (units,), in this order.

Elman 1990, "Finding structure in time".
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from evo import activations
from evo.networks.dense import add_products
from evo.networks.layer import Layer, Shape, flat

if TYPE_CHECKING:  # scipy, which brings BLAS, is not needed to act
    from evo.autodiff import Node, Tape


@dataclass(frozen=True)
class Gated(Layer):
    """What recurrent layers share: `units` that remember, and weights and biases of `gates` numbers for each unit.

    Parameters: W (inputs, gates × units), U (units, gates × units), and `biases` of (gates × units,). Weights begin
    uniform within 1/sqrt(units), as torch's do, biases at zero.
    """

    units: int

    gates: ClassVar[int] = 1
    biases: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if self.units < 1:
            raise ValueError(f"a recurrent layer needs at least one unit, got {self.units}")

    def shape(self, inputs: Shape) -> Shape:
        flat(self, inputs)
        return (self.units,)

    def size(self, inputs: Shape) -> int:
        return (flat(self, inputs) + self.units + self.biases) * self.gates * self.units

    def neurons(self, inputs: Shape) -> np.ndarray:
        return np.tile(np.arange(self.units), (flat(self, inputs) + self.units + self.biases) * self.gates)

    def initial(self, inputs: Shape, rng: np.random.Generator) -> np.ndarray:
        biases = np.zeros(self.biases * self.gates * self.units)
        weights = rng.uniform(-1.0, 1.0, self.size(inputs) - len(biases)) / np.sqrt(self.units)
        return np.concatenate([weights, biases])

    def parts(self, tape: "Tape", inputs: "Node", at: int) -> tuple["Node", "Node", "Node"]:
        """W, U and the first bias on a tape."""
        columns = self.gates * self.units
        own, bias = at + inputs.columns * columns, at + (inputs.columns + self.units) * columns
        return (
            tape.parameters(at, inputs.columns, columns),
            tape.parameters(own, self.units, columns),
            tape.parameters(bias, 1, columns),
        )


def _step(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    units, end = outputs.size, (inputs.size + outputs.size) * outputs.size
    outputs[:] = params[end:]
    add_products(params, inputs, outputs)
    add_products(params[inputs.size * units :], memory, outputs)
    activations.tanh(outputs)
    memory[:] = outputs


class Recurrent(Gated):
    """A simple recurrent layer of `units` units."""

    @property
    def step(self) -> Any:
        return _step

    def memory_size(self, inputs: Shape) -> int:
        return self.units

    def apply(self, tape: "Tape", inputs: "Node", at: int, shape: Shape, steps: int) -> "Node":
        batch, (weights, own, bias) = inputs.rows // steps, self.parts(tape, inputs, at)
        heard = inputs.affine(weights, bias)
        states, state = tape.empty(inputs.rows, self.units), tape.constant(0.0, batch, self.units)
        for time in range(steps):
            now = time * batch, batch
            state = heard.part(*now).add_affine(own, state).tanh(states.part(*now))
        return states
