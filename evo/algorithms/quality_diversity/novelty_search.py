"""Novelty search.

Lehman & Stanley 2011, "Abandoning Objectives: Evolution through the Search for Novelty Alone". The archive of
behaviours takes random individuals of each generation instead of those beyond a threshold, one of the ways compared by
Gomes, Mariano & Christensen 2015, "Devising Effective Novelty Search Algorithms: A Comprehensive Empirical Study".
"""

from collections.abc import Callable
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.genetic.neat import NEAT
from evo.algorithms.genetic.variation import Variation
from evo.algorithms.quality_diversity.cells import scale
from evo.algorithms.quality_diversity.graph_breeding import neat_from_text
from evo.algorithms.quality_diversity.map_search import MapSearch
from evo.algorithms.quality_diversity.measured import Known
from evo.algorithms.quality_diversity.novelty import novelty_of
from evo.genomes.graph import GraphPopulation
from evo.genomes.population import DensePopulation
from evo.numerics.randomness import generator
from evo.numerics.validation import whole_number
from evo.operators import SELECTION
from evo.operators.binding import Operator, concerning, suitable_operator
from evo.operators.kinds import GenomeKind

Floats = NDArray[np.float64]

_OF_FITNESS = tuple(name for name in SELECTION if "lexicase" not in name)
_ENDLESS = 2**62  # generations
_FAILED = -1.0  # novelty of an individual without measures: less than any other


@final
class NoveltySearch(MapSearch[DensePopulation | GraphPopulation]):
    """Novelty search: a genetic algorithm whose parents are those that behave unlike the others.

    Graph networks, whose `recurrent` and `most_nodes` are told, evolve by NEAT with novelty in place of its fitness, as
    in the paper; what is novel once is not so later, so that NEAT's patience with species has no end here. Besides,
    a map keeps the fittest of each cell, of which the champion is chosen.

    Args:
        population_size: individuals of a generation, all of which are children of the one before.
        neighbours: number of the nearest behaviours, to which the mean distance is novelty.
        added: individuals of each generation, drawn at random, whose behaviours are remembered.
        remembered_most: behaviours that are remembered at most; the oldest are forgotten first.
        select: selection operator by novelty, its name with options as in `tournament:size=3`, or a function.
        cross: crossover operator, its name with options as in `blend:alpha=0.3`, or a function.
        mutate: mutation operator, its name with options as in `gaussian:sigma=0.1`, or a function.
        genome: kind of genome, one of real, binary, integer or permutation.
        graph: how graph networks evolve, in place of the four above: NEAT, its options as in `neat:power=0.5`.
        measures: names of the measures that are behaviour, as in `x,y` or `feet`; empty for feet, else the first two.
        ranges: range of each measure, as in `0:1,-5:5`, its unit of distance; empty for those that the task names.
        archive: cells of the map, as in `cvt:1024` or `grid:50` or `grid:100x50`.
        qd_offset: fitness that counts as nothing in the QD score.
        offered: number of the fittest that are candidates for champion.
    """

    summary = "novelty search: selection by what nobody did before (Lehman & Stanley 2011)"
    held = (0, 4)
    growing = (*MapSearch.growing, "behaviours", *(f"neat_{name}" for name in NEAT.growing))

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        groups: ArrayLike | None = None,
        sensitivity: Callable[[Floats], Floats] | None = None,
        measured: Known = (),
        recurrent: bool | None = None,
        most_nodes: int | None = None,
        *,
        population_size: int = 64,
        neighbours: int = 15,
        added: int = 2,
        remembered_most: int = 10_000,
        select: str | Operator = "tournament:size=2",
        cross: str | Operator = "uniform:probability=0.5",
        mutate: str | Operator = "gaussian:sigma=0.05",
        genome: str | GenomeKind = "real:spread=0.1",
        graph: str = "neat",
        measures: str = "",
        ranges: str = "",
        archive: str = "cvt:1024",
        qd_offset: float = 0.0,
        offered: int = 3,
    ) -> None:
        super().__init__(
            initial,
            seed,
            measured,
            measures=measures,
            ranges=ranges,
            archive=archive,
            qd_offset=qd_offset,
            offered=offered,
            recurrent=recurrent,
        )
        self.population_size = whole_number("population_size", population_size, 2)
        self.neighbours = whole_number("neighbours", neighbours, 1)
        self.added = whole_number("added", added, 0, self.population_size)
        self.remembered_most = whole_number("remembered_most", remembered_most, 0)
        self.novelty = np.zeros(self.population_size)
        # remembered, the oldest first, in units of the ranges
        self.behaviours = np.zeros((0, len(self.measured.names)))
        self.neat = None
        if recurrent is not None:
            start = self.initial, self.seed, recurrent, most_nodes, self.population_size
            self.neat = neat_from_text(graph, *start)
            self.neat.patience = self.neat.stagnation = _ENDLESS
            return
        with concerning("select"):
            self.select = suitable_operator(select, SELECTION, _OF_FITNESS, "one novelty an individual")
        self.variation = Variation(self.initial, genome, cross, mutate, groups, sensitivity)
        if self.variation.adapts:
            raise ValueError(
                f"mutate={mutate!r}: must be a mutation without sigmas of its own, which are not kept here"
            )
        self.individuals = np.tile(self.initial, (self.population_size, 1))  # (population, parameters)

    @property
    def remembered(self) -> tuple[str, ...]:  # type: ignore[override]
        own = "individuals" if self.neat is None else "neat"
        return ("archive", "seen", "outside", "novelty", "behaviours", own)

    def propose(self) -> DensePopulation | GraphPopulation:
        if self.neat is not None:
            return self.neat.propose()
        if self.generation == 0:
            random = generator(self.seed, "initial population")
            return DensePopulation(self.variation.make_first(random, self.population_size))
        with concerning("select"):
            random = generator(self.seed, "selection", self.generation)
            parents = self.select(random, self.novelty, 2 * self.population_size)
        genomes = self.individuals.astype(self.variation.kind.dtype, copy=False)
        pairs = genomes[parents[0::2]], genomes[parents[1::2]]
        return DensePopulation(self.variation.breed(self.seed, self.generation, *pairs))

    def update(
        self, population: DensePopulation | GraphPopulation, fitness: Floats, measures: Floats | None = None
    ) -> None:
        assert measures is not None
        self.insert(population, fitness, measures)
        chosen = scale(self.measured.choose(measures), self.measured.ranges)
        known = np.flatnonzero(~np.isnan(chosen).any(axis=1))
        novelty = np.full(len(population), _FAILED)
        novelty[known] = novelty_of(chosen[known], self.behaviours, self.neighbours)
        self.novelty = novelty
        if isinstance(population, GraphPopulation):
            assert self.neat is not None
            self.neat.update(population, novelty)
            self.neat.generation = self.generation + 1
        else:
            self.individuals = population.dense()
        random = generator(self.seed, "remembered", self.generation)
        drawn = known[random.permutation(len(known))[: self.added]]
        behaviours = np.concatenate([self.behaviours, chosen[drawn]])
        self.behaviours = behaviours[max(0, len(behaviours) - self.remembered_most) :]

    def diagnostics(self) -> dict[str, float]:
        """Return those of `MapSearch`, `novelty`, the generation's mean, and how many behaviours are `remembered`."""
        known = self.novelty[self.novelty >= 0]
        mean = float(np.mean(known)) if len(known) else 0.0
        return {**super().diagnostics(), "novelty": mean, "remembered": float(len(self.behaviours))}
