"""Augmented Random Search.

Mania, Guy & Recht 2018, "Simple random search of static linear policies is competitive for reinforcement learning".
Line numbers are those of its Algorithm 2.
"""

import math
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.algorithm import AskTell
from evo.algorithms.strategies.annealing import Annealing
from evo.genomes.noise import Noise, move
from evo.genomes.population import PerturbedPopulation
from evo.numerics.randomness import generator
from evo.numerics.validation import positive_number, whole_number
from evo.operators.selection import best


@final
class ARS(AskTell[PerturbedPopulation]):
    """ARS: finite differences along random directions, scaled by the deviation of the rewards.

    With all directions it is the paper's V1 or V2, with the best of them V1-t or V2-t. V2 differs from V1 by
    normalising observations, which is done by the network and the problem, not by this algorithm. The paper starts from
    zero parameters, and has no schedule. Where the learning rate reaches 0 the search ends; otherwise it continues with
    the last value of the schedule.

    Args:
        learning_rate: learning rate α.
        sigma: standard deviation ν of the noise on the parameters.
        directions: number N of random directions, each evaluated both ways.
        elite_directions: number b of the best directions that the update uses, None for all of them.
        schedule: schedule of the learning rate and of sigma, as in `linear`, `cosine` or `step(0.5, 0.3, 0.6)`.
        anneal_generations: generations over which the schedule runs, 0 for constant ones.
    """

    summary = "augmented random search V2-t (Mania 2018): normalised observations, best directions only"
    remembered = ("mean", "update_norm")
    rank_based = False  # the rewards' deviation scales its steps

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        *,
        learning_rate: float = 0.02,
        sigma: float = 0.03,
        directions: int = 32,
        elite_directions: int | None = None,
        schedule: str = "linear",
        anneal_generations: int = 0,
    ) -> None:
        super().__init__(initial, seed)
        self.learning_rate = positive_number("learning_rate", learning_rate)
        self.sigma = positive_number("sigma", sigma)
        self.directions = whole_number("directions", directions, 1)
        elites = self.directions if elite_directions is None else elite_directions
        self.elite_directions = whole_number("elite_directions", elites, 1, self.directions)
        self.annealing = Annealing(schedule, anneal_generations)

        self.mean = self.initial  # M_0, (parameters,)                                                          line 2
        self.update_norm = 0.0

    def propose(self) -> PerturbedPopulation:
        random = generator(self.seed, "noise", self.generation)
        noise = Noise(random, self.directions, self.initial.size)  # delta_k ~ N(0, I), never stored            line 4
        return PerturbedPopulation(self.mean, noise, self._sigma)  # M_j + nu delta_k, M_j - nu delta_k         line 5

    def update(self, population: PerturbedPopulation, fitness: NDArray[np.float64]) -> None:
        plus, minus = fitness[0::2], fitness[1::2]  # r(pi_{j,k,+}), r(pi_{j,k,-}), both (directions,)
        elites = best(np.maximum(plus, minus), self.elite_directions)  # (elite_directions,)                    line 6

        deviation = np.std(np.concatenate([plus[elites], minus[elites]]))  # sigma_R, of the 2b rewards used
        total = np.zeros_like(self.mean)
        if deviation > 0:  # equal rewards give no direction
            weights = (plus - minus) / deviation
            for direction in elites:  # one after another: the order of the sum is part of the result           line 7
                move(total, weights[direction], population.noise[direction], total)
        learning_rate = self.learning_rate * self.annealing.factor(self.generation)
        step = learning_rate / self.elite_directions * total

        self.mean = self.mean + step  # M_{j+1} = M_j + alpha / (b sigma_R) sum (r_+ - r_-) delta               line 7
        self.update_norm = math.sqrt(np.sum(np.square(step)))

    def finished(self) -> str | None:
        return self.annealing.finished(self.generation)

    def candidates(self) -> NDArray[np.float64]:
        return self.mean[np.newaxis].copy()

    def diagnostics(self) -> dict[str, float]:
        return {"update_norm": self.update_norm, "sigma": self._sigma}

    @property
    def _sigma(self) -> float:
        """Return nu in the coming generation."""
        return self.sigma * self.annealing.factor(self.generation)
