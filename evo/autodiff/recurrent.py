"""Operations of recurrent layers, one time step each; see `evo.autodiff.operations`.

`add_affine` adds a layer's recurrent sums to its input sums in place: no other operation whose gradient needs the
earlier sums may read them. A cell with two outputs records the second one as its last operand: the forward function
writes it, and the backward function reads its gradient like that of the first. Gates that are left activated are
overwritten, with the same condition.
"""

from typing import Any

from evo.autodiff.blas import add_product, add_product_turned_first, add_product_turned_second
from evo.autodiff.operations import BY_ROW, COLUMNS, FIRST, NEEDED, OUTPUT, ROWS, SECOND, THIRD, gradient_of, rows_of
from evo.numerics import activations


def add_affine(row: Any, values: Any, gradients: Any) -> None:
    """Add first (m, k) second (k, n) to the output (m, n) in place."""
    m, n, k = row[ROWS], row[COLUMNS], row[FIRST + BY_ROW]
    add_product(values[row[FIRST] :], values[row[SECOND] :], rows_of(row, values, OUTPUT, n), m, k, n)


@gradient_of(add_affine)
def add_affine_backward(row: Any, values: Any, gradients: Any) -> None:
    """Add the gradients of both factors; the earlier content's gradient is the output's, already in place."""
    m, n, k = row[ROWS], row[COLUMNS], row[FIRST + BY_ROW]
    above = rows_of(row, gradients, OUTPUT, n)
    if row[FIRST + NEEDED]:
        add_product_turned_second(above, values[row[SECOND] :], gradients[row[FIRST] :], m, n, k)
    if row[SECOND + NEEDED]:
        add_product_turned_first(values[row[FIRST] :], above, gradients[row[SECOND] :], k, m, n)


def lstm(row: Any, values: Any, gradients: Any) -> None:
    """Compute an LSTM step from gates and the previous cell: the hidden state (m, n) and the new cell.

    Hochreiter & Schmidhuber 1997, with the forget gate of Gers 2000. first (m, 4 n): the gates' sums, input, forget,
    candidate, output, left activated for the backward pass. Cells, second before and third after, are (m, 2 n): the
    value and its hyperbolic tangent, which the second may lack.
    """
    n, wide = row[COLUMNS], row[SECOND + BY_ROW]
    hidden, gates = rows_of(row, values, OUTPUT, n), rows_of(row, values, FIRST, 4 * n)
    before, after = rows_of(row, values, SECOND, wide), rows_of(row, values, THIRD, 2 * n)
    for i in range(row[ROWS]):
        mine, old, new = gates[4 * n * i : 4 * n * (i + 1)], before[wide * i :], after[2 * n * i : 2 * n * (i + 1)]
        activations.sigmoid(mine[: 2 * n])
        activations.tanh(mine[2 * n : 3 * n])
        activations.sigmoid(mine[3 * n :])
        for j in range(n):
            new[j] = new[n + j] = mine[n + j] * old[j] + mine[j] * mine[2 * n + j]
        activations.tanh(new[n:])
        for j in range(n):
            hidden[n * i + j] = mine[3 * n + j] * new[n + j]


@gradient_of(lstm)
def lstm_backward(row: Any, values: Any, gradients: Any) -> None:
    n, wide = row[COLUMNS], row[SECOND + BY_ROW]
    one = values.dtype.type(1)
    above, gates, below = (
        rows_of(row, gradients, OUTPUT, n),
        rows_of(row, values, FIRST, 4 * n),
        rows_of(row, gradients, FIRST, 4 * n),
    )
    before, after = rows_of(row, values, SECOND, wide), rows_of(row, values, THIRD, 2 * n)
    of_before, of_after = rows_of(row, gradients, SECOND, wide), rows_of(row, gradients, THIRD, 2 * n)
    for i in range(row[ROWS]):
        for j in range(n):
            at, cell, old = 4 * n * i + j, 2 * n * i + j, wide * i + j
            enter, keep, candidate, leave = gates[at], gates[at + n], gates[at + 2 * n], gates[at + 3 * n]
            shown, error = after[cell + n], above[n * i + j]
            of_cell = of_after[cell] + error * leave * (one - shown * shown)
            below[at] += of_cell * candidate * enter * (one - enter)
            below[at + n] += of_cell * before[old] * keep * (one - keep)
            below[at + 2 * n] += of_cell * enter * (one - candidate * candidate)
            below[at + 3 * n] += error * shown * leave * (one - leave)
            if row[SECOND + NEEDED]:
                of_before[old] += of_cell * keep


def gru(row: Any, values: Any, gradients: Any) -> None:
    """Compute a GRU step: the hidden state (m, n) from input and recurrent sums and the previous hidden state.

    Cho et al. 2014, with the reset after the product, as in torch and cuDNN. first and second (m, 3 n): reset, update
    and candidate sums of the inputs and of the past. third: the previous hidden state. The first is left activated for
    the backward pass; the second is unchanged.
    """
    n = row[COLUMNS]
    hidden, before = rows_of(row, values, OUTPUT, n), rows_of(row, values, THIRD, n)
    heard, past = rows_of(row, values, FIRST, 3 * n), rows_of(row, values, SECOND, 3 * n)
    for i in range(row[ROWS]):
        mine, own = heard[3 * n * i : 3 * n * (i + 1)], past[3 * n * i : 3 * n * (i + 1)]
        for j in range(2 * n):
            mine[j] += own[j]
        activations.sigmoid(mine[: 2 * n])
        for j in range(n):
            mine[2 * n + j] += mine[j] * own[2 * n + j]
        activations.tanh(mine[2 * n :])
        for j in range(n):
            update, candidate = mine[n + j], mine[2 * n + j]
            hidden[n * i + j] = candidate + update * (before[n * i + j] - candidate)


@gradient_of(gru)
def gru_backward(row: Any, values: Any, gradients: Any) -> None:
    n = row[COLUMNS]
    one = values.dtype.type(1)
    above, before = rows_of(row, gradients, OUTPUT, n), rows_of(row, values, THIRD, n)
    heard, past = rows_of(row, values, FIRST, 3 * n), rows_of(row, values, SECOND, 3 * n)
    of_heard, of_past = rows_of(row, gradients, FIRST, 3 * n), rows_of(row, gradients, SECOND, 3 * n)
    of_before = rows_of(row, gradients, THIRD, n)
    for i in range(row[ROWS]):
        for j in range(n):
            at, error = 3 * n * i + j, above[n * i + j]
            reset, update, candidate = heard[at], heard[at + n], heard[at + 2 * n]
            of_update = error * (before[n * i + j] - candidate) * update * (one - update)
            of_candidate = error * (one - update) * (one - candidate * candidate)
            of_reset = of_candidate * past[at + 2 * n] * reset * (one - reset)
            of_heard[at] += of_reset
            of_past[at] += of_reset
            of_heard[at + n] += of_update
            of_past[at + n] += of_update
            of_heard[at + 2 * n] += of_candidate
            of_past[at + 2 * n] += of_candidate * reset
            if row[THIRD + NEEDED]:
                of_before[n * i + j] += error * update
