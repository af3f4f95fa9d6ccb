"""Separable CMA-ES: a diagonal covariance matrix, linear time and memory.

Ros & Hansen 2008, "A Simple Modification in CMA-ES Achieving Linear Time and Space Complexity". Equation numbers are
those of Hansen 2016, "The CMA Evolution Strategy: A Tutorial", of which it changes two lines and the learning rates.
"""

from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.algorithm import AskTell
from evo.algorithms.convergence import FitnessHistory, stop_reason
from evo.algorithms.strategies.cma_parameters import CMAParameters, choose_population_size
from evo.algorithms.strategies.covariance import combined
from evo.genomes.bounds import Box
from evo.genomes.population import SampledPopulation
from evo.numerics.randomness import generator
from evo.numerics.validation import positive_number
from evo.operators.selection import best


@final
class SepCMAES(AskTell[SampledPopulation]):
    """Sep-CMA-ES: adapts a mean, a step-size and a variance of each parameter, without covariances.

    `sigma` (the initial deviation), `population_size` (lambda; None: 4 + 3 ln n), `low` and `high` (bounds of
    every parameter; None: none).
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
        super().__init__(initial, seed)
        size = self.initial.size
        self.box = Box(low, high, self.initial)
        self.initial_sigma = positive_number("sigma", sigma)
        self.population_size = choose_population_size(population_size, size, 3)
        self.parameters = CMAParameters(size, self.population_size, active=False, separable=True)

        self.mean = self.box.outside(self.initial)  # m, (parameters,)
        self.sigma = self.box.cap_sigma(self.initial_sigma, np.ones(1))  # sigma
        self.variances = np.ones(size)  # the diagonal of C
        self.step_path, self.covariance_path = np.zeros(size), np.zeros(size)  # p_sigma, p_c
        self.history = FitnessHistory(size, self.population_size)

    def propose(self) -> SampledPopulation:
        random = generator(self.seed, "noise", self.generation)
        noise = random.standard_normal((self.population_size, self.initial.size))  # z_k ~ N(0, I)                (38)
        steps = noise * np.sqrt(self.variances)  # y_k = D z_k                                                    (39)
        return SampledPopulation(self.mean, self.sigma, steps, noise, self.box)  # x_k = m + sigma y_k            (40)

    def update(self, population: SampledPopulation, fitness: NDArray[np.float64]) -> None:
        p = self.parameters
        parents = best(fitness, p.parents)
        steps, noise = population.steps[parents], population.noise[parents]  # y and z, best first
        recombined = p.weights[np.newaxis, : p.parents]
        step = combined(recombined, steps)[0]  # <y>_w                                                            (41)
        self.mean = self.mean + self.sigma * step  #                                                              (42)

        whitened = combined(recombined, noise)[0]  # D⁻¹ <y>_w = <z>_w
        self.step_path, self.sigma = p.adapt_sigma(self.step_path, self.sigma, whitened)  #                   (43, 44)

        stalled = p.stalls(self.step_path, self.generation + 1)
        self.covariance_path = p.moved_path(self.covariance_path, step, stalled)  #                               (45)
        self.variances = (  # (47), the diagonal of it
            p.kept(stalled) * self.variances
            + p.c_1 * np.square(self.covariance_path)
            + combined(p.c_mu * recombined, np.square(steps))[0]
        )
        self.sigma = self.box.cap_sigma(self.sigma, self.variances)
        self.history.add(fitness)

    def finished(self) -> str | None:
        deviations, path = self.sigma * np.sqrt(self.variances), self.sigma * self.covariance_path
        return stop_reason(self.history, self.mean, deviations, self.initial_sigma, path=path)

    def candidates(self) -> NDArray[np.float64]:
        return self.box.inside(self.mean[np.newaxis].copy())

    def diagnostics(self) -> dict[str, float]:
        """Return `sigma`: sigma; `axis_ratio`: the largest deviation over the smallest."""
        return {
            "sigma": self.sigma,
            "axis_ratio": float(np.sqrt(np.max(self.variances) / np.min(self.variances))),
        }
