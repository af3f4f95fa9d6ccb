"""Sums in NumPy's own order, so that rewards equal Gymnasium's to the bit."""

import math
from typing import Any

from numba import types
from numba.extending import intrinsic

from evo.envs.kernels import njit


@njit
def _squares_up_to_128(values: Any, start: int, count: int) -> float:
    """NumPy's pairwise block: plain below 8 elements, else eight interleaved sums."""
    if count < 8:
        total = 0.0
        for index in range(start, start + count):
            total += values[index] * values[index]
        return total
    r0 = values[start] * values[start]
    r1 = values[start + 1] * values[start + 1]
    r2 = values[start + 2] * values[start + 2]
    r3 = values[start + 3] * values[start + 3]
    r4 = values[start + 4] * values[start + 4]
    r5 = values[start + 5] * values[start + 5]
    r6 = values[start + 6] * values[start + 6]
    r7 = values[start + 7] * values[start + 7]
    whole = count - count % 8
    for index in range(start + 8, start + whole, 8):
        r0 += values[index] * values[index]
        r1 += values[index + 1] * values[index + 1]
        r2 += values[index + 2] * values[index + 2]
        r3 += values[index + 3] * values[index + 3]
        r4 += values[index + 4] * values[index + 4]
        r5 += values[index + 5] * values[index + 5]
        r6 += values[index + 6] * values[index + 6]
        r7 += values[index + 7] * values[index + 7]
    total = ((r0 + r1) + (r2 + r3)) + ((r4 + r5) + (r6 + r7))
    for index in range(start + whole, start + count):
        total += values[index] * values[index]
    return total


@njit
def sum_of_squares(values: Any) -> float:
    """`np.sum(np.square(values))` of a contiguous float64 vector of up to 256 elements, in NumPy's order."""
    count = values.size
    if count <= 128:
        return _squares_up_to_128(values, 0, count)
    half = count // 2
    half -= half % 8
    first, rest = _squares_up_to_128(values, 0, half), count - half
    if rest <= 128:
        return first + _squares_up_to_128(values, half, rest)
    # from 249 elements on the second half is halved again; a recursive kernel would not survive Numba's cache
    quarter = rest // 2
    quarter -= quarter % 8
    second = _squares_up_to_128(values, half, quarter)
    return first + (second + _squares_up_to_128(values, half + quarter, rest - quarter))


@intrinsic
def _fused(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """a × b + c, rounded once."""
    real = types.float64
    return real(real, real, real), lambda context, builder, signature, values: builder.fma(*values)


@njit
def norm3(x: float, y: float, z: float) -> float:
    """`np.linalg.norm([x, y, z])`, and with z = 0 that of [x, y]: NumPy asks BLAS, whose products are fused."""
    return math.sqrt(_fused(z, z, _fused(y, y, x * x)))
