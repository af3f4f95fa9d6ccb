"""Limited-memory matrix adaptation evolution strategy, for thousands of parameters and more.

Loshchilov, Glasmachers & Beyer 2019, "Large Scale Black-Box Optimization by Limited-Memory Matrix Adaptation":
line numbers are those of its Algorithm 1.
"""

import math
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.convergence import stop_reason
from evo.algorithms.strategies.cma_parameters import CMAParameters, default_population_size
from evo.algorithms.strategies.covariance import combine
from evo.algorithms.strategies.gaussian import GaussianStrategy
from evo.envs.engine.compile import njit
from evo.numerics.validation import whole_number


@njit(cache=True, error_model="numpy")
def _transform(steps: Any, vectors: Any, rates: Any) -> None:
    """Apply the transformation that the vectors (m, n) describe to steps (individuals, n), in place: lines 8 to 10."""
    for row in range(steps.shape[0]):
        for j in range(vectors.shape[0]):
            along = 0.0
            for i in range(steps.shape[1]):
                along += vectors[j, i] * steps[row, i]
            for i in range(steps.shape[1]):
                steps[row, i] = (1 - rates[j]) * steps[row, i] + rates[j] * along * vectors[j, i]


@final
class LMMAES(GaussianStrategy):
    """LM-MA-ES: transforms its samples by a few direction vectors, in n log n memory and time a sample.

    Args:
        sigma: initial standard deviation of the search distribution.
        population_size: individuals λ of a generation, None for 4 + 3 ln n.
        vectors: number m of direction vectors, None for 4 + 3 ln n.
        low: lower bound of the parameters, None for none.
        high: upper bound of the parameters, None for none.
    """

    summary = "limited-memory matrix adaptation (Loshchilov 2019), for many parameters"
    held = (0, 5)
    remembered = ("mean", "sigma", "path", "directions", "history")

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        *,
        sigma: float = 0.5,
        population_size: int | None = None,
        vectors: int | None = None,
        low: float | None = None,
        high: float | None = None,
    ) -> None:
        super().__init__(initial, seed, sigma=sigma, population_size=population_size, low=low, high=high)
        n = self.initial.size
        self.vectors = whole_number("vectors", default_population_size(n) if vectors is None else vectors, 1)
        weights = CMAParameters(n, self.population_size, active=False)  # w and mu_w                            line 2
        self.parents, self.effective_parents = weights.parents, weights.effective_parents
        self.weights = weights.weights[np.newaxis, : self.parents]
        self.c_sigma = min(1.0, 2 * self.population_size / n)
        order = np.arange(self.vectors)
        self.c_d = 1 / (1.5**order * n)
        self.c_c = np.minimum(1.0, self.population_size / (4.0**order * n))

        self.path = np.zeros(n)  # p_sigma
        self.directions = np.zeros((self.vectors, n))  # m_i

    def transform(self, noise: NDArray[np.float64]) -> NDArray[np.float64]:
        steps = noise.copy()  # z_i ~ N(0, I)                                                                   line 6
        known = min(self.generation, self.vectors)
        _transform(
            steps, self.directions[:known], self.c_d
        )  # d_i                                                                                         lines 7 to 10
        return steps  # x_i = y + sigma d_i                                                                    line 11

    def adapt(self, steps: NDArray[np.float64], noise: NDArray[np.float64], order: NDArray[np.intp]) -> None:
        n, parents = self.initial.size, order[: self.parents]
        self.mean = self.mean + self.sigma * combine(self.weights, steps[parents])[0]  #                       line 12
        step = combine(self.weights, noise[parents])[0]  # sum w_i z_i
        push = math.sqrt(self.effective_parents * self.c_sigma * (2 - self.c_sigma))
        self.path = (1 - self.c_sigma) * self.path + push * step  #                                            line 13
        pushes = np.sqrt(self.effective_parents * self.c_c * (2 - self.c_c))
        rates = self.c_c[:, np.newaxis]
        self.directions = (1 - rates) * self.directions + pushes[:, np.newaxis] * step  #               lines 14 to 15
        growth = self.c_sigma / 2 * (float(np.sum(np.square(self.path))) / n - 1)
        self.sigma = self.sigma * math.exp(min(1.0, growth))  # e times at most                                line 16
        self.sigma = self.box.cap_sigma(self.sigma, np.ones(1))

    def finished(self) -> str | None:
        return stop_reason(self.history, self.mean, np.full(1, self.sigma), self.initial_sigma)
