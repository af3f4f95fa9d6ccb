"""Policy gradients with parameter-based exploration, followed by ClipUp.

Sehnke, Osendorfer, Rückstieß, Graves, Peters & Schmidhuber 2010, "Parameter-exploring policy gradients", section 3.3
(symmetric sampling); ranks, ClipUp and the limited change of deviations as in Toklu, Liskowski & Srivastava 2020,
"ClipUp: A Simple and Powerful Optimizer for Distribution-based Policy Evolution", section 4.
"""

from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.algorithm import AskTell
from evo.algorithms.convergence import exhausted
from evo.algorithms.covariance import combined
from evo.algorithms.population import PerturbedPopulation
from evo.operators.ranking import centred_ranks
from evo.optimizers import ClipUp
from evo.randomness import generator
from evo.ranges import number_between, positive_number, whole_number


@final
class PGPE(AskTell[PerturbedPopulation]):
    """Climbs the gradient of the expected rank in the mean and in the deviation of each parameter.

    `step_size` (ClipUp's, of the mean; its speed is at most twice that), `noise` (the deviation to begin with), `pairs`
    (each direction is evaluated both ways), `deviation_learning_rate` and `deviation_change` (the most that a deviation
    changes in a generation, as a share of itself).
    """

    remembered = ("mean", "deviations", "optimizer")

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        *,
        step_size: float = 0.075,
        noise: float = 0.1,
        pairs: int = 32,
        deviation_learning_rate: float = 0.1,
        deviation_change: float = 0.2,
    ) -> None:
        super().__init__(initial, seed)
        self.noise = positive_number("noise", noise)
        self.pairs = whole_number("pairs", pairs, 1)
        self.deviation_learning_rate = number_between("deviation_learning_rate", deviation_learning_rate, 0)
        self.deviation_change = number_between("deviation_change", deviation_change, 0, 1)

        self.mean = self.initial  # mu, (parameters,)
        self.deviations = np.full(self.initial.size, self.noise)  # sigma, (parameters,)
        self.optimizer = ClipUp(self.initial.size, positive_number("step_size", step_size))

    def propose(self) -> PerturbedPopulation:
        random = generator(self.seed, "noise", self.generation)
        noise = random.standard_normal((self.pairs, self.initial.size))
        return PerturbedPopulation(self.mean, self.deviations * noise, 1.0)  # mu + epsilon, mu - epsilon

    def update(self, population: PerturbedPopulation, fitness: NDArray[np.float64]) -> None:
        shaped = centred_ranks(fitness)  # r, (2 pairs,); the baseline b is their mean, 0
        plus, minus = shaped[0::2, np.newaxis].T, shaped[1::2, np.newaxis].T
        steps = population.noise  # T of the paper, (pairs, parameters)
        along_mean = combined((plus - minus) / 2, steps)[0] / self.pairs  # T r_T
        curvature = (np.square(steps) - np.square(self.deviations)) / self.deviations  # S of the paper
        along_deviations = combined((plus + minus) / 2, curvature)[0] / self.pairs  # S r_S

        self.mean = self.mean + self.optimizer.step(along_mean)
        most = self.deviation_change * self.deviations
        change = np.clip(self.deviation_learning_rate * along_deviations, -most, most)
        self.deviations = self.deviations + change

    def finished(self) -> str | None:
        return exhausted(self.mean, self.deviations, self.noise)

    def candidates(self) -> NDArray[np.float64]:
        return self.mean[np.newaxis].copy()

    def diagnostics(self) -> dict[str, float]:
        """`noise`: the root mean square of the deviations."""
        return {"noise": float(np.sqrt(np.mean(np.square(self.deviations))))}
