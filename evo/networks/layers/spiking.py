"""Spiking layer: leaky integrate-and-fire neurons with synaptic filtering.

Neftci, Mostafa & Zenke 2019, "Surrogate gradient learning in spiking neural networks", in discrete time with a control
step as the unit. A synapse turns spikes into a decaying current (the current I of the paper). Here every neuron has one
decay for all its synapses, so that its current is a trace y of its own spikes, the input of its neighbours and of the
next layer:

    v = lambda v + x W + y U + b - s          the membrane, less the threshold of 1 where it has just fired
    s = 1 where v > 1, else 0                 the spike
    y = alpha y + (1 - alpha) (2 s - 1)       the trace, from -1, for silence, to 1, for a spike in every step

with lambda = sigmoid(l) and alpha = sigmoid(a) for each neuron. In the paper silence counts as 0; counted as -1, an
output varies about zero, as tanh does, and the next layer evolves much faster. The parameters are W (inputs, units), U
(units, units), b, l and a (units,). Training uses the surrogate gradient of Zenke & Ganguli 2018: see
`evo.autodiff.spiking`.
"""

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from evo.networks.initialisation import lecun
from evo.networks.layer import Shape, flat
from evo.networks.layers.dense import add_products
from evo.networks.layers.remembering import Remembering
from evo.numerics import activations

if TYPE_CHECKING:  # acting does not need scipy, which brings BLAS
    from evo.autodiff import Node, Tape

_BIAS = 0.7  # makes a neuron fire about every other step, where inputs have a variance of 1
_LEAKS, _DECAYS = (0.5, 0.9), (0.1, 0.5)  # initial ranges of lambda and of alpha


def _step(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    units = outputs.size
    membrane, spikes, trace = memory[:units], memory[units : 2 * units], memory[2 * units : 3 * units]
    keeping, end = memory[3 * units :], (inputs.size + units) * units
    keeping[:] = params[end + units :]
    activations.sigmoid(keeping)
    leaks, decays = keeping[:units], keeping[units:]
    outputs[:] = params[end : end + units]
    add_products(params, inputs, outputs)
    add_products(params[inputs.size * units :], trace, outputs)
    for unit in range(units):
        membrane[unit] = leaks[unit] * membrane[unit] + outputs[unit] - spikes[unit]
        spikes[unit] = membrane[unit]
    activations.spike(spikes)
    one = np.float32(1)
    for unit in range(units):
        aim = spikes[unit] + spikes[unit] - one
        trace[unit] = aim + decays[unit] * (trace[unit] - aim)
        outputs[unit] = trace[unit]


class Spiking(Remembering):
    """A layer of `units` leaky integrate-and-fire neurons (Neftci, Mostafa & Zenke 2019).

    Outputs are traces of their spikes, from -1 to 1. Parameters: W (inputs, units), U (units, units), b, l and a
    (units,). The share of a membrane kept for a control step begins at 0.5 to 0.9, that of a trace at 0.1 to 0.5.
    Raises ValueError for fewer units than one.
    """

    word = "spiking"
    summary = "spiking:32: leaky integrate-and-fire neurons, read through traces of their spikes (Neftci 2019)."

    biases: ClassVar[tuple[str, ...]] = ("b", "l", "a")
    surrogate: ClassVar[bool] = True

    @property
    def step(self) -> Any:
        return _step

    def memory_size(self, inputs: Shape) -> int:
        return 5 * self.units

    def initial(self, inputs: Shape, rng: np.random.Generator) -> np.ndarray:
        """Initialise neurons that fire about every other step, with recurrent weights of zero."""
        units, heard = self.units, lecun(flat(self, inputs), self.units, rng).ravel()
        keeping = np.concatenate([rng.uniform(*_LEAKS, units), rng.uniform(*_DECAYS, units)])
        return np.concatenate(
            [heard, np.zeros(units * units), np.full(units, _BIAS), np.log(keeping / (1.0 - keeping))]
        )

    def carried(self, inputs: Shape) -> np.ndarray:
        """Return the indices of membranes and traces; a spike is a membrane above the threshold."""
        return np.concatenate([np.arange(self.units), np.arange(2 * self.units, 3 * self.units)])

    def apply(self, tape: "Tape", inputs: "Node", at: int, shape: Shape, steps: int) -> "Node":
        batch, units, (weights, own, bias) = inputs.rows // steps, self.units, self.parts(tape, inputs, at)
        leaks = tape.parameters(bias.at + units, 1, units).sigmoid()
        decays = tape.parameters(bias.at + 2 * units, 1, units).sigmoid()
        heard, traces = inputs.affine(weights, bias), tape.empty(inputs.rows, units)
        membrane, trace = tape.state(batch, units), tape.state(batch, units)
        for time in range(steps):
            now = time * batch, batch
            membrane, trace = tape.carried(membrane, time), tape.carried(trace, time)
            membrane = heard.part(*now).add_affine(own, trace).leak(leaks, membrane)
            trace = membrane.spike().trace(decays, trace, traces.part(*now))
        return traces
