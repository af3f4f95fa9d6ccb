"""NumPy's random stream in compiled code: `Generator(PCG64(seed))`, bit for bit.

An episode that draws its initial state from this stream starts exactly where `gymnasium.make(id).reset(seed=seed)`
starts. PCG64 is O'Neill (2014), "PCG: A family of simple fast space-efficient statistically good algorithms for random
number generation", the XSL-RR 128/64 member; normals are by Marsaglia & Tsang's ziggurat (2000), on NumPy's tables. A
stream is its state and increment as four words: uint64 (high state, low state, high increment, low increment).
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numba.np.random._constants import fi_double, ki_double, wi_double, ziggurat_nor_inv_r, ziggurat_nor_r

from evo.envs.engine.compile import njit
from evo.envs.engine.numpy_order import shifted

_MULTIPLIER = 0x2360ED051FC65DA44385DF649FCCF645


def streams(seeds: np.ndarray) -> np.ndarray:
    """Return streams (seeds, 4) uint64 as `np.random.PCG64(seed)` begins them; seeds are non-negative integers."""
    words = np.empty((len(seeds), 4), np.uint64)
    for row, seed in zip(words, seeds, strict=True):
        row[:] = words_of(np.random.PCG64(np.random.SeedSequence(int(seed))).state)
    return words


def words_of(state: Mapping[str, Any]) -> list[int]:
    """Return the four words of a stream, from the state of a PCG64 bit generator."""
    numbers = (state["state"]["state"], state["state"]["inc"])
    return [word for number in numbers for word in (number >> 64, number & 0xFFFFFFFFFFFFFFFF)]


@intrinsic
def _advance(typing: Any, rng: Any) -> Any:
    """Advance the 128-bit linear congruential state and return its output word."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        wide, word = ir.IntType(128), ir.IntType(64)
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        places = [builder.gep(array.data, [ir.IntType(32)(index)], source_etype=word) for index in range(4)]
        high, low, increment_high, increment_low = (builder.zext(builder.load(at, typ=word), wide) for at in places)
        shift = wide(64)
        state = builder.or_(builder.shl(high, shift), low)
        increment = builder.or_(builder.shl(increment_high, shift), increment_low)
        state = builder.add(builder.mul(state, wide(_MULTIPLIER)), increment)
        high, low = builder.trunc(builder.lshr(state, shift), word), builder.trunc(state, word)
        builder.store(high, places[0])
        builder.store(low, places[1])
        # XSL-RR: fold the halves together and rotate right by the top six bits
        folded, turn = builder.xor(high, low), builder.lshr(high, word(58))
        back = builder.and_(builder.sub(word(64), turn), word(63))
        return builder.or_(builder.lshr(folded, turn), builder.shl(folded, back))

    return types.uint64(rng), codegen


@njit
def random(rng: Any) -> float:
    """Draw uniformly from [0, 1), as `Generator.random()`."""
    return float(_advance(rng) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@njit
def uniform(rng: Any, low: float, high: float) -> float:
    """Draw uniformly from [low, high), as `Generator.uniform(low, high)`."""
    return shifted(low, high - low, random(rng))


@njit
def standard_normal(rng: Any) -> float:
    """Draw a standard normal, as `Generator.standard_normal()`."""
    while True:
        word = _advance(rng)
        layer = np.intp(word & np.uint64(0xFF))
        word = word >> np.uint64(8)
        negative = word & np.uint64(1)
        magnitude = (word >> np.uint64(1)) & np.uint64(0x000FFFFFFFFFFFFF)
        x = float(magnitude) * wi_double[layer]
        if negative:
            x = -x
        if magnitude < ki_double[layer]:
            return x
        if layer == 0:
            while True:
                tail = -ziggurat_nor_inv_r * math.log1p(-random(rng))
                height = -math.log1p(-random(rng))
                if height + height > tail * tail:
                    beyond = ziggurat_nor_r + tail
                    return -beyond if (magnitude >> np.uint64(8)) & np.uint64(1) else beyond
        elif (fi_double[layer - 1] - fi_double[layer]) * random(rng) + fi_double[layer] < math.exp(-0.5 * x * x):
            return x


@njit
def mixed(word: Any) -> Any:
    """Return a uint64 whose bits all depend on all bits of `word`; the mapping is a bijection.

    SplitMix64: Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators".
    """
    word = word + np.uint64(0x9E3779B97F4A7C15)
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


@njit
def apart(rng: Any, out: Any) -> None:
    """Set `out` to a stream elsewhere on the cycle of `rng`, at a place that its words determine."""
    out[:] = rng
    for index in range(2):
        out[index] = mixed(rng[index])
