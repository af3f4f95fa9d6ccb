"""IPOP: restarts with increasing population size.

Auger & Hansen 2005, "A Restart CMA Evolution Strategy With Increasing Population Size", section 2.
"""

from typing import final

from numpy.typing import ArrayLike

from evo.algorithms.restarts.restarts import Restarts
from evo.numerics.validation import number_between


@final
class IPOP(Restarts):
    """IPOP: runs a strategy until it is finished, then again from elsewhere with a larger population.

    Args:
        algorithm: strategy to restart: cma-es, sep-cma-es, lm-ma-es, snes or xnes.
        sigma: initial standard deviation of the first attempt.
        population_size: individuals of a generation of the first attempt, None for 4 + 3 ln n.
        attempts: most attempts.
        growth: factor by which the population grows from one attempt to the next.
        spread: standard deviation of later starting points around the first one.
        low: lower bound of the parameters, None for none.
        high: upper bound of the parameters, None for none.
    """

    summary = "restarts of CMA-ES or its kin with growing populations (Auger & Hansen 2005)"
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
        super().__init__(initial, seed, algorithm, sigma, population_size, attempts, spread, low, high)
        self.growth = number_between("growth", growth, 1)

    def restart(self, number: int) -> None:
        self.over = number >= self.attempts
        if not self.over:
            self.attempt.begin(number, round(self.first_population_size * self.growth**number), self.first_sigma)
