"""Hill climber that changes one parameter at a time with an adaptive step.

A coordinate search, Hooke & Jeeves 1961, "'Direct Search' Solution of Numerical and Statistical Problems", section 2's
exploratory moves: each turn tries one parameter a little higher and a little lower, and keeps what is better.
"""

from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.algorithm import AskTell
from evo.algorithms.convergence import find_exhaustion
from evo.genomes.population import DensePopulation
from evo.numerics.randomness import generator
from evo.numerics.validation import number_between, positive_number
from evo.operators.selection import best


@final
class HillClimber(AskTell[DensePopulation]):
    """A hill climber: tries a step up and a step down along one parameter, and moves to the fittest of the three.

    Parameters take turns in an order shuffled anew each round.

    Args:
        step: initial step of every parameter.
        growth: factor on a parameter's step after it helped.
        shrinkage: factor on a parameter's step after it did not help.
    """

    summary = "coordinate search: one parameter at a time, a step up or down (Hooke & Jeeves 1961)"
    remembered = ("point", "steps")

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        *,
        step: float = 0.1,
        growth: float = 1.2,
        shrinkage: float = 0.85,
    ) -> None:
        super().__init__(initial, seed)
        self.growth = number_between("growth", growth, 1)
        self.shrinkage = number_between("shrinkage", shrinkage, 0, 1)
        self.point = self.initial  # (parameters,)
        self.initial_step = positive_number("step", step)
        self.steps = np.full(self.initial.size, self.initial_step)  # (parameters,)

    @property
    def _knob(self) -> int:
        """Return the parameter whose turn it is."""
        round_, turn = divmod(self.generation, self.initial.size)
        return int(generator(self.seed, "order", round_).permutation(self.initial.size)[turn])

    def propose(self) -> DensePopulation:
        knob = self._knob
        rows = np.tile(self.point, (3, 1))  # the present point first: it wins ties
        rows[1, knob] += self.steps[knob]
        rows[2, knob] -= self.steps[knob]
        return DensePopulation(rows)

    def update(self, population: DensePopulation, fitness: NDArray[np.float64]) -> None:
        chosen, knob = best(fitness, 1)[0], self._knob
        self.point = population.array[chosen]
        steps = self.steps.copy()
        steps[knob] *= self.growth if chosen else self.shrinkage
        self.steps = steps

    def finished(self) -> str | None:
        return find_exhaustion(self.point, self.steps, self.initial_step)

    def candidates(self) -> NDArray[np.float64]:
        return self.point[np.newaxis].copy()

    def diagnostics(self) -> dict[str, float]:
        """Return `step`: the mean of the steps."""
        return {"step": float(np.mean(self.steps))}
