"""IPOP: restarts with increasing population size.

Auger & Hansen 2005, "A Restart CMA Evolution Strategy With Increasing Population Size", section 2.
"""

from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.algorithm import AskTell
from evo.algorithms.restarts.attempt import STRATEGIES, Attempt
from evo.algorithms.strategies.cma_parameters import choose_population_size
from evo.genomes.population import Population
from evo.numerics.validation import number_between, positive_number, whole_number


@final
class IPOP(AskTell[Population]):
    """IPOP: runs a strategy until it is finished, then again from elsewhere with a larger population.

    `algorithm` (cma-es, sep-cma-es, lm-ma-es, snes or xnes), `sigma` (its first one), `population_size` (of the first
    attempt; None: 4 + 3 ln n), `attempts` (at most), `growth` (the population's factor from one to the next), `spread`
    (the deviation of later starting points around `initial`), `low` and `high` (bounds of every parameter; None: none).
    """

    summary = "restarts of one of these with growing populations (Auger & Hansen 2005)"
    restarts = STRATEGIES
    remembered = ("attempt", "over")

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        *,
        algorithm: str = "cma-es",
        sigma: float = 0.5,
        population_size: int | None = None,
        attempts: int = 10,
        growth: float = 2.0,
        spread: float = 1.0,
        low: float | None = None,
        high: float | None = None,
    ) -> None:
        super().__init__(initial, seed)
        self.first_sigma = positive_number("sigma", sigma)
        self.first_population_size = choose_population_size(population_size, self.initial.size, 3)
        self.attempts = whole_number("attempts", attempts, 1)
        self.growth = number_between("growth", growth, 1)
        self.attempt = Attempt(algorithm, self.initial, self.seed, spread, low, high)
        self.attempt.begin(0, self.first_population_size, self.first_sigma)
        self.over = False

    def propose(self) -> Population:
        return self.attempt.strategy.ask()

    def update(self, population: Population, fitness: NDArray[np.float64]) -> None:
        if not self.attempt.tell(fitness):
            return
        number = self.attempt.number + 1
        self.over = number >= self.attempts
        if not self.over:
            larger = round(self.first_population_size * self.growth**number)
            self.attempt.begin(number, larger, self.first_sigma)

    def finished(self) -> str | None:
        return f"all {self.attempts} attempts are over" if self.over else None

    def candidates(self) -> NDArray[np.float64]:
        return self.attempt.candidates()

    def diagnostics(self) -> dict[str, float]:
        """Return `attempt`: its number, from 0; `population_size`: its population size."""
        return {"attempt": self.attempt.number, "population_size": self.attempt.population_size}
