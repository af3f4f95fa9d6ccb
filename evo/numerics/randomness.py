"""Random generators and episode seeds as pure functions of a seed and a named purpose.

Nothing here keeps state and nothing reads a global generator: the caller names what the random numbers are for
(`"noise"`, `"mutation"`, …), and two purposes never share a stream. Episode seeds come in three disjoint ranges:

    1_000_000 …   selection: choose a run's champion          the same in every run, so champions are comparable
    2_000_000 …   report: scored once, printed in tables      the same in every run, never seen before the end
    2**32 …       training: hashed afresh each generation     different in every run, equal for all its individuals

Source: O'Neill 2014, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms for Random Number
Generation"; seeded by NumPy's SeedSequence. NumPy promises both streams for ever.
"""

import hashlib
import operator
from typing import SupportsIndex

import numpy as np
from numpy.typing import NDArray

SELECTION_START = 1_000_000
REPORT_START = 2_000_000
TRAINING_START, TRAINING_STOP = 2**32, 2**63


def generator(seed: SupportsIndex, purpose: str, *indices: SupportsIndex) -> np.random.Generator:
    """Return the generator of `purpose` under `seed`, e.g. `generator(seed, "noise", generation)`.

    `seed` and `indices` are whole numbers >= 0 of any size, Python's or NumPy's; a negative one raises ValueError.
    """
    entropy = [operator.index(seed), *map(operator.index, indices)]
    if min(entropy) < 0:
        raise ValueError(f"seed={seed}, indices={indices}: seeds and their indices must be >= 0")
    # The digest covers the indices too: SeedSequence pads with zeros and splits numbers into 32-bit words, so by itself
    # it would take () for (0,) and (2**32,) for (0, 1).
    named = f"{purpose}{entropy[1:]}".encode()
    digest = int.from_bytes(hashlib.blake2b(named, digest_size=8).digest(), "little")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([entropy[0], digest, *entropy[1:]])))


def episode_seeds(seed: SupportsIndex, purpose: str, generation: SupportsIndex, count: int) -> NDArray[np.int64]:
    """Return the seeds of a generation's `count` episodes, int64 (count,), in [2**32, 2**63).

    Seed i depends on (seed, purpose, generation, i) and not on the individual, so that a whole generation faces common
    random numbers; asking for more episodes leaves the first seeds unchanged. Raises ValueError for count < 0.
    """
    if count < 0:
        raise ValueError(f"count={count}: must be >= 0")
    # Raw words, not Generator.integers: only the bit generator's stream is promised to stay the same for ever.
    bits = generator(seed, f"episode seeds, {purpose}", generation).bit_generator
    words = np.array(bits.random_raw(count), dtype=np.uint64)  # (count,)
    hashed = np.uint64(TRAINING_START) + words % np.uint64(TRAINING_STOP - TRAINING_START)
    return hashed.astype(np.int64)


def selection_seeds(count: int) -> NDArray[np.int64]:
    """Return the episode seeds that select a champion, (count,): 1_000_000 + i, the same in every run."""
    return _fixed_seeds(SELECTION_START, count)


def report_seeds(count: int) -> NDArray[np.int64]:
    """Return the episode seeds whose scores are reported, (count,): 2_000_000 + i, the same in every run."""
    return _fixed_seeds(REPORT_START, count)


def _fixed_seeds(start: int, count: int) -> NDArray[np.int64]:
    most = REPORT_START - SELECTION_START
    if not 0 <= count <= most:
        raise ValueError(f"count={count}: must lie in [0, {most}], or selection and report seeds would overlap")
    return np.arange(start, start + count, dtype=np.int64)
