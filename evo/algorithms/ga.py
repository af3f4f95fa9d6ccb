"""A genetic algorithm on real-valued parameters.

Such, Madhavan, Conti, Lehman, Stanley & Clune 2017, "Deep Neuroevolution: Genetic Algorithms Are a Competitive
Alternative for Training Deep Neural Networks for Reinforcement Learning", Algorithm 1: truncation selection, elitism
and Gaussian mutation. To these it adds uniform crossover: Syswerda 1989, "Uniform Crossover in Genetic Algorithms".
"""

import math
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.algorithm import AskTell
from evo.algorithms.convergence import ALIKE, PATIENCE, all_same
from evo.algorithms.population import DensePopulation
from evo.operators.crossover import uniform_crossover
from evo.operators.mutation import gaussian_mutation
from evo.operators.selection import best, truncation_selection
from evo.randomness import generator
from evo.ranges import number_between, positive_number, whole_number


@final
class GA(AskTell[DensePopulation]):
    """Truncation selection, elitism, uniform crossover, Gaussian mutation.

    `population` (N individuals), `truncation` (T parents), `elites` (kept unchanged; every generation scores them anew
    on its own episodes, so a lucky one does not last), `mutation` (sigma, a standard deviation), `crossover` (the
    probability that a child has two parents), `initial_spread` (the standard deviation of the first population around
    `initial`) and `offered` (how many of the last population's best are candidates for champion).

    The paper re-scores ten candidates on thirty more episodes to find one elite; here the run's selection seeds do that
    for the champion, and the search itself spends nothing on it.
    """

    remembered = ("survivors", "survivors_fitness", "diversity", "alike")

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        *,
        population: int = 128,
        truncation: int = 16,
        elites: int = 2,
        mutation: float = 0.02,
        crossover: float = 0.5,
        initial_spread: float = 0.1,
        offered: int = 3,
    ) -> None:
        super().__init__(initial, seed)
        self.population = whole_number("population", population, 2)
        self.truncation = whole_number("truncation", truncation, 1, self.population)
        self.elites = whole_number("elites", elites, 0, self.population - 1)
        self.mutation = positive_number("mutation", mutation)
        self.crossover = number_between("crossover", crossover, 0, 1)
        self.initial_spread = number_between("initial_spread", initial_spread, 0)
        self.offered = whole_number("offered", offered, 1, self.population)

        # All that is needed of the last population: its best, best first, and their fitness.
        survivors = max(self.truncation, self.elites, self.offered)
        self.survivors = np.tile(self.initial, (survivors, 1))  # (survivors, parameters)
        self.survivors_fitness = np.zeros(survivors)  # (survivors,)
        self.diversity, self.alike = 0.0, 0  # alike: generations in a row of individuals that are all the same

    def propose(self) -> DensePopulation:
        if self.generation == 0:
            random = generator(self.seed, "initial population")
            first = np.tile(self.initial, (self.population, 1))
            return DensePopulation(gaussian_mutation(random, first, deviation=self.initial_spread))

        random = generator(self.seed, "selection", self.generation)
        children = self.population - self.elites
        parents = truncation_selection(random, self.survivors_fitness, 2 * children, truncation=self.truncation)
        first, second = self.survivors[parents[0::2]], self.survivors[parents[1::2]]  # both (children, parameters)
        random = generator(self.seed, "crossover", self.generation)
        crossed = uniform_crossover(random, first, second, probability=self.crossover)
        random = generator(self.seed, "mutation", self.generation)
        mutated = gaussian_mutation(random, crossed, deviation=self.mutation)
        return DensePopulation(np.concatenate([self.survivors[: self.elites], mutated]))

    def update(self, population: DensePopulation, fitness: NDArray[np.float64]) -> None:
        individuals = population.dense()  # (individuals, parameters)
        survivors = best(fitness, len(self.survivors))
        self.survivors, self.survivors_fitness = individuals[survivors], fitness[survivors]
        self.diversity = math.sqrt(np.sum(np.var(individuals, axis=0)))
        self.alike = self.alike + 1 if all_same(individuals) else 0

    def finished(self) -> str | None:
        return ALIKE if self.alike >= PATIENCE else None

    def candidates(self) -> NDArray[np.float64]:
        return self.survivors[: self.offered if self.generation else 1].copy()

    def diagnostics(self) -> dict[str, float]:
        """`diversity`: root mean square distance of the last population's individuals from their mean."""
        return {"diversity": self.diversity}
