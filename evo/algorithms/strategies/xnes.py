"""Exponential natural evolution strategy.

Glasmachers, Schaul, Sun, Wierstra & Schmidhuber 2010, "Exponential Natural Evolution Strategies", Algorithm 1;
defaults as in Wierstra et al. 2014, "Natural Evolution Strategies", table 1.
"""

import math
from typing import final

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.algorithm import AskTell
from evo.algorithms.convergence import FitnessHistory, stop_reason
from evo.algorithms.strategies.cma_parameters import choose_population_size
from evo.algorithms.strategies.covariance import combined, ranked_update
from evo.autodiff.blas import one_thread
from evo.genomes.bounds import Box
from evo.genomes.population import SampledPopulation
from evo.numerics.randomness import generator
from evo.numerics.validation import positive_number
from evo.operators.ranking import utilities
from evo.operators.selection import best


@final
class XNES(AskTell[SampledPopulation]):
    """XNES: follows the natural gradient of the expected utility in a mean and, by the exponential map, a covariance.

    `sigma` (the initial deviation), `population_size` (lambda; None: 4 + 3 ln n), `learning_rate` (eta; None: 3
    (3 + ln n) / (5 n √n)), `low` and `high` (bounds of every parameter; None: none). The mean learns at rate 1. Time
    grows with the cube of the parameters.
    """

    summary = "exponential natural evolution strategy (Glasmachers 2010)"
    held = (8, 4)
    remembered = ("mean", "sigma", "shape", "history")

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
        usual = 3 * (3 + math.log(size)) / (5 * size * math.sqrt(size))
        self.learning_rate = positive_number("learning_rate", usual if learning_rate is None else learning_rate)

        self.mean = self.box.outside(self.initial)  # mu, (parameters,)
        self.sigma = self.box.cap_sigma(self.initial_sigma, np.ones(1))  # sigma
        self.shape = np.eye(size)  # B in rows, of determinant 1: C = sigma² Bᵀ B
        self.history = FitnessHistory(size, self.population_size)

    def propose(self) -> SampledPopulation:
        random = generator(self.seed, "noise", self.generation)
        noise = random.standard_normal((self.population_size, self.initial.size))  # s_k ~ N(0, I)
        steps = combined(noise, self.shape)  # Bᵀ s_k
        return SampledPopulation(self.mean, self.sigma, steps, noise, self.box)  # mu + sigma Bᵀ s_k

    def update(self, population: SampledPopulation, fitness: NDArray[np.float64]) -> None:
        order, size = best(fitness, self.population_size), self.initial.size
        noise, utility = population.noise[order], utilities(self.population_size)  # u_k, best first; their sum is 0
        along_mean = combined(utility[np.newaxis], noise)  # G_delta = sum u_k s_k, (1, parameters)
        nothing = np.zeros(size)
        along_shape = ranked_update(
            np.zeros((size, size)), 0.0, 0.0, nothing, utility, noise
        )  # G_M: sum u_k (s sᵀ - I)
        along_size = float(np.trace(along_shape)) / size  # G_sigma
        along_shape = along_shape - along_size * np.eye(size)  # G_B

        self.mean = self.mean + self.sigma * combined(along_mean, self.shape)[0]
        self.sigma = self.sigma * math.exp(self.learning_rate / 2 * along_size)
        with one_thread():
            self.shape = combined(scipy.linalg.expm(self.learning_rate / 2 * along_shape), self.shape)
        self.sigma = self.box.cap_sigma(self.sigma, np.sum(np.square(self.shape), axis=0))
        self.history.add(fitness)

    def finished(self) -> str | None:
        with one_thread():
            lengths = np.asarray(np.linalg.svd(self.shape, compute_uv=False), np.float64)
        sigma, deviations = self.sigma, self.sigma * np.sqrt(np.sum(np.square(self.shape), axis=0))
        return stop_reason(self.history, self.mean, deviations, self.initial_sigma, sigma * lengths)

    def candidates(self) -> NDArray[np.float64]:
        return self.box.inside(self.mean[np.newaxis].copy())

    def diagnostics(self) -> dict[str, float]:
        return {"sigma": self.sigma}
