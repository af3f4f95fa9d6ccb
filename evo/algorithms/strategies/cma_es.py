"""Covariance matrix adaptation evolution strategy.

Hansen 2016, "The CMA Evolution Strategy: A Tutorial", arXiv:1604.00772: equation numbers are those of its appendix A,
whose default parameters (table 1) these are, negative weights included (active CMA: Jastrebski & Arnold 2006).
"""

from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.convergence import stop_reason
from evo.algorithms.strategies.cma_parameters import CMAParameters
from evo.algorithms.strategies.covariance import combine, decompose, ranked_update, squared_lengths
from evo.algorithms.strategies.gaussian import GaussianStrategy


@final
class CMAES(GaussianStrategy):
    """CMA-ES: adapts the mean, covariance matrix and step-size of a normal distribution by the ranks of the fitness.

    Memory and time grow with the square of the number of parameters.

    Args:
        sigma: initial standard deviation of the search distribution.
        population_size: individuals λ of a generation, None for 4 + 3 ln n.
        active: whether the worse half of a generation has negative weights.
        low: lower bound of the parameters, None for none.
        high: upper bound of the parameters, None for none.
    """

    summary = "covariance matrix adaptation, active (Hansen 2016); up to a few thousand parameters"
    held = (6, 4)
    remembered = ("mean", "sigma", "covariance", "axes", "lengths", "step_path", "covariance_path", "history")

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        *,
        sigma: float = 0.5,
        population_size: int | None = None,
        active: bool = True,
        low: float | None = None,
        high: float | None = None,
    ) -> None:
        super().__init__(initial, seed, sigma=sigma, population_size=population_size, low=low, high=high)
        size = self.initial.size
        self.parameters = CMAParameters(size, self.population_size, bool(active))
        self.covariance = np.eye(size)  # C, (parameters, parameters)
        self.axes, self.lengths = np.eye(size), np.ones(size)  # B in rows, and the diagonal of D: C = sum d² b bᵀ
        self.step_path, self.covariance_path = np.zeros(size), np.zeros(size)  # p_sigma, p_c

    def transform(self, noise: NDArray[np.float64]) -> NDArray[np.float64]:
        return combine(noise * self.lengths, self.axes)  # x_k = m + sigma y_k, y_k = B D z_k, z_k ~ N(0, I) (38 to 40)

    def adapt(self, steps: NDArray[np.float64], noise: NDArray[np.float64], order: NDArray[np.intp]) -> None:
        p = self.parameters
        steps, noise = steps[order], noise[order]  # y and z, best first
        recombined = p.weights[np.newaxis, : p.parents]
        step = combine(recombined, steps[: p.parents])[0]  # <y>_w                                                (41)
        self.mean = self.mean + self.sigma * step  # c_m = 1                                                      (42)

        whitened = combine(combine(recombined, noise[: p.parents]), self.axes)[0]  # C^{-1/2} <y>_w = B <z>_w
        self.step_path, self.sigma = p.adapt_sigma(self.step_path, self.sigma, whitened)  #                   (43, 44)

        stalled = p.stalls(self.step_path, self.generation + 1)
        self.covariance_path = p.move_path(self.covariance_path, step, stalled)  #                                (45)
        weights = p.rank_weights(squared_lengths(noise[p.parents :]))  #                                          (46)
        self.covariance = ranked_update(  #                                                                       (47)
            self.covariance, p.decay(stalled), p.c_1, self.covariance_path, weights, steps
        )
        self.sigma = self.box.cap_sigma(self.sigma, np.diagonal(self.covariance))
        if (self.generation + 1) % p.decompose_every == 0:
            self.covariance, self.axes, self.lengths = decompose(self.covariance)

    def finished(self) -> str | None:
        sigma, deviations = self.sigma, self.sigma * np.sqrt(np.diagonal(self.covariance))
        lengths, path = sigma * self.lengths, sigma * self.covariance_path
        return stop_reason(self.history, self.mean, deviations, self.initial_sigma, lengths, path)

    def diagnostics(self) -> dict[str, float]:
        """Return `sigma`: sigma; `axis_ratio`: the longest axis of the distribution over the shortest."""
        return {"sigma": self.sigma, "axis_ratio": float(np.max(self.lengths) / np.min(self.lengths))}
