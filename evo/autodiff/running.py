"""A tape's table, run forward and backward in compiled code, whole or a section of it."""

from typing import Any, NamedTuple

import numpy as np

from evo.autodiff.operations import BACKWARD, FORWARD
from evo.envs.engine.compile import njit
from evo.envs.engine.physics import call


class Section(NamedTuple):
    """Rows first to last of a tape's table that lead to a loss of their own, at `loss`.

    spans: int64 (nodes, 2), where the nodes' gradients are, which the way back adds to. end: where its nodes end.
    """

    first: int
    last: int
    loss: int
    spans: np.ndarray
    end: int


@njit(cache=True)
def forward(table: Any, values: Any, gradients: Any) -> None:
    for index in range(table.shape[0]):
        call(table[index, FORWARD], (table[index], values, gradients))


@njit(cache=True)
def backward(table: Any, values: Any, gradients: Any, loss: int) -> None:
    gradients[:] = 0
    gradients[loss] = 1
    run_backward(table, values, gradients)


@njit(cache=True)
def run_backward(table: Any, values: Any, gradients: Any) -> None:
    """Run a table backwards, adding to gradients that begin with the loss's."""
    for index in range(table.shape[0] - 1, -1, -1):
        if table[index, BACKWARD] != 0:
            call(table[index, BACKWARD], (table[index], values, gradients))
