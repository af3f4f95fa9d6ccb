"""Exponential natural evolution strategy.

Glasmachers, Schaul, Sun, Wierstra & Schmidhuber 2010, "Exponential Natural Evolution Strategies", Algorithm 1;
defaults as in Wierstra et al. 2014, "Natural Evolution Strategies", table 1.
"""

import math
from typing import final

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.convergence import stop_reason
from evo.algorithms.strategies.covariance import combine, ranked_update
from evo.algorithms.strategies.gaussian import GaussianStrategy
from evo.numerics.blas_threads import one_thread
from evo.numerics.validation import positive_number
from evo.operators.ranking import utilities


@final
class XNES(GaussianStrategy):
    """XNES: follows the natural gradient of the expected utility in a mean and, by the exponential map, a covariance.

    The mean learns at rate 1. Time grows with the cube of the number of parameters.

    Args:
        sigma: initial standard deviation of the search distribution.
        population_size: individuals λ of a generation, None for 4 + 3 ln n.
        learning_rate: learning rate η of the covariance, None for 3 (3 + ln n) / (5 n √n).
        low: lower bound of the parameters, None for none.
        high: upper bound of the parameters, None for none.
    """

    summary = "exponential natural evolution strategy (Glasmachers 2010)"
    held = (8, 4)
    remembered = ("mean", "sigma", "shape", "history")
    smallest = 2

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
        super().__init__(initial, seed, sigma=sigma, population_size=population_size, low=low, high=high)
        size = self.initial.size
        usual = 3 * (3 + math.log(size)) / (5 * size * math.sqrt(size))
        self.learning_rate = positive_number("learning_rate", usual if learning_rate is None else learning_rate)

        self.shape = np.eye(size)  # B in rows, of determinant 1: C = sigma² Bᵀ B

    def transform(self, noise: NDArray[np.float64]) -> NDArray[np.float64]:
        return combine(noise, self.shape)  # z_k = mu + sigma Bᵀ s_k, s_k ~ N(0, I)

    def adapt(self, steps: NDArray[np.float64], noise: NDArray[np.float64], order: NDArray[np.intp]) -> None:
        size = self.initial.size
        noise, utility = noise[order], utilities(self.population_size)  # u_k, best first; their sum is 0
        along_mean = combine(utility[np.newaxis], noise)  # G_delta = sum u_k s_k, (1, parameters)
        nothing, zeros = np.zeros(size), np.zeros((size, size))
        along_shape = ranked_update(zeros, 0.0, 0.0, nothing, utility, noise)  # G_M: sum u_k (s sᵀ - I)
        along_size = float(np.trace(along_shape)) / size  # G_sigma
        along_shape = along_shape - along_size * np.eye(size)  # G_B

        self.mean = self.mean + self.sigma * combine(along_mean, self.shape)[0]
        self.sigma = self.sigma * math.exp(self.learning_rate / 2 * along_size)
        with one_thread():
            self.shape = combine(scipy.linalg.expm(self.learning_rate / 2 * along_shape), self.shape)
        self.sigma = self.box.cap_sigma(self.sigma, np.sum(np.square(self.shape), axis=0))

    def finished(self) -> str | None:
        with one_thread():
            lengths = np.asarray(np.linalg.svd(self.shape, compute_uv=False), np.float64)
        sigma, deviations = self.sigma, self.sigma * np.sqrt(np.sum(np.square(self.shape), axis=0))
        return stop_reason(self.history, self.mean, deviations, self.initial_sigma, sigma * lengths)
