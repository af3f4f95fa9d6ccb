"""Clock: the inputs, and a rhythm beside them: sines and cosines of a phase that turns by itself.

The phase begins at 0 and turns by exp(f) / period a step, f a parameter, so that what follows combines a rhythm of its
own with what it senses: the open-loop oscillators of Raffin, Sigaud, Kober, Albu-Schäffer, Silvério & Stulp 2023, "An
Open-Loop Baseline for Reinforcement Learning Locomotion Tasks", with feedback.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from evo.grammar import Call
from evo.networks.arguments import Arguments
from evo.networks.layer import Blocks, Layer, Shape, flat

_TURN = 2 * math.pi


def _step(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    outputs[: inputs.size] = inputs
    phase = np.float64(memory[0])
    for overtone in range(numbers[1]):
        angle = _TURN * phase * (overtone + 1)
        outputs[inputs.size + 2 * overtone] = math.sin(angle)
        outputs[inputs.size + 2 * overtone + 1] = math.cos(angle)
    memory[0] = (phase + math.exp(min(max(np.float64(params[0]), -5.0), 5.0)) / numbers[0]) % 1.0


@dataclass(frozen=True)
class Clock(Layer):
    """The inputs, then sine and cosine of `overtones` multiples of a phase that turns once in `period` steps at first.

    One parameter, f, sets the tempo: the phase turns by exp(f) / period a step. It has no gradient. Raises ValueError
    for less than two steps or one overtone.
    """

    word = "clock"
    summary = "clock:64x2: the inputs and, beside them, a rhythm of some 64 steps with 2 overtones (Raffin 2023)."

    period: int
    overtones: int = 1

    def __post_init__(self) -> None:
        if self.period < 2 or self.overtones < 1:
            raise ValueError(f"a clock needs a period of at least 2 steps and one overtone, got {self.text!r}")

    @classmethod
    def from_call(cls, call: Call) -> list[Layer]:
        given = Arguments(call, "x")
        what = "a period in steps, and may have a number of overtones"
        numbers = given.fields(r"(\d+)(?:x(\d+))?", 1, what, "64x2", period=int, overtones=int)
        given.options()
        return [cls(**numbers)]

    @property
    def text(self) -> str:
        return f"{self.word}:{self.period}x{self.overtones}"

    @property
    def step(self) -> Any:
        return _step

    def shape(self, inputs: Shape) -> Shape:
        return (flat(self, inputs) + 2 * self.overtones,)

    def size(self, inputs: Shape) -> int:
        return 1

    def blocks(self, inputs: Shape) -> Blocks:
        return [("f", (1,))]

    def memory_size(self, inputs: Shape) -> int:
        return 1

    def numbers(self, inputs: Shape) -> tuple[int, ...]:
        return self.period, self.overtones
