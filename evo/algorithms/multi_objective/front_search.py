"""The shared part of searches for a Pareto front: options, what is told, survivors, candidates, and what is logged."""

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.algorithm import AskTell, _Layout
from evo.algorithms.multi_objective.dominance import rank_fronts
from evo.algorithms.multi_objective.hypervolume import hypervolume
from evo.algorithms.multi_objective.objectives import Known, Objectives
from evo.genomes.population import DensePopulation
from evo.numerics.validation import whole_number

Floats = NDArray[np.float64]
Domain = tuple[ArrayLike, ArrayLike]  # the bounds of the parameters, each a number or (parameters,)


class Pool(NamedTuple):
    """The parents and their children, in this order.

    rows: (individuals, parameters). fitness: (individuals,). objectives: (individuals, objectives), -inf where failed.
    """

    rows: Floats
    fitness: Floats
    objectives: Floats


class FrontSearch(AskTell[DensePopulation]):
    """A search for a Pareto front by a population, of which the fittest of its first front are offered as champions.

    A subclass writes `propose_children` and `update`, which calls `gather` and `keep`. It lists the options of this
    class in its own constructor again: `objectives`, `reference`, `offered`.

    Where fitness is random (`noisy`, as the problem declares), the parents are evaluated again beside their children,
    on the same episodes, so that one lucky score does not last.
    """

    uses = frozenset({"objectives"})
    rank_based = False  # the objectives decide, whatever the fitness
    remembered: ClassVar[tuple[str, ...]] = ("individuals", "fitness", "objectives", "reference")
    widening: ClassVar[tuple[str, ...]] = ("objectives", "reference")
    """The arrays whose shape is known only when the objectives have been told."""

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        noisy: bool,
        known_objectives: Known,
        *,
        population_size: int,
        objectives: str,
        reference: str,
        offered: int,
    ) -> None:
        super().__init__(initial, seed)
        self.noisy = noisy
        self.chosen = Objectives(known_objectives, objectives, reference)
        self.population_size = whole_number("population_size", population_size, 2)
        self.offered = whole_number("offered", offered, 1)
        self.individuals = np.tile(self.initial, (self.population_size, 1))  # (population, parameters)
        self.fitness = np.zeros(self.population_size)
        self.objectives = np.zeros((0, 0))  # (population, objectives)
        self.reference = np.zeros(0)  # (objectives,), of the hypervolume

    def propose(self) -> DensePopulation:
        children = self.propose_children()
        again = self.individuals if self.noisy and self.generation else self.individuals[:0]
        return DensePopulation(np.concatenate([again, children]))

    def propose_children(self) -> Floats:
        """Return this generation's new individuals, (children, parameters)."""
        raise NotImplementedError

    def gather(self, population: DensePopulation, fitness: Floats, told: Floats) -> Pool:
        """Return parents and children together. Raises EvoError for objectives that cannot be searched by."""
        objectives = self.chosen.choose(told)
        if self.chosen.reference is not None:
            self.reference = self.chosen.reference
        elif not self.reference.size and np.isfinite(objectives).any():
            self.reference = objectives[np.isfinite(objectives).all(axis=1)].min(axis=0)
        if not self.generation or self.noisy:
            return Pool(population.array, fitness, objectives)
        parents = self.individuals.astype(population.array.dtype, copy=False)
        return Pool(
            np.concatenate([parents, population.array]),
            np.concatenate([self.fitness, fitness]),
            np.concatenate([self.objectives, objectives]),
        )

    def keep(self, pool: Pool, survivors: NDArray[np.intp]) -> None:
        """Make the survivors, (population,), the population."""
        self.individuals, self.fitness, self.objectives = (part[survivors] for part in pool)

    def front(self) -> NDArray[np.intp]:
        """Return the individuals that nobody dominates, one of those with equal objectives, best by the first first."""
        known = np.flatnonzero(np.isfinite(self.objectives).all(axis=1))
        first = known[rank_fronts(self.objectives[known]) == 0]
        places = np.unique(self.objectives[first], axis=0, return_index=True)[1]
        return first[np.asarray(places, np.intp)][::-1]

    def candidates(self) -> Floats:
        """Return the fittest of the front; before the first `tell`, where the search begins."""
        front = self.front()
        if not len(front):
            return self.initial[np.newaxis].copy()
        fittest = front[np.argsort(-self.fitness[front], kind="stable")[: self.offered]]
        return self.individuals[fittest].astype(np.float64)

    def diagnostics(self) -> dict[str, float]:
        """Return `hypervolume`, the size of the `front`, and the greatest of each objective, as in `best_speed`.

        hypervolume: what the front dominates above the reference point: that of the option or of the function, else the
        least of each objective in the first generation.
        """
        shown = self.objectives[self.front()]
        most = shown.max(axis=0) if len(shown) else self.reference
        volume = hypervolume(shown, self.reference) if len(shown) else 0.0
        names = self.chosen.name(len(most))
        return {
            "hypervolume": volume,
            "front": float(len(shown)),
            **{f"best_{name}": float(value) for name, value in zip(names, most, strict=True)},
        }

    def _layouts(self, state: Mapping[str, NDArray[Any]]) -> dict[str, _Layout]:
        layouts = super()._layouts(state)
        for name in self.widening:
            if name in layouts:
                shape, kind = layouts[name]
                layouts[name] = ("any length",) * len(shape), kind
        return layouts

    def check(self, state: Mapping[str, NDArray[Any]]) -> None:
        super().check(state)
        objectives, count = state["objectives"], self.chosen.count or np.shape(state["reference"])[0]
        if np.shape(objectives) not in ((0, 0), (self.population_size, count)) or np.isnan(objectives).any():
            raise ValueError(f"state 'objectives' is of shape {np.shape(objectives)}, for {self.population_size}")
