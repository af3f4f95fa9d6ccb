"""NSLC: novelty search with local competition.

Lehman & Stanley 2011, "Evolving a Diversity of Virtual Creatures through Novelty Search and Local Competition", GECCO
2011, section 3: individuals are as good as they are novel, and as they are fitter than those that behave as they do.
The paper selects by NSGA-II (Deb 2002) with genotypic diversity as a further objective; here crowding is NSGA-II's own.
What is remembered of each generation is drawn at random, as in our novelty search.
"""

from collections.abc import Callable
from typing import NamedTuple, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.genetic.variation import Variation
from evo.algorithms.multi_objective.dominance import survive, win_tournaments
from evo.algorithms.quality_diversity.cells import scale
from evo.algorithms.quality_diversity.map_search import MapSearch
from evo.algorithms.quality_diversity.measured import Known
from evo.algorithms.quality_diversity.novelty import local_competition
from evo.genomes.population import DensePopulation
from evo.numerics.randomness import generator
from evo.numerics.validation import whole_number
from evo.operators.binding import Operator
from evo.operators.kinds import GenomeKind

Floats = NDArray[np.float64]


class _Group(NamedTuple):
    """Individuals: rows (individuals, parameters), fitness (individuals,), behaviours (individuals, m), NaN: failed."""

    rows: Floats
    fitness: Floats
    behaviours: Floats


@final
class NSLC(MapSearch[DensePopulation]):
    """Novelty search with local competition: a front of the novel, and of the fittest of their kind.

    The map beside it keeps the fittest of each cell.

    Args:
        population_size: individuals of a generation; the best of parents and children survive.
        neighbours: number of the nearest behaviours, whose mean distance is novelty and who are the competitors.
        added: individuals of each generation, drawn at random, that are remembered.
        remembered_most: individuals that are remembered at most; the oldest are forgotten first.
        cross: crossover operator, its name with options as in `blend:alpha=0.3`, or a function.
        mutate: mutation operator, its name with options as in `gaussian:sigma=0.1`, or a function.
        genome: kind of genome, one of real, binary, integer or permutation.
        measures: names of the measures that are behaviour, as in `x,y` or `feet`; empty for feet, else the first two.
        ranges: range of each measure, as in `0:1,-5:5`, its unit of distance; empty for those that the task names.
        archive: cells of the map, as in `cvt:1024` or `grid:50` or `grid:100x50`.
        qd_offset: fitness that counts as nothing in the QD score.
        offered: number of the fittest that are candidates for champion.
    """

    summary = "novelty search with local competition: novel, and fittest of its kind (Lehman & Stanley 2011)"
    held = (0, 6)
    rank_based = False
    _OF_INDIVIDUALS = ("individuals", "fitness", "kinds")
    _REMEMBERED = ("behaviours", "rivals")
    remembered = ("archive", "seen", "outside", "novelty", *_OF_INDIVIDUALS, *_REMEMBERED)
    growing = (*MapSearch.growing, *_REMEMBERED)

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        groups: ArrayLike | None = None,
        sensitivity: Callable[[Floats], Floats] | None = None,
        measured: Known = (),
        *,
        population_size: int = 64,
        neighbours: int = 15,
        added: int = 2,
        remembered_most: int = 10_000,
        cross: str | Operator = "uniform:probability=0.5",
        mutate: str | Operator = "gaussian:sigma=0.05",
        genome: str | GenomeKind = "real:spread=0.1",
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
        )
        self.population_size = whole_number("population_size", population_size, 2)
        self.neighbours = whole_number("neighbours", neighbours, 1)
        self.added = whole_number("added", added, 0, self.population_size)
        self.remembered_most = whole_number("remembered_most", remembered_most, 0)
        self.variation = Variation(self.initial, genome, cross, mutate, groups, sensitivity)
        if self.variation.adapts:
            raise ValueError(
                f"mutate={mutate!r}: must be a mutation without sigmas of its own, which are not kept here"
            )
        measured_by = len(self.measured.names)
        self.individuals = np.tile(self.initial, (self.population_size, 1))  # (population, parameters)
        self.fitness = np.zeros(self.population_size)
        self.kinds = np.full((self.population_size, measured_by), np.nan)  # how they behave, in units of the ranges
        self.behaviours, self.rivals = np.zeros((0, measured_by)), np.zeros(0)  # remembered, and their fitness
        self.novelty = 0.0  # mean of the last survivors

    def propose(self) -> DensePopulation:
        if self.generation == 0:
            random = generator(self.seed, "initial population")
            return DensePopulation(self.variation.make_first(random, self.population_size))
        goals = self._goals(_Group(self.individuals, self.fitness, self.kinds))
        random = generator(self.seed, "selection", self.generation)
        one, other = random.integers(self.population_size, size=(2, 2 * self.population_size))
        parents = win_tournaments(goals, one, other)
        genomes = self.individuals.astype(self.variation.kind.dtype, copy=False)
        pairs = genomes[parents[0::2]], genomes[parents[1::2]]
        return DensePopulation(self.variation.breed(self.seed, self.generation, *pairs))

    def update(self, population: DensePopulation, fitness: Floats, measures: Floats | None = None) -> None:
        assert measures is not None
        self.insert(population, fitness, measures)
        children = _Group(population.array, fitness, scale(self.measured.choose(measures), self.measured.ranges))
        group = children
        if self.generation:
            parents = _Group(self.individuals, self.fitness, self.kinds)
            group = _Group(*(np.concatenate(pair) for pair in zip(parents, children, strict=True)))
        goals = self._goals(group)
        kept = survive(goals, self.population_size)
        self.individuals, self.fitness, self.kinds = (part[kept] for part in group)
        self.novelty = float(np.mean(np.maximum(goals[kept, 0], 0.0)))
        random = generator(self.seed, "remembered", self.generation)
        known = np.flatnonzero(~np.isnan(children.behaviours).any(axis=1))
        drawn = known[random.permutation(len(known))[: self.added]]
        first = max(0, len(self.behaviours) + len(drawn) - self.remembered_most)
        self.behaviours = np.concatenate([self.behaviours, children.behaviours[drawn]])[first:]
        self.rivals = np.concatenate([self.rivals, fitness[drawn]])[first:]

    def _goals(self, group: _Group) -> Floats:
        """Return novelty, and the number of neighbours that are less fit, (individuals, 2); -inf where one failed."""
        known = ~np.isnan(group.behaviours).any(axis=1)
        goals = np.full((len(group.fitness), 2), -np.inf)
        if known.any():
            behaviours, fitness = np.ascontiguousarray(group.behaviours[known]), group.fitness[known]
            found = local_competition(behaviours, self.behaviours, fitness, self.rivals, self.neighbours)
            goals[known] = np.stack([found[0], found[1].astype(np.float64)], axis=1)
        return goals

    def diagnostics(self) -> dict[str, float]:
        """Return those of `MapSearch`, `novelty`, the survivors' mean, and how many behaviours are `remembered`."""
        return {**super().diagnostics(), "novelty": self.novelty, "remembered": float(len(self.behaviours))}
