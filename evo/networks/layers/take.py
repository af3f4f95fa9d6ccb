"""Take: the first inputs alone, for a task that observes more than a controller needs."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evo.grammar import Call
from evo.networks.arguments import Arguments
from evo.networks.layer import Layer, Shape

if TYPE_CHECKING:  # acting does not need scipy, which brings BLAS
    from evo.autodiff import Node, Tape


def _step(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    for index in range(outputs.size):
        outputs[index] = inputs[index]


@dataclass(frozen=True)
class Take(Layer):
    """The first `count` inputs, as a row of features. Raises ValueError for less than one, or more than there are.

    Ant-v5's first 27 observations are positions and velocities, and Humanoid-v5's first 45: without the rest a linear
    policy has a fourth, or an eighth, of the parameters.
    """

    word = "take"
    summary = "take:27: the first 27 inputs alone, such as positions and velocities of Ant-v5."

    count: int

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"'take' needs at least one input, got {self.count}")

    @classmethod
    def from_call(cls, call: Call) -> list[Layer]:
        given = Arguments(call)
        counts = given.widths("count", "a number of inputs", "27")
        if len(counts) != 1:
            raise given.refuses("it takes one number, of the first inputs")
        given.options()
        return [cls(*counts)]

    @property
    def text(self) -> str:
        return f"{self.word}:{self.count}"

    @property
    def step(self) -> Any:
        return _step

    def shape(self, inputs: Shape) -> Shape:
        if self.count > math.prod(inputs):
            raise ValueError(f"{self.text!r} takes more inputs than the {math.prod(inputs)} there are")
        return (self.count,)

    def apply(self, tape: "Tape", inputs: "Node", at: int, shape: Shape, steps: int) -> "Node":
        return inputs.take(0, self.count)
