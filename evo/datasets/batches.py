"""Minibatches: which examples an update sees."""

from typing import SupportsIndex

import numpy as np

from evo.numerics.randomness import generator
from evo.numerics.validation import whole_number


def minibatch(count: int, size: int, seed: SupportsIndex, update: SupportsIndex = 0) -> np.ndarray:
    """Rows of `size` different examples of `count`, int64, in random order; all of them where there are no more.

    A pure function of its arguments, so that everyone who is to see the same examples can ask for them. Batches are
    drawn independently of each other: no example is due before another. Raises ValueError for counts below 1.
    """
    whole_number("count", count, 1)
    chosen = min(whole_number("size", size, 1), count)
    return generator(seed, "minibatch", update).choice(count, chosen, replace=False)
