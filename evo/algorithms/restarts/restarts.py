"""The shared part of restart schemes: options, the present attempt, and what is logged."""

from abc import abstractmethod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.algorithm import AskTell
from evo.algorithms.restarts.attempt import STRATEGIES, Attempt
from evo.algorithms.strategies.cma_parameters import choose_population_size
from evo.genomes.population import Population
from evo.numerics.validation import positive_number, whole_number


class Restarts(AskTell[Population]):
    """Runs a strategy until it is finished, then again from elsewhere, as often as a scheme says.

    `algorithm` (cma-es, sep-cma-es, lm-ma-es, snes or xnes), `sigma` (its first one), `population_size` (of the first
    attempt; None: 4 + 3 ln n), `attempts` (at most), `spread` (the deviation of later starting points around
    `initial`), `low` and `high` (bounds of every parameter; None: none).

    A subclass is final and writes `restart`. over: whether no attempt follows.
    """

    restarts = STRATEGIES

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        algorithm: str,
        sigma: float,
        population_size: int | None,
        attempts: int,
        spread: float,
        low: float | None,
        high: float | None,
    ) -> None:
        super().__init__(initial, seed)
        self.first_sigma = positive_number("sigma", sigma)
        self.first_population_size = choose_population_size(population_size, self.initial.size, 3)
        self.attempts = whole_number("attempts", attempts, 1)
        self.attempt = Attempt(algorithm, self.initial, self.seed, spread, low, high)
        self.attempt.begin(0, self.first_population_size, self.first_sigma)
        self.over = False

    @abstractmethod
    def restart(self, number: int) -> None:
        """Begin attempt `number`, from 1, after the one before it is over; or set `over`."""

    @property
    def most_evaluations(self) -> float:
        """How many evaluations the present attempt may take."""
        return np.inf

    def propose(self) -> Population:
        return self.attempt.strategy.ask()

    def update(self, population: Population, fitness: NDArray[np.float64]) -> None:
        if self.attempt.tell(fitness, self.most_evaluations):
            self.restart(self.attempt.number + 1)

    def finished(self) -> str | None:
        return f"all {self.attempts} attempts are over" if self.over else None

    def candidates(self) -> NDArray[np.float64]:
        return self.attempt.candidates()

    def diagnostics(self) -> dict[str, float]:
        """Return `attempt`: its number, from 0; `population_size`: its population size."""
        return {"attempt": self.attempt.number, "population_size": self.attempt.population_size}
