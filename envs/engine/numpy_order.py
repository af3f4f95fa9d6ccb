"""Bit-exact imitations of NumPy's, BLAS's and libm's arithmetic, chosen by probing the installed libraries.

Gymnasium's rewards and observations are computed by NumPy, whose last bit differs between machines: OpenBLAS picks a
kernel for the processor, NumPy may be built for one, and libm implementations differ. Every place where this matters to
a kernel is listed in `IMITATED`. Each has one or more variants, plain functions that are compiled into the kernels and
that Python can also call; a probe asks the library itself and picks the variant that gives all its answers to the bit.
The variants found are part of the digest of the kernels' cache (`evo.envs.engine.compile.source_digest`). Where none
fits, the first is compiled: results are then close to Gymnasium's, not equal (`evo doctor` reports it).

Not listed, because there is only one way: single operations, which IEEE 754 rounds correctly; the words of PCG64, which
are integers; and MuJoCo, which both call.
"""

import functools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numba
import numpy as np
from numba import types
from numba.extending import intrinsic, overload, register_jitable
from numba.np.random._constants import ziggurat_nor_inv_r, ziggurat_nor_r

UNKNOWN = "unknown"


def fused(a: float, b: float, c: float) -> float:
    """Return a × b + c, rounded once."""
    return float(Fraction(a) * Fraction(b) + Fraction(c))


@intrinsic
def _fused(typing: Any, a: Any, b: Any, c: Any) -> Any:
    real = types.float64
    return real(real, real, real), lambda context, builder, signature, values: builder.fma(*values)


@overload(fused)
def _compiled_fused(a: Any, b: Any, c: Any) -> Any:
    def compiled(a: Any, b: Any, c: Any) -> Any:  # Numba compares the signatures, including annotations
        return _fused(a, b, c)

    return compiled


@register_jitable
def _squares_up_to_128(values: Any, start: int, count: int) -> float:
    """Sum squares as NumPy's pairwise block does: plain below 8 elements, else eight interleaved sums."""
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


@register_jitable
def sum_of_squares(values: Any) -> float:
    """Compute `np.sum(np.square(values))` of a contiguous float64 vector of up to 256 elements, in NumPy's order."""
    count = values.size
    if count <= 128:
        return _squares_up_to_128(values, 0, count)
    half = count // 2
    half -= half % 8
    first, rest = _squares_up_to_128(values, 0, half), count - half
    if rest <= 128:
        return first + _squares_up_to_128(values, half, rest)
    # from 249 elements on the second half is halved again; a recursive kernel cannot be loaded from Numba's cache
    quarter = rest // 2
    quarter -= quarter % 8
    second = _squares_up_to_128(values, half, quarter)
    return first + (second + _squares_up_to_128(values, half + quarter, rest - quarter))


@register_jitable
def _fused_norm(x: float, y: float, z: float) -> float:
    return math.sqrt(fused(z, z, fused(y, y, x * x)))


@register_jitable
def _plain_norm(x: float, y: float, z: float) -> float:
    return math.sqrt((x * x + y * y) + z * z)


@register_jitable
def _paired_norm(x: float, y: float, z: float) -> float:
    return math.sqrt((x * x + z * z) + y * y)


@register_jitable
def _plain_step(total: float, a: float, b: float) -> float:
    return total + a * b


@register_jitable
def _fused_step(total: float, a: float, b: float) -> float:
    return fused(a, b, total)


@register_jitable
def _power(x: float, two: float) -> float:
    return math.pow(x, two)


@register_jitable
def _product(x: float, two: float) -> float:
    return x * x


_NORMS = {"fused": _fused_norm, "plain": _plain_norm, "first and third": _paired_norm}
_STEPS = {"plain": _plain_step, "fused": _fused_step}
_SQUARES = {"libm's pow": _power, "product": _product}


class Imitated(NamedTuple):
    """A computation of a library that our kernels repeat.

    affects: what differs where no variant fits. questions: arguments that distinguish the variants. ask: returns the
    library's answer to one. variants: name → function of a question, our answer; the first is used where none fits.
    """

    affects: str
    questions: Sequence[Any]
    ask: Callable[[Any], Any]
    variants: Mapping[str, Callable[[Any], Any]]


def _vectors(sizes: Iterable[int]) -> list[np.ndarray]:
    draws = np.random.Generator(np.random.PCG64(17))
    return [draws.standard_normal(size) for size in sizes]


def _generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def _norm_of(norm: Callable[[float, float, float], float], vector: np.ndarray) -> float:
    x, y, z = (*vector.tolist(), 0.0)[:3]
    return norm(x, y, z)


def _weighted(step: Callable[[float, float, float], float], rows: np.ndarray) -> list[float]:
    totals = [0.0, 0.0, 0.0]
    for weight, *numbers in rows.tolist():
        totals = [step(total, weight, number) for total, number in zip(totals, numbers, strict=True)]
    return totals


def _uniform(step: Callable[[float, float, float], float], seed: int) -> float:
    return step(-0.1, 0.37 - -0.1, _generator(seed).random())


def _tail(seed: int) -> float:
    """Return a seed's first normal beyond the ziggurat's last layer; see `evo.envs.engine.random`."""
    stream = np.random.PCG64(seed)
    word, draws = stream.random_raw(), np.random.Generator(stream)
    while True:
        beyond = -ziggurat_nor_inv_r * math.log1p(-draws.random())
        height = -math.log1p(-draws.random())
        if height + height > beyond * beyond:
            return -(ziggurat_nor_r + beyond) if word >> 17 & 1 else ziggurat_nor_r + beyond


def _each(variants: Mapping[str, Callable[..., float]], how: Callable[..., Any]) -> dict[str, Callable[[Any], Any]]:
    return {name: functools.partial(how, variant) for name, variant in variants.items()}


IMITATED: Mapping[str, Imitated] = {
    # BLAS's ddot: fused on AVX-512, plain on AVX2 and AVX, two at a time where there is SSE2 alone
    "np.linalg.norm": Imitated(
        "rewards of Pusher-v5 and Reacher-v5",
        _vectors([2] * 32 + [3] * 64),
        np.linalg.norm,
        _each(_NORMS, _norm_of),
    ),
    "np.sum": Imitated(
        "costs of control and of contact",
        _vectors([*range(26), 84, 127, 128, 129, 200, 248, 249, 256]),
        lambda vector: np.sum(np.square(vector)),
        {"pairwise": sum_of_squares},
    ),
    # fused where NumPy is built for a processor with fused multiply-add
    "np.einsum": Imitated(
        "the reward of Humanoid-v5",
        [vector.reshape(-1, 4) for vector in _vectors(4 * bodies for bodies in range(1, 24))],
        lambda rows: np.einsum("b,bj->j", rows[:, 0].copy(), rows[:, 1:].copy()).tolist(),
        _each(_STEPS, _weighted),
    ),
    # for these numbers except the first, glibc's pow differs from the product
    "x**2": Imitated(
        "the reward of InvertedDoublePendulum-v5",
        (0.3, 0.4127425118455319, -0.34067839798506894, 1.8718899448382333, -0.5065939445720007, -0.8174273483867669),
        lambda number: np.float64(number) ** 2,
        _each(_SQUARES, lambda square, number: square(number, 2.0)),
    ),
    "sin and cos": Imitated(
        "observations of Reacher-v5 and InvertedDoublePendulum-v5",
        [4.0 * angles for angles in _vectors([2] * 100)],
        lambda angles: [*np.sin(angles), *np.cos(angles)],
        {"libm's": lambda angles: [*map(math.sin, angles), *map(math.cos, angles)]},
    ),
    "Generator.uniform": Imitated(
        "where episodes begin",
        range(32),
        lambda seed: _generator(seed).uniform(-0.1, 0.37),
        _each(_STEPS, _uniform),
    ),
    "Generator.standard_normal": Imitated(
        "where episodes begin",
        (755, 1950, 2429, 4769, 5097, 11779, 13497, 17769, 19593, 21378, 28317, 30625, 32603, 34481),  # in the tail
        lambda seed: _generator(seed).standard_normal(),
        {"libm's log1p": _tail},
    ),
}


def variant_of(imitated: Imitated) -> str:
    """Return the first variant that gives all of the library's answers to the bit; UNKNOWN where there is none."""
    answers = [imitated.ask(question) for question in imitated.questions]
    for name, variant in imitated.variants.items():
        if all(variant(question) == answer for question, answer in zip(imitated.questions, answers, strict=True)):
            return name
    return UNKNOWN


def _find() -> dict[str, str]:
    found = {name: variant_of(imitated) for name, imitated in IMITATED.items()}
    if numba.config.USING_SVML:  # compiled loops then call Intel's functions
        found["sin and cos"] = UNKNOWN
    return found


FOUND: Mapping[str, str] = _find()


def unlike(found: Mapping[str, str] = FOUND) -> list[str]:
    """Return a line for each computation that is close to Gymnasium's on this machine and not equal."""
    return [
        f"{name} follows no rule that evo knows: {IMITATED[name].affects}" for name in found if found[name] == UNKNOWN
    ]


norm3 = _NORMS.get(FOUND["np.linalg.norm"], _fused_norm)
"""`np.linalg.norm([x, y, z])`, and with z = 0 that of [x, y]."""

square = _SQUARES.get(FOUND["x**2"], _power)
"""`x**2` of a NumPy number x, taking (x, two): if the compiler knew two, it would turn the power into a product."""

add_weighted = _STEPS.get(FOUND["np.einsum"], _plain_step)
"""total + weight × number, as NumPy's einsum adds."""

shifted = _STEPS.get(FOUND["Generator.uniform"], _plain_step)
"""low + span × share, as NumPy's Generator makes a uniform number from a share in [0, 1)."""
