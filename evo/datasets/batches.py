"""Minibatches: random subsets of the examples, one for each update."""

from typing import SupportsIndex

import numpy as np

from evo.numerics.randomness import generator
from evo.numerics.validation import whole_number


def minibatch(count: int, size: int, seed: SupportsIndex, update: SupportsIndex = 0) -> np.ndarray:
    """Return a random minibatch: `size` different rows below `count`, int64; all of them where `size` exceeds `count`.

    A pure function of its arguments, so that everyone who must see the same examples can compute them. Batches are
    drawn independently of each other: there are no epochs. Raises ValueError for counts below 1.
    """
    whole_number("count", count, 1)
    chosen = min(whole_number("size", size, 1), count)
    return generator(seed, "minibatch", update).choice(count, chosen, replace=False)
