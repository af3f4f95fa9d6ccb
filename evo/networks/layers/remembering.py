"""Parameters that recurrent layers share."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from evo.grammar import Call
from evo.networks.arguments import Arguments
from evo.networks.layer import Blocks, Layer, Shape, flat

if TYPE_CHECKING:  # acting does not need scipy, which brings BLAS
    from evo.autodiff import Node, Tape


@dataclass(frozen=True)
class Remembering(Layer):
    """Base of recurrent layers: `units` units with a state, and `gates` weights and biases for each.

    Parameters: W (inputs, gates × units), U (units, gates × units), and `biases`, by name, of (gates × units,). Weights
    begin uniform within 1/sqrt(units), as in torch, biases at zero.
    """

    units: int

    gates: ClassVar[int] = 1
    biases: ClassVar[tuple[str, ...]] = ("b",)

    def __post_init__(self) -> None:
        if self.units < 1:
            raise ValueError(f"a recurrent layer needs at least one unit, got {self.units}")

    @classmethod
    def from_call(cls, call: Call) -> list[Layer]:
        given = Arguments(call)
        widths = given.widths("units", "the widths of its layers", "32")
        return [cls(units, **given.options()) for units in widths]

    @property
    def text(self) -> str:
        return f"{self.word}:{self.units}"

    def shape(self, inputs: Shape) -> Shape:
        flat(self, inputs)
        return (self.units,)

    def size(self, inputs: Shape) -> int:
        return (flat(self, inputs) + self.units + len(self.biases)) * self.gates * self.units

    def blocks(self, inputs: Shape) -> Blocks:
        columns = self.gates * self.units
        weights: Blocks = [("W", (flat(self, inputs), columns)), ("U", (self.units, columns))]
        return [*weights, *((name, (columns,)) for name in self.biases)]

    def neurons(self, inputs: Shape) -> np.ndarray:
        return np.tile(np.arange(self.units), (flat(self, inputs) + self.units + len(self.biases)) * self.gates)

    def initial(self, inputs: Shape, rng: np.random.Generator) -> np.ndarray:
        biases = np.zeros(len(self.biases) * self.gates * self.units)
        weights = rng.uniform(-1.0, 1.0, self.size(inputs) - len(biases)) / np.sqrt(self.units)
        return np.concatenate([weights, biases])

    def parts(self, tape: "Tape", inputs: "Node", at: int) -> tuple["Node", "Node", "Node"]:
        """Return W, U and the first bias on a tape."""
        columns = self.gates * self.units
        own, bias = at + inputs.columns * columns, at + (inputs.columns + self.units) * columns
        return (
            tape.parameters(at, inputs.columns, columns),
            tape.parameters(own, self.units, columns),
            tape.parameters(bias, 1, columns),
        )
