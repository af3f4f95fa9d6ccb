"""BIPOP: restarts that alternate increasing and small population sizes.

Hansen 2009, "Benchmarking a BI-Population CMA-ES on the BBOB-2009 Function Testbed", section 2.
"""

import math
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.algorithm import AskTell
from evo.algorithms.restarts.attempt import STRATEGIES, Attempt
from evo.algorithms.strategies.cma_parameters import choose_population_size
from evo.genomes.population import Population
from evo.numerics.randomness import generator
from evo.numerics.validation import positive_number, whole_number


@final
class BIPOP(AskTell[Population]):
    """BIPOP: alternates restarts with doubling populations and with small ones, on equal budgets.

    Restarts with small populations also draw their first step-size.

    `algorithm` (cma-es, sep-cma-es, lm-ma-es, snes or
    xnes), `sigma` (its first one), `population_size` (of the first attempt; None: 4 + 3 ln n), `attempts` (of the
    doubling kind, at most), `spread` (the deviation of later starting points around `initial`), `low` and `high`
    (bounds of every parameter; None: none).
    """

    summary = "restarts with growing and with small populations in turn (Hansen 2009)"
    restarts = STRATEGIES
    remembered = ("attempt", "doublings", "small", "spent", "over")

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        *,
        algorithm: str = "cma-es",
        sigma: float = 0.5,
        population_size: int | None = None,
        attempts: int = 10,
        spread: float = 1.0,
        low: float | None = None,
        high: float | None = None,
    ) -> None:
        super().__init__(initial, seed)
        self.first_sigma = positive_number("sigma", sigma)
        self.first_population_size = choose_population_size(population_size, self.initial.size, 3)
        self.attempts = whole_number("attempts", attempts, 1)
        self.attempt = Attempt(algorithm, self.initial, self.seed, spread, low, high)
        self.attempt.begin(0, self.first_population_size, self.first_sigma)
        self.doublings, self.small, self.over = 0, False, False
        self.spent = np.zeros(2)  # evaluations of finished attempts: with large populations, with small ones

    def propose(self) -> Population:
        return self.attempt.strategy.ask()

    def update(self, population: Population, fitness: NDArray[np.float64]) -> None:
        # A small attempt may spend half of what the large ones did, as in Hansen's pycma.
        if not self.attempt.tell(fitness, self.spent[0] / 2 if self.small else math.inf):
            return
        number = self.attempt.number + 1
        if number > 1:  # the first attempt counts for neither kind
            self.spent = self.spent + self.attempt.evaluations * np.array([not self.small, self.small])
        self.small = number > 1 and bool(self.spent[1] < self.spent[0])
        if self.small:
            random = generator(self.seed, "small population", number)
            ratio = 2.0**self.doublings / 2  # of half the large population to the first
            smaller = math.floor(self.first_population_size * max(ratio, 1.0) ** (random.random() ** 2))
            self.attempt.begin(number, smaller, self.first_sigma * 10 ** (-2 * random.random()))
        elif self.doublings + 1 >= self.attempts:
            self.over = True
        else:
            self.doublings += 1
            self.attempt.begin(number, self.first_population_size * 2**self.doublings, self.first_sigma)

    def finished(self) -> str | None:
        return f"all {self.attempts} attempts are over" if self.over else None

    def candidates(self) -> NDArray[np.float64]:
        return self.attempt.candidates()

    def diagnostics(self) -> dict[str, float]:
        """Return `attempt`: its number, from 0; `population_size`: its population size."""
        return {"attempt": self.attempt.number, "population_size": self.attempt.population_size}
