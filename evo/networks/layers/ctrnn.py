"""Continuous-time recurrent network: leaky units, each with its own time constant.

Beer 1995, "On the dynamics of small continuous-time recurrent neural networks", equation 1, with tanh in place of the
logistic function, by Euler's method with a control step as the unit of time: y += (x W + o U - y) / tau, o = tanh(y +
theta), starting at y = 0. A unit with a large time constant tau follows slowly. The parameters are W (inputs, units), U
(units, units), theta (units,) and r (units,), with 1 / tau = sigmoid(r), so that tau is never below one step.
"""

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from evo.networks.layer import Shape
from evo.networks.layers.dense import add_products
from evo.networks.layers.remembering import Remembering
from evo.numerics import activations

if TYPE_CHECKING:  # acting does not need scipy, which brings BLAS
    from evo.autodiff import Node, Tape

_FASTEST, _SLOWEST = 1.1, 10.0  # the range of initial time constants, in control steps


def _step(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    units = outputs.size
    membrane, firing, rates = memory[:units], memory[units : 2 * units], memory[2 * units :]
    end = (inputs.size + units) * units
    theta = params[end : end + units]
    for unit in range(units):
        firing[unit] = membrane[unit] + theta[unit]
    activations.tanh(firing)
    outputs[:] = np.float32(0)
    add_products(params, inputs, outputs)
    add_products(params[inputs.size * units :], firing, outputs)
    rates[:] = params[end + units :]
    activations.sigmoid(rates)
    for unit in range(units):
        membrane[unit] += rates[unit] * (outputs[unit] - membrane[unit])
        outputs[unit] = membrane[unit] + theta[unit]
    activations.tanh(outputs)


class CTRNN(Remembering):
    """A continuous-time recurrent layer of `units` units (Beer 1995); time constants begin at 1.1 to 10 control steps.

    Parameters: W (inputs, units), U (units, units), theta (units,), r (units,); 1 / tau = sigmoid(r). Raises ValueError
    for fewer units than one.
    """

    word = "ctrnn"
    summary = "ctrnn:16: continuous-time recurrent units, each with its own time constant (Beer 1995)."

    biases: ClassVar[tuple[str, ...]] = ("theta", "r")

    @property
    def step(self) -> Any:
        return _step

    def memory_size(self, inputs: Shape) -> int:
        return 3 * self.units

    def initial(self, inputs: Shape, rng: np.random.Generator) -> np.ndarray:
        params = super().initial(inputs, rng)
        rates = 1.0 / rng.uniform(_FASTEST, _SLOWEST, self.units)
        params[-self.units :] = np.log(rates / (1.0 - rates))
        return params

    def carried(self, inputs: Shape) -> np.ndarray:
        return np.arange(self.units)

    def apply(self, tape: "Tape", inputs: "Node", at: int, shape: Shape, steps: int) -> "Node":
        batch, units, (weights, own, theta) = inputs.rows // steps, self.units, self.parts(tape, inputs, at)
        rates = tape.parameters(theta.at + units, 1, units).sigmoid()
        heard = inputs.affine(weights)
        firings, membrane = tape.empty(inputs.rows, units), tape.state(batch, units)
        firing = (membrane + theta).tanh()
        for time in range(steps):
            now, before = (time * batch, batch), membrane
            membrane = tape.carried(before, time)
            if membrane is not before:  # an episode may begin here
                firing = (membrane + theta).tanh()
            membrane = membrane + (heard.part(*now).add_affine(own, firing) - membrane) * rates
            firing = (membrane + theta).tanh(firings.part(*now))
        return firings
