"""Separable CMA-ES: a diagonal covariance matrix, linear time and memory.

Ros & Hansen 2008, "A Simple Modification in CMA-ES Achieving Linear Time and Space Complexity". Equation numbers are
those of Hansen 2016, "The CMA Evolution Strategy: A Tutorial", of which it changes two lines and the learning rates.
"""

from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.convergence import stop_reason
from evo.algorithms.strategies.cma_parameters import CMAParameters
from evo.algorithms.strategies.covariance import combine
from evo.algorithms.strategies.gaussian import GaussianStrategy


@final
class SepCMAES(GaussianStrategy):
    """Sep-CMA-ES: adapts a mean, a step-size and a variance of each parameter, without covariances.

    Args:
        sigma: initial standard deviation of the search distribution.
        population_size: individuals λ of a generation, None for 4 + 3 ln n.
        low: lower bound of the parameters, None for none.
        high: upper bound of the parameters, None for none.
    """

    summary = "CMA-ES with a diagonal covariance (Ros & Hansen 2008)"
    held = (0, 4)
    remembered = ("mean", "sigma", "variances", "step_path", "covariance_path", "history")

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        *,
        sigma: float = 0.5,
        population_size: int | None = None,
        low: float | None = None,
        high: float | None = None,
    ) -> None:
        super().__init__(initial, seed, sigma=sigma, population_size=population_size, low=low, high=high)
        size = self.initial.size
        self.parameters = CMAParameters(size, self.population_size, active=False, separable=True)
        self.variances = np.ones(size)  # the diagonal of C
        self.step_path, self.covariance_path = np.zeros(size), np.zeros(size)  # p_sigma, p_c

    def transform(self, noise: NDArray[np.float64]) -> NDArray[np.float64]:
        return noise * np.sqrt(self.variances)  # x_k = m + sigma y_k, y_k = D z_k, z_k ~ N(0, I)           (38 to 40)

    def adapt(self, steps: NDArray[np.float64], noise: NDArray[np.float64], order: NDArray[np.intp]) -> None:
        p = self.parameters
        parents = order[: p.parents]
        steps, noise = steps[parents], noise[parents]  # y and z, best first
        recombined = p.weights[np.newaxis, : p.parents]
        step = combine(recombined, steps)[0]  # <y>_w                                                             (41)
        self.mean = self.mean + self.sigma * step  #                                                              (42)

        whitened = combine(recombined, noise)[0]  # D⁻¹ <y>_w = <z>_w
        self.step_path, self.sigma = p.adapt_sigma(self.step_path, self.sigma, whitened)  #                   (43, 44)

        stalled = p.stalls(self.step_path, self.generation + 1)
        self.covariance_path = p.move_path(self.covariance_path, step, stalled)  #                                (45)
        self.variances = (  # (47), the diagonal of it
            p.decay(stalled) * self.variances
            + p.c_1 * np.square(self.covariance_path)
            + combine(p.c_mu * recombined, np.square(steps))[0]
        )
        self.sigma = self.box.cap_sigma(self.sigma, self.variances)

    def finished(self) -> str | None:
        deviations, path = self.sigma * np.sqrt(self.variances), self.sigma * self.covariance_path
        return stop_reason(self.history, self.mean, deviations, self.initial_sigma, path=path)

    def diagnostics(self) -> dict[str, float]:
        """Return `sigma`: sigma; `axis_ratio`: the largest deviation over the smallest."""
        return {
            "sigma": self.sigma,
            "axis_ratio": float(np.sqrt(np.max(self.variances) / np.min(self.variances))),
        }
