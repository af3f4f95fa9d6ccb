"""Differential evolution, DE/rand/1/bin.

Storn & Price 1997, "Differential Evolution – A Simple and Efficient Heuristic for Global Optimization over Continuous
Spaces": equation numbers are its.
"""

from typing import ClassVar, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.algorithm import AskTell
from evo.algorithms.convergence import find_exhaustion
from evo.genomes.population import DensePopulation
from evo.numerics.randomness import generator
from evo.numerics.validation import number_between, positive_number, whole_number
from evo.operators.selection import best, rescore


@final
class DifferentialEvolution(AskTell[DensePopulation]):
    """Differential evolution: each individual competes with a trial mixed from itself and three others.

    It gives way to a trial that is as fit or fitter.

    Where fitness is random (`noisy`, as the problem declares), all individuals are evaluated again beside their trials,
    on the same episodes, so that one lucky score does not last. The paper, whose functions have no noise, evaluates the
    trials alone.

    Args:
        population_size: individuals NP.
        weight: factor F of the difference of two individuals.
        crossover: probability CR that a parameter comes from the mutant.
        initial_spread: standard deviation of the first population around the initial point.
    """

    summary = "differential evolution, DE/rand/1/bin (Storn & Price 1997)"
    held = (0, 4)
    remembered = ("individuals", "fitness")
    inhabitants: ClassVar = ("individuals", "fitness")

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        noisy: bool = False,
        *,
        population_size: int = 50,
        weight: float = 0.5,
        crossover: float = 0.9,
        initial_spread: float = 0.5,
    ) -> None:
        super().__init__(initial, seed)
        self.population_size = whole_number("population_size", population_size, 4)
        self.again = self.population_size if noisy else 0  # how many individuals are evaluated again
        self.weight = number_between("weight", weight, 0, 2)
        self.crossover = number_between("crossover", crossover, 0, 1)
        self.initial_spread = positive_number("initial_spread", initial_spread)

        random = generator(self.seed, "initial population")
        draws = random.standard_normal((self.population_size, self.initial.size))
        self.individuals = self.initial + self.initial_spread * draws  # x_i, (population, parameters)
        self.fitness = np.full(self.population_size, -np.inf)  # of each, from the last tell

    def propose(self) -> DensePopulation:
        if self.generation == 0:
            return DensePopulation(self.individuals)
        random = generator(self.seed, "mutation", self.generation)
        base, plus, minus = _others(random, self.population_size)  # r_1, r_2, r_3: different, and none of them i
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
            known, fitness = rescore(self.fitness, self.again, fitness)
            trials = trials[self.again :]
        lives = fitness >= known
        self.individuals = np.where(lives[:, np.newaxis], trials, self.individuals)
        self.fitness = np.where(lives, fitness, known)

    def finished(self) -> str | None:
        # with a first spread far too small, rounding may leave no variance: judge the spread itself
        steps = np.std(self.individuals, axis=0) if self.generation else np.full(self.initial.size, self.initial_spread)
        return find_exhaustion(np.mean(self.individuals, axis=0), steps, self.initial_spread)

    def candidates(self) -> NDArray[np.float64]:
        return self.individuals[best(self.fitness, 1)].copy() if self.generation else self.initial[np.newaxis].copy()

    def diagnostics(self) -> dict[str, float]:
        """Return `spread`: root mean square of the individuals' deviations from their mean, over all parameters."""
        return {"spread": float(np.sqrt(np.mean(np.var(self.individuals, axis=0))))}


def _others(random: np.random.Generator, count: int) -> tuple[NDArray[np.intp], ...]:
    """Draw three others for each of `count` individuals, all different, uniformly: three arrays (count,)."""
    order = np.argsort(random.random((count, count - 1)), axis=1, kind="stable")[:, :3]
    shifted = order + (order >= np.arange(count)[:, np.newaxis])  # skips the individual itself
    return shifted[:, 0], shifted[:, 1], shifted[:, 2]
