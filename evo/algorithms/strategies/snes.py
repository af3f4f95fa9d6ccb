"""Separable natural evolution strategy.

Schaul, Glasmachers & Schmidhuber 2011, "High Dimensions and Heavy Tails for Natural Evolution Strategies", Algorithm 2;
defaults as in Wierstra et al. 2014, "Natural Evolution Strategies", table 1.
"""

import math
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.convergence import stop_reason
from evo.algorithms.strategies.covariance import combine
from evo.algorithms.strategies.gaussian import GaussianStrategy
from evo.numerics.validation import positive_number
from evo.operators.ranking import utilities


@final
class SNES(GaussianStrategy):
    """SNES: follows the natural gradient of the expected utility in the mean and the deviation of each parameter.

    The mean learns at rate 1.

    Args:
        sigma: initial standard deviation of the search distribution.
        population_size: individuals λ of a generation, None for 4 + 3 ln n.
        learning_rate: learning rate η of the standard deviations, None for (3 + ln n) / (5 √n).
        low: lower bound of the parameters, None for none.
        high: upper bound of the parameters, None for none.
    """

    summary = "separable natural evolution strategy (Schaul 2011)"
    held = (0, 4)
    remembered = ("mean", "sigma", "history")
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
        usual = (3 + math.log(size)) / (5 * math.sqrt(size))
        self.learning_rate = positive_number("learning_rate", usual if learning_rate is None else learning_rate)

        self.sigma = np.full(size, self.sigma)  # (parameters,)

    def transform(self, noise: NDArray[np.float64]) -> NDArray[np.float64]:
        return noise  # z_k = mu + sigma s_k, s_k ~ N(0, I)

    def adapt(self, steps: NDArray[np.float64], noise: NDArray[np.float64], order: NDArray[np.intp]) -> None:
        noise, utility = noise[order], utilities(self.population_size)[np.newaxis]  # u_k, best first
        along_mean = combine(utility, noise)[0]  # sum u_k s_k
        along_sigma = combine(utility, np.square(noise) - 1)[0]  # sum u_k (s_k² - 1)
        self.mean = self.mean + self.sigma * along_mean
        sigma = self.sigma * np.exp(self.learning_rate / 2 * along_sigma)
        self.sigma = np.minimum(sigma, self.box.widest)

    def finished(self) -> str | None:
        return stop_reason(self.history, self.mean, self.sigma, self.initial_sigma)

    def diagnostics(self) -> dict[str, float]:
        """Return `sigma`: the geometric mean of the deviations."""
        return {"sigma": float(np.exp(np.mean(np.log(self.sigma))))}
