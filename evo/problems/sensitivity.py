"""Sensitivity of a network's outputs to each of its parameters."""

import functools
from collections.abc import Callable

import numpy as np

from evo.autodiff import Program, Tape
from evo.networks import Network


class Sensitivity:
    """Of parameters (individuals, size) the sensitivities, float64 of the same shape: SM-G-SUM of Lehman 2018.

    The gradient of each output by the parameters is averaged over experiences; of the outputs' averages, the root of
    the sum of squares is taken. experiences: gives the normalised observations, float64 (experiences, inputs), and is
    called when they are first needed. Raises ValueError for a network that has no gradient. (One that remembers does
    not act on one experience at a time, and has no place here.)
    """

    def __init__(self, network: Network, experiences: Callable[[], np.ndarray]) -> None:
        self.network, self._experiences = network, experiences

    @functools.cached_property
    def _program(self) -> tuple[Program, np.ndarray]:
        """The mean of one output over the experiences, and the view that says which output."""
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
