"""Embedding: a vector per symbol, with W (symbols, width) row by row.

Bengio et al. 2003, "A neural probabilistic language model". It equals a dense layer without bias on one-hot symbols.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from evo.grammar import Call
from evo.networks.arguments import Arguments
from evo.networks.layer import Blocks, Layer, Shape, flat
from evo.numerics.symbols import symbol_of

if TYPE_CHECKING:  # acting does not need scipy, which brings BLAS
    from evo.autodiff import Node, Tape


def _step(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    width = numbers[1]
    for index in range(inputs.size):
        at = symbol_of(inputs[index], numbers[0]) * width
        for column in range(width):
            outputs[index * width + column] = params[at + column]


@dataclass(frozen=True)
class Embedding(Layer):
    """An embedding of `symbols` symbols as `width` numbers each: indices (n,) become (n, width), a single one (width,).

    An index is rounded to the nearest symbol; one out of range means the first or the last. Weights begin normal, of
    variance 1, as in torch: an output is one weight, and the next layer expects numbers about 1. Raises ValueError for
    less than one symbol or number.
    """

    word = "embedding"
    summary = "embedding:64x16: a learned vector of 16 numbers for each of 64 symbols."

    symbols: int
    width: int

    def __post_init__(self) -> None:
        if min(self.symbols, self.width) < 1:
            raise ValueError(
                f"an embedding needs at least one symbol and one number for each, got {self.symbols} and {self.width}"
            )

    @classmethod
    def from_call(cls, call: Call) -> list[Layer]:
        given, what = Arguments(call, separator="x"), "symbols and numbers for each"
        fields = given.fields(r"(\d+)x(\d+)", 2, what, "64x16", symbols=int, width=int)
        return [cls(**fields, **given.options())]

    @property
    def text(self) -> str:
        return f"{self.word}:{self.symbols}x{self.width}"

    @property
    def step(self) -> Any:
        return _step

    def shape(self, inputs: Shape) -> Shape:
        count = flat(self, inputs)
        return (self.width,) if count == 1 else (count, self.width)

    def size(self, inputs: Shape) -> int:
        return self.symbols * self.width

    def blocks(self, inputs: Shape) -> Blocks:
        return [("W", (self.symbols, self.width))]

    def products(self, inputs: Shape) -> int:
        """Return 0: outputs are looked up."""
        return 0

    def initial(self, inputs: Shape, rng: np.random.Generator) -> np.ndarray:
        return rng.normal(size=self.size(inputs))

    def numbers(self, inputs: Shape) -> tuple[int, ...]:
        return self.symbols, self.width

    def neurons(self, inputs: Shape) -> np.ndarray:
        """Return the output number that each weight belongs to."""
        return np.tile(np.arange(self.width), self.symbols)

    def apply(self, tape: "Tape", inputs: "Node", at: int, shape: Shape, steps: int) -> "Node":
        from evo.autodiff import sequence

        weights = tape.parameters(at, self.symbols, self.width)
        columns = inputs.columns * self.width
        return tape.record(sequence.embed, inputs.rows, columns, inputs, weights, numbers=(self.symbols, self.width))
