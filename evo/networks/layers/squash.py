"""Squash: the action layer of policies that are bounded by tanh: centre + half tanh(inputs W + b).

Centre and half are those of the task's range of actions, so that no action lies outside of it: the deterministic policy
of Haarnoja et al. 2018, appendix C, and of Fujimoto et al. 2018. Parameters: W (inputs, actions) row by row, then b.
"""

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from evo.grammar import Call
from evo.networks.arguments import Arguments
from evo.networks.initialisation import zero
from evo.networks.layer import Blocks, Layer, Shape
from evo.networks.layers.dense import add_products
from evo.numerics import activations

if TYPE_CHECKING:  # acting does not need scipy, which brings BLAS
    from evo.autodiff import Node, Tape


def _step(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    count = outputs.size
    bounds = numbers.view(np.float64)  # centres, then halves
    outputs[:] = params[inputs.size * count :]
    add_products(params, inputs, outputs)
    activations.tanh(outputs)
    for index in range(count):
        outputs[index] = bounds[index] + bounds[count + index] * outputs[index]


@dataclass(frozen=True)
class Squash(Layer):
    """The action layer with tanh, scaled to the task's range of actions, from `low` to `high`.

    In text it has no numbers: the task that it acts in gives them (`as_action_layer`). Its weights begin at zero.
    """

    word = "squash"
    summary = "squash, at the end: the action layer with tanh, scaled to the task's range of actions (Haarnoja 2018)."

    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()

    @classmethod
    def from_call(cls, call: Call) -> list[Layer]:
        Arguments(call).nothing()
        return [cls()]

    def as_action_layer(self, outputs: int, bounds: tuple[np.ndarray, np.ndarray] | None) -> "Squash":
        """Return it for actions within these bounds. Raises ValueError for an action without any."""
        if bounds is None:
            return self
        low, high = bounds
        if not np.isfinite([low, high]).all():
            raise ValueError("'squash' scales to the range of actions, and the task has an action without bounds")
        return replace(self, low=tuple(map(float, low)), high=tuple(map(float, high)))

    @property
    def text(self) -> str:
        return self.word

    @property
    def step(self) -> Any:
        return _step

    @property
    def centre(self) -> np.ndarray:
        """The middle of the range, float64 (actions,)."""
        return 0.5 * (np.array(self.high) + np.array(self.low))

    @property
    def half(self) -> np.ndarray:
        """Half the width of the range, float64 (actions,)."""
        return 0.5 * (np.array(self.high) - np.array(self.low))

    def numbers(self, inputs: Shape) -> tuple[int, ...]:
        return tuple(np.concatenate([self.centre, self.half]).view(np.int64).tolist())

    def shape(self, inputs: Shape) -> Shape:
        if not self.low:
            raise ValueError("'squash' stands at the end, and scales to the actions of a task that takes numbers")
        return (len(self.low),)

    def size(self, inputs: Shape) -> int:
        return (math.prod(inputs) + 1) * len(self.low)

    def blocks(self, inputs: Shape) -> Blocks:
        return [("W", (math.prod(inputs), len(self.low))), ("b", (len(self.low),))]

    def neurons(self, inputs: Shape) -> np.ndarray:
        """Return the action that each weight and bias belongs to."""
        return np.tile(np.arange(len(self.low)), math.prod(inputs) + 1)

    def initial(self, inputs: Shape, rng: np.random.Generator) -> np.ndarray:
        weights = zero(math.prod(inputs), len(self.low), rng).ravel()
        return np.concatenate([weights, np.zeros(len(self.low))])

    def apply(self, tape: "Tape", inputs: "Node", at: int, shape: Shape, steps: int) -> "Node":
        count = len(self.low)
        weights = tape.parameters(at, inputs.columns, count)
        bias = tape.parameters(at + inputs.columns * count, 1, count)
        squashed = inputs.affine(weights, bias, activation="tanh")
        return squashed * tape.constant(self.half, 1, count) + tape.constant(self.centre, 1, count)
