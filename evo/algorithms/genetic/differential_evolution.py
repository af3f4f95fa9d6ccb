"""Differential evolution, DE/rand/1/bin.

Storn & Price 1997, "Differential Evolution – A Simple and Efficient Heuristic for Global Optimization over Continuous
Spaces": equation numbers are its.
"""

from typing import ClassVar, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.algorithm import AskTell
from evo.algorithms.convergence import exhausted
from evo.genomes.population import DensePopulation
from evo.numerics.randomness import generator
from evo.numerics.validation import number_between, positive_number, whole_number
from evo.operators.selection import best, rescored


@final
class DifferentialEvolution(AskTell[DensePopulation]):
    """Each individual is challenged by a mixture of itself and three others, and gives way to what is as fit or fitter.

    `population` (NP), `weight` (F, of the difference of two individuals), `crossover` (CR, the chance that a parameter
    comes from the mixture) and `initial_spread` (the deviation of the first population around `initial`).

    `noisy`, whether the same individual is worth something else the next time, is told by what is searched. There, all
    who live are asked for again beside those who challenge them: both meet the same episodes, and what a kept fitness
    owes to luck does not last. The paper, whose functions have no noise, scores the challengers alone.
    """

    remembered = ("individuals", "fitness")
    inhabitants: ClassVar = ("individuals", "fitness")

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        noisy: bool = False,
        *,
        population: int = 50,
        weight: float = 0.5,
        crossover: float = 0.9,
        initial_spread: float = 0.5,
    ) -> None:
        super().__init__(initial, seed)
        self.population = whole_number("population", population, 4)
        self.again = self.population if noisy else 0  # of those who live, how many are asked for again
        self.weight = number_between("weight", weight, 0, 2)
        self.crossover = number_between("crossover", crossover, 0, 1)
        self.initial_spread = positive_number("initial_spread", initial_spread)

        random = generator(self.seed, "initial population")
        draws = random.standard_normal((self.population, self.initial.size))
        self.individuals = self.initial + self.initial_spread * draws  # x_i, (population, parameters)
        self.fitness = np.full(self.population, -np.inf)  # of each, as last told

    def propose(self) -> DensePopulation:
        if self.generation == 0:
            return DensePopulation(self.individuals)
        random = generator(self.seed, "mutation", self.generation)
        base, plus, minus = _others(random, self.population)  # r_1, r_2, r_3: different, and none of them i
        x = self.individuals
        mutants = x[base] + self.weight * (x[plus] - x[minus])  # v                                                (2)
        random = generator(self.seed, "crossover", self.generation)
        crossed = random.random(x.shape) < self.crossover
        crossed[np.arange(len(x)), random.integers(x.shape[1], size=len(x))] = True  # one at least: rnbr(i)
        trials = np.where(crossed, mutants, x)  # u                                                              (4)
        return DensePopulation(np.concatenate([x[best(self.fitness, self.again)], trials]))

    def update(self, population: DensePopulation, fitness: NDArray[np.float64]) -> None:
        known, trials = self.fitness, population.array
        if self.generation:
            known, fitness = rescored(self.fitness, self.again, fitness)
            trials = trials[self.again :]
        lives = fitness >= known
        self.individuals = np.where(lives[:, np.newaxis], trials, self.individuals)
        self.fitness = np.where(lives, fitness, known)

    def finished(self) -> str | None:
        # rounding may leave nothing of a first spread far too small: that is judged as it was asked for
        steps = np.std(self.individuals, axis=0) if self.generation else np.full(self.initial.size, self.initial_spread)
        return exhausted(np.mean(self.individuals, axis=0), steps, self.initial_spread)

    def candidates(self) -> NDArray[np.float64]:
        return self.individuals[best(self.fitness, 1)].copy() if self.generation else self.initial[np.newaxis].copy()

    def diagnostics(self) -> dict[str, float]:
        """`spread`: root mean square of the individuals' deviations from their mean, over all parameters."""
        return {"spread": float(np.sqrt(np.mean(np.var(self.individuals, axis=0))))}


def _others(random: np.random.Generator, count: int) -> tuple[NDArray[np.intp], ...]:
    """For each of `count` individuals three others, all different, drawn uniformly: three arrays (count,)."""
    order = np.argsort(random.random((count, count - 1)), axis=1, kind="stable")[:, :3]
    shifted = order + (order >= np.arange(count)[:, np.newaxis])  # past itself
    return shifted[:, 0], shifted[:, 1], shifted[:, 2]
