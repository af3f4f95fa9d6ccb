"""Gaussian noise that is regenerated from a seed instead of being stored.

The stream is NumPy's own, drawn in compiled code (`evo.envs.engine.random`) in two thirds of NumPy's time, some 6 ns a
number: eight times as long as writing the number to memory and reading it back, but without using memory.
"""

import copy
from collections.abc import Iterator
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from evo.envs.engine.compile import njit
from evo.envs.engine.random import standard_normal, words_of

_Floats = NDArray[np.float64]


@njit(cache=True, error_model="numpy")
def draw(stream: Any, out: Any) -> None:
    """Fill out (n,) with the next n standard normal numbers of a stream of `evo.envs.engine.random`, which advances."""
    for index in range(out.size):
        out[index] = standard_normal(stream)


@njit(cache=True, error_model="numpy")  # a check for division by zero would keep the loop from being vectorised
def move(center: Any, scale: float, step: Any, out: Any) -> None:
    """Write center + scale * step to out, all (n,), rounded to the type of out at last; out may be center."""
    for index in range(out.size):
        out[index] = center[index] + scale * step[index]


@final
class Noise:
    """Rows of normal noise, each drawn when accessed: `noise[k]` is (size,), valid until the next access.

    The numbers are those of `random.standard_normal((count, size))`, times `sigma`, (size,), if given; `random`
    itself does not advance. Only the last row accessed and the stream's state at the beginning of each row are stored.
    """

    def __init__(self, random: np.random.Generator, count: int, size: int, sigma: _Floats | None = None) -> None:
        self.shape = count, size
        self.sigma = sigma
        self._begins = np.empty((count + 1, 4), np.uint64)
        self._begins[0] = words_of(random.bit_generator.state)
        self._known = 0  # the last row whose stream state is known: a normal number takes a varying number of words
        self._row, self._index = np.empty(size), -1  # the row last accessed, and its index

    @classmethod
    def from_streams(cls, streams: NDArray[np.uint64], size: int, sigma: _Floats | None = None) -> "Noise":
        """Return noise whose rows begin at these states of a stream, (rows, 4), such as `streams` returns."""
        noise = cls.__new__(cls)
        noise.shape = len(streams), size
        noise.sigma = sigma
        noise._begins = np.append(streams, np.zeros((1, 4), np.uint64), axis=0)
        noise._known = len(streams)
        noise._row, noise._index = np.empty(size), -1
        return noise

    def streams(self, rows: NDArray[np.intp]) -> NDArray[np.uint64]:
        """Return the states of the stream at the beginning of some rows, uint64 (rows, 4)."""
        while self._known < rows.max():
            self._index = -1
            self._draw(self._known)
        return self._begins[rows]

    def __len__(self) -> int:
        return self.shape[0]

    def grow(self, count: int) -> "Noise":
        """Return noise of `count` rows, more than here, beginning with the same rows."""
        grown = copy.copy(self)
        grown.shape = count, self.shape[1]
        grown._begins = np.empty((count + 1, 4), np.uint64)
        grown._begins[: self._known + 1] = self._begins[: self._known + 1]
        grown._row, grown._index = np.empty(self.shape[1]), -1
        return grown

    def __iter__(self) -> Iterator[_Floats]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> _Floats:
        if not 0 <= index < len(self):
            raise IndexError(f"row {index} of {len(self)}")
        if index != self._index:
            self._index = -1  # if interrupted, the row would be neither the old nor the new one
            for before in range(self._known, index):
                self._draw(before)
            self._draw(index)
            if self.sigma is not None:
                self._row *= self.sigma
            self._index = index
        return self._row

    def _draw(self, index: int) -> None:
        stream = self._begins[index].copy()
        draw(stream, self._row)
        if index == self._known:
            self._begins[index + 1], self._known = stream, index + 1


def weighted_sum(weights: _Floats, rows: Noise | _Floats) -> _Floats:
    """Return sum_k weights[k] rows[k], (size,), added in order of rows, as the order affects rounding."""
    total = np.zeros(rows.shape[1])
    for weight, row in zip(weights, rows, strict=True):
        move(total, weight, row, total)
    return total
