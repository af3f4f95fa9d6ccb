"""Covariance matrix adaptation evolution strategy.

Hansen 2016, "The CMA Evolution Strategy: A Tutorial", arXiv:1604.00772: equation numbers are those of its appendix A,
whose default parameters (table 1) these are, negative weights included (active CMA: Jastrebski & Arnold 2006).
"""

import math
from collections.abc import Mapping
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.algorithm import AskTell, positive_number, whole_number
from evo.algorithms.cma_parameters import CMAParameters, default_population
from evo.algorithms.convergence import FitnessHistory, degeneration
from evo.algorithms.covariance import combined, decomposed, ranked_update
from evo.algorithms.population import SampledPopulation
from evo.operators.selection import best
from evo.randomness import generator


@final
class CMAES(AskTell[SampledPopulation]):
    """Samples a normal distribution whose mean, covariance matrix and step-size learn from the ranks of the fitness.

    `step_size` (sigma, the standard deviation to begin with in every coordinate), `population` (lambda; None: 4 + 3 ln n)
    and `active` (whether the worse half teaches too, by negative weights). Memory and time grow with the square of the
    number of parameters.
    """

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        *,
        step_size: float = 0.5,
        population: int | None = None,
        active: bool = True,
    ) -> None:
        super().__init__(initial, seed)
        size = self.initial.size
        self.initial_step_size = positive_number("step_size", step_size)
        chosen = default_population(size) if population is None else population
        self.population = whole_number("population", chosen, 3)
        self.parameters = CMAParameters(size, self.population, bool(active))

        self.mean = self.initial  # m, (parameters,)
        self.step_size = self.initial_step_size  # sigma
        self.covariance = np.eye(size)  # C, (parameters, parameters)
        self.axes, self.lengths = np.eye(size), np.ones(size)  # B in rows, and the diagonal of D: C = sum d² b bᵀ
        self.step_path, self.covariance_path = np.zeros(size), np.zeros(size)  # p_sigma, p_c
        self.history = FitnessHistory(size, self.population)

    def propose(self) -> SampledPopulation:
        random = generator(self.seed, "noise", self.generation)
        noise = random.standard_normal((self.population, self.initial.size))  # z_k ~ N(0, I)                     (38)
        steps = combined(noise * self.lengths, self.axes)  # y_k = B D z_k                                        (39)
        return SampledPopulation(self.mean, self.step_size, steps, noise)  # x_k = m + sigma y_k                  (40)

    def update(self, population: SampledPopulation, fitness: NDArray[np.float64]) -> None:
        p, size = self.parameters, self.initial.size
        order = best(fitness, self.population)
        steps, noise = population.steps[order], population.noise[order]  # y and z, best first
        recombined = p.weights[np.newaxis, : p.parents]
        step = combined(recombined, steps[: p.parents])[0]  # <y>_w                                               (41)
        self.mean = self.mean + self.step_size * step  # c_m = 1                                                  (42)

        whitened = combined(combined(recombined, noise[: p.parents]), self.axes)[0]  # C^{-1/2} <y>_w = B <z>_w
        push = math.sqrt(p.c_sigma * (2 - p.c_sigma) * p.effective_parents)
        self.step_path = (1 - p.c_sigma) * self.step_path + push * whitened  #                                    (43)
        length = math.sqrt(np.sum(np.square(self.step_path)))
        growth = p.c_sigma / p.d_sigma * (length / p.expected_length - 1)
        self.step_size = self.step_size * math.exp(min(1.0, growth))  # (44); e times at most, as in Hansen's code

        unbiased = length / math.sqrt(1 - (1 - p.c_sigma) ** (2 * (self.generation + 1)))
        stalled = unbiased >= (1.4 + 2 / (size + 1)) * p.expected_length  # h_sigma = 0: p_c waits until sigma has grown
        push = 0.0 if stalled else math.sqrt(p.c_c * (2 - p.c_c) * p.effective_parents)
        self.covariance_path = (1 - p.c_c) * self.covariance_path + push * step  #                                (45)

        squares = np.sum(np.square(noise), axis=1)  # |C^{-1/2} y|², (individuals,)
        weights = np.where(p.weights >= 0, p.weights, p.weights * size / squares)  #                              (46)
        lost = p.c_c * (2 - p.c_c) if stalled else 0.0  # delta(h_sigma)
        kept = 1 + p.c_1 * lost - p.c_1 - p.c_mu * float(np.sum(p.weights))
        self.covariance = ranked_update(  #                                                                       (47)
            self.covariance, kept, p.c_1, self.covariance_path, p.c_mu * weights, steps
        )
        if (self.generation + 1) % p.decompose_every == 0:
            self.covariance, self.axes, self.lengths = decomposed(self.covariance)
        self.history = self.history.told(fitness[order])

    def finished(self) -> str | None:
        deviations = np.sqrt(np.diagonal(self.covariance))
        wrong = degeneration(
            self.mean, self.step_size, deviations, self.lengths, self.covariance_path, self.initial_step_size
        )
        return wrong or self.history.reason()

    def candidates(self) -> NDArray[np.float64]:
        return self.mean[np.newaxis].copy()

    def memory(self) -> dict[str, NDArray[Any]]:
        history = {f"history_{name}": array for name, array in self.history.state().items()}
        return {
            "mean": self.mean.copy(),
            "step_size": np.array(self.step_size),
            "covariance": self.covariance.copy(),
            "axes": self.axes.copy(),
            "lengths": self.lengths.copy(),
            "step_path": self.step_path.copy(),
            "covariance_path": self.covariance_path.copy(),
            **history,
        }

    def recall(self, memory: Mapping[str, NDArray[Any]]) -> None:
        self.mean, self.step_size = np.array(memory["mean"]), float(memory["step_size"])
        self.covariance = np.array(memory["covariance"])
        self.axes, self.lengths = np.array(memory["axes"]), np.array(memory["lengths"])
        self.step_path, self.covariance_path = np.array(memory["step_path"]), np.array(memory["covariance_path"])
        self.history.restore({name: memory[f"history_{name}"] for name in self.history.state()})

    def diagnostics(self) -> dict[str, float]:
        """`step_size`: sigma; `axis_ratio`: the longest axis of the distribution over the shortest."""
        return {"step_size": self.step_size, "axis_ratio": float(np.max(self.lengths) / np.min(self.lengths))}
