"""A genetic algorithm, composed of operators.

By default that of Such, Madhavan, Conti, Lehman, Stanley & Clune 2017, "Deep Neuroevolution: Genetic Algorithms Are a
Competitive Alternative for Training Deep Neural Networks for Reinforcement Learning", Algorithm 1: truncation
selection, elitism and Gaussian mutation. To these it adds uniform crossover: Syswerda 1989, "Uniform Crossover in
Genetic Algorithms".
"""

import functools
import math
from collections.abc import Callable
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.algorithm import AskTell
from evo.algorithms.convergence import ALIKE, PATIENCE, all_same
from evo.algorithms.genetic.variation import Variation
from evo.genomes.population import DensePopulation
from evo.numerics.randomness import generator
from evo.numerics.validation import positive_number, whole_number
from evo.operators import REPLACEMENT, SELECTION
from evo.operators.binding import Operator, concerning, operator_from_text, suitable_operator
from evo.operators.diversity import fitness_sharing
from evo.operators.kinds import GenomeKind
from evo.operators.replacement import generational_replacement
from evo.operators.selection import best, resolve_truncation, truncation_selection

_OF_FITNESS = tuple(name for name, place in SELECTION.items() if not place.startswith("evo.operators.lexicase:"))


@final
class GA(AskTell[DensePopulation]):
    """A genetic algorithm: selection, crossover, mutation and replacement, each by an operator of `evo.operators`.

    `groups`, (parameters,), are the parameters that neuron-wise crossover passes on together; `sensitivity`, a function
    of individuals, is the divisor of safe mutation.

    The `elites` fittest are evaluated again beside the children and survive unchanged. As every generation evaluates
    them on its own episodes, one lucky score does not last. `replace` chooses from the others and the children; an old
    individual that survives and is no elite keeps its fitness. Lexicase selection, on cases, needs a loop of its own:
    an algorithm is told one fitness an individual.

    The paper evaluates ten candidates on thirty more episodes to find one elite; here the run's selection seeds do that
    for the champion, and the search itself spends nothing on it.

    Args:
        population_size: individuals N.
        select: selection operator, its name with options as in `tournament:size=4`, or a function.
        cross: crossover operator, its name with options as in `blend:alpha=0.3`, or a function.
        mutate: mutation operator, its name with options as in `gaussian:sigma=0.1`, or a function.
        replace: replacement operator, its name, or a function.
        genome: kind of genome, one of real, binary, integer or permutation.
        elites: number of the fittest that survive unchanged and are evaluated again in every generation.
        children: children made in a generation, None for N - elites.
        niche_radius: distance below which individuals share their fitness when parents are selected, None for no
            sharing.
        offered: number of the fittest that are candidates for champion.
    """

    summary = "genetic algorithm of any operators; by default truncation selection and elites (Such 2017)"
    held = (0, 4)
    remembered = ("individuals", "fitness", "ages", "sigmas", "diversity", "alike")
    inhabitants: ClassVar = ("individuals", "fitness", "ages", "sigmas")

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        groups: ArrayLike | None = None,
        sensitivity: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None,
        *,
        population_size: int = 128,
        select: str | Operator = "truncation",
        cross: str | Operator = "uniform:probability=0.5",
        mutate: str | Operator = "gaussian:sigma=0.02",
        replace: str | Operator = "generational",
        genome: str | GenomeKind = "real:spread=0.1",
        elites: int = 2,
        children: int | None = None,
        niche_radius: float | None = None,
        offered: int = 3,
    ) -> None:
        super().__init__(initial, seed)
        self.population_size = whole_number("population_size", population_size, 2)
        self.elites = whole_number("elites", elites, 0, self.population_size - 1)
        self.children = whole_number(
            "children", self.population_size - self.elites if children is None else children, 1
        )
        self.niche_radius = None if niche_radius is None else positive_number("niche_radius", niche_radius)
        self.offered = whole_number("offered", offered, 1, self.population_size)
        self.variation = Variation(self.initial, genome, cross, mutate, groups, sensitivity)
        with concerning("select"):
            self.select = suitable_operator(select, SELECTION, _OF_FITNESS, "one fitness an individual")
            truncation = _truncation_of(self.select, self.population_size)
        with concerning("replace"):
            self.replace = operator_from_text(replace, REPLACEMENT)

        if truncation is not None and self.replace is generational_replacement and self.niche_radius is None:
            self.decisive = max(truncation, self.elites, self.offered)

        self.individuals = np.tile(self.variation.initial, (self.population_size, 1))  # (population, parameters)
        self.fitness = np.zeros(self.population_size)
        self.ages = np.zeros(self.population_size, dtype=np.int64)  # generations survived
        self.sigmas = self.variation.first_sigmas(self.population_size)
        self.diversity, self.alike = 0.0, 0  # alike: generations in a row in which all individuals were the same
        # A trial run, so that unsuitable operators are refused before anything has been evaluated.
        self._parents(generator(0, "trial"))
        self._survivors(self.fitness[self.elites :], np.zeros(self.children), self.ages[self.elites :])

    def propose(self) -> DensePopulation:
        if self.generation == 0:
            random = generator(self.seed, "initial population")
            return DensePopulation(self.variation.make_first(random, self.population_size), self.sigmas)

        first, second = self._parents(generator(self.seed, "selection", self.generation))
        random = generator(self.seed, "crossover", self.generation)
        crossed = self.variation.make_children(random, self.individuals[first], self.individuals[second])
        inherited = np.sqrt(self.sigmas[first] * self.sigmas[second])
        random = generator(self.seed, "mutation", self.generation)
        mutants, sigmas = self.variation.make_mutants(random, crossed, inherited)
        elites = best(self.fitness, self.elites)
        return DensePopulation(
            np.concatenate([self.individuals[elites], mutants]), np.concatenate([self.sigmas[elites], sigmas])
        )

    def update(self, population: DensePopulation, fitness: NDArray[np.float64]) -> None:
        assert population.sigmas is not None
        asked = self.population_size + np.arange(len(fitness))  # indices after those of the old individuals
        ages, living = np.zeros(len(fitness), dtype=np.int64), asked  # all of the first population survive
        if self.generation:
            elites = best(self.fitness, self.elites)
            ages[: self.elites] = self.ages[elites] + 1
            others = np.delete(np.arange(self.population_size), elites)
            lives = self._survivors(self.fitness[others], fitness[self.elites :], self.ages[others])
            living = np.concatenate([asked[: self.elites], np.concatenate([others, asked[self.elites :]])[lives]])
        individuals = population.array.astype(self.individuals.dtype, copy=False)
        self.individuals = _rows(self.individuals, individuals, living)
        self.fitness = _rows(self.fitness, fitness, living)
        self.ages = _rows(self.ages + 1, ages, living)
        self.sigmas = _rows(self.sigmas, population.sigmas, living)
        self.diversity = math.sqrt(np.sum(np.var(self.individuals, axis=0)))
        self.alike = self.alike + 1 if all_same(individuals) else 0

    def finished(self) -> str | None:
        return ALIKE if self.alike >= PATIENCE else None

    def candidates(self) -> NDArray[np.float64]:
        if self.generation == 0:
            return self.initial[np.newaxis].copy()
        return self.individuals[best(self.fitness, self.offered)].astype(np.float64)

    def diagnostics(self) -> dict[str, float]:
        """Return `diversity`: root mean square distance of the individuals from their mean."""
        return {"diversity": self.diversity}

    def _parents(self, random: np.random.Generator) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Select the first and the second parent of each child, (children,) each."""
        with concerning("select"):
            fitness = self.fitness
            if self.niche_radius is not None:
                fitness = fitness_sharing(self.individuals, fitness, radius=self.niche_radius)
            parents = _indices(self.select(random, fitness, 2 * self.children), 2 * self.children, self.population_size)
        return parents[0::2], parents[1::2]

    def _survivors(
        self, fitness: NDArray[np.float64], children_fitness: NDArray[np.float64], ages: NDArray[np.int64]
    ) -> NDArray[np.intp]:
        """Choose survivors among the others and the children, indexed after them: as many as there are others."""
        with concerning("replace"):
            lives = self.replace(fitness, children_fitness, ages)
            return _indices(lives, len(fitness), len(fitness) + len(children_fitness))


def _truncation_of(select: Operator, population_size: int) -> int | None:
    """Return the number of the fittest that alone become parents, whatever their ranks; None for other selections."""
    function, options = (select.func, select.keywords) if isinstance(select, functools.partial) else (select, {})
    return resolve_truncation(options.get("truncation"), population_size) if function is truncation_selection else None


def _rows(old: NDArray[Any], asked: NDArray[Any], chosen: NDArray[np.intp]) -> NDArray[Any]:
    """Return the chosen rows of the old ones followed by those asked for."""
    if chosen.min() >= len(old):  # generational replacement: saves a copy of both
        return asked[chosen - len(old)]
    return np.concatenate([old, asked])[chosen]


def _indices(given: NDArray[np.intp], count: int, most: int) -> NDArray[np.intp]:
    """Check an operator's result, which must be `count` indices below `most`. Raises ValueError."""
    indices = np.asarray(given)
    whole = indices.dtype.kind in "iu" and indices.shape == (count,)
    if not whole or indices.min() < 0 or indices.max() >= most:
        raise ValueError(f"gave {indices.dtype} of shape {indices.shape}: must be {count} whole numbers in [0, {most})")
    return indices
