"""Pools: the genomes of an archive by place, rows of one length or graphs of their own."""

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, final

import numpy as np
from numpy.typing import NDArray

from evo.genomes.graph import GraphPopulation
from evo.genomes.population import DensePopulation, Population, row_of
from evo.numerics.node_functions import ACTIVATIONS, AGGREGATIONS
from evo.operators.graph_genes import ARRAYS, LINK_ARRAYS, NODE_ARRAYS, Genes, check_genes, join, take

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Pool(Protocol):
    """Genomes at some of a number of places."""

    def numbers(self, population: Any) -> tuple[Floats, Ints]:
        """Return what genomes of a population consist of, one after the other, and offsets, (individuals + 1,)."""
        ...

    def put(self, places: Ints, population: Any, chosen: Ints) -> None:
        """Put individuals of a population, by their indices, (chosen,), at different places."""
        ...

    def remove(self, places: Ints) -> None:
        """Forget those at some places."""
        ...

    def population(self, places: Ints) -> Population:
        """Return those at some places."""
        ...

    def hold(self) -> Any:
        """Return what `put_back` restores; changes are recorded from now on. Nothing large is copied."""
        ...

    def put_back(self, held: Any) -> None:
        """Undo all that was put since `hold`."""
        ...

    def state(self, places: Ints) -> dict[str, NDArray[Any]]:
        """Return the genomes at some places, rising, as copies: those that are filled."""
        ...

    def restore(self, places: Ints, state: Mapping[str, NDArray[Any]]) -> None:
        """Restore a `state()` exactly. Raises ValueError for one that does not fit."""
        ...


@final
class Vectors:
    """Rows of one length: `rows`, float64 (places, size)."""

    growing: ClassVar[tuple[str, ...]] = ("rows",)

    def __init__(self, places: int, size: int) -> None:
        self.rows = np.zeros((places, size))
        self._replaced: list[tuple[Ints, Floats]] = []  # rows that `put_back` restores

    def numbers(self, population: Any) -> tuple[Floats, Ints]:
        rows = np.ascontiguousarray(_dense(population))
        return rows.reshape(-1), np.arange(len(rows) + 1) * rows.shape[1]

    def put(self, places: Ints, population: Any, chosen: Ints) -> None:
        self._replaced.append((places, self.rows[places]))
        self.rows[places] = _dense(population)[chosen]

    def remove(self, places: Ints) -> None:
        pass  # nobody reads a place that is not filled

    def population(self, places: Ints) -> DensePopulation:
        return DensePopulation(self.rows[places])

    def hold(self) -> None:
        self._replaced = []

    def put_back(self, held: None) -> None:
        for places, rows in reversed(self._replaced):
            self.rows[places] = rows
        self._replaced = []

    def state(self, places: Ints) -> dict[str, NDArray[Any]]:
        return {"rows": self.rows[places]}

    def restore(self, places: Ints, state: Mapping[str, NDArray[Any]]) -> None:
        rows = np.array(state["rows"], np.float64)
        if len(rows) != len(places) or not np.isfinite(rows).all():
            raise ValueError("archive: its state has rows of another number, or numbers that are not finite")
        self.rows, self._replaced = np.zeros_like(self.rows), []
        self.rows[places] = rows


@final
class Graphs:
    """Graph genomes: `genes`, in the order of the places that are filled; `index`, (places,), which is where, or -1.

    example: any genome of these inputs and outputs. recurrent: whether cycles are allowed.
    """

    growing: ClassVar[tuple[str, ...]] = ARRAYS

    def __init__(self, places: int, example: Genes, recurrent: bool) -> None:
        self.genes, self.recurrent = take(example, np.zeros(0, np.int64)), recurrent
        self.index = np.full(places, -1)

    def numbers(self, population: GraphPopulation) -> tuple[Floats, Ints]:
        genes, nodes, links = population.genes, population.genes.node_offsets, population.genes.link_offsets
        numbers = [
            np.concatenate(
                [getattr(genes, name)[nodes[one] : nodes[one + 1]] for name in NODE_ARRAYS]
                + [getattr(genes, name)[links[one] : links[one + 1]] for name in LINK_ARRAYS],
                dtype=np.float64,
            )
            for one in range(genes.genomes)
        ]
        return np.concatenate(numbers), np.concatenate([[0], np.cumsum([len(one) for one in numbers])])

    def put(self, places: Ints, population: GraphPopulation, chosen: Ints) -> None:
        index = self.index.copy()
        index[places] = self.genes.genomes + np.arange(len(places))
        self._keep(join(self.genes, take(population.genes, chosen)), index)

    def remove(self, places: Ints) -> None:
        index = self.index.copy()
        index[places] = -1
        self._keep(self.genes, index)

    def _keep(self, genes: Genes, index: Ints) -> None:
        """Keep those genes that some place has, (places,), in the order of the places."""
        filled = np.flatnonzero(index >= 0)
        self.genes, self.index = take(genes, index[filled]), index
        index[filled] = np.arange(len(filled))

    def population(self, places: Ints) -> GraphPopulation:
        return GraphPopulation(take(self.genes, self.index[places]), self.recurrent)

    def hold(self) -> tuple[Genes, Ints]:
        return self.genes, self.index

    def put_back(self, held: tuple[Genes, Ints]) -> None:
        self.genes, self.index = held

    def state(self, places: Ints) -> dict[str, NDArray[Any]]:
        genes = take(self.genes, self.index[places])
        return {name: getattr(genes, name) for name in ARRAYS}

    def restore(self, places: Ints, state: Mapping[str, NDArray[Any]]) -> None:
        arrays: dict[str, Any] = {name: np.array(state[name]) for name in ARRAYS}
        genes = self.genes._replace(**arrays)
        try:
            check_genes(genes, self.recurrent, (len(ACTIVATIONS), len(AGGREGATIONS)))
        except ValueError as error:
            raise ValueError(f"archive: {error}") from error
        if genes.genomes != len(places):
            raise ValueError(f"archive: its state has {genes.genomes} genomes, expected {len(places)}")
        self.genes, self.index = genes, np.full_like(self.index, -1)
        self.index[places] = np.arange(len(places))


def rows_of(population: Population) -> list[Floats]:
    """Return the parameters of each individual, (its parameters,)."""
    return [row_of(population, individual) for individual in range(len(population))]


def _dense(population: Any) -> Floats:
    """Return the rows of a population, or an array of them as it is, (individuals, parameters)."""
    return population if isinstance(population, np.ndarray) else population.dense()
