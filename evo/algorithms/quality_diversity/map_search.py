"""The shared part of searches that fill an archive: options, what is told, candidates, and what is logged."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.algorithm import AskTell, PopulationT
from evo.algorithms.genetic.neat_start import initial_genome
from evo.algorithms.quality_diversity.archive import Archive, Insertion
from evo.algorithms.quality_diversity.cells import CellsPlan
from evo.algorithms.quality_diversity.measured import Known, Measured
from evo.algorithms.quality_diversity.pools import Graphs, Pool, Vectors, rows_of
from evo.errors import EvoError
from evo.numerics.validation import finite_number, whole_number
from evo.storage.memory import check_bytes

Floats = NDArray[np.float64]

_PATIENCE = 10  # generations, after which measures that never differed, or never fell into their ranges, are an error


class MapSearch(AskTell[PopulationT]):
    """A search that fills an archive with elites by their measures, and offers the fittest as champions.

    A subclass writes `propose` and `update`, which calls `insert`, or `see` where not all are inserted. It lists the
    options of this class in its own constructor again, as those of strategies do: `measures`, `ranges`, `archive`,
    `qd_offset`, `offered`. recurrent: whether graph networks may have cycles; None where individuals are vectors.
    """

    uses = frozenset({"measures"})
    growing = tuple(
        f"archive_{name}" for name in ("cells", "fitness", "thresholds", "measures", *Vectors.growing, *Graphs.growing)
    )
    remembered: ClassVar[tuple[str, ...]] = ("archive", "seen", "outside")
    archive: Archive

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        measured: Known,
        *,
        measures: str,
        ranges: str,
        archive: str,
        qd_offset: float,
        offered: int,
        recurrent: bool | None = None,
        learning_rate: float = 1.0,
        threshold_min: float = -np.inf,
    ) -> None:
        super().__init__(initial, seed)
        self.measured = Measured(measured, measures, ranges)
        self.plan = CellsPlan(archive)
        count, size = self.plan.count(len(self.measured.names)), self.initial.size
        # `numbers_kept` does not know how many measures there are
        check_bytes(f"an archive of {count:,} cells on {size:,} parameters", 8.0 * count * size, "take fewer cells")
        cells = self.plan.build(len(self.measured.names))
        pool: Pool = Vectors(count, size)
        if recurrent is not None:
            pool = Graphs(count, initial_genome(self.initial, True, recurrent), recurrent)
        self.archive = Archive(cells, self.measured.ranges, pool, learning_rate, threshold_min)
        self.qd_offset = finite_number("qd_offset", qd_offset)
        self.offered = whole_number("offered", offered, 1)
        self.seen = np.array([[np.inf] * len(self.measured.names), [-np.inf] * len(self.measured.names)])  # least, most
        self.outside = 0.0  # share of the last generation's measures outside their ranges

    @classmethod
    def numbers_kept(cls, parameters: int, options: Mapping[str, Any]) -> float:
        """Return how many numbers its archive may hold with two measures, an estimate before it is made."""
        return float(CellsPlan(str(options["archive"])).count(2)) * parameters

    def insert(self, population: PopulationT, fitness: Floats, measures: Floats) -> Insertion:
        """Insert a population into the archive. Raises EvoError for measures by which no map can be made."""
        return self.archive.add(population, fitness, self.see(measures))

    def see(self, measures: Floats) -> Floats:
        """Return those measures that span the archive, (individuals, m), and note their least, greatest, and outside.

        Raises EvoError for measures by which no map can be made.
        """
        chosen = self.measured.choose(measures)
        low, high = self.measured.ranges.T
        known = chosen[~np.isnan(chosen).any(axis=1)]
        if len(known):
            least, most = np.minimum(self.seen[0], known.min(axis=0)), np.maximum(self.seen[1], known.max(axis=0))
            self.seen = np.stack([least, most])
            self.outside = float(np.mean(((known < low) | (known > high)).any(axis=1)))
        if self.generation + 1 >= _PATIENCE:
            self._check_seen()
        return chosen

    def _check_seen(self) -> None:
        for name, least, most, (low, high) in zip(self.measured.names, *self.seen, self.measured.ranges, strict=True):
            if least == most:
                raise EvoError(
                    f"{name} was {least:g} of every individual in {self.generation + 1} generations: choose other "
                    "method.measures, or a first population that differs more"
                )
            if most < low or least > high:
                raise EvoError(
                    f"{name} was between {least:g} and {most:g} in {self.generation + 1} generations, all outside its "
                    f"range {low:g}:{high:g}: give other method.ranges"
                )

    def candidates(self) -> Floats:
        """Return the fittest elites, of graphs those as long as the fittest; before any, where the search begins."""
        best = self.archive.best(self.offered)
        if not len(best):
            return self.initial[np.newaxis].copy()
        rows = rows_of(self.archive.pool.population(best))
        return np.array([row for row in rows if len(row) == len(rows[0])])

    def diagnostics(self) -> dict[str, float]:
        """Return the archive's `elites`, `coverage`, `qd_score`, `archive_best`, and the share of measures `outside`.

        elites: how many cells have one. coverage: their share of all cells. qd_score: the sum of the elites' fitness,
        each less qd_offset. archive_best: the greatest fitness in the archive. outside: the share of the last
        generation whose measures are outside their ranges.
        """
        fitness = self.archive.fitness[self.archive.elites()]
        return {
            "elites": float(len(fitness)),
            "coverage": len(fitness) / self.archive.cells.count,
            "qd_score": float(np.sum(fitness - self.qd_offset)),
            "archive_best": float(np.max(fitness, initial=-np.inf)) if len(fitness) else 0.0,
            "outside": self.outside,
        }
