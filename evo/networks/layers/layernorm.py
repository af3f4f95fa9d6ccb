"""Layer normalisation: outputs = gain (inputs - mean) / sqrt(variance + 1e-5) + bias, with gain (n,), then bias (n,).

Ba, Kiros & Hinton 2016, "Layer normalization", equation 3; mean and variance are of the numbers of one example.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from evo.grammar import Call
from evo.networks.arguments import Arguments
from evo.networks.layer import Blocks, Layer, Shape

if TYPE_CHECKING:  # acting does not need scipy, which brings BLAS
    from evo.autodiff import Node, Tape

_EPSILON = np.float32(1e-5)


def _step(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    count = np.float32(inputs.size)
    mean = variance = np.float32(0)
    for index in range(inputs.size):
        mean += inputs[index]
    mean /= count
    for index in range(inputs.size):
        outputs[index] = inputs[index] - mean
        variance += outputs[index] * outputs[index]
    scale = np.float32(1) / math.sqrt(variance / count + _EPSILON)
    gain, bias = params[: inputs.size], params[inputs.size :]
    for index in range(inputs.size):
        outputs[index] = gain[index] * (outputs[index] * scale) + bias[index]


@dataclass(frozen=True)
class LayerNorm(Layer):
    """Layer normalisation of all numbers of an example to mean 0 and variance 1, then a gain and a bias.

    Ba, Kiros & Hinton 2016. Parameters: gain (n,), initially 1, bias (n,), initially 0.
    """

    word = "layernorm"
    summary = "layernorm: mean 0 and variance 1, then a gain and a bias (Ba 2016)."

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
        return inputs

    def size(self, inputs: Shape) -> int:
        return 2 * math.prod(inputs)

    def blocks(self, inputs: Shape) -> Blocks:
        return [("gain", (math.prod(inputs),)), ("bias", (math.prod(inputs),))]

    def initial(self, inputs: Shape, rng: np.random.Generator) -> np.ndarray:
        return np.repeat([1.0, 0.0], math.prod(inputs))

    def neurons(self, inputs: Shape) -> np.ndarray:
        """Return the number that each gain and bias belongs to."""
        return np.tile(np.arange(math.prod(inputs)), 2)

    def apply(self, tape: "Tape", inputs: "Node", at: int, shape: Shape, steps: int) -> "Node":
        from evo.autodiff import sequence

        gain_and_bias, kept = tape.parameters(at, 2, inputs.columns), tape.empty(inputs.rows, 2)
        return tape.record(sequence.layer_norm, *inputs.shape, inputs, gain_and_bias, kept)
