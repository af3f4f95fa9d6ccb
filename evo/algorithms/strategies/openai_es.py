"""OpenAI's evolution strategy.

Salimans, Ho, Chen, Sidor & Sutskever 2017, "Evolution Strategies as a Scalable Alternative to Reinforcement Learning".
Line numbers are those of its Algorithm 1; mirrored sampling, ranks and weight decay are in its section 2.1.
"""

import math
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.algorithm import AskTell
from evo.algorithms.strategies.annealing import Annealing
from evo.algorithms.strategies.ranked_gradient import ranked_gradient
from evo.genomes.noise import Noise
from evo.genomes.population import PerturbedPopulation
from evo.numerics.randomness import generator
from evo.numerics.validation import number_between, positive_number, whole_number
from evo.optimizers import find_optimizer


@final
class OpenAIES(AskTell[PerturbedPopulation]):
    """OpenAI ES: an optimiser follows the gradient of rank-shaped fitness, estimated from antithetic pairs.

    Where the learning rate reaches 0 the search ends; otherwise it continues with the last value of the schedule.

    The factor 1 / sigma of line 5 is left out, as in the authors' code: Adam is invariant to the scale of a gradient,
    and `weight_decay` keeps the meaning of their `l2coeff`. sgd, momentum and nesterov are not, and need a larger
    `learning_rate`. Defaults, but for `pairs`, are those of their `humanoid.json`.

    Args:
        learning_rate: learning rate α of the optimiser.
        sigma: standard deviation σ of the noise on the parameters.
        pairs: number of antithetic pairs, n / 2 of the paper.
        weight_decay: coefficient of the L2 penalty, whose gradient is added to the estimate before the optimiser; with
            `adamw`, of decoupled decay.
        optimizer: name of the optimiser: adam, as the authors', or sgd, momentum, nesterov, rmsprop, adamw, clipup.
        schedule: schedule of the learning rate, as in `linear`, `cosine` or `step(0.5, 0.3, 0.6)`.
        anneal_generations: generations over which the schedule runs, 0 for a constant learning rate.
    """

    summary = "evolution strategy with rank-shaped fitness and Adam (Salimans 2017)"
    remembered = ("mean", "update_norm", "optimizer")

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        *,
        learning_rate: float = 0.01,
        sigma: float = 0.02,
        pairs: int = 32,
        weight_decay: float = 0.005,
        optimizer: str = "adam",
        schedule: str = "linear",
        anneal_generations: int = 0,
    ) -> None:
        super().__init__(initial, seed)
        self.learning_rate = positive_number("learning_rate", learning_rate)
        self.sigma = positive_number("sigma", sigma)
        self.pairs = whole_number("pairs", pairs, 1)
        self.weight_decay = number_between("weight_decay", weight_decay, 0)
        self.annealing = Annealing(schedule, anneal_generations)

        self.mean = self.initial  # theta_0, (parameters,)                                                      line 1
        self.optimizer = find_optimizer(optimizer)(self.initial.size, self.learning_rate)
        self.update_norm = 0.0

    def propose(self) -> PerturbedPopulation:
        random = generator(self.seed, "noise", self.generation)
        noise = Noise(random, self.pairs, self.initial.size)  # epsilon_i ~ N(0, I), never stored               line 3
        return PerturbedPopulation(self.mean, noise, self.sigma)  # theta_t + sigma epsilon_i, mirrored         line 4

    def update(self, population: PerturbedPopulation, fitness: NDArray[np.float64]) -> None:
        gradient = ranked_gradient(fitness, population.noise)  # 1 / n sum F_i epsilon_i                        line 5

        decay = self.weight_decay * self.mean
        factor = self.annealing.factor(self.generation)
        if self.optimizer.decoupled:
            step = self.optimizer.step(gradient, factor) - factor * self.learning_rate * decay
        else:
            step = self.optimizer.step(gradient - decay, factor)
        self.mean = self.mean + step  # theta_{t+1}                                                             line 5
        self.update_norm = math.sqrt(np.sum(np.square(step)))

    def finished(self) -> str | None:
        return self.annealing.finished(self.generation)

    def candidates(self) -> NDArray[np.float64]:
        return self.mean[np.newaxis].copy()

    def diagnostics(self) -> dict[str, float]:
        return {"update_norm": self.update_norm, "sigma": self.sigma}
