"""Central pattern generator: phase-coupled oscillators; inputs set their amplitude.

Ijspeert, Crespi, Ryczko & Cabelguen 2007, "From swimming to walking with a salamander robot driven by a spinal cord
model": phase, amplitude and output of each oscillator, by Euler's method with a control step as the unit of time:

    theta_i' = 2 pi nu_i + sum_j r_j w_ij sin(theta_j - theta_i - phi_ij)
    r_i''    = a (a / 4 (R_i - r_i) - r_i')
    x_i      = r_i cos theta_i

starting at theta = r = r' = 0, with a = 1, and the amplitudes R = sigmoid(x W + b) of inputs x. (In the paper x_i is
r_i (1 + cos theta_i), never negative, as a muscle needs.) A frequency nu = sigmoid(f) / 4 is below a quarter of a turn
a step. The parameters are W (inputs, oscillators), b (oscillators,), f (oscillators,), then w and phi, each
(oscillators, oscillators), whose rows belong to the influencing oscillator j.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from evo.grammar import Call
from evo.networks.arguments import Arguments
from evo.networks.layer import Blocks, Layer, Shape, flat
from evo.networks.layers.dense import add_products
from evo.numerics import activations

_TURN = 2 * math.pi
_FASTEST = 0.25  # turns a control step
_FREQUENCIES = (0.05, 0.15)  # turns a control step: the initial range
_COUPLING = 0.2  # the initial coupling to all others together


def _step(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    count = outputs.size
    phase, amplitude, speed = memory[:count], memory[count : 2 * count], memory[2 * count : 3 * count]
    aim, frequency = memory[3 * count : 4 * count], memory[4 * count :]
    end = inputs.size * count
    aim[:] = params[end : end + count]
    add_products(params, inputs, aim)
    frequency[:] = params[end + count : end + 2 * count]
    activations.sigmoid(memory[3 * count :])
    weights, biases = params[end + 2 * count : end + 2 * count + count * count], params[end + (2 + count) * count :]
    for one in range(count):  # in float64, where no sum of float32 numbers overflows
        turn = _TURN * _FASTEST * frequency[one]
        for other in range(count):
            pull = np.float64(amplitude[other]) * weights[other * count + one]
            turn += pull * math.sin(np.float64(phase[other]) - phase[one] - biases[other * count + one])
        outputs[one] = (phase[one] + turn) % _TURN
    quarter = np.float32(0.25)
    for one in range(count):
        phase[one] = outputs[one]
        push = quarter * (aim[one] - amplitude[one]) - speed[one]
        amplitude[one] += speed[one]
        speed[one] += push
        outputs[one] = amplitude[one] * math.cos(phase[one])


@dataclass(frozen=True)
class PatternGenerator(Layer):
    """A central pattern generator of `oscillators` oscillators (Ijspeert et al. 2007).

    Frequencies and phase biases are parameters; amplitudes follow the inputs. Parameters: W (inputs, oscillators), b
    and f (oscillators,), w and phi (oscillators, oscillators). Outputs are within -1 and 1. It has no gradient. Raises
    ValueError for fewer oscillators than one.
    """

    word = "cpg"
    summary = "cpg:8: a central pattern generator of 8 coupled oscillators (Ijspeert 2007)."

    oscillators: int

    def __post_init__(self) -> None:
        if self.oscillators < 1:
            raise ValueError(f"a pattern generator needs at least one oscillator, got {self.oscillators}")

    @classmethod
    def from_call(cls, call: Call) -> list[Layer]:
        given = Arguments(call)
        widths = given.widths("oscillators", "the widths of its layers", "32")
        return [cls(oscillators, **given.options()) for oscillators in widths]

    @property
    def text(self) -> str:
        return f"{self.word}:{self.oscillators}"

    @property
    def step(self) -> Any:
        return _step

    def shape(self, inputs: Shape) -> Shape:
        flat(self, inputs)
        return (self.oscillators,)

    def size(self, inputs: Shape) -> int:
        return (flat(self, inputs) + 2 + 2 * self.oscillators) * self.oscillators

    def blocks(self, inputs: Shape) -> Blocks:
        count = self.oscillators
        single, pairs = (count,), (count, count)
        return [("W", (flat(self, inputs), count)), ("b", single), ("f", single), ("w", pairs), ("phi", pairs)]

    def memory_size(self, inputs: Shape) -> int:
        return 5 * self.oscillators

    def neurons(self, inputs: Shape) -> np.ndarray:
        """Return the oscillator that each input weight, bias, frequency, coupling and phase bias belongs to."""
        return np.tile(np.arange(self.oscillators), flat(self, inputs) + 2 + 2 * self.oscillators)

    def initial(self, inputs: Shape, rng: np.random.Generator) -> np.ndarray:
        """Draw frequencies of a walk, and consistent phase biases: one rhythm in which each has its own phase."""
        count, width = self.oscillators, flat(self, inputs)
        weights = rng.normal(size=width * count) / math.sqrt(width)
        share = rng.uniform(*_FREQUENCIES, count) / _FASTEST
        parts = rng.uniform(0.0, _TURN, count)
        biases = parts[:, np.newaxis] - parts
        frequencies, coupling = np.log(share / (1 - share)), np.full(count * count, _COUPLING / count)
        return np.concatenate([weights, np.zeros(count), frequencies, coupling, biases.ravel()])
