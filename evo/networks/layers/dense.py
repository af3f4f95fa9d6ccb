"""Dense layer: outputs = activation(inputs W + b), with W (inputs, outputs) row by row, then b (outputs,).

Every output sums its terms in the order of the inputs, bias first, so the loop over outputs is vectorised and the
result does not depend on the vectorisation. Four inputs a pass save three of four loads and stores of the outputs.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from evo.envs.engine.compile import njit
from evo.grammar import Call
from evo.networks.arguments import Arguments, Choice, one_of
from evo.networks.initialisation import INITIALISATIONS, check_initialisation, initialisation
from evo.networks.layer import Blocks, Layer, Shape
from evo.numerics.activations import ACTIVATIONS, activate, check_activation

if TYPE_CHECKING:  # acting does not need scipy, which brings BLAS
    from evo.autodiff import Node, Tape


NO_BIAS = "nobias"  # the word for a dense layer without bias


@njit
def affine(params: Any, inputs: Any, outputs: Any) -> None:
    """Compute outputs (n,) = inputs (k,) W + b, with W (k, n) and, where there is one, b (n,) in params, float32."""
    weights = inputs.size * outputs.size
    if params.size > weights:
        outputs[:] = params[weights:]
    else:
        outputs[:] = np.float32(0)
    add_products(params, inputs, outputs)


@njit
def add_products(params: Any, inputs: Any, outputs: Any) -> None:
    """Add inputs (k,) W to outputs (n,), with W (k, n) at the start of params, all float32."""
    rows, columns = inputs.size, outputs.size
    whole = rows - rows % 4
    for row in range(0, whole, 4):
        value0, value1, value2, value3 = inputs[row], inputs[row + 1], inputs[row + 2], inputs[row + 3]
        weights = params[row * columns : (row + 4) * columns]
        for column in range(columns):
            total = outputs[column] + value0 * weights[column]
            total += value1 * weights[columns + column]
            total += value2 * weights[2 * columns + column]
            outputs[column] = total + value3 * weights[3 * columns + column]
    for row in range(whole, rows):
        value, weights = inputs[row], params[row * columns : (row + 1) * columns]
        for column in range(columns):
            outputs[column] += value * weights[column]


def _step(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    affine(params, inputs, outputs)
    activate(outputs, numbers[0])


@dataclass(frozen=True)
class Dense(Layer):
    """A dense layer of `outputs` units, over all numbers of a picture.

    activation: one of ACTIVATIONS. initial_weights: one of INITIALISATIONS; "" suits the activation. Biases begin at
    zero. Raises ValueError for other values.
    """

    word = "dense"
    summary = (
        "dense:6, dense:64:relu or dense:64:relu:he: fully connected; activation linear (the default), tanh, relu or "
        "elu; initialisation."
    )

    outputs: int
    activation: str = "linear"
    bias: bool = True
    initial_weights: str = ""

    def __post_init__(self) -> None:
        if self.outputs < 1:
            raise ValueError(f"a dense layer needs at least one unit, got {self.outputs}")
        check_activation(self.activation)
        check_initialisation(self.initial_weights)

    @classmethod
    def from_call(cls, call: Call) -> list[Layer]:
        return cls.several(call, "layers", "6", "linear")

    @classmethod
    def several(cls, call: Call, what: str, example: str, activation: str) -> list[Layer]:
        """Return a layer of each width. what, example: for an error. activation: the usual one. Raises ValueError."""
        given = Arguments(call)
        widths = given.widths("outputs", f"the widths of its {what}", example)
        options = given.options(
            activation=one_of("an activation", ACTIVATIONS),
            initial_weights=one_of("an initialisation", INITIALISATIONS),
            bias=Choice("a bias", {NO_BIAS: False}),
        )
        return [cls(width, **{"activation": activation, **options}) for width in widths]

    @property
    def text(self) -> str:
        words = [self.word, str(self.outputs), self.activation, self.initial_weights, "" if self.bias else NO_BIAS]
        return ":".join(word for word in words if word and word != "linear")

    @property
    def step(self) -> Any:
        return _step

    def numbers(self, inputs: Shape) -> tuple[int, ...]:
        return (ACTIVATIONS.index(self.activation),)

    def shape(self, inputs: Shape) -> Shape:
        return (self.outputs,)

    def size(self, inputs: Shape) -> int:
        return (math.prod(inputs) + self.bias) * self.outputs

    def blocks(self, inputs: Shape) -> Blocks:
        biases: Blocks = [("b", (self.outputs,))] if self.bias else []
        return [("W", (math.prod(inputs), self.outputs)), *biases]

    def neurons(self, inputs: Shape) -> np.ndarray:
        """Return the unit that each weight and bias belongs to."""
        return np.tile(np.arange(self.outputs), math.prod(inputs) + self.bias)

    def initial(self, inputs: Shape, rng: np.random.Generator) -> np.ndarray:
        draw = initialisation(self.initial_weights, self.activation)
        weights = draw(math.prod(inputs), self.outputs, rng).ravel()
        return np.concatenate([weights, np.zeros(self.size(inputs) - len(weights))])

    def apply(self, tape: "Tape", inputs: "Node", at: int, shape: Shape, steps: int) -> "Node":
        weights = tape.parameters(at, inputs.columns, self.outputs)
        bias = tape.parameters(at + inputs.columns * self.outputs, 1, self.outputs) if self.bias else None
        return inputs.affine(weights, bias, activation=self.activation)
