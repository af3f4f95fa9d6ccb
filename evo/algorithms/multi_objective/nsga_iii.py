"""NSGA-III.

Deb & Jain 2014, "An Evolutionary Many-Objective Optimization Algorithm Using Reference-Point-Based Nondominated Sorting
Approach, Part I: Solving Problems With Box Constraints", IEEE Transactions on Evolutionary Computation 18.
"""

from collections.abc import Callable
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.multi_objective.bred_front import BredFront
from evo.algorithms.multi_objective.dominance import rank_fronts, split_fronts
from evo.algorithms.multi_objective.front_search import Domain, FrontSearch
from evo.algorithms.multi_objective.niching import associate, fill_niches, find_extremes, intercepts_of
from evo.algorithms.multi_objective.objectives import Known
from evo.algorithms.multi_objective.reference_directions import das_dennis, find_partitions
from evo.genomes.population import DensePopulation
from evo.numerics.randomness import generator
from evo.numerics.validation import whole_number
from evo.operators.binding import Operator
from evo.operators.kinds import GenomeKind

Floats = NDArray[np.float64]


@final
class NSGAIII(BredFront):
    """NSGA-III: survival by fronts, and within the last by how few share a reference direction.

    Args:
        population_size: individuals N, and children of a generation.
        partitions: parts that each objective is divided into, from which the reference directions follow; None for as
            many as make at most N directions.
        cross: crossover operator, its name with options as in `sbx:eta=30`, or a function.
        mutate: mutation operator, its name with options as in `gaussian:sigma=0.1`, or a function; empty for polynomial
            mutation where there are bounds, else gaussian.
        genome: kind of genome, one of real, bounded, binary, integer or permutation; empty for real numbers within the
            bounds of the task, where it has some.
        objectives: names of the objectives, as in `speed,energy`; empty for all of a function, or a world's first two.
        reference: the point above which the hypervolume is measured, as in `-1.1,-1.1`; empty for that of the function,
            else the worst of each objective in the first generation.
        offered: number of the fittest of the front that are candidates for champion.
    """

    summary = "several objectives: non-dominated fronts and reference directions (Deb & Jain 2014)"
    held = (0, 6)
    remembered = (*FrontSearch.remembered, "ideal", "extremes")
    widening = (*FrontSearch.widening, "ideal", "extremes")

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        noisy: bool = False,
        groups: ArrayLike | None = None,
        sensitivity: Callable[[Floats], Floats] | None = None,
        domain: Domain | None = None,
        known_objectives: Known = (),
        *,
        population_size: int = 100,
        partitions: int | None = None,
        cross: str | Operator = "sbx:eta=30,probability=0.5",
        mutate: str | Operator = "",
        genome: str | GenomeKind = "",
        objectives: str = "",
        reference: str = "",
        offered: int = 3,
    ) -> None:
        super().__init__(
            initial,
            seed,
            noisy,
            groups,
            sensitivity,
            domain,
            known_objectives,
            population_size=population_size,
            cross=cross,
            mutate=mutate,
            genome=genome,
            objectives=objectives,
            reference=reference,
            offered=offered,
        )
        self.partitions = None if partitions is None else whole_number("partitions", partitions, 1)
        self.ideal = np.zeros(0)  # z_min, (objectives,): the least cost ever seen in each
        self.extremes = np.zeros((0, 0))  # costs of the extreme point of each objective, a row each

    def select_parents(self) -> NDArray[np.intp]:
        """Return two parents of each child: everybody mates twice, whatever its rank."""
        random = generator(self.seed, "selection", self.generation)
        return np.concatenate([random.permutation(self.population_size) for _ in range(2)])

    def update(self, population: DensePopulation, fitness: Floats, objectives: Floats | None = None) -> None:
        assert objectives is not None
        pool = self.gather(population, fitness, objectives)
        whole, last = split_fronts(rank_fronts(pool.objectives), self.population_size)
        known = np.asarray(np.isfinite(pool.objectives).all(axis=1))
        if known.any():
            self._normalise(-pool.objectives[known])
        left = self.population_size - len(whole)
        if left and known[last].all():
            last = last[self._choose(-pool.objectives, whole, last, left)]
        self.keep(pool, np.concatenate([whole, last[:left]]))

    def _normalise(self, costs: Floats) -> None:
        """Move the ideal point and the extreme points, section IV.B, by costs (individuals, objectives)."""
        ideal = costs.min(axis=0)
        self.ideal = np.minimum(self.ideal, ideal) if self.ideal.size else ideal
        before = self.extremes if self.extremes.size else costs[:0]
        self.extremes = find_extremes(np.concatenate([before, costs]), self.ideal)

    def _choose(self, costs: Floats, whole: NDArray[np.intp], last: NDArray[np.intp], left: int) -> NDArray[np.intp]:
        """Return which `left` of the last front survive, by algorithms 3 and 4."""
        k = costs.shape[1]
        directions = das_dennis(k, self.partitions or find_partitions(k, self.population_size))
        both = costs[np.concatenate([whole, last])]
        scale = intercepts_of(self.extremes - self.ideal, both[rank_fronts(-both) == 0] - self.ideal)
        niches, distances = associate((both - self.ideal) / scale, directions)
        counts = np.bincount(niches[: len(whole)], minlength=len(directions))
        draws = generator(self.seed, "niching", self.generation).random((left, 2))
        return fill_niches(niches[len(whole) :], distances[len(whole) :], counts, draws)
