"""Dropout operation: masks come from a counter-based generator, so that backward recomputes them.

See `evo.autodiff.operations`. Counter-based draws as in Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2,
3", here with SplitMix64.
"""

from typing import Any

import numpy as np

from evo.autodiff.operations import COLUMNS, FIRST, NEEDED, NUMBERS, OUTPUT, ROWS, SECOND, gradient_of, seed_of
from evo.envs.engine.compile import njit
from evo.envs.engine.random import mixed

DRAWS = 2**53  # a draw is a whole number below this


@njit
def _stream(row: Any, values: Any) -> Any:
    """Return the start of a node's random stream, mixed from its seed and its offset on the tape."""
    return mixed(mixed(np.uint64(seed_of(values, row[SECOND])[0])) ^ np.uint64(row[OUTPUT]))


@njit
def _is_kept(stream: Any, index: int, dropped: int) -> Any:
    return np.int64(mixed(stream ^ np.uint64(index)) >> np.uint64(11)) >= dropped


def dropout(row: Any, values: Any, gradients: Any) -> None:
    """Drop numbers of first at random: kept ones are divided by the share kept, dropped ones 0.

    second: the tape's seed. Numbers: how many of DRAWS values drop. Srivastava et al. 2014, section 10, inverted:
    scaled in training, so that inference needs no scaling.
    """
    size, dropped, real = row[ROWS] * row[COLUMNS], row[NUMBERS], values.dtype.type
    given, out = values[row[FIRST] : row[FIRST] + size], values[row[OUTPUT] : row[OUTPUT] + size]
    stream, scale = _stream(row, values), real(DRAWS / (DRAWS - dropped))
    for index in range(size):
        out[index] = given[index] * scale if _is_kept(stream, index, dropped) else real(0)


@gradient_of(dropout)
def dropout_backward(row: Any, values: Any, gradients: Any) -> None:
    if not row[FIRST + NEEDED]:
        return
    size, dropped, real = row[ROWS] * row[COLUMNS], row[NUMBERS], values.dtype.type
    above, below = gradients[row[OUTPUT] : row[OUTPUT] + size], gradients[row[FIRST] : row[FIRST] + size]
    stream, scale = _stream(row, values), real(DRAWS / (DRAWS - dropped))
    for index in range(size):
        if _is_kept(stream, index, dropped):
            below[index] += above[index] * scale
