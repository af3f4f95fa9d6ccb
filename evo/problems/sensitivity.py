"""Sensitivity of a network's outputs to each of its parameters."""

import functools
from collections.abc import Callable

import numpy as np

from evo.autodiff import Program, Tape
from evo.networks import Network


class Sensitivity:
    """Sensitivities of a network's outputs to parameters (individuals, size): SM-G-SUM of Lehman 2018.

    Returns float64 of the same shape. The gradient of each output with respect to the parameters is averaged over
    experiences; the result is the root of the sum of squares of the outputs' averages. experiences: returns normalised
    observations, float64 (experiences, inputs); called at the first use. Raises ValueError for a network that has no
    gradient. Not for a network with memory, whose outputs depend on more than one experience.
    """

    def __init__(self, network: Network, experiences: Callable[[], np.ndarray]) -> None:
        self.network, self._experiences = network, experiences

    @functools.cached_property
    def _program(self) -> tuple[Program, np.ndarray]:
        """The mean of one output over the experiences, and the view that selects the output."""
        seen = self._experiences()
        tape = Tape(self.network.size)
        observations, which = tape.input(*seen.shape), tape.input(len(seen), 1)
        program = tape.program(self.network.apply(tape, observations, 0, steps=1).pick(which).mean())
        program.value(observations)[:] = seen
        return program, program.value(which)

    def __call__(self, params: np.ndarray) -> np.ndarray:
        program, which = self._program
        squares = np.zeros(params.shape)
        for individual, row in enumerate(params):
            program.parameters[:] = row
            for output in range(self.network.outputs):
                which[:] = output
                program.forward()
                program.backward()
                squares[individual] += np.square(program.gradient, dtype=np.float64)
        return np.sqrt(squares)
