"""Causal self-attention with a key–value ring buffer.

Vaswani et al. 2017, "Attention is all you need", section 3.2, over past and present time steps; positions by linear
biases (Press, Smith & Lewis 2022, "Train short, test long", section 3): head i of h subtracts 2^(-8 i / h) from its
scores for each step of distance. W (width, 3 width) and b (3 width,) give queries, keys and values, each with the heads
side by side, then W (width, width) and b (width,) the outputs.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from evo.envs.engine.compile import njit
from evo.grammar import Call
from evo.networks.arguments import Arguments
from evo.networks.initialisation import glorot
from evo.networks.layer import Blocks, Layer, Shape, flat
from evo.networks.layers.dense import add_products
from evo.numerics import activations

if TYPE_CHECKING:  # acting does not need scipy, which brings BLAS
    from evo.autodiff import Node, Tape


@njit
def _score(query: Any, keys: Any, window: int, now: int, slope: Any, scores: Any) -> None:
    """Score a query against the filled places of a ring of keys (numbers, window); `now` is the latest place."""
    for place in range(scores.size):
        age = now - place if place <= now else now - place + window
        scores[place] = -slope * np.float32(age)
    scale = np.float32(1) / np.float32(math.sqrt(query.size))
    for number in range(query.size):
        value, key = query[number] * scale, keys[number * window : number * window + scores.size]
        for place in range(scores.size):
            scores[place] += value * key[place]


def _step(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    """Run one step on the ring buffer.

    memory: the ring's next place, the number of filled places; working space; keys (width, window), so that each
    number's places are side by side, and values (heads, window, width / heads).
    """
    heads, window, width = numbers[0], numbers[1], inputs.size
    each, ratio = width // heads, np.float32(numbers[2:3].view(np.float64)[0])
    now, filled = int(memory[0]), min(int(memory[1]) + 1, window)
    memory[0], memory[1] = (now + 1) % window, filled
    heard, mixed = memory[2 : 2 + 3 * width], memory[2 + 3 * width : 2 + 4 * width]
    scores = memory[2 + 4 * width : 2 + 4 * width + filled]
    ring = 2 + 4 * width + window
    keys, values = memory[ring : ring + width * window], memory[ring + width * window :]

    end = 3 * width * width
    heard[:] = params[end : end + 3 * width]
    add_products(params, inputs, heard)
    mixed[:] = np.float32(0)
    slope = np.float32(1)
    for head in range(heads):
        slope *= ratio
        first, last = head * each, (head + 1) * each
        mine = values[first * window : last * window]
        for number in range(each):
            keys[(first + number) * window + now] = heard[width + first + number]
            mine[now * each + number] = heard[2 * width + first + number]
        _score(heard[first:last], keys[first * window : last * window], window, now, slope, scores)
        activations.softmax(scores)
        add_products(mine, scores, mixed[first:last])
    end += 3 * width
    outputs[:] = params[end + width * width :]
    add_products(params[end:], mixed, outputs)


@dataclass(frozen=True)
class Attention(Layer):
    """Causal self-attention of `heads` heads over the last `window` steps, including this one (Vaswani et al. 2017).

    Positions by linear biases (Press et al. 2022). Parameters: W (width, 3 width), b (3 width,), W (width, width), b
    (width,); weights begin as torch's MultiheadAttention's, biases at zero. Raises ValueError for less than one head or
    step, and for inputs that the heads do not divide.
    """

    word = "attention"
    summary = "attention:4 or attention:4:64: causal self-attention, 4 heads, over the last 64 steps (Vaswani 2017)."

    heads: int = 4
    window: int = 64

    def __post_init__(self) -> None:
        if min(self.heads, self.window) < 1:
            raise ValueError(f"attention needs at least one head and one step, got {self.heads} and {self.window}")

    @classmethod
    def from_call(cls, call: Call) -> list[Layer]:
        given = Arguments(call, separator=":")
        pattern = r"(\d+)(?::(\d+))?"
        fields = given.fields(pattern, 0, "heads, and a window", "4:64", heads=int, window=int)
        return [cls(**fields, **given.options())]

    @property
    def text(self) -> str:
        usual = self.window == Attention.window
        return f"{self.word}:{self.heads}" if usual else f"{self.word}:{self.heads}:{self.window}"

    @property
    def step(self) -> Any:
        return _step

    def shape(self, inputs: Shape) -> Shape:
        if flat(self, inputs) % self.heads:
            raise ValueError(f"{self.text}: {inputs[0]} numbers are not {self.heads} heads of equal width")
        return inputs

    def size(self, inputs: Shape) -> int:
        return 4 * inputs[0] * (inputs[0] + 1)

    def blocks(self, inputs: Shape) -> Blocks:
        width = inputs[0]
        return [("W", (width, 3 * width)), ("b", (3 * width,)), ("W_out", (width, width)), ("b_out", (width,))]

    def initial(self, inputs: Shape, rng: np.random.Generator) -> np.ndarray:
        width = inputs[0]
        heard, limit = glorot(width, 3 * width, rng), 1.0 / math.sqrt(width)
        mixed = rng.uniform(-limit, limit, width * width)
        return np.concatenate([heard.ravel(), np.zeros(3 * width), mixed, np.zeros(width)])

    def products(self, inputs: Shape) -> int:
        """Return the multiplications of a step with a full window."""
        return self.size(inputs) + 2 * inputs[0] * self.window

    def memory_size(self, inputs: Shape) -> int:
        return 2 + 4 * inputs[0] + self.window + 2 * inputs[0] * self.window

    def carried(self, inputs: Shape) -> np.ndarray:
        """Return the indices of the ring: its next place, the number of filled places, keys and values."""
        size, ring = self.memory_size(inputs), 2 * inputs[0] * self.window
        return np.concatenate([np.arange(2), np.arange(size - ring, size)])

    def numbers(self, inputs: Shape) -> tuple[int, ...]:
        return self.heads, self.window, self._ratio

    @property
    def _ratio(self) -> int:
        """Return the bits of the float64 ratio of successive heads' slopes, which is also the first slope."""
        return int(np.float64(2.0 ** (-8.0 / self.heads)).view(np.int64))

    def neurons(self, inputs: Shape) -> np.ndarray:
        """Return a unit for each number of queries, keys and values, then for each output."""
        width = inputs[0]
        heard = np.tile(np.arange(3 * width), width + 1)
        return np.concatenate([heard, 3 * width + np.tile(np.arange(width), width + 1)])

    def apply(self, tape: "Tape", inputs: "Node", at: int, shape: Shape, steps: int) -> "Node":
        from evo.autodiff.attention import attention, reach, remembered, weights_shape

        width, batch = inputs.columns, inputs.rows // steps
        end = at + 3 * width * width
        past = 0 if tape.going_on is None else self.window - 1
        heard = tape.empty((past + steps) * batch, 3 * width)
        now = heard.part(past * batch, steps * batch)
        inputs.affine(tape.parameters(at, width, 3 * width), tape.parameters(end, 1, 3 * width), into=now)
        weights = tape.empty(*weights_shape(self.heads, self.window, batch, steps, past))
        numbers = self.heads, self.window, batch, self._ratio, past
        back = tape.constant(float(self.window))
        if tape.going_on is not None:
            ring = tape.state(batch, 2 + 2 * width * self.window)
            tape.record(remembered, past * batch, 3 * width, ring, into=heard.part(0, past * batch), numbers=numbers)
            back = tape.record(reach, inputs.rows, 1, tape.going_on, ring, numbers=(batch,))
        mixed = tape.record(attention, *inputs.shape, heard, weights, back, numbers=numbers)
        end += 3 * width
        return mixed.affine(tape.parameters(end, width, width), tape.parameters(end + width * width, 1, width))
