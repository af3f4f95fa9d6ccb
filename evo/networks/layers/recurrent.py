"""Simple recurrent layer: h = tanh(x W + h U + b), with W (inputs, units), U (units, units), b (units,), in this order.

Elman 1990, "Finding structure in time".
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
    units, end = outputs.size, (inputs.size + outputs.size) * outputs.size
    outputs[:] = params[end:]
    add_products(params, inputs, outputs)
    add_products(params[inputs.size * units :], memory, outputs)
    activations.tanh(outputs)
    memory[:] = outputs


class Recurrent(Remembering):
    """A simple recurrent layer of `units` units (Elman 1990).

    Parameters: W (inputs, units), U (units, units), b (units,). Raises ValueError for fewer units than one.
    """

    word = "recurrent"
    summary = "recurrent:32: simple recurrent units (Elman 1990)."

    @property
    def step(self) -> Any:
        return _step

    def memory_size(self, inputs: Shape) -> int:
        return self.units

    def carried(self, inputs: Shape) -> np.ndarray:
        return np.arange(self.units)

    def apply(self, tape: "Tape", inputs: "Node", at: int, shape: Shape, steps: int) -> "Node":
        batch, (weights, own, bias) = inputs.rows // steps, self.parts(tape, inputs, at)
        heard = inputs.affine(weights, bias)
        states, state = tape.empty(inputs.rows, self.units), tape.state(batch, self.units)
        for time in range(steps):
            now = time * batch, batch
            state = heard.part(*now).add_affine(own, tape.carried(state, time)).tanh(states.part(*now))
        return states
