"""MAP-Elites.

Mouret & Clune 2015, "Illuminating search spaces by mapping elites", arXiv:1504.04909. With the variation of
Vassiliades & Mouret 2018, "Discovering the Elite Hypervolume by Leveraging Interspecies Correlation", its equation 1:
x_i + sigma_1 N(0, I) + sigma_2 (x_j - x_i) N(0, 1), here the crossover `line` followed by the mutation `gaussian`.
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
        measures: names of the measures that span the map, as in `x,y` or `feet`; empty for feet, else the first two.
        ranges: range of each measure, as in `0:1,-5:5`; empty for those that the task names.
        archive: cells of the map, as in `cvt:1024` or `grid:50` or `grid:100x50`.
        qd_offset: fitness that counts as nothing in the QD score.
        offered: number of the fittest that are candidates for champion.
    """

    summary = "a map of elites by what they do (Mouret & Clune 2015), iso + line variation (Vassiliades & Mouret 2018)"
    held = (0, 4)

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
        self.neat = None
        if recurrent is not None:
            start = self.initial, self.seed, recurrent, most_nodes, self.population_size
            self.neat = neat_from_text(graph, *start)
            return
        self.variation = Variation(self.initial, genome, cross, mutate, groups, sensitivity)
        if self.variation.adapts:
            raise ValueError(f"mutate={mutate!r}: must be a mutation without sigmas of its own: a map keeps none")

    def propose(self) -> DensePopulation | GraphPopulation:
        elites, pool = self.archive.elites(), self.archive.pool
        if self.neat is not None and not len(elites):
            return first_graphs(self.neat, self.generation)
        if not len(elites):
            random = generator(self.seed, "initial population", self.generation)
            return DensePopulation(self.variation.make_first(random, self.population_size))
        random = generator(self.seed, "selection", self.generation)
        first, second = elites[random.integers(len(elites), size=(2, self.population_size))]
        if self.neat is not None and isinstance(pool, Graphs):
            fitness, pair = self.archive.fitness[elites], (pool.index[first], pool.index[second])
            return breed_graphs(self.neat, self.generation, pool.genes, fitness, *pair)
        one, other = (pool.population(cells).dense().astype(self.variation.kind.dtype) for cells in (first, second))
        return DensePopulation(self.variation.breed(self.seed, self.generation, one, other))

    def update(
        self, population: DensePopulation | GraphPopulation, fitness: Floats, measures: Floats | None = None
    ) -> None:
        assert measures is not None
        self.insert(population, fitness, measures)
