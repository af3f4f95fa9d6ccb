"""Separable natural evolution strategy.

Schaul, Glasmachers & Schmidhuber 2011, "High Dimensions and Heavy Tails for Natural Evolution Strategies", Algorithm 2;
defaults as in Wierstra et al. 2014, "Natural Evolution Strategies", table 1.
"""

import math
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.algorithm import AskTell
from evo.algorithms.convergence import FitnessHistory, stop_reason
from evo.algorithms.strategies.cma_parameters import choose_population_size
from evo.algorithms.strategies.covariance import combined
from evo.genomes.bounds import Box
from evo.genomes.population import SampledPopulation
from evo.numerics.randomness import generator
from evo.numerics.validation import positive_number
from evo.operators.ranking import utilities
from evo.operators.selection import best


@final
class SNES(AskTell[SampledPopulation]):
    """SNES: follows the natural gradient of the expected utility in the mean and the deviation of each parameter.

    `sigma` (the initial deviation), `population_size` (lambda; None: 4 + 3 ln n), `learning_rate` (eta, of the
    deviations; None: (3 + ln n) / (5 √n)), `low` and `high` (bounds of every parameter; None: none). The mean learns at
    rate 1.
    """

    summary = "separable natural evolution strategy (Schaul 2011)"
    held = (0, 4)
    remembered = ("mean", "sigma", "history")

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        *,
        sigma: float = 0.5,
        population_size: int | None = None,
        learning_rate: float | None = None,
        low: float | None = None,
        high: float | None = None,
    ) -> None:
        super().__init__(initial, seed)
        size = self.initial.size
        self.box = Box(low, high, self.initial)
        self.initial_sigma = positive_number("sigma", sigma)
        self.population_size = choose_population_size(population_size, size, 2)
        usual = (3 + math.log(size)) / (5 * math.sqrt(size))
        self.learning_rate = positive_number("learning_rate", usual if learning_rate is None else learning_rate)

        self.mean = self.box.outside(self.initial)  # mu, (parameters,)
        self.sigma = np.full(size, min(self.initial_sigma, self.box.widest))  # sigma, (parameters,)
        self.history = FitnessHistory(size, self.population_size)

    def propose(self) -> SampledPopulation:
        random = generator(self.seed, "noise", self.generation)
        noise = random.standard_normal((self.population_size, self.initial.size))  # s_k ~ N(0, I)
        return SampledPopulation(self.mean, 1.0, self.sigma * noise, noise, self.box)  # z_k = mu + sigma s_k

    def update(self, population: SampledPopulation, fitness: NDArray[np.float64]) -> None:
        order = best(fitness, self.population_size)
        noise, utility = population.noise[order], utilities(self.population_size)[np.newaxis]  # u_k, best first
        along_mean = combined(utility, noise)[0]  # sum u_k s_k
        along_deviations = combined(utility, np.square(noise) - 1)[0]  # sum u_k (s_k² - 1)
        self.mean = self.mean + self.sigma * along_mean
        sigma = self.sigma * np.exp(self.learning_rate / 2 * along_deviations)
        self.sigma = np.minimum(sigma, self.box.widest)
        self.history.add(fitness)

    def finished(self) -> str | None:
        return stop_reason(self.history, self.mean, self.sigma, self.initial_sigma)

    def candidates(self) -> NDArray[np.float64]:
        return self.box.inside(self.mean[np.newaxis].copy())

    def diagnostics(self) -> dict[str, float]:
        """Return `sigma`: the geometric mean of the deviations."""
        return {"sigma": float(np.exp(np.mean(np.log(self.sigma))))}
