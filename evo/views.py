"""Arrays at addresses, for compiled code."""

from typing import Any

import numpy as np
from numba import carray, njit

from envs.physics import pointer


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
