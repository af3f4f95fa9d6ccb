"""Pooling layers: the maximum or mean of each window of an image, per channel.

Windows do not overlap, so height and width are divided by the window's. Zhou & Chellappa 1988, "Computation of optical
flow using a neural network" (the maximum); LeCun et al. 1998, "Gradient-based learning applied to document recognition"
(the mean).
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evo.grammar import Call
from evo.networks.arguments import Arguments
from evo.networks.layer import Layer, Shape, shape_text
from evo.networks.layers.picture import is_row, like, picture, window
from evo.numerics import pooling

if TYPE_CHECKING:  # acting does not need scipy, which brings BLAS
    from evo.autodiff import Node, Tape


def _greatest(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    pooling.greatest(numbers, inputs, outputs, memory)


def _average(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    pooling.average(numbers, inputs, outputs)


@dataclass(frozen=True)
class Pooling(Layer):
    """Base of pooling layers: windows side by side over a picture or a sequence.

    Windows are `window` × `window` places of a picture (height, width, channels), or `window` places of a sequence
    (length, channels). What is left over at the edges is dropped, as in torch. Raises ValueError for a window of less
    than one place.
    """

    window: int = 2

    def __post_init__(self) -> None:
        if self.window < 1:
            raise ValueError(f"a pool needs a window of at least 1, got {self.window}")

    @classmethod
    def from_call(cls, call: Call) -> list[Layer]:
        given = Arguments(call)
        fields = given.fields(r"([1-9]\d*)", 1, "the width of its windows", "2", window=int)
        return [cls(**fields, **given.options())]

    @property
    def text(self) -> str:
        return f"{self.word}:{self.window}"

    def numbers(self, inputs: Shape) -> tuple[int, ...]:
        """Return height, width, channels; rows and columns of a window."""
        return *picture(self, inputs), *window(inputs, self.window)

    def shape(self, inputs: Shape) -> Shape:
        height, width, channels, rows, columns = self.numbers(inputs)
        if height < rows or width < columns:
            most = width if is_row(inputs) else min(height, width)
            raise ValueError(f"a pool of {self.window} does not fit into {shape_text(inputs)}: {most} at most")
        return like(inputs, height // rows, width // columns, channels)


class MaxPool(Pooling):
    """Max pooling."""

    word = "pool"
    summary = "pool:2: max pooling over 2 × 2 pixels."

    @property
    def step(self) -> Any:
        return _greatest

    def memory_size(self, inputs: Shape) -> int:
        """Return room for the maxima's positions."""
        return math.prod(self.shape(inputs))

    def remembers(self, inputs: Shape) -> bool:
        return False

    def apply(self, tape: "Tape", inputs: "Node", at: int, shape: Shape, steps: int) -> "Node":
        from evo.autodiff.pooling import greatest

        columns = math.prod(self.shape(shape))
        found = tape.empty(inputs.rows, columns)
        return tape.record(greatest, inputs.rows, columns, inputs, numbers=(*self.numbers(shape), found.at))


class AveragePool(Pooling):
    """Average pooling."""

    word = "average"
    summary = "average:2: average pooling over 2 × 2 pixels."

    @property
    def step(self) -> Any:
        return _average

    def apply(self, tape: "Tape", inputs: "Node", at: int, shape: Shape, steps: int) -> "Node":
        from evo.autodiff.pooling import average

        columns = math.prod(self.shape(shape))
        return tape.record(average, inputs.rows, columns, inputs, numbers=self.numbers(shape))
