"""Archive: the fittest individual of every cell, and the thresholds that a candidate must pass there.

The insertion of a batch is compiled, and its answer does not depend on the order of the batch. All are compared with
the archive as it was before the batch. Of several in one cell the fittest is kept; of those as fit, the one with the
lesser measures, and then fewer or lesser numbers in its genome, compared one by one. An elite gives way only to a
fitter one.

Thresholds that learn: Fontaine & Nikolaidis 2023, "Covariance Matrix Adaptation MAP-Annealing", algorithm 1; a batch
moves a threshold as pyribs does: k accepted of mean fitness f move t to (1 - a)^k t + (1 - (1 - a)^k) f.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from evo.algorithms.quality_diversity.cells import Cells, scale
from evo.algorithms.quality_diversity.pools import Pool, Vectors
from evo.envs.engine.compile import njit
from evo.numerics.validation import number_between, plain, positive_number

Floats = NDArray[np.float64]

REJECTED, IMPROVED, NEW = range(3)  # what became of a candidate: below the threshold, above it, the first above it


class Insertion(NamedTuple):
    """What became of a batch, each (individuals,).

    status: REJECTED, IMPROVED or NEW. improvement: fitness above the threshold before the batch; above zero where there
    was none; -inf for individuals without measures, whose cell is -1. cells: int64. winners: the indices of those that
    are elites now, int64 (winners,).
    """

    status: NDArray[np.int64]
    improvement: Floats
    cells: NDArray[np.int64]
    winners: NDArray[np.int64]


@final
class Archive:
    """Elites by cell: `fitness` (cells,), NaN where there is none, `measures` (cells, m), and `pool`, their genomes.

    genomes: the number of parameters of each, or the pool that holds them. ranges: (m, 2), the least and the greatest
    of each measure; outside them the nearest cell counts. learning_rate: how fast a threshold approaches the fitness
    that passes it, in (0, 1]; at 1 it is that fitness. threshold_min: where the thresholds begin; -inf (with a learning
    rate of 1 only) accepts anything in an empty cell. What no threshold accepts is kept too where its cell is empty, so
    an elite may be worth less than the least threshold.
    Raises ValueError for an option out of its range.
    """

    def __init__(
        self,
        cells: Cells,
        ranges: Floats,
        genomes: int | Pool,
        learning_rate: float = 1.0,
        threshold_min: float = -math.inf,
    ) -> None:
        self.cells, self.ranges = cells, np.array(ranges, np.float64)
        self.learning_rate = positive_number("learning_rate", number_between("learning_rate", learning_rate, 0, 1))
        self.threshold_min = float(plain(threshold_min))
        if math.isnan(self.threshold_min) or self.threshold_min == math.inf:
            raise ValueError(f"threshold_min={threshold_min!r}: must be a number, or -inf")
        if self.threshold_min == -math.inf and self.learning_rate < 1:
            raise ValueError(f"threshold_min={threshold_min!r}: must be finite with a learning_rate below 1")
        self.fitness = np.full(cells.count, np.nan)
        self.thresholds = np.full(cells.count, self.threshold_min)
        self.measures = np.zeros((cells.count, len(self.ranges)))
        self.pool = Vectors(cells.count, genomes) if isinstance(genomes, int) else genomes

    def __len__(self) -> int:
        return int(np.count_nonzero(~np.isnan(self.fitness)))

    def elites(self) -> NDArray[np.int64]:
        """Return the cells that hold an elite, in order, (elites,)."""
        return np.flatnonzero(~np.isnan(self.fitness)).astype(np.int64)

    def best(self, count: int) -> NDArray[np.int64]:
        """Return the cells of the `count` fittest elites, best first; of equals the lower cell first."""
        cells = self.elites()
        return cells[np.argsort(-self.fitness[cells], kind="stable")[:count]]

    def locate(self, measures: Floats) -> NDArray[np.int64]:
        """Return the cells of measures, (individuals, m) → (individuals,); -1 for rows of NaN."""
        cells = np.full(len(measures), -1, np.int64)
        known = ~np.isnan(measures).any(axis=1)
        if known.any():
            cells[known] = self.cells.locate(scale(measures[known], self.ranges))
        return cells

    def add(self, population: Any, fitness: Floats, measures: Floats) -> Insertion:
        """Insert a population such as the pool takes, or rows: fitness (individuals,), measures (individuals, m)."""
        cells, count = self.locate(measures), len(population)
        status, improvement = np.zeros(count, np.int64), np.full(count, -np.inf)
        winners, thresholds = np.full(count, -1, np.int64), self.thresholds.copy()
        # by cell, then by fitness, so that sums do not depend on the batch's order
        order = np.lexsort((fitness, cells))
        _insert(
            order, cells, fitness, measures, *self.pool.numbers(population), self.fitness, thresholds,
            self.learning_rate, self.threshold_min, status, improvement, winners,
        )  # fmt: skip
        winners = winners[winners >= 0]
        taken = cells[winners]
        self.pool.put(taken, population, winners)
        self.thresholds = thresholds
        self.fitness = _replace(self.fitness, taken, fitness[winners])
        self.measures = _replace(self.measures, taken, measures[winners])
        return Insertion(status, improvement, cells, winners)

    def remove(self, cells: NDArray[np.int64]) -> None:
        """Empty cells, whose thresholds begin anew."""
        self.fitness = _replace(self.fitness, cells, np.full(len(cells), np.nan))
        self.thresholds = _replace(self.thresholds, cells, np.full(len(cells), self.threshold_min))
        self.pool.remove(cells)

    def hold(self) -> tuple[Any, ...]:
        """Return what `put_back` restores; changes are recorded from now on. Nothing large is copied."""
        return self.fitness, self.thresholds, self.measures, self.pool.hold()

    def put_back(self, held: tuple[Any, ...]) -> None:
        """Undo all that was inserted since `hold`."""
        self.fitness, self.thresholds, self.measures, pool = held
        self.pool.put_back(pool)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return everything that changes, as copies: one row an elite."""
        cells = self.elites()
        kept = {name: getattr(self, name)[cells] for name in ("fitness", "thresholds", "measures")}
        return {"cells": cells, **kept, **self.pool.state(cells)}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Restore a `state()` exactly. Raises ValueError for one that does not fit."""
        cells = np.array(state["cells"])
        arrays = {name: np.array(state[name], np.float64) for name in ("fitness", "thresholds", "measures")}
        if {len(array) for array in arrays.values()} != {len(cells)}:
            raise ValueError("archive: its state has arrays of different lengths")
        rising = np.all(np.diff(cells) > 0) and (not len(cells) or (cells[0] >= 0 and cells[-1] < self.cells.count))
        if not rising or not all(np.isfinite(array).all() for array in arrays.values()):
            raise ValueError("archive: its state has cells that are not its own, or numbers that are not finite")
        self.pool.restore(cells, state)
        self.fitness, self.thresholds = np.full(self.cells.count, np.nan), np.full(self.cells.count, self.threshold_min)
        self.measures = np.zeros_like(self.measures)
        for name, array in arrays.items():
            getattr(self, name)[cells] = array


def _replace(array: Floats, places: NDArray[np.int64], values: Floats) -> Floats:
    replaced = array.copy()
    replaced[places] = values
    return replaced


@njit(cache=True)
def _comes_first(one: int, other: int, measures: Any, numbers: Any, offsets: Any) -> bool:
    """Return whether individual `one` has the lesser measures, or the same and fewer or lesser numbers."""
    for k in range(measures.shape[1]):
        if measures[one, k] != measures[other, k]:
            return bool(measures[one, k] < measures[other, k])
    begin, length = offsets[one], offsets[one + 1] - offsets[one]
    if length != offsets[other + 1] - offsets[other]:
        return bool(length < offsets[other + 1] - offsets[other])
    for k in range(length):
        if numbers[begin + k] != numbers[offsets[other] + k]:
            return bool(numbers[begin + k] < numbers[offsets[other] + k])
    return False


@njit(cache=True)
def _insert(
    order: Any,
    cells: Any,
    fitness: Any,
    measures: Any,
    numbers: Any,
    offsets: Any,
    known: Any,
    thresholds: Any,
    rate: float,
    least: float,
    status: Any,
    improvement: Any,
    winners: Any,
) -> None:
    """Write status, improvement and winners (a winner at the place of the last of its cell), and the new thresholds.

    order: of the individuals, by cell and then by fitness. known: fitness of the elites, NaN where there is none.
    """
    count, begin = len(order), 0
    while begin < count:
        cell, end = cells[order[begin]], begin
        while end < count and cells[order[end]] == cell:
            end += 1
        if cell < 0:
            begin = end
            continue
        threshold, accepted, total = thresholds[cell], 0, 0.0
        for place in range(begin, end):
            one = order[place]
            improvement[one] = fitness[one] - (0.0 if threshold == -np.inf else threshold)
            if fitness[one] > threshold:
                status[one] = NEW if threshold == least else IMPROVED
                accepted += 1
                total += fitness[one]
        fittest = order[end - 1]
        for place in range(end - 2, begin - 1, -1):
            one = order[place]
            if fitness[one] != fitness[fittest]:
                break
            if _comes_first(one, fittest, measures, numbers, offsets):
                fittest = one
        if np.isnan(known[cell]) or fitness[fittest] > known[cell]:
            winners[end - 1] = fittest
        if accepted and rate == 1.0:
            thresholds[cell] = fitness[fittest]
        elif accepted:
            left = 1.0
            for _ in range(accepted):  # not a power of the C library, whose last bit may differ
                left *= 1.0 - rate
            thresholds[cell] = left * threshold + (1.0 - left) * (total / accepted)
        begin = end
