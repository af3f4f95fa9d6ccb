"""Cross-entropy method with a diagonal normal distribution.

Rubinstein 1999, "The Cross-Entropy Method for Combinatorial and Continuous Optimization"; the noise that keeps it from
collapsing too early is Szita & Lőrincz 2006, "Learning Tetris Using the Noisy Cross-Entropy Method", section 3.
"""

from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.algorithm import AskTell
from evo.algorithms.convergence import find_exhaustion
from evo.algorithms.strategies.covariance import combine
from evo.genomes.bounds import Box
from evo.genomes.population import SampledPopulation
from evo.numerics.randomness import generator
from evo.numerics.validation import number_between, positive_number, whole_number
from evo.operators.selection import best


@final
class CEM(AskTell[SampledPopulation]):
    """CEM: fits a normal distribution to the elites of each generation, and samples the next one from it.

    Args:
        sigma: initial standard deviation σ₀.
        population_size: individuals N of a generation.
        elites: number of the fittest individuals that the distribution is fitted to.
        extra_noise: standard deviation of the noise added to the fitted distribution, the root of the paper's Z.
        decay: factor on `extra_noise` after each generation.
        low: lower bound of the parameters, None for none.
        high: upper bound of the parameters, None for none.
    """

    summary = "cross-entropy method with decaying noise (Szita & Lőrincz 2006)"
    held = (0, 3)
    remembered = ("mean", "variances", "extra")

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        *,
        sigma: float = 0.5,
        population_size: int = 64,
        elites: int = 16,
        extra_noise: float = 0.1,
        decay: float = 0.98,
        low: float | None = None,
        high: float | None = None,
    ) -> None:
        super().__init__(initial, seed)
        self.box = Box(low, high, self.initial)
        self.initial_sigma = positive_number("sigma", sigma)
        self.population_size = whole_number("population_size", population_size, 2)
        self.elites = self.decisive = whole_number("elites", elites, 2, self.population_size)
        self.decay = number_between("decay", decay, 0, 1)

        self.mean = self.box.outside(self.initial)  # mu, (parameters,)
        first = min(self.initial_sigma, self.box.widest)
        self.variances = np.full(self.initial.size, first**2)  # sigma², (parameters,)
        self.extra = number_between("extra_noise", extra_noise, 0) ** 2  # Z

    def propose(self) -> SampledPopulation:
        random = generator(self.seed, "noise", self.generation)
        noise = random.standard_normal((self.population_size, self.initial.size))
        return SampledPopulation(self.mean, 1.0, np.sqrt(self.variances) * noise, noise, self.box)

    def update(self, population: SampledPopulation, fitness: NDArray[np.float64]) -> None:
        elites = population.steps[best(fitness, self.elites)]  # relative to the mean, (elites, parameters)
        share = np.full((1, self.elites), 1 / self.elites)
        step = combine(share, elites)[0]
        self.mean = self.mean + step
        variances = combine(share, np.square(elites - step))[0] + self.extra
        self.variances = np.minimum(variances, self.box.widest**2)
        self.extra = self.extra * self.decay

    def finished(self) -> str | None:
        return find_exhaustion(self.mean, np.sqrt(self.variances), self.initial_sigma)

    def candidates(self) -> NDArray[np.float64]:
        return self.box.inside(self.mean[np.newaxis].copy())

    def diagnostics(self) -> dict[str, float]:
        """Return `sigma`: the root mean square of the deviations."""
        return {"sigma": float(np.sqrt(np.mean(self.variances)))}
