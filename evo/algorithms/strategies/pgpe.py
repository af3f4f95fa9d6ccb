"""Policy gradients with parameter-based exploration, with the ClipUp optimiser.

Sehnke, Osendorfer, Rückstieß, Graves, Peters & Schmidhuber 2010, "Parameter-exploring policy gradients", section 3.3
(symmetric sampling); ranks, ClipUp and the limited change of deviations as in Toklu, Liskowski & Srivastava 2020,
"ClipUp: A Simple and Powerful Optimizer for Distribution-based Policy Evolution", section 4, as is the population that
grows until it has taken enough env steps (in the paper's experiments, section 5).
"""

import math
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.algorithm import AskTell
from evo.algorithms.convergence import find_exhaustion
from evo.genomes.noise import Noise, move
from evo.genomes.population import PerturbedPopulation
from evo.numerics.randomness import generator
from evo.numerics.validation import number_between, positive_number, whole_number
from evo.operators.ranking import centred_ranks
from evo.optimizers import ClipUp


@final
class PGPE(AskTell[PerturbedPopulation]):
    """PGPE: climbs the gradient of the expected rank in the mean and the deviation of each parameter.

    With `interactions`, more individuals are evaluated while they fall early.

    Args:
        learning_rate: learning rate of ClipUp for the mean, whose speed is at most twice that.
        sigma: initial standard deviation. The paper's is radius / sqrt(parameters), with a radius of some 15 times the
            speed.
        pairs: number of antithetic pairs of a generation.
        sigma_learning_rate: learning rate of the standard deviations.
        sigma_change: most that a standard deviation changes in a generation, as a share of itself.
        interactions: env steps of a generation, which evaluates `pairs` more until it has taken them, None for `pairs`
            once.
        most_pairs: most pairs of a generation, None for no limit.
    """

    summary = "parameter-exploring policy gradients with ClipUp (Sehnke 2010, Toklu 2020)"
    remembered = ("mean", "sigma", "optimizer")

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        *,
        learning_rate: float = 0.075,
        sigma: float = 0.1,
        pairs: int = 32,
        sigma_learning_rate: float = 0.1,
        sigma_change: float = 0.2,
        interactions: int | None = None,
        most_pairs: int | None = None,
    ) -> None:
        super().__init__(initial, seed)
        self.initial_sigma = positive_number("sigma", sigma)
        self.pairs = whole_number("pairs", pairs, 1)
        self.sigma_learning_rate = number_between("sigma_learning_rate", sigma_learning_rate, 0)
        self.sigma_change = number_between("sigma_change", sigma_change, 0, 1)
        self.interactions = 0 if interactions is None else whole_number("interactions", interactions, 1)
        self.most_pairs = math.inf if most_pairs is None else whole_number("most_pairs", most_pairs, self.pairs)

        self.mean = self.initial  # mu, (parameters,)
        self.sigma = np.full(self.initial.size, self.initial_sigma)  # sigma, (parameters,)
        self.optimizer = ClipUp(self.initial.size, positive_number("learning_rate", learning_rate))

    def propose(self) -> PerturbedPopulation:
        random = generator(self.seed, "noise", self.generation)
        noise = Noise(random, self.pairs, self.initial.size, self.sigma)  # epsilon ~ N(0, sigma²), never stored
        return PerturbedPopulation(self.mean, noise, 1.0)  # mu + epsilon, mu - epsilon

    def grow(self, steps: int) -> PerturbedPopulation | None:
        noise = self.ask().noise
        if steps >= self.interactions or len(noise) >= self.most_pairs:
            return None
        assert isinstance(noise, Noise)
        pairs = int(min(len(noise) + self.pairs, self.most_pairs))
        self._asked = PerturbedPopulation(self.mean, noise.grow(pairs), 1.0)
        return self._asked

    def update(self, population: PerturbedPopulation, fitness: NDArray[np.float64]) -> None:
        shaped = centred_ranks(fitness)  # r, (2 pairs,); the baseline b is their mean, 0
        plus, minus = shaped[0::2], shaped[1::2]  # r+, r-, both (pairs,)
        variances, scratch = np.square(self.sigma), np.empty(self.initial.size)
        along_mean, along_deviations = np.zeros(self.initial.size), np.zeros(self.initial.size)
        for up, down, steps in zip(plus, minus, population.noise, strict=True):  # in order, which affects the sums
            move(along_mean, (up - down) / 2, steps, along_mean)  # T r_T
            curvature = np.subtract(np.square(steps, out=scratch), variances, out=scratch)
            curvature /= self.sigma  # S of the paper, for one pair
            move(along_deviations, (up + down) / 2, curvature, along_deviations)  # S r_S
        along_mean, along_deviations = along_mean / len(plus), along_deviations / len(plus)

        self.mean = self.mean + self.optimizer.step(along_mean)
        most = self.sigma_change * self.sigma
        change = np.clip(self.sigma_learning_rate * along_deviations, -most, most)
        self.sigma = self.sigma + change

    def finished(self) -> str | None:
        return find_exhaustion(self.mean, self.sigma, self.initial_sigma)

    def candidates(self) -> NDArray[np.float64]:
        return self.mean[np.newaxis].copy()

    def diagnostics(self) -> dict[str, float]:
        """Return `sigma`: the root mean square of the deviations."""
        return {"sigma": float(np.sqrt(np.mean(np.square(self.sigma))))}
