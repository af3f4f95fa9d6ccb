"""Deterministic crowding: a genetic algorithm that keeps a population on several peaks.

Mahfoud 1995, "Niching Methods for Genetic Algorithms", section 5.2.
"""

import math
from collections.abc import Callable
from typing import ClassVar, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.algorithm import AskTell
from evo.algorithms.genetic.variation import Variation
from evo.genomes.population import DensePopulation
from evo.numerics.randomness import generator
from evo.numerics.validation import whole_number
from evo.operators.binding import Operator
from evo.operators.diversity import deterministic_crowding
from evo.operators.kinds import GenomeKind
from evo.operators.selection import best, rescore


@final
class Crowding(AskTell[DensePopulation]):
    """Deterministic crowding: all mate in random pairs; each child replaces the parent matched by distance, if fitter.

    There is no other selection or replacement. `groups` and `sensitivity` are those of `GA`.

    The paper evaluates children only. Here the `elites` fittest are evaluated again before them, since with episodes
    drawn each generation a lucky parent would never give way; with elites = N every contest is fair.

    Args:
        population_size: individuals N, an even number.
        cross: crossover operator, its name with options as in `blend:alpha=0.3`, or a function.
        mutate: mutation operator, its name with options as in `gaussian:sigma=0.1`, or a function.
        genome: kind of genome, one of real, binary, integer or permutation.
        elites: number of the fittest that are evaluated again in every generation.
        offered: number of the fittest that are candidates for champion.
    """

    summary = "deterministic crowding: a genetic algorithm that keeps several peaks (Mahfoud 1995)"
    held = (0, 4)
    remembered = ("individuals", "fitness", "sigmas", "diversity")
    inhabitants: ClassVar = ("individuals", "fitness", "sigmas")

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        groups: ArrayLike | None = None,
        sensitivity: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None,
        *,
        population_size: int = 64,
        cross: str | Operator = "uniform:probability=1",
        mutate: str | Operator = "gaussian:sigma=0.02",
        genome: str | GenomeKind = "real:spread=0.1",
        elites: int = 2,
        offered: int = 3,
    ) -> None:
        super().__init__(initial, seed)
        self.population_size = whole_number("population_size", population_size, 2)
        if self.population_size % 2:
            raise ValueError(f"population_size={population_size!r}: must be even, as everyone mates in pairs")
        self.elites = whole_number("elites", elites, 0, self.population_size)
        self.offered = whole_number("offered", offered, 1, self.population_size)
        self.variation = Variation(self.initial, genome, cross, mutate, groups, sensitivity)

        self.individuals = np.tile(self.variation.initial, (self.population_size, 1))  # (population, parameters)
        self.fitness = np.zeros(self.population_size)
        self.sigmas = self.variation.first_sigmas(self.population_size)
        self.diversity = 0.0

    def propose(self) -> DensePopulation:
        if self.generation == 0:
            random = generator(self.seed, "initial population")
            return DensePopulation(self.variation.make_first(random, self.population_size), self.sigmas)

        parents = self._parents()
        first, second = self.individuals[parents[0::2]], self.individuals[parents[1::2]]
        children = [  # both ways with the same random numbers: each child has what the other lacks of a parent
            self.variation.make_children(generator(self.seed, "crossover", self.generation), *pair)
            for pair in ((first, second), (second, first))
        ]
        crossed = np.stack(children, axis=1).reshape(self.individuals.shape)  # a pair's children are neighbours
        inherited = np.repeat(np.sqrt(self.sigmas[parents[0::2]] * self.sigmas[parents[1::2]]), 2)
        random = generator(self.seed, "mutation", self.generation)
        mutants, sigmas = self.variation.make_mutants(random, crossed, inherited)
        elites = best(self.fitness, self.elites)
        return DensePopulation(np.concatenate([self.individuals[elites], mutants]), sigmas)

    def update(self, population: DensePopulation, fitness: NDArray[np.float64]) -> None:
        individuals = population.array.astype(self.individuals.dtype, copy=False)
        if self.generation == 0:
            self.individuals, self.fitness = individuals, fitness
        else:
            assert population.sigmas is not None
            known, children_fitness = rescore(self.fitness, self.elites, fitness)
            parents, children = self._parents(), individuals[self.elites :]
            pairs = self.individuals[parents]
            lives = deterministic_crowding(pairs, known[parents], children, children_fitness)
            self.individuals = np.concatenate([pairs, children])[lives]
            self.fitness = np.concatenate([known[parents], children_fitness])[lives]
            self.sigmas = np.concatenate([self.sigmas[parents], population.sigmas])[lives]
        self.diversity = math.sqrt(np.sum(np.var(self.individuals, axis=0)))

    def candidates(self) -> NDArray[np.float64]:
        if self.generation == 0:
            return self.initial[np.newaxis].copy()
        return self.individuals[best(self.fitness, self.offered)].astype(np.float64)

    def diagnostics(self) -> dict[str, float]:
        """Return `diversity`: root mean square distance of the individuals from their mean."""
        return {"diversity": self.diversity}

    def _parents(self) -> NDArray[np.intp]:
        """Return all individuals, (population,), in the order of this generation's pairs."""
        return generator(self.seed, "selection", self.generation).permutation(self.population_size)
