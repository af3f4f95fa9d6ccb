"""MAP-Elites.

Mouret & Clune 2015, "Illuminating search spaces by mapping elites", arXiv:1504.04909. With the variation of
Vassiliades & Mouret 2018, "Discovering the Elite Hypervolume by Leveraging Interspecies Correlation", its equation 1:
x_i + sigma_1 N(0, I) + sigma_2 (x_j - x_i) N(0, 1), here the crossover `line` followed by the mutation `gaussian`.

Where fitness is noisy, a cell keeps who was lucky. Elites may be taken out, evaluated again, and put back by their
means over all their evaluations: Flageat, Huber, Helenon, Doncieux & Cully 2025, "Extract-QD Framework: A Generic
Approach for Quality-Diversity in Noisy, Stochastic or Uncertain Domains", in its plainest form: elites drawn evenly,
and one a cell.
"""

from collections.abc import Callable
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.genetic.variation import Variation
from evo.algorithms.quality_diversity.graph_breeding import breed_graphs, first_graphs, neat_from_text
from evo.algorithms.quality_diversity.map_search import MapSearch
from evo.algorithms.quality_diversity.measured import Known
from evo.algorithms.quality_diversity.pools import Graphs
from evo.genomes.graph import GraphPopulation
from evo.genomes.population import DensePopulation
from evo.numerics.randomness import generator
from evo.numerics.validation import whole_number
from evo.operators.binding import Operator
from evo.operators.graph_genes import join, take
from evo.operators.kinds import GenomeKind

Floats = NDArray[np.float64]


@final
class MAPElites(MapSearch[DensePopulation | GraphPopulation]):
    """MAP-Elites: children of elites drawn evenly from a map of cells, where each cell keeps the fittest of its kind.

    `recurrent` and `most_nodes` are those of a graph network, None for another.

    Args:
        population_size: individuals of a generation.
        cross: crossover operator, its name with options as in `line:sigma=0.2`, or a function.
        mutate: mutation operator, its name with options as in `gaussian:sigma=0.1`, or a function.
        genome: kind of genome, one of real, binary, integer or permutation.
        graph: how graph networks vary, in place of the three above: as in NEAT, its options as in `neat:power=0.5`.
        resampled: elites of a generation that are evaluated again in place of a child, at most.
        measures: names of the measures that span the map, as in `x,y` or `feet`; empty for feet, else the first two.
        ranges: range of each measure, as in `0:1,-5:5`; empty for those that the task names.
        archive: cells of the map, as in `cvt:1024` or `grid:50` or `grid:100x50`.
        qd_offset: fitness that counts as nothing in the QD score.
        offered: number of the fittest that are candidates for champion.
    """

    summary = "a map of elites by what they do (Mouret & Clune 2015), iso + line variation (Vassiliades & Mouret 2018)"
    held = (0, 4)
    remembered = (*MapSearch.remembered, "samples")

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
        cross: str | Operator = "line:sigma=0.2",
        mutate: str | Operator = "gaussian:sigma=0.01",
        genome: str | GenomeKind = "real:spread=0.1",
        graph: str = "neat",
        resampled: int = 0,
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
        self.population_size = whole_number("population_size", population_size, 1)
        self.resampled = whole_number("resampled", resampled, 0, self.population_size - 1)
        # evaluations of each elite, where there may be more than one
        self.samples = np.zeros(self.archive.cells.count if self.resampled else 0, np.int64)
        self.neat = None
        if recurrent is not None:
            start = self.initial, self.seed, recurrent, most_nodes, self.population_size
            self.neat = neat_from_text(graph, *start)
            return
        self.variation = Variation(self.initial, genome, cross, mutate, groups, sensitivity)
        if self.variation.adapts:
            raise ValueError(f"mutate={mutate!r}: must be a mutation without sigmas of its own: a map keeps none")

    def propose(self) -> DensePopulation | GraphPopulation:
        elites = self.archive.elites()
        if not len(elites) and self.neat is not None:
            return first_graphs(self.neat, self.generation)
        if not len(elites):
            random = generator(self.seed, "initial population", self.generation)
            return DensePopulation(self.variation.make_first(random, self.population_size))
        again = self._again()
        random = generator(self.seed, "selection", self.generation)
        first, second = elites[random.integers(len(elites), size=(2, self.population_size - len(again)))]
        pool = self.archive.pool
        if self.neat is not None and isinstance(pool, Graphs):
            fitness, pair = self.archive.fitness[pool.index >= 0], (pool.index[first], pool.index[second])
            children = breed_graphs(self.neat, self.generation, pool.genes, fitness, *pair)
            return GraphPopulation(join(children.genes, take(pool.genes, pool.index[again])), pool.recurrent)
        one, other, old = (pool.population(cells).dense() for cells in (first, second, again))
        parents = (rows.astype(self.variation.kind.dtype, copy=False) for rows in (one, other))
        bred = self.variation.breed(self.seed, self.generation, *parents)
        return DensePopulation(np.concatenate([bred, old]))

    def _again(self) -> NDArray[np.int64]:
        """Return the cells whose elites are evaluated again in this generation, (cells,), after the children."""
        elites = self.archive.elites()
        if not self.resampled:
            return elites[:0]
        random = generator(self.seed, "resampled", self.generation)
        return elites[random.permutation(len(elites))[: self.resampled]]

    def update(
        self, population: DensePopulation | GraphPopulation, fitness: Floats, measures: Floats | None = None
    ) -> None:
        assert measures is not None
        if not self.resampled:
            self.insert(population, fitness, measures)
            return
        again, columns = self._again(), self.measured.columns
        counts, old = self.samples[again], slice(len(fitness) - len(again), None)
        fitness, measures = fitness.copy(), measures.copy()
        fitness[old] = (counts * self.archive.fitness[again] + fitness[old]) / (counts + 1)
        kept = counts[:, np.newaxis]
        measures[old, columns] = (kept * self.archive.measures[again] + measures[old, columns]) / (kept + 1)
        self.archive.remove(again)
        inserted = self.insert(population, fitness, measures)
        counted = np.ones(len(fitness), np.int64)
        counted[old] = counts + 1
        samples = self.samples.copy()
        samples[again] = 0
        samples[inserted.cells[inserted.winners]] = counted[inserted.winners]
        self.samples = samples
