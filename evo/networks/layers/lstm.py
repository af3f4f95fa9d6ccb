"""Long short-term memory: i, f, o = sigmoid, g = tanh of x W + h U + b; c = f c + i g; h = o tanh c.

Hochreiter & Schmidhuber 1997, "Long short-term memory", with the forget gate of Gers, Schmidhuber & Cummins 2000. The
gates of W (inputs, 4 units), U (units, 4 units) and b (4 units,) are in torch's order: i, f, g, o.
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
    units = outputs.size
    hidden, cell, gates = memory[:units], memory[units : 2 * units], memory[2 * units :]
    gates[:] = params[(inputs.size + units) * 4 * units :]
    add_products(params, inputs, gates)
    add_products(params[inputs.size * 4 * units :], hidden, gates)
    activations.sigmoid(gates[: 2 * units])
    activations.tanh(gates[2 * units : 3 * units])
    activations.sigmoid(gates[3 * units :])
    for unit in range(units):
        cell[unit] = gates[units + unit] * cell[unit] + gates[unit] * gates[2 * units + unit]
        hidden[unit] = cell[unit]
    activations.tanh(hidden)
    for unit in range(units):
        hidden[unit] *= gates[3 * units + unit]
        outputs[unit] = hidden[unit]


class LSTM(Remembering):
    """Long short-term memory of `units` units (Hochreiter & Schmidhuber 1997).

    Parameters: W (inputs, 4 units), U (units, 4 units), b (4 units,), the gates in the order i, f, g, o. Raises
    ValueError for fewer units than one.
    """

    word = "lstm"
    summary = "lstm:32: long short-term memory (Hochreiter & Schmidhuber 1997)."

    gates = 4

    @property
    def step(self) -> Any:
        return _step

    def memory_size(self, inputs: Shape) -> int:
        return 6 * self.units

    def carried(self, inputs: Shape) -> np.ndarray:
        return np.arange(2 * self.units)

    def apply(self, tape: "Tape", inputs: "Node", at: int, shape: Shape, steps: int) -> "Node":
        batch, (weights, own, bias) = inputs.rows // steps, self.parts(tape, inputs, at)
        heard = inputs.affine(weights, bias)
        states, state = tape.empty(inputs.rows, self.units), tape.state(batch, self.units)
        cell = tape.state(batch, self.units)
        for time in range(steps):
            gates = heard.part(time * batch, batch).add_affine(own, tape.carried(state, time))
            state = states.part(time * batch, batch)
            cell = gates.lstm(tape.carried(cell, time), state)
        return states
