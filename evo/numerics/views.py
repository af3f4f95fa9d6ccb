"""Array views at addresses, for compiled code, and the argument record that carries the addresses."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numba import carray

from evo.envs.engine.compile import njit
from evo.envs.engine.physics import pointer


def argument_of(kind: np.dtype[Any], numbers: Mapping[str, int], arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """Build a kernel's argument, a record of `kind`: numbers as they are, arrays by address; other fields are 0.

    The arrays must outlive its use.
    """
    argument = np.zeros((), kind)
    for name, number in numbers.items():
        argument[name] = number
    for name, array in arrays.items():
        argument[name] = array.ctypes.data
    return argument


def lay_out(**sizes: int) -> dict[str, int]:
    """Lay out parts of these sizes (bytes) one after another in a block of memory.

    Returns the offset of each part, `NAME_at`, for a kernel's argument, and `end`, rounded up to a whole cache line, so
    that neighbouring blocks share none.
    """
    offsets, at = dict[str, int](), 0
    for name, size in sizes.items():
        offsets[f"{name}_at"], at = at, at + size
    return offsets | {"end": -(-at // 64) * 64}


@njit
def doubles(address: int, count: int) -> Any:
    return carray(pointer(address), (count,), np.float64)


@njit
def floats(address: int, count: int) -> Any:
    return carray(pointer(address), (count,), np.float32)


@njit
def integers(address: int, count: int) -> Any:
    return carray(pointer(address), (count,), np.int64)


@njit
def words(address: int, count: int) -> Any:
    return carray(pointer(address), (count,), np.uint64)
