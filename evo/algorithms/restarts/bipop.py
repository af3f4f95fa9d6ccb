"""BIPOP: restarts that alternate increasing and small population sizes.

Hansen 2009, "Benchmarking a BI-Population CMA-ES on the BBOB-2009 Function Testbed", section 2.
"""

import math
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from evo.algorithms.restarts.restarts import Restarts
from evo.numerics.randomness import generator


@final
class BIPOP(Restarts):
    """BIPOP: alternates restarts with doubling populations and with small ones, on equal budgets.

    Restarts with small populations also draw their first sigma.

    Args:
        algorithm: strategy to restart: cma-es, sep-cma-es, lm-ma-es, snes or xnes.
        sigma: initial standard deviation of the first attempt.
        population_size: individuals of a generation of the first attempt, None for 4 + 3 ln n.
        attempts: most attempts with doubling populations.
        spread: standard deviation of later starting points around the first one.
        low: lower bound of the parameters, None for none.
        high: upper bound of the parameters, None for none.
    """

    summary = "restarts of CMA-ES or its kin, growing and small populations in turn (Hansen 2009)"
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
        super().__init__(initial, seed, algorithm, sigma, population_size, attempts, spread, low, high)
        self.doublings, self.small = 0, False
        self.spent = np.zeros(2)  # evaluations of finished attempts: with large populations, with small ones

    @property
    def most_evaluations(self) -> float:
        """Half of what the large attempts took, for a small one, as in Hansen's pycma."""
        return float(self.spent[0] / 2) if self.small else math.inf

    def restart(self, number: int) -> None:
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
