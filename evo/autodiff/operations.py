"""Operations of a tape, each a pair of compiled functions, forward and backward.

Both take `(row, values, gradients)`: a row of the tape's table, and the two buffers, float32 or float64, that hold
every node's value and gradient. forward writes the output's value. backward adds to the gradients of those operands
that need one (the chain rule: the output's gradient times the derivative by the operand). Nodes are matrices, stored
row by row.

A row is int64: forward, backward, output, rows, columns, then each operand as (offset, distance between rows, between
columns, whether it needs a gradient, whether it has the output's shape), then the operation's own whole numbers. A
distance of 0 repeats the operand: broadcasting.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from evo.autodiff.blas import add_product, add_product_turned_first, add_product_turned_second
from evo.envs.engine.compile import njit
from evo.numerics import activations

FORWARD, BACKWARD, OUTPUT, ROWS, COLUMNS = range(5)
FIRST, SECOND, THIRD = 5, 10, 15  # where the operands begin in a row
NUMBERS = 20  # where the operation's own numbers begin
ROW_SIZE = 32
SEED_SIZE = 2  # float32 or float64 numbers: room for an int64 at least
BY_ROW, _BY_COLUMN, NEEDED, _WHOLE = 1, 2, 3, 4


Operation = Callable[[Any, Any, Any], None]
_BACKWARD: dict[Operation, Operation] = {}


def gradient_of(forward: Operation) -> Callable[[Operation], Operation]:
    """Declare a function as the backward half of an operation."""

    def declare(backward: Operation) -> Operation:
        _BACKWARD[forward] = backward
        return backward

    return declare


def backward_of(forward: Operation) -> Operation:
    """Return the backward half of an operation. Raises ValueError where none was declared with `gradient_of`."""
    if forward not in _BACKWARD:
        raise ValueError(f"{forward.__name__} has no backward half: declare one with @gradient_of({forward.__name__})")
    return _BACKWARD[forward]


@njit
def _get(row: Any, values: Any, operand: int, i: int, j: int) -> Any:
    return values[row[operand] + i * row[operand + BY_ROW] + j * row[operand + _BY_COLUMN]]


@njit
def rows_of(row: Any, buffer: Any, at: int, columns: int) -> Any:
    """Return a whole node with as many rows as the output and `columns` columns, flat."""
    return buffer[row[at] : row[at] + row[ROWS] * columns]


@njit
def block(row: Any, buffer: Any, at: int) -> Any:
    """Return a whole node of the output's shape, flat."""
    return rows_of(row, buffer, at, row[COLUMNS])


@njit
def seed_of(values: Any, at: int) -> Any:
    """Return the seed of the random operations, at offset `at` of the values: int64 (1,), a view."""
    return values[at : at + SEED_SIZE].view(np.int64)[:1]


def affine(row: Any, values: Any, gradients: Any) -> None:
    """Compute an activation of first (m, k) second (k, n) + third (1, n); its number is its index in ACTIVATIONS."""
    m, n, k = row[ROWS], row[COLUMNS], row[FIRST + BY_ROW]
    out, bias = block(row, values, OUTPUT), values[row[THIRD] : row[THIRD] + n]
    for i in range(m):
        for j in range(n):
            out[i * n + j] = bias[j]
    add_product(values[row[FIRST] :], values[row[SECOND] :], out, m, k, n)
    activations.activate(out, row[NUMBERS])


@gradient_of(affine)
def affine_backward(row: Any, values: Any, gradients: Any) -> None:
    """Add the gradients of all three; the output's gradient becomes that of the sum, which no other operation reads."""
    m, n, k = row[ROWS], row[COLUMNS], row[FIRST + BY_ROW]
    out = block(row, gradients, OUTPUT)
    activations.differentiate(block(row, values, OUTPUT), out, row[NUMBERS])
    if row[FIRST + NEEDED]:
        add_product_turned_second(out, values[row[SECOND] :], gradients[row[FIRST] :], m, n, k)
    if row[SECOND + NEEDED]:
        add_product_turned_first(values[row[FIRST] :], out, gradients[row[SECOND] :], k, m, n)
    if row[THIRD + NEEDED]:
        bias = gradients[row[THIRD] : row[THIRD] + n]
        for i in range(m):
            for j in range(n):
                bias[j] += out[i * n + j]


def _compiled_as(run: Any, *parts: Any) -> Any:
    """Compile a function under a name that tells its parts.

    Numba names machine code by the function's name and a count of this process's compilations, so for two functions of
    one name, compiled by two processes, the cache may give a third process the wrong one.
    """
    run.__qualname__ += "_of_" + "_and_".join(str(getattr(part, "__name__", part)) for part in parts)
    return njit(run)


def _elementwise(function: Any) -> Any:
    """Compile a forward function: out = function(first, second), elementwise."""

    def run(row: Any, values: Any) -> None:
        out, columns = block(row, values, OUTPUT), row[COLUMNS]
        if row[FIRST + _WHOLE] and row[SECOND + _WHOLE]:  # one plain loop is vectorised
            first, second = block(row, values, FIRST), block(row, values, SECOND)
            for index in range(out.size):
                out[index] = function(first[index], second[index])
        else:
            for i in range(row[ROWS]):
                for j in range(columns):
                    out[i * columns + j] = function(_get(row, values, FIRST, i, j), _get(row, values, SECOND, i, j))

    return _compiled_as(run, function)


def _elementwise_backward(by_first: Any, by_second: Any) -> Any:
    """Compile a backward function from the partial derivatives, functions of both operands."""
    to_first, to_second = _gradient_to(FIRST, by_first), _gradient_to(SECOND, by_second)

    def run(row: Any, values: Any, gradients: Any) -> None:
        to_first(row, values, gradients)
        to_second(row, values, gradients)

    return _compiled_as(run, by_first, by_second)


@functools.cache
def _gradient_to(operand: int, derivative: Any) -> Any:
    def run(row: Any, values: Any, gradients: Any) -> None:
        if not row[operand + NEEDED]:
            return
        above, columns = block(row, gradients, OUTPUT), row[COLUMNS]
        if row[FIRST + _WHOLE] and row[SECOND + _WHOLE]:
            first, second = block(row, values, FIRST), block(row, values, SECOND)
            below = block(row, gradients, operand)
            for index in range(above.size):
                below[index] += above[index] * derivative(first[index], second[index])
        else:
            for i in range(row[ROWS]):
                for j in range(columns):
                    slope = derivative(_get(row, values, FIRST, i, j), _get(row, values, SECOND, i, j))
                    place = row[operand] + i * row[operand + BY_ROW] + j * row[operand + _BY_COLUMN]
                    gradients[place] += above[i * columns + j] * slope

    return _compiled_as(run, operand, derivative)


# 1 of the operands' own type: a plain number would turn float32 into float64.


@njit
def _one(first: Any, second: Any) -> Any:
    return type(first)(1)


@njit
def _minus_one(first: Any, second: Any) -> Any:
    return type(first)(-1)


@njit
def _first(first: Any, second: Any) -> Any:
    return first


@njit
def _second(first: Any, second: Any) -> Any:
    return second


@njit
def _sum(first: Any, second: Any) -> Any:
    return first + second


@njit
def _difference(first: Any, second: Any) -> Any:
    return first - second


@njit
def _product(first: Any, second: Any) -> Any:
    return first * second


@njit
def _lesser(first: Any, second: Any) -> Any:
    return second if first > second or second != second else first  # NaN stays visible


@njit
def _greater(first: Any, second: Any) -> Any:
    return second if first < second or second != second else first


# Where both are equal, the first gets the gradient of the minimum or maximum.


@njit
def _first_is_lesser(first: Any, second: Any) -> Any:
    return type(first)(first <= second)


@njit
def _second_is_lesser(first: Any, second: Any) -> Any:
    return type(first)(not first <= second)


@njit
def _first_is_greater(first: Any, second: Any) -> Any:
    return type(first)(first >= second)


@njit
def _second_is_greater(first: Any, second: Any) -> Any:
    return type(first)(not first >= second)


_add, _add_backward = _elementwise(_sum), _elementwise_backward(_one, _one)


def add(row: Any, values: Any, gradients: Any) -> None:
    _add(row, values)


@gradient_of(add)
def add_backward(row: Any, values: Any, gradients: Any) -> None:
    _add_backward(row, values, gradients)


_subtract, _subtract_backward = _elementwise(_difference), _elementwise_backward(_one, _minus_one)


def subtract(row: Any, values: Any, gradients: Any) -> None:
    _subtract(row, values)


@gradient_of(subtract)
def subtract_backward(row: Any, values: Any, gradients: Any) -> None:
    _subtract_backward(row, values, gradients)


_multiply, _multiply_backward = _elementwise(_product), _elementwise_backward(_second, _first)


def multiply(row: Any, values: Any, gradients: Any) -> None:
    _multiply(row, values)


@gradient_of(multiply)
def multiply_backward(row: Any, values: Any, gradients: Any) -> None:
    _multiply_backward(row, values, gradients)


_minimum, _minimum_backward = _elementwise(_lesser), _elementwise_backward(_first_is_lesser, _second_is_lesser)


def minimum(row: Any, values: Any, gradients: Any) -> None:
    _minimum(row, values)


@gradient_of(minimum)
def minimum_backward(row: Any, values: Any, gradients: Any) -> None:
    _minimum_backward(row, values, gradients)


_maximum, _maximum_backward = _elementwise(_greater), _elementwise_backward(_first_is_greater, _second_is_greater)


def maximum(row: Any, values: Any, gradients: Any) -> None:
    _maximum(row, values)


@gradient_of(maximum)
def maximum_backward(row: Any, values: Any, gradients: Any) -> None:
    _maximum_backward(row, values, gradients)


def total(row: Any, values: Any, gradients: Any) -> None:
    """Sum each row of first (m, k): (m, 1)."""
    m, k = row[ROWS], row[FIRST + BY_ROW]
    for i in range(m):
        result = values.dtype.type(0)
        for j in range(k):
            result += values[row[FIRST] + i * k + j]
        values[row[OUTPUT] + i] = result


@gradient_of(total)
def total_backward(row: Any, values: Any, gradients: Any) -> None:
    m, k = row[ROWS], row[FIRST + BY_ROW]
    for i in range(m):
        for j in range(k):
            gradients[row[FIRST] + i * k + j] += gradients[row[OUTPUT] + i]


def log_softmax(row: Any, values: Any, gradients: Any) -> None:
    """Compute the log-softmax of each row, shifted by its maximum so that nothing overflows."""
    n, real = row[COLUMNS], values.dtype.type
    out, operand = block(row, values, OUTPUT), block(row, values, FIRST)
    for i in range(row[ROWS]):
        scores = operand[i * n : (i + 1) * n]
        greatest, summed = scores.max(), real(0)
        for j in range(n):
            summed += real(math.exp(scores[j] - greatest))
        shift = greatest + real(math.log(summed))
        for j in range(n):
            out[i * n + j] = scores[j] - shift


@gradient_of(log_softmax)
def log_softmax_backward(row: Any, values: Any, gradients: Any) -> None:
    n, real = row[COLUMNS], values.dtype.type
    out, above, below = block(row, values, OUTPUT), block(row, gradients, OUTPUT), block(row, gradients, FIRST)
    for i in range(row[ROWS]):
        summed = real(0)
        for j in range(n):
            summed += above[i * n + j]
        for j in range(n):
            below[i * n + j] += above[i * n + j] - real(math.exp(out[i * n + j])) * summed


def pick(row: Any, values: Any, gradients: Any) -> None:
    """Take from each row of first (m, k) the column whose index is in second (m, 1): (m, 1)."""
    for i in range(row[ROWS]):
        values[row[OUTPUT] + i] = _get(row, values, FIRST, i, int(values[row[SECOND] + i]))


@gradient_of(pick)
def pick_backward(row: Any, values: Any, gradients: Any) -> None:
    if row[FIRST + NEEDED]:
        for i in range(row[ROWS]):
            place = row[FIRST] + i * row[FIRST + BY_ROW] + int(values[row[SECOND] + i])
            gradients[place] += gradients[row[OUTPUT] + i]
