"""Dropout: zeroes a random share of activations in training.

Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting".
"""

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
class Dropout(Layer):
    """Dropout: in training, zero an input with probability `share`, else scale it by 1 / (1 - share).

    Draws come from the tape's seed. Outside of training the inputs are unchanged. Srivastava et al. 2014. Raises
    ValueError for a share outside of [0, 1).
    """

    word = "dropout"
    summary = "dropout:0.2: zeroes this share of its inputs in training (Srivastava 2014)."

    share: float

    def __post_init__(self) -> None:
        if not 0 <= self.share < 1:
            raise ValueError(f"a dropout's share is at least 0 and below 1, got {self.share}")

    @classmethod
    def from_call(cls, call: Call) -> list[Layer]:
        given = Arguments(call)
        fields = given.fields(r"(.+)", 1, "a share", "0.2", share=float)
        return [cls(**fields, **given.options())]

    @property
    def text(self) -> str:
        return f"{self.word}:{self.share}"

    @property
    def step(self) -> Any:
        return _step

    def shape(self, inputs: Shape) -> Shape:
        return inputs

    def apply(self, tape: "Tape", inputs: "Node", at: int, shape: Shape, steps: int) -> "Node":
        from evo.autodiff import dropout

        if not tape.training:
            return inputs
        dropped = int(self.share * dropout.DRAWS)
        return tape.record(dropout.dropout, *inputs.shape, inputs, tape.seed(), numbers=(dropped,))
