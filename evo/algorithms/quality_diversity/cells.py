"""Cells: how the space of measures is divided, by a grid or by centroids, and which cell a row of measures is in."""

import math
from typing import Any, Protocol, final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from evo.algorithms.quality_diversity.cvt import centroids
from evo.grammar import parse_call, value_of
from evo.numerics.validation import plain, whole_number

Floats = NDArray[np.float64]

MOST_CELLS, MOST_CENTROIDS = 10_000_000, 100_000  # centroids of more cells take minutes, and would be mere samples
KINDS = ("cvt", "grid")


class Cells(Protocol):
    """A division of the unit cube of measures into `count` cells. Measures are scaled to [0, 1] by their ranges."""

    count: int

    def locate(self, unit: Floats) -> NDArray[np.int64]:
        """Return the cell of each row of scaled measures, (individuals, measures) → (individuals,).

        What lies outside the cube belongs to the cell that is nearest to it.
        """
        ...

    def centres(self) -> Floats:
        """Return the middle of every cell, (cells, measures), in the unit cube."""
        ...


@final
class Grid:
    """Boxes of equal size, `shape` (measures,) of them along each measure; cells are numbered in row-major order.

    Mouret & Clune 2015, "Illuminating search spaces by mapping elites".
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self.count = math.prod(shape)

    def locate(self, unit: Floats) -> NDArray[np.int64]:
        last = np.array(self.shape) - 1
        place = np.clip(np.floor(np.clip(unit, 0.0, 1.0) * self.shape), 0, last).astype(np.int64)
        return np.asarray(np.ravel_multi_index(tuple(place.T), self.shape), np.int64)

    def centres(self) -> Floats:
        places = np.unravel_index(np.arange(self.count), self.shape)
        return np.stack([(place + 0.5) / size for place, size in zip(places, self.shape, strict=True)], axis=1)


@final
class Voronoi:
    """The Voronoi cells of `count` centroids, which are spread evenly over the cube.

    Vassiliades, Chatzilygeroudis & Mouret 2018, "Using Centroidal Voronoi Tessellations to Scale Up the
    Multidimensional Archive of Phenotypic Elites Algorithm". The same number of cells and measures gives the same
    centroids in every run, so that maps of several runs can be compared cell by cell; another `seed` gives others.
    """

    def __init__(self, count: int, measures: int, seed: int) -> None:
        self.count = count
        self._tree = cKDTree(centroids(count, measures, seed))

    def locate(self, unit: Floats) -> NDArray[np.int64]:
        return np.asarray(self._tree.query(np.clip(unit, 0.0, 1.0))[1], np.int64)

    def centres(self) -> Floats:
        return np.array(self._tree.data)


class CellsPlan:
    """What an archive's text says, before the number of measures is known: `cvt:1024`, `grid:50`, `grid:100x50`.

    After `cvt`: cells, and `seed` of the centroids. After `grid`: boxes along every measure, or along each of them.
    Raises ValueError.
    """

    def __init__(self, text: str) -> None:
        call = parse_call(text.strip(), KINDS) if isinstance(text, str) else None
        if call is None or call.name not in KINDS:
            raise ValueError(f"archive={text!r}: must be cvt:CELLS, as in cvt:1024, or grid:50, or grid:100x50")
        self.text, self.kind = text, call.name
        alone, named = call.arguments()
        allowed = {"cells", "seed"} if self.kind == "cvt" else {"cells"}
        if len(alone) > 1 or (alone and "cells" in named) or (unknown := sorted(named.keys() - allowed)):
            wrong = f"no option {unknown[0]!r}" if len(alone) < 2 and "cells" not in named else "cells, once"
            raise ValueError(f"archive={text!r}: {self.kind} takes {wrong}; write {self.kind}:100")
        written = alone[0] if alone else named.get("cells", "1024" if self.kind == "cvt" else "32")
        try:
            sizes = [whole_number("archive", value_of(part), 1, MOST_CELLS) for part in written.strip("'\"").split("x")]
            self.seed = whole_number("archive", plain(value_of(named.get("seed", "0"))), 0)
        except ValueError as error:
            raise ValueError(f"archive={text!r}: must be whole numbers >= 1, as in cvt:1024 or grid:100x50") from error
        if self.kind == "cvt" and len(sizes) > 1:
            raise ValueError(f"archive={text!r}: must be one number of cells, as in cvt:1024; a grid is grid:{written}")
        if self.kind == "cvt" and sizes[0] > MOST_CENTROIDS:
            raise ValueError(
                f"archive={text!r}: must be at most {MOST_CENTROIDS:,} centroids, as more take minutes to "
                "spread; a grid, as in grid:1000, has none"
            )
        self.sizes = tuple(sizes)

    def count(self, measures: int) -> int:
        """Return the number of cells for this many measures."""
        return math.prod(self.shape(measures))

    def build(self, measures: int) -> Cells:
        """Return the cells. Raises ValueError where they do not fit the number of measures."""
        if self.kind == "cvt":
            return Voronoi(self.sizes[0], measures, self.seed)
        shape = self.shape(measures)
        if len(shape) != measures:
            raise ValueError(f"archive={self.text!r}: must be one size, or one for each of {measures} measures")
        if math.prod(shape) > MOST_CELLS:
            raise ValueError(f"archive={self.text!r}: must be at most {MOST_CELLS:,} cells; take cvt:1024")
        return Grid(shape)

    def shape(self, measures: int) -> tuple[int, ...]:
        """Return the boxes along each measure; of Voronoi cells, their number alone."""
        return self.sizes * measures if self.kind == "grid" and len(self.sizes) == 1 else self.sizes

    def __repr__(self) -> str:
        return self.text


def scale(measures: Floats, ranges: Floats) -> Any:
    """Return measures (individuals, measures) scaled so that their ranges, (measures, 2), become [0, 1]."""
    return (measures - ranges[:, 0]) / (ranges[:, 1] - ranges[:, 0])
