"""Embedding and layer normalisation operations; see `evo.autodiff.operations`."""

import math
from typing import Any

from evo.autodiff.operations import COLUMNS, FIRST, NEEDED, NUMBERS, OUTPUT, ROWS, SECOND, THIRD, gradient_of
from evo.envs.engine.compile import njit
from evo.numerics.symbols import symbol_of

_EPSILON = 1e-5  # torch's; Ba 2016 gives none


def embed(row: Any, values: Any, gradients: Any) -> None:
    """Look up rows of second (symbols, width) by the indices in first (m, n), one after the other: (m, n × width).

    Numbers: symbols, width.
    """
    symbols, width = row[NUMBERS], row[NUMBERS + 1]
    for index in range(row[ROWS] * row[COLUMNS] // width):
        source = row[SECOND] + symbol_of(values[row[FIRST] + index], symbols) * width
        target = row[OUTPUT] + index * width
        for column in range(width):
            values[target + column] = values[source + column]


@gradient_of(embed)
def embed_backward(row: Any, values: Any, gradients: Any) -> None:
    symbols, width = row[NUMBERS], row[NUMBERS + 1]
    for index in range(row[ROWS] * row[COLUMNS] // width):
        target = row[SECOND] + symbol_of(values[row[FIRST] + index], symbols) * width
        source = row[OUTPUT] + index * width
        for column in range(width):
            gradients[target + column] += gradients[source + column]


@njit
def _rows(row: Any, buffer: Any, place: int, index: int) -> Any:
    """Return row `index` of a node of the output's shape."""
    columns = row[COLUMNS]
    return buffer[row[place] + index * columns : row[place] + (index + 1) * columns]


def layer_norm(row: Any, values: Any, gradients: Any) -> None:
    """Normalise each row by its mean and variance: gain (first - mean) / sqrt(variance + epsilon) + bias.

    Ba 2016, equation 3. second: gain and bias (2, n). third (m, 2) keeps mean and 1 / sqrt(…) for the backward pass.
    """
    n, real = row[COLUMNS], values.dtype.type
    gain, bias = values[row[SECOND] : row[SECOND] + n], values[row[SECOND] + n : row[SECOND] + 2 * n]
    for i in range(row[ROWS]):
        given, out = _rows(row, values, FIRST, i), _rows(row, values, OUTPUT, i)
        kept = values[row[THIRD] + 2 * i : row[THIRD] + 2 * i + 2]
        mean = variance = real(0)
        for j in range(n):
            mean += given[j]
        mean /= real(n)
        for j in range(n):
            out[j] = given[j] - mean
            variance += out[j] * out[j]
        scale = real(1) / real(math.sqrt(variance / real(n) + real(_EPSILON)))
        kept[0], kept[1] = mean, scale
        for j in range(n):
            out[j] = gain[j] * (out[j] * scale) + bias[j]


@gradient_of(layer_norm)
def layer_norm_backward(row: Any, values: Any, gradients: Any) -> None:
    n, real = row[COLUMNS], values.dtype.type
    gain = values[row[SECOND] : row[SECOND] + n]
    of_gain, of_bias = gradients[row[SECOND] : row[SECOND] + n], gradients[row[SECOND] + n : row[SECOND] + 2 * n]
    for i in range(row[ROWS]):
        given, above = _rows(row, values, FIRST, i), _rows(row, gradients, OUTPUT, i)
        mean, scale = values[row[THIRD] + 2 * i], values[row[THIRD] + 2 * i + 1]
        summed = turned = real(0)  # sums of the gradient by the normalised numbers, and of its product with them
        for j in range(n):
            normal, error = (given[j] - mean) * scale, above[j]
            of_gain[j] += error * normal
            of_bias[j] += error
            summed += error * gain[j]
            turned += error * gain[j] * normal
        if row[FIRST + NEEDED]:
            summed /= real(n)
            turned /= real(n)
            below = _rows(row, gradients, FIRST, i)
            for j in range(n):
                normal = (given[j] - mean) * scale
                below[j] += scale * (above[j] * gain[j] - summed - normal * turned)
