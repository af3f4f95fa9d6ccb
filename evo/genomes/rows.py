"""Rows: the parameters of several individuals in one array, each row as long as its individual's."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.errors import EvoError, one_line
from evo.networks.network import Network


@dataclass(frozen=True)
class Rows:
    """Parameters of several individuals, one after another.

    values: float32 (numbers,). offsets: int64 (individuals + 1,): individual k has `values[offsets[k]:offsets[k + 1]]`.
    """

    values: NDArray[np.float32]
    offsets: NDArray[np.int64]

    @classmethod
    def empty(cls, lengths: NDArray[np.int64]) -> "Rows":
        """Return rows of these lengths, (individuals,), to be filled in."""
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        return cls(np.empty(offsets[-1], np.float32), offsets)

    @classmethod
    def of(cls, params: "Rows | ArrayLike") -> "Rows":
        """Return rows as they are, or those of an array (individuals, parameters). Raises ValueError for another."""
        if isinstance(params, Rows):
            return params
        array = np.ascontiguousarray(params, np.float32)
        if array.ndim != 2:
            raise ValueError(f"parameters of shape {array.shape}; they must be (individuals, parameters)")
        return cls(array.reshape(-1), np.arange(len(array) + 1, dtype=np.int64) * array.shape[1])

    @classmethod
    def checked(cls, values: ArrayLike, offsets: ArrayLike) -> "Rows":
        """Return rows read from a file. Raises ValueError where the offsets are not those of such values."""
        numbers, ends = np.asarray(values, np.float32), np.asarray(offsets)
        fits = ends.ndim == 1 and ends.dtype.kind in "iu" and len(ends) and ends[0] == 0 and ends[-1] == len(numbers)
        if numbers.ndim != 1 or not fits or (np.diff(ends.astype(np.int64)) < 0).any():
            raise ValueError("offsets do not divide the parameters into rows")
        return cls(numbers, ends.astype(np.int64))

    def take(self, individuals: NDArray[np.int64]) -> "Rows":
        """Return some individuals, by their indices, in this order."""
        rows = Rows.empty(self.lengths[individuals])
        for row, individual in zip(rows, individuals, strict=True):
            row[:] = self[int(individual)]
        return rows

    @property
    def lengths(self) -> NDArray[np.int64]:
        """How many parameters each individual has, int64 (individuals,)."""
        return np.diff(self.offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, individual: int) -> NDArray[np.float32]:
        if not 0 <= individual < len(self):
            raise IndexError(f"row {individual} of {len(self)}")
        return self.values[self.offsets[individual] : self.offsets[individual + 1]]

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        return (self[individual] for individual in range(len(self)))

    def part(self, first: int, last: int) -> "Rows":
        """Return the individuals from `first` to before `last`, as views."""
        begin, end = self.offsets[first], self.offsets[last]
        return Rows(self.values[begin:end], self.offsets[first : last + 1] - begin)


def rows_for(network: Network, params: "Rows | NDArray[Any]") -> Rows:
    """Return the rows of parameters. Raises ValueError for one that is not such as the network takes.

    Of a network of own length it is an EvoError: which rows it takes, a method that a user chose need not know.
    """
    if not network.own_length and not isinstance(params, Rows) and np.shape(params)[1:] != (network.size,):
        raise ValueError(f"parameters of shape {np.shape(params)}; they must be (individuals, {network.size})")
    rows = Rows.of(params)
    wrong = network.misfit(rows.values, rows.offsets)
    if wrong >= 0:
        try:
            network.check(rows[wrong])
        except ValueError as error:
            if not network.own_length:
                raise
            raise EvoError(
                f"individual {wrong} does not fit {network.text!r}: {one_line(error)}; take a method that makes such "
                "rows"
            ) from error
        raise AssertionError("a row that fits")
    return rows
