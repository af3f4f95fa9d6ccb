"""RunArchive: the map of elites that a run leaves, each scored again on held-out episodes."""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from evo.algorithms.quality_diversity.archive import Archive
from evo.algorithms.quality_diversity.cells import CellsPlan, scale
from evo.algorithms.quality_diversity.map_search import MapSearch
from evo.algorithms.quality_diversity.pools import Graphs
from evo.envs.engine.physics import EngineError
from evo.errors import EvoError, one_line
from evo.genomes.population import Population, parts_of
from evo.genomes.rows import Rows
from evo.learners.learner import Learner
from evo.numerics.randomness import generator, selection_seeds
from evo.problems.problem import Evaluation, Problem
from evo.runs.callbacks import Watcher
from evo.runs.data_frame import data_frame
from evo.storage.files import read_arrays, write_arrays

EPISODES = 4  # on which every elite is scored again; an archive has a thousand of them
_LIMIT = 2**34  # bytes
_ARRAYS = ("cells", "fitness", "measures", "params", "returns", "corrected_measures", "ranges", "names", "plan")


@dataclass(frozen=True, eq=False)
class RunArchive:
    """Elites by cell, as the search knew them and as they are on held-out episodes.

    cells: int64 (elites,), rising. fitness: (elites,), as it was when an elite entered. measures: (elites, m). params:
    (elites, parameters), as they are evaluated, or `Rows` where they are of their own length. returns:
    (elites, episodes) on the first selection seeds, NaN where an episode failed; corrected_measures: (elites, m), means
    over these. ranges: (m, 2). names: of the measures. plan: the text of the cells, as in `cvt:1024`.
    """

    cells: np.ndarray
    fitness: np.ndarray
    measures: np.ndarray
    params: np.ndarray | Rows
    returns: np.ndarray
    corrected_measures: np.ndarray
    ranges: np.ndarray
    names: tuple[str, ...]
    plan: str

    def __post_init__(self) -> None:
        count, measures = len(self.cells), len(self.names)
        tables = {"measures": self.measures, "corrected_measures": self.corrected_measures}
        wrong = [name for name, table in tables.items() if table.shape != (count, measures)]
        wrong += ["returns"] * (np.ndim(self.returns) != 2 or len(self.returns) != count)
        wrong += ["params"] * (
            len(self.params) != count or (not isinstance(self.params, Rows) and self.params.ndim != 2)
        )
        wrong += ["fitness"] * (self.fitness.shape != (count,)) + ["ranges"] * (self.ranges.shape != (measures, 2))
        if wrong:
            raise ValueError(f"{wrong[0]} is of shape {np.shape(getattr(self, wrong[0]))}, for {count} elites")
        if count and not (np.all(np.diff(self.cells) > 0) and 0 <= self.cells[0] and self.cells[-1] < self.count):
            raise ValueError("cells are not those of its plan, in order")

    def __len__(self) -> int:
        return len(self.cells)

    def __repr__(self) -> str:
        return f"RunArchive({len(self):,} elites in {self.count:,} cells of {', '.join(self.names)})"

    @property
    def shape(self) -> tuple[int, ...]:
        """How many cells there are along each measure, or altogether where they are Voronoi cells."""
        return CellsPlan(self.plan).shape(len(self.names))

    @property
    def count(self) -> int:
        """The number of cells."""
        return math.prod(self.shape)

    @property
    def coverage(self) -> float:
        """The share of cells that have an elite."""
        return len(self) / self.count

    @property
    def corrected_fitness(self) -> np.ndarray:
        """The mean return of each elite on held-out episodes, (elites,), NaN where one failed."""
        return np.asarray(self.returns.mean(axis=1))

    def correct(self) -> "RunArchive":
        """Return the archive that its elites make by their fitness and measures on held-out episodes.

        An elite that was lucky leaves its cell to another, or moves to the cell that its measures are in.
        """
        known = ~(np.isnan(self.corrected_fitness) | np.isnan(self.corrected_measures).any(axis=1))
        archive = Archive(CellsPlan(self.plan).build(len(self.names)), self.ranges, 1)
        rows = np.flatnonzero(known)
        archive.add(rows[:, None].astype(np.float64), self.corrected_fitness[known], self.corrected_measures[known])
        cells = archive.elites()
        kept = archive.pool.population(cells).dense()[:, 0].astype(np.int64)
        return replace(
            self,
            params=self._params(kept),
            cells=cells,
            fitness=archive.fitness[cells],
            measures=archive.measures[cells],
            returns=self.returns[kept],
            corrected_measures=self.corrected_measures[kept],
        )

    def take(self, elites: np.ndarray) -> "RunArchive":
        """Return the archive of some of its elites, by their indices, rising."""
        rows = ("cells", "fitness", "measures", "returns", "corrected_measures")
        return replace(self, params=self._params(elites), **{name: getattr(self, name)[elites] for name in rows})

    def _params(self, elites: np.ndarray) -> np.ndarray | Rows:
        return self.params.take(elites) if isinstance(self.params, Rows) else self.params[elites]

    def place(self, cell: str) -> int:
        """Return the index of the elite of a cell, written as its number or its place in a grid: `12`, `3,7`.

        Raises EvoError where there is no such cell, or no elite in it; it names the nearest that has one.
        """
        shape, written = self.shape, [part.strip() for part in str(cell).split(",")]
        if not all(part.isdecimal() and len(part) < 19 for part in written) or len(written) not in (1, len(shape)):
            raise EvoError(f"cell {cell!r}: must be {self._example()}")
        numbers = tuple(int(part) for part in written)
        sizes = shape if len(numbers) == len(shape) else (self.count,)
        if any(number >= size for number, size in zip(numbers, sizes, strict=True)):
            raise EvoError(f"cell {cell!r}: there are {' × '.join(map(str, sizes))} cells, counted from 0")
        wanted = int(np.ravel_multi_index(numbers, sizes))
        found = np.flatnonzero(self.cells == wanted)
        if len(found):
            return int(found[0])
        if not len(self):
            raise EvoError(f"cell {cell!r} has no elite: the archive is empty")
        centre = CellsPlan(self.plan).build(len(self.names)).centres()[wanted]
        distances = np.square(scale(self.measures, self.ranges) - centre).sum(axis=1)
        near = self.label(int(np.argmin(distances)))
        raise EvoError(f"cell {cell!r} has no elite; the nearest that has one is {near}")

    def label(self, elite: int) -> str:
        """Return how the cell of an elite, by its index, is written: `3,7` in a grid, `12` among Voronoi cells."""
        return ",".join(str(place) for place in np.unravel_index(self.cells[elite], self.shape))

    def _example(self) -> str:
        sizes = ",".join("3" for _ in self.shape)
        return "a cell's number" if len(self.shape) == 1 else f"a cell of the grid, as in {sizes}, or its number"

    def sample(self, count: int, seed: int = 0) -> np.ndarray:
        """Return the indices of `count` elites drawn evenly, with replacement, int64 (count,). Raises EvoError."""
        if not len(self):
            raise EvoError("there is no elite to draw: the archive is empty")
        return generator(seed, "elites of an archive").integers(len(self), size=count)

    def to_pandas(self) -> Any:
        """Return a pandas.DataFrame, a row for each elite, without its parameters. Raises EvoError without pandas."""
        columns = {"cell": [self.label(elite) for elite in range(len(self))], "fitness": self.fitness}
        columns |= {name: self.measures[:, k] for k, name in enumerate(self.names)}
        columns["corrected_fitness"] = self.corrected_fitness
        columns |= {f"corrected_{name}": self.corrected_measures[:, k] for k, name in enumerate(self.names)}
        return data_frame(columns, "the archive has the arrays")

    def save(self, path: Path) -> None:
        """Write it as one .npz file. Raises EvoError."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        if isinstance(self.params, Rows):
            arrays |= {"params": self.params.values, "offsets": self.params.offsets}
        write_arrays(path, {name: np.asarray(array) for name, array in arrays.items()})

    @classmethod
    def load(cls, path: Path) -> "RunArchive":
        """Read what `save` wrote. Raises EvoError for a file that is none, or damaged."""
        arrays = read_arrays(path, _LIMIT)
        try:
            numbers: dict[str, Any] = {name: arrays[name] for name in _ARRAYS if name not in ("names", "plan")}
            if "offsets" in arrays:
                numbers["params"] = Rows.checked(arrays["params"], arrays["offsets"])
            names = tuple(str(name) for name in np.atleast_1d(arrays["names"]))
            return cls(**numbers, names=names, plan=str(arrays["plan"]))
        except (KeyError, ValueError, TypeError, IndexError) as error:
            raise EvoError(f"{path} is no archive that evo wrote, or a damaged one: {one_line(error)}") from error


def draw_archive(archive: RunArchive, title: str, path: Path) -> None:
    """Draw a heat map of an archive as it is on held-out episodes. Raises EvoError."""
    from evo.visualize.heat_maps import heat_map

    shown = archive.correct()
    locate = CellsPlan(archive.plan).build(len(archive.names)).locate
    heat_map(shown.fitness, shown.measures, shown.cells, locate, archive.ranges, archive.names, title, path)


def keep_archive(learner: Learner, judge: Problem, path: Path, watcher: Watcher) -> None:
    """Write the archive of a learner that fills one, and say what it is worth on held-out episodes. Raises EvoError."""
    search = getattr(learner, "algorithm", None)
    if not isinstance(search, MapSearch):
        return
    if not judge.deterministic:
        watcher.phase("scoring the elites of the archive on held-out episodes")
    archive = archive_of(search, learner, judge)
    archive.save(path)
    watcher.note(f"archive {_worth(archive, search.qd_offset)}")
    if not judge.deterministic:
        watcher.note(
            f"on {archive.returns.shape[1]} held-out episodes each: {_worth(archive.correct(), search.qd_offset)}"
        )


def _worth(archive: RunArchive, offset: float) -> str:
    score = float(np.sum(archive.fitness - offset))
    return f"{len(archive):,} of {archive.count:,} cells, QD score {score:,.1f}"


def archive_of(search: MapSearch[Any], learner: Learner, judge: Problem) -> RunArchive:
    """Return the archive of a learner's search, its elites scored again by `judge`.

    On a deterministic problem an elite's fitness is exact, and once is enough. Raises EvoError.
    """
    archive, measured = search.archive, search.measured
    cells = archive.elites()
    elites = archive.pool.population(cells)
    returns, corrected = np.zeros((0, held_out(judge))), np.zeros((0, len(measured.names)))
    if len(cells):
        again = score_again(elites, learner, judge)
        told = again.measures if again.measures.shape[1] else np.full((len(cells), measured.told), np.nan)
        returns, corrected = np.array(again.returns, np.float64), measured.choose(told)
    params: np.ndarray | Rows
    if isinstance(archive.pool, Graphs):
        params = next(parts_of(elites, max(1, len(cells))), Rows.empty(np.zeros(0, np.int64)))
    else:
        params = as_evaluated(elites.dense(), learner)
    return RunArchive(
        cells=cells,
        fitness=archive.fitness[cells],
        measures=archive.measures[cells],
        params=params,
        returns=returns,
        corrected_measures=corrected,
        ranges=archive.ranges,
        names=measured.names,
        plan=search.plan.text,
    )


def held_out(judge: Problem) -> int:
    """Return on how many episodes an individual is scored again: one where its fitness is exact."""
    return 1 if judge.deterministic else EPISODES


def score_again(population: Population, learner: Learner, judge: Problem) -> Evaluation:
    """Return the evaluation of individuals on held-out episodes. Raises EvoError."""
    statistics = learner.candidates()[0].statistics
    try:
        return judge.evaluate(population, selection_seeds(held_out(judge)), statistics, measured=True)
    except EngineError as error:
        raise EvoError(f"what was found cannot be scored again: {one_line(error)}") from error


def as_evaluated(rows: np.ndarray, learner: Learner) -> np.ndarray:
    """Return individuals, (individuals, parameters), as their problem evaluates them."""
    return np.array([learner.problem.cast(row) for row in rows]).reshape(rows.shape)
