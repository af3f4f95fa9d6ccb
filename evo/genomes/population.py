"""Populations: what an algorithm asks to have evaluated, one row of parameters per individual."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, final

import numpy as np
from numpy.typing import NDArray

from evo.genomes.bounds import EVERYWHERE, Box
from evo.genomes.noise import Noise, move
from evo.genomes.rows import Rows


class Population(Protocol):
    """Individuals that need not be stored: rows may be computed on access.

    Where individuals have rows of their own length, it has `lengths` too, int64 (individuals,); see `RaggedPopulation`.
    One that stores its rows one after the other may have `part(first, last)`, which returns those of some individuals
    as `Rows`. One whose individuals have learned has `lesson_steps`, of the problem, that this took.
    """

    def __len__(self) -> int:
        """Return the number of individuals."""
        ...

    @property
    def size(self) -> int:
        """Return the number of parameters of an individual, of the longest where they differ."""
        ...

    def row(self, individual: int, out: NDArray[Any]) -> None:
        """Write the parameters of one individual into `out`, (parameters,), cast to its floating type."""
        ...

    def dense(self) -> NDArray[np.float64]:
        """Return all individuals, (individuals, parameters); a view or a copy, read-only.

        Raises ValueError where their rows differ in length.
        """
        ...


def lengths_of(population: Population) -> NDArray[np.int64]:
    """Return how many parameters each individual has, int64 (individuals,)."""
    own = getattr(population, "lengths", None)
    return np.full(len(population), population.size, np.int64) if own is None else own


def row_of(population: Population, individual: int) -> NDArray[np.float64]:
    """Return the parameters of one individual, float64 (its parameters,)."""
    row = np.empty(int(lengths_of(population)[individual]))
    population.row(individual, row)
    return row


def parts_of(population: Population, most: int) -> Iterator[Rows]:
    """Yield the parameters of all individuals in order, at most `most` individuals at a time."""
    lengths, part = lengths_of(population), getattr(population, "part", None)
    for start in range(0, len(population), most):
        if part is not None:
            yield part(start, min(start + most, len(population)))
            continue
        rows = Rows.empty(lengths[start : start + most])
        for index, row in enumerate(rows):
            population.row(start + index, row)
        yield rows


@final
class RaggedPopulation:
    """Individuals of their own length: `rows`, one (parameters,) each."""

    def __init__(self, rows: Sequence[NDArray[Any]]) -> None:
        self.rows = [np.array(row, np.float64) for row in rows]
        self.lengths = np.array([len(row) for row in self.rows], np.int64)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def size(self) -> int:
        return int(self.lengths.max())

    def row(self, individual: int, out: NDArray[Any]) -> None:
        np.copyto(out, self.rows[individual], casting="same_kind")

    def dense(self) -> NDArray[np.float64]:
        if len(set(self.lengths.tolist())) > 1:
            raise ValueError(
                f"individuals of {self.lengths.min()} to {self.lengths.max()} numbers: only a network with a layer of "
                "its own length (own_length) is evaluated on them"
            )
        return np.array(self.rows)


@final
class DensePopulation:
    """A population stored as `array`, (individuals, parameters).

    `sigmas`, (individuals,), are inherited along with the parameters; None without self-adaptation.
    """

    def __init__(self, array: NDArray[Any], sigmas: NDArray[np.float64] | None = None) -> None:
        self.array = np.ascontiguousarray(array, dtype=np.float64).view()
        self.array.flags.writeable = False
        self.sigmas = sigmas

    def __len__(self) -> int:
        return len(self.array)

    @property
    def size(self) -> int:
        return int(self.array.shape[1])

    def row(self, individual: int, out: NDArray[Any]) -> None:
        np.copyto(out, self.array[individual], casting="same_kind")

    def dense(self) -> NDArray[np.float64]:
        return self.array


@final
class Subpopulation:
    """A subset of a population, by its individuals' `indices`, (individuals,)."""

    def __init__(self, population: Population, indices: NDArray[np.intp]) -> None:
        self.population = population
        self.indices = indices

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def size(self) -> int:
        return self.population.size

    @property
    def lengths(self) -> NDArray[np.int64]:
        return lengths_of(self.population)[self.indices]

    def row(self, individual: int, out: NDArray[Any]) -> None:
        self.population.row(int(self.indices[individual]), out)

    def dense(self) -> NDArray[np.float64]:
        rows = np.empty((len(self), self.size))
        for individual, row in enumerate(rows):
            self.row(individual, row)
        return rows


@final
class PerturbedPopulation:
    """Antithetic pairs around a centre: individual 2k is `center + scale * noise[k]`, 2k + 1 is its mirror image.

    `center` is (parameters,), `noise` (pairs, parameters), an array or drawn row by row. Mirrored sampling: Brockhoff,
    Auger, Hansen, Arnold & Hohm 2010, "Mirrored Sampling and Sequential Selection for Evolution Strategies".
    """

    def __init__(self, center: NDArray[np.float64], noise: Noise | NDArray[np.float64], scale: float) -> None:
        self.center = center
        self.noise = noise
        self.scale = scale

    def __len__(self) -> int:
        return 2 * len(self.noise)

    @property
    def size(self) -> int:
        return len(self.center)

    def row(self, individual: int, out: NDArray[Any]) -> None:
        move(self.center, -self.scale if individual % 2 else self.scale, self.noise[individual // 2], out)

    def dense(self) -> NDArray[np.float64]:
        rows = np.empty((len(self), self.size))
        for individual, row in enumerate(rows):
            self.row(individual, row)
        return rows


@final
class SampledPopulation:
    """Samples of a normal distribution: individual k is `center + scale * steps[k]`, made from `noise[k]` ~ N(0, I).

    `center` is (parameters,), `steps` and `noise` are (individuals, parameters); `box` maps the samples to where they
    are evaluated.
    """

    def __init__(
        self,
        center: NDArray[np.float64],
        scale: float | NDArray[np.float64],
        steps: NDArray[np.float64],
        noise: NDArray[np.float64],
        box: Box = EVERYWHERE,
    ) -> None:
        self.center = center
        self.scale = scale
        self.steps = steps
        self.noise = noise
        self.box = box

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def size(self) -> int:
        return int(self.steps.shape[1])

    def row(self, individual: int, out: NDArray[Any]) -> None:
        np.copyto(out, self.box.inside(self.center + self.scale * self.steps[individual]), casting="same_kind")

    def dense(self) -> NDArray[np.float64]:
        return self.box.inside(self.center + self.scale * self.steps)
