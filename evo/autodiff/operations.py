"""What a tape can record: each operation is a pair of compiled functions, forward and backward.

Both take `(row, values, gradients)`: a row of the tape's table, and the two float32 buffers that hold every node's
value and gradient. forward writes the output's value. backward adds to the gradients of those operands that need one
(the chain rule: the output's gradient times the derivative by the operand). Nodes are matrices, row by row.

A row is int64: forward, backward, output, rows, columns, then each operand as (where it begins, distance from row to
row, from column to column, whether it needs a gradient). A distance of 0 repeats the operand: broadcasting.
"""

import math
from typing import Any

import numpy as np
from numba import njit

from evo import activations
from evo.autodiff.blas import add_product, add_product_turned_first, add_product_turned_second

FORWARD, BACKWARD, OUTPUT, ROWS, COLUMNS = range(5)
FIRST, SECOND, THIRD = 5, 9, 13  # where the operands begin
ROW_SIZE = 17
_BY_ROW, _BY_COLUMN, _NEEDED = 1, 2, 3


@njit
def _get(row: Any, values: Any, operand: int, i: int, j: int) -> Any:
    return values[row[operand] + i * row[operand + _BY_ROW] + j * row[operand + _BY_COLUMN]]


@njit
def _give(row: Any, gradients: Any, operand: int, i: int, j: int, amount: Any) -> None:
    if row[operand + _NEEDED]:
        gradients[row[operand] + i * row[operand + _BY_ROW] + j * row[operand + _BY_COLUMN]] += amount


@njit
def _block(row: Any, buffer: Any, at: int) -> Any:
    """A whole node of the output's shape."""
    return buffer[row[at] : row[at] + row[ROWS] * row[COLUMNS]]


def affine(row: Any, values: Any, gradients: Any) -> None:
    """first (m, k) second (k, n) + third (1, n)."""
    m, n, k = row[ROWS], row[COLUMNS], row[FIRST + _BY_ROW]
    out, bias = _block(row, values, OUTPUT), values[row[THIRD] : row[THIRD] + n]
    for i in range(m):
        out[i * n : (i + 1) * n] = bias
    add_product(values[row[FIRST] :], values[row[SECOND] :], out, m, k, n)


def affine_backward(row: Any, values: Any, gradients: Any) -> None:
    m, n, k = row[ROWS], row[COLUMNS], row[FIRST + _BY_ROW]
    out = _block(row, gradients, OUTPUT)
    if row[FIRST + _NEEDED]:
        add_product_turned_second(out, values[row[SECOND] :], gradients[row[FIRST] :], m, n, k)
    if row[SECOND + _NEEDED]:
        add_product_turned_first(values[row[FIRST] :], out, gradients[row[SECOND] :], k, m, n)
    if row[THIRD + _NEEDED]:
        bias = gradients[row[THIRD] : row[THIRD] + n]
        for i in range(m):
            for j in range(n):
                bias[j] += out[i * n + j]


def tanh(row: Any, values: Any, gradients: Any) -> None:
    out = _block(row, values, OUTPUT)
    out[:] = _block(row, values, FIRST)
    activations.tanh(out)


def tanh_backward(row: Any, values: Any, gradients: Any) -> None:
    out, above, below = _block(row, values, OUTPUT), _block(row, gradients, OUTPUT), _block(row, gradients, FIRST)
    one = np.float32(1)
    for index in range(out.size):
        below[index] += above[index] * (one - out[index] * out[index])


def relu(row: Any, values: Any, gradients: Any) -> None:
    out = _block(row, values, OUTPUT)
    out[:] = _block(row, values, FIRST)
    activations.relu(out)


def relu_backward(row: Any, values: Any, gradients: Any) -> None:
    out, above, below = _block(row, values, OUTPUT), _block(row, gradients, OUTPUT), _block(row, gradients, FIRST)
    zero = np.float32(0)
    for index in range(out.size):
        below[index] += above[index] if out[index] > zero else zero


def elu(row: Any, values: Any, gradients: Any) -> None:
    out = _block(row, values, OUTPUT)
    out[:] = _block(row, values, FIRST)
    activations.elu(out)


def elu_backward(row: Any, values: Any, gradients: Any) -> None:
    out, above, below = _block(row, values, OUTPUT), _block(row, gradients, OUTPUT), _block(row, gradients, FIRST)
    zero, one = np.float32(0), np.float32(1)
    for index in range(out.size):
        below[index] += above[index] * (one if out[index] > zero else out[index] + one)


def exp(row: Any, values: Any, gradients: Any) -> None:
    out, operand = _block(row, values, OUTPUT), _block(row, values, FIRST)
    for index in range(out.size):
        out[index] = math.exp(operand[index])


def exp_backward(row: Any, values: Any, gradients: Any) -> None:
    out, above, below = _block(row, values, OUTPUT), _block(row, gradients, OUTPUT), _block(row, gradients, FIRST)
    for index in range(out.size):
        below[index] += above[index] * out[index]


def add(row: Any, values: Any, gradients: Any) -> None:
    out = _block(row, values, OUTPUT)
    for i in range(row[ROWS]):
        for j in range(row[COLUMNS]):
            out[i * row[COLUMNS] + j] = _get(row, values, FIRST, i, j) + _get(row, values, SECOND, i, j)


def add_backward(row: Any, values: Any, gradients: Any) -> None:
    above = _block(row, gradients, OUTPUT)
    for i in range(row[ROWS]):
        for j in range(row[COLUMNS]):
            amount = above[i * row[COLUMNS] + j]
            _give(row, gradients, FIRST, i, j, amount)
            _give(row, gradients, SECOND, i, j, amount)


def multiply(row: Any, values: Any, gradients: Any) -> None:
    out = _block(row, values, OUTPUT)
    for i in range(row[ROWS]):
        for j in range(row[COLUMNS]):
            out[i * row[COLUMNS] + j] = _get(row, values, FIRST, i, j) * _get(row, values, SECOND, i, j)


def multiply_backward(row: Any, values: Any, gradients: Any) -> None:
    above = _block(row, gradients, OUTPUT)
    for i in range(row[ROWS]):
        for j in range(row[COLUMNS]):
            amount = above[i * row[COLUMNS] + j]
            _give(row, gradients, FIRST, i, j, amount * _get(row, values, SECOND, i, j))
            _give(row, gradients, SECOND, i, j, amount * _get(row, values, FIRST, i, j))


def minimum(row: Any, values: Any, gradients: Any) -> None:
    out = _block(row, values, OUTPUT)
    for i in range(row[ROWS]):
        for j in range(row[COLUMNS]):
            out[i * row[COLUMNS] + j] = min(_get(row, values, FIRST, i, j), _get(row, values, SECOND, i, j))


def minimum_backward(row: Any, values: Any, gradients: Any) -> None:
    """The gradient goes to the lesser operand, and to the first where both are equal."""
    above = _block(row, gradients, OUTPUT)
    for i in range(row[ROWS]):
        for j in range(row[COLUMNS]):
            lesser = FIRST if _get(row, values, FIRST, i, j) <= _get(row, values, SECOND, i, j) else SECOND
            _give(row, gradients, lesser, i, j, above[i * row[COLUMNS] + j])


def maximum(row: Any, values: Any, gradients: Any) -> None:
    out = _block(row, values, OUTPUT)
    for i in range(row[ROWS]):
        for j in range(row[COLUMNS]):
            out[i * row[COLUMNS] + j] = max(_get(row, values, FIRST, i, j), _get(row, values, SECOND, i, j))


def maximum_backward(row: Any, values: Any, gradients: Any) -> None:
    """The gradient goes to the greater operand, and to the first where both are equal."""
    above = _block(row, gradients, OUTPUT)
    for i in range(row[ROWS]):
        for j in range(row[COLUMNS]):
            greater = FIRST if _get(row, values, FIRST, i, j) >= _get(row, values, SECOND, i, j) else SECOND
            _give(row, gradients, greater, i, j, above[i * row[COLUMNS] + j])


def total(row: Any, values: Any, gradients: Any) -> None:
    """The sum of each row of first (m, k): (m, 1)."""
    m, k = row[ROWS], row[FIRST + _BY_ROW]
    for i in range(m):
        result = np.float32(0)
        for j in range(k):
            result += values[row[FIRST] + i * k + j]
        values[row[OUTPUT] + i] = result


def total_backward(row: Any, values: Any, gradients: Any) -> None:
    m, k = row[ROWS], row[FIRST + _BY_ROW]
    for i in range(m):
        for j in range(k):
            gradients[row[FIRST] + i * k + j] += gradients[row[OUTPUT] + i]


def log_softmax(row: Any, values: Any, gradients: Any) -> None:
    """Of each row, shifted by its greatest value so that nothing overflows."""
    n = row[COLUMNS]
    out, operand = _block(row, values, OUTPUT), _block(row, values, FIRST)
    for i in range(row[ROWS]):
        scores = operand[i * n : (i + 1) * n]
        greatest, summed = scores.max(), np.float32(0)
        for j in range(n):
            summed += np.float32(math.exp(scores[j] - greatest))
        shift = greatest + np.float32(math.log(summed))
        for j in range(n):
            out[i * n + j] = scores[j] - shift


def log_softmax_backward(row: Any, values: Any, gradients: Any) -> None:
    n = row[COLUMNS]
    out, above, below = _block(row, values, OUTPUT), _block(row, gradients, OUTPUT), _block(row, gradients, FIRST)
    for i in range(row[ROWS]):
        summed = np.float32(0)
        for j in range(n):
            summed += above[i * n + j]
        for j in range(n):
            below[i * n + j] += above[i * n + j] - np.float32(math.exp(out[i * n + j])) * summed


def pick(row: Any, values: Any, gradients: Any) -> None:
    """From each row of first (m, k) the column whose index stands in second (m, 1): (m, 1)."""
    for i in range(row[ROWS]):
        values[row[OUTPUT] + i] = _get(row, values, FIRST, i, int(values[row[SECOND] + i]))


def pick_backward(row: Any, values: Any, gradients: Any) -> None:
    for i in range(row[ROWS]):
        _give(row, gradients, FIRST, i, int(values[row[SECOND] + i]), gradients[row[OUTPUT] + i])


def standardise(row: Any, values: Any, gradients: Any) -> None:
    """(first - mean) / (standard deviation + 1e-8) over all its values, of a node that needs no gradient."""
    out, operand = _block(row, values, OUTPUT), _block(row, values, FIRST)
    mean = 0.0
    for index in range(operand.size):
        mean += operand[index]
    mean /= operand.size
    square = 0.0
    for index in range(operand.size):
        square += (operand[index] - mean) ** 2
    deviation = math.sqrt(square / max(operand.size - 1, 1))
    for index in range(operand.size):
        out[index] = (operand[index] - mean) / (deviation + 1e-8)


def standardise_backward(row: Any, values: Any, gradients: Any) -> None:
    """Nothing: it takes no gradients (`Node.standardise` refuses a node that needs one)."""
