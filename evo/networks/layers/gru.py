"""Gated recurrent unit: r, z = sigmoid(x W + b + h U + d), n = tanh(x W + b + r (h U + d)), h = n + z (h - n).

Cho et al. 2014, "Learning phrase representations using RNN encoder–decoder", with the reset gate after the product, as
in torch and cuDNN, which needs a second bias. The gates of W (inputs, 3 units), U (units, 3 units), b and d (3 units,)
are in torch's order: r, z, n.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from evo.networks.layer import Shape
from evo.networks.layers.dense import add_products
from evo.networks.layers.remembering import Remembering
from evo.numerics import activations

if TYPE_CHECKING:  # acting does not need scipy, which brings BLAS
    from evo.autodiff import Node, Tape


def _step(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    units, width = outputs.size, 3 * outputs.size
    hidden, heard, past = memory[:units], memory[units : units + width], memory[units + width :]
    biases = params[(inputs.size + units) * width :]
    heard[:] = biases[:width]
    past[:] = biases[width:]
    add_products(params, inputs, heard)
    add_products(params[inputs.size * width :], hidden, past)
    for gate in range(2 * units):
        heard[gate] += past[gate]
    activations.sigmoid(heard[: 2 * units])
    for unit in range(units):
        heard[2 * units + unit] += heard[unit] * past[2 * units + unit]
    activations.tanh(heard[2 * units :])
    for unit in range(units):
        candidate = heard[2 * units + unit]
        hidden[unit] = candidate + heard[units + unit] * (hidden[unit] - candidate)
        outputs[unit] = hidden[unit]


class GRU(Remembering):
    """A gated recurrent layer of `units` units (Cho et al. 2014).

    Parameters: W (inputs, 3 units), U (units, 3 units), b and d (3 units,), the gates in the order r, z, n. Raises
    ValueError for fewer units than one.
    """

    word = "gru"
    summary = "gru:32: gated recurrent units (Cho 2014)."

    gates, biases = 3, ("b", "d")

    @property
    def step(self) -> Any:
        return _step

    def memory_size(self, inputs: Shape) -> int:
        return 7 * self.units

    def carried(self, inputs: Shape) -> np.ndarray:
        return np.arange(self.units)

    def apply(self, tape: "Tape", inputs: "Node", at: int, shape: Shape, steps: int) -> "Node":
        batch, (weights, own, bias) = inputs.rows // steps, self.parts(tape, inputs, at)
        second = tape.parameters(bias.at + bias.columns, 1, bias.columns)
        heard = inputs.affine(weights, bias)
        states, state = tape.empty(inputs.rows, self.units), tape.state(batch, self.units)
        for time in range(steps):
            now, state = (time * batch, batch), tape.carried(state, time)
            state = heard.part(*now).gru(state.affine(own, second), state, states.part(*now))
        return states
