"""Parity, of two bits exclusive or: not linearly separable (Minsky & Papert 1969)."""

import numpy as np

from evo.datasets.dataset import Dataset
from evo.datasets.splits import dataset_from, shuffle
from evo.numerics.validation import whole_number

_MOST_BITS = 16


def xor(*, seed: int = 0, sequence: bool = False, bits: int = 2) -> Dataset:
    """Whether the number of ones among some bits is odd; of two bits, exclusive or.

    Every pattern is in all three splits, as there are no others. Bits are −1 or 1. seed: seed of their order. sequence:
    the bits are given one by one. Raises ValueError for numbers of bits outside [2, 16].
    """
    whole_number("bits", bits, 2, _MOST_BITS)
    ones = np.arange(2**bits)[:, None] >> np.arange(bits) & 1
    every = shuffle(len(ones), seed, "order of patterns")
    return dataset_from(
        "xor",
        {"seed": seed, "sequence": sequence, "bits": bits},
        2 * ones - 1,
        ones.sum(axis=1) % 2,
        (every, every, every),
        shape=(bits,),
        sequence=sequence,
        labels=("even", "odd"),
    )
