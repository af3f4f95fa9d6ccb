"""Covariance matrix adaptation evolution strategy.

Hansen 2016, "The CMA Evolution Strategy: A Tutorial", arXiv:1604.00772: equation numbers are those of its appendix A,
whose default parameters (table 1) these are, negative weights included (active CMA: Jastrebski & Arnold 2006).
"""

from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.algorithm import AskTell
from evo.algorithms.convergence import FitnessHistory, stop_reason
from evo.algorithms.strategies.cma_parameters import CMAParameters, choose_population_size
from evo.algorithms.strategies.covariance import combined, decomposed, ranked_update, squared_lengths
from evo.genomes.bounds import Box
from evo.genomes.population import SampledPopulation
from evo.numerics.randomness import generator
from evo.numerics.validation import positive_number
from evo.operators.selection import best


@final
class CMAES(AskTell[SampledPopulation]):
    """CMA-ES: adapts the mean, covariance matrix and step-size of a normal distribution by the ranks of the fitness.

    `sigma` (the initial deviation), `population_size` (lambda; None: 4 + 3 ln n), `active` (whether the worse
    half has negative weights), `low` and `high` (bounds of every parameter; None: none). Memory and time grow with the
    square of the number of parameters.
    """

    summary = "covariance matrix adaptation, active (Hansen 2016); up to some thousands of parameters"
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
        super().__init__(initial, seed)
        size = self.initial.size
        self.box = Box(low, high, self.initial)
        self.initial_sigma = positive_number("sigma", sigma)
        self.population_size = choose_population_size(population_size, size, 3)
        self.parameters = CMAParameters(size, self.population_size, bool(active))

        self.mean = self.box.outside(self.initial)  # m, (parameters,)
        self.sigma = self.box.cap_sigma(self.initial_sigma, np.ones(1))  # sigma
        self.covariance = np.eye(size)  # C, (parameters, parameters)
        self.axes, self.lengths = np.eye(size), np.ones(size)  # B in rows, and the diagonal of D: C = sum d² b bᵀ
        self.step_path, self.covariance_path = np.zeros(size), np.zeros(size)  # p_sigma, p_c
        self.history = FitnessHistory(size, self.population_size)

    def propose(self) -> SampledPopulation:
        random = generator(self.seed, "noise", self.generation)
        noise = random.standard_normal((self.population_size, self.initial.size))  # z_k ~ N(0, I)                (38)
        steps = combined(noise * self.lengths, self.axes)  # y_k = B D z_k                                        (39)
        return SampledPopulation(self.mean, self.sigma, steps, noise, self.box)  # x_k = m + sigma y_k            (40)

    def update(self, population: SampledPopulation, fitness: NDArray[np.float64]) -> None:
        p = self.parameters
        order = best(fitness, self.population_size)
        steps, noise = population.steps[order], population.noise[order]  # y and z, best first
        recombined = p.weights[np.newaxis, : p.parents]
        step = combined(recombined, steps[: p.parents])[0]  # <y>_w                                               (41)
        self.mean = self.mean + self.sigma * step  # c_m = 1                                                      (42)

        whitened = combined(combined(recombined, noise[: p.parents]), self.axes)[0]  # C^{-1/2} <y>_w = B <z>_w
        self.step_path, self.sigma = p.adapt_sigma(self.step_path, self.sigma, whitened)  #                   (43, 44)

        stalled = p.stalls(self.step_path, self.generation + 1)
        self.covariance_path = p.moved_path(self.covariance_path, step, stalled)  #                               (45)
        weights = p.rank_weights(squared_lengths(noise[p.parents :]))  #                                          (46)
        self.covariance = ranked_update(  #                                                                       (47)
            self.covariance, p.kept(stalled), p.c_1, self.covariance_path, weights, steps
        )
        self.sigma = self.box.cap_sigma(self.sigma, np.diagonal(self.covariance))
        if (self.generation + 1) % p.decompose_every == 0:
            self.covariance, self.axes, self.lengths = decomposed(self.covariance)
        self.history.add(fitness)

    def finished(self) -> str | None:
        sigma, deviations = self.sigma, self.sigma * np.sqrt(np.diagonal(self.covariance))
        lengths, path = sigma * self.lengths, sigma * self.covariance_path
        return stop_reason(self.history, self.mean, deviations, self.initial_sigma, lengths, path)

    def candidates(self) -> NDArray[np.float64]:
        return self.box.inside(self.mean[np.newaxis].copy())

    def diagnostics(self) -> dict[str, float]:
        """Return `sigma`: sigma; `axis_ratio`: the longest axis of the distribution over the shortest."""
        return {"sigma": self.sigma, "axis_ratio": float(np.max(self.lengths) / np.min(self.lengths))}
