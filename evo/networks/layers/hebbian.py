"""Hebbian layer: a dense layer whose weights change during an episode by an ABCD rule per synapse.

Najarro & Risi 2020, "Meta-learning through Hebbian plasticity in random networks", equation 1: after each step the
weight from input o_i to output o_j changes by

    eta_ij (A_ij o_i o_j + B_ij o_i + C_ij o_j + D_ij).

The parameters are W (inputs, units), b (units,), then eta, A, B, C and D, each (inputs, units). In the paper an episode
begins with random weights; here it begins with W, which evolves too, so that fitness depends only on the parameters,
and a layer whose eta is 0 is a dense layer of weights within 1. As in the paper, weights are divided by the greatest
magnitude, so that they stay bounded; here only where that is above 1.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from evo.envs.engine.compile import njit
from evo.grammar import Call
from evo.networks.arguments import Arguments, one_of
from evo.networks.initialisation import initialisation
from evo.networks.layer import Blocks, Layer, Shape, flat
from evo.networks.layers.dense import add_products
from evo.numerics.activations import ACTIVATIONS, activate, check_activation

_RULE = 5  # eta, A, B, C, D
_LARGEST = 1e30  # within float32's range, also once divided
_RATE, _SPREAD = 0.01, 0.1  # initially: eta, and the standard deviation of A, B, C and D


@njit
def _sum(params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    """Compute weighted sums with the episode's weights, in memory; its last number is 1 once they are initialised."""
    size, one = inputs.size * outputs.size, np.float32(1)
    weights = memory[:size]
    if memory[size] != one:
        weights[:] = params[:size]
        memory[size] = one
    greatest = one
    for at in range(size):
        greatest = max(greatest, abs(weights[at]))
    if greatest > one:
        for at in range(size):
            weights[at] /= greatest
    outputs[:] = params[size : size + outputs.size]
    add_products(weights, inputs, outputs)


@njit
def _learn(params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    """Update the weights by the Hebbian rule, in float64, where no product of a few float32 numbers overflows."""
    units, size = outputs.size, inputs.size * outputs.size
    rule = params[size + units :]
    for row in range(inputs.size):
        before, first = np.float64(inputs[row]), row * units
        for unit in range(units):
            at, after = first + unit, np.float64(outputs[unit])
            hebb = rule[size + at] * before * after + rule[2 * size + at] * before
            hebb += rule[3 * size + at] * after + rule[4 * size + at]
            memory[at] = min(max(memory[at] + rule[at] * hebb, -_LARGEST), _LARGEST)


def _step(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    _sum(params, memory, inputs, outputs)
    activate(outputs, numbers[0])
    _learn(params, memory, inputs, outputs)


@dataclass(frozen=True)
class Hebbian(Layer):
    """A dense layer of `units` units that learns by a Hebbian rule (Najarro & Risi 2020).

    activation: one of ACTIVATIONS. Parameters: W (inputs, units), b (units,), eta, A, B, C, D (inputs, units). It has
    no gradient. Raises ValueError for fewer units than one, or an unknown activation.
    """

    word = "hebbian"
    summary = (
        "hebbian:32 or hebbian:32:relu: dense layers whose weights change within the episode by Hebbian rules "
        "(Najarro & Risi 2020)."
    )

    units: int
    activation: str = "tanh"

    def __post_init__(self) -> None:
        if self.units < 1:
            raise ValueError(f"a Hebbian layer needs at least one unit, got {self.units}")
        check_activation(self.activation)

    @classmethod
    def from_call(cls, call: Call) -> list[Layer]:
        given = Arguments(call)
        widths = given.widths("units", "the widths of its layers", "32")
        options = given.options(activation=one_of("an activation", ACTIVATIONS))
        return [cls(units, **options) for units in widths]

    @property
    def text(self) -> str:
        return f"{self.word}:{self.units}" + (f":{self.activation}" if self.activation != "tanh" else "")

    @property
    def step(self) -> Any:
        return _step

    def numbers(self, inputs: Shape) -> tuple[int, ...]:
        return (ACTIVATIONS.index(self.activation),)

    def shape(self, inputs: Shape) -> Shape:
        flat(self, inputs)
        return (self.units,)

    def size(self, inputs: Shape) -> int:
        return ((1 + _RULE) * flat(self, inputs) + 1) * self.units

    def blocks(self, inputs: Shape) -> Blocks:
        synapses = (flat(self, inputs), self.units)
        return [("W", synapses), ("b", (self.units,)), *((rule, synapses) for rule in ("eta", "A", "B", "C", "D"))]

    def memory_size(self, inputs: Shape) -> int:
        return flat(self, inputs) * self.units + 1

    def neurons(self, inputs: Shape) -> np.ndarray:
        """Return the unit that each weight, bias and rule coefficient belongs to."""
        return np.tile(np.arange(self.units), (1 + _RULE) * flat(self, inputs) + 1)

    def initial(self, inputs: Shape, rng: np.random.Generator) -> np.ndarray:
        """Return a dense layer's initial weights, and rules that change little."""
        weights = initialisation("", self.activation)(flat(self, inputs), self.units, rng).ravel()
        rules = _SPREAD * rng.standard_normal(4 * len(weights))
        return np.concatenate([weights, np.zeros(self.units), np.full(len(weights), _RATE), rules])
