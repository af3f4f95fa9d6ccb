"""Flatten: an image (height, width, channels) as one vector in row-major order."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evo.grammar import Call
from evo.networks.arguments import Arguments
from evo.networks.layer import Layer, Shape

if TYPE_CHECKING:  # acting does not need scipy, which brings BLAS
    from evo.autodiff import Node, Tape


def _step(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    for index in range(inputs.size):
        outputs[index] = inputs[index]


@dataclass(frozen=True)
class Flatten(Layer):
    """Flatten inputs of any shape to a row of features, as recurrent layers need. Dense layers do it themselves."""

    word = "flatten"
    summary = "flatten: a picture as one row of features."

    @classmethod
    def from_call(cls, call: Call) -> list[Layer]:
        Arguments(call).nothing()
        return [cls()]

    @property
    def text(self) -> str:
        return self.word

    @property
    def step(self) -> Any:
        return _step

    def shape(self, inputs: Shape) -> Shape:
        return (math.prod(inputs),)

    def apply(self, tape: "Tape", inputs: "Node", at: int, shape: Shape, steps: int) -> "Node":
        return inputs
