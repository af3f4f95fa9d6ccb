"""Random numbers on a tape, drawn anew in every run; see `evo.autodiff.operations`."""

from typing import Any

import numpy as np

from evo.autodiff.operations import COLUMNS, FIRST, OUTPUT, ROWS, gradient_of, seed_of
from evo.envs.engine.random import mixed, standard_normal


def normal(row: Any, values: Any, gradients: Any) -> None:
    """Draw standard normals, from a stream that the tape's seed, first, and the node's offset determine."""
    word = mixed(mixed(np.uint64(seed_of(values, row[FIRST])[0])) ^ np.uint64(row[OUTPUT]))
    stream = np.empty(4, np.uint64)
    for index in range(stream.size):
        word = mixed(word)
        stream[index] = word
    stream[3] |= np.uint64(1)  # an increment is odd
    for index in range(row[OUTPUT], row[OUTPUT] + row[ROWS] * row[COLUMNS]):
        values[index] = standard_normal(stream)


@gradient_of(normal)
def normal_backward(row: Any, values: Any, gradients: Any) -> None:
    """Do nothing: the draws depend on no parameter."""
