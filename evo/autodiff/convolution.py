"""The operation of convolutions; see `evo.autodiff.operations` for what it takes.

Windows of a picture are laid out as rows, so that a convolution is a matrix product (Chellapilla, Puri & Simard 2006,
"High performance convolutional neural networks for document processing"); of a few pictures at a time, so that the rows
stay in the processor's cache, and on the way back once more. A picture is (height, width, channels), row by row: a row
of a window is one run of numbers.

The numbers of the operation: height, width, channels; rows and columns of a window; stride; padding above and on the
left; rows and columns of windows; where the rows are laid out, and for how many pictures at a time.
"""

from typing import Any

from envs.kernels import njit
from evo.autodiff.blas import add_product, add_product_turned_first, add_product_turned_second
from evo.autodiff.operations import BY_ROW, COLUMNS, FIRST, NEEDED, NUMBERS, OUTPUT, ROWS, SECOND, THIRD

_LAID_OUT, _TOGETHER = NUMBERS + 10, NUMBERS + 11


@njit
def _within(start: int, count: int, size: int) -> tuple[int, int]:
    """Of `count` places from `start` on, the first that is not before 0, and the end of those before `size`."""
    return max(-start, 0), min(size - start, count)


@njit
def _lay_out(row: Any, picture: Any, windows: Any) -> None:
    """A picture as windows, row after row. The padding nobody writes: a tape's buffers begin at zero."""
    height, width, channels = row[NUMBERS], row[NUMBERS + 1], row[NUMBERS + 2]
    rows, columns, stride = row[NUMBERS + 3], row[NUMBERS + 4], row[NUMBERS + 5]
    top, left, down, across = row[NUMBERS + 6], row[NUMBERS + 7], row[NUMBERS + 8], row[NUMBERS + 9]
    for y in range(down):
        first_row, end_row = _within(y * stride - top, rows, height)
        for x in range(across):
            first, end = _within(x * stride - left, columns, width)
            for r in range(first_row, end_row):
                to = ((y * across + x) * rows + r) * columns * channels
                begin = ((y * stride - top + r) * width + x * stride - left) * channels
                for j in range(first * channels, end * channels):
                    windows[to + j] = picture[begin + j]


@njit
def _add_back(row: Any, windows: Any, picture: Any) -> None:
    """To every number of a picture what its windows say."""
    height, width, channels = row[NUMBERS], row[NUMBERS + 1], row[NUMBERS + 2]
    rows, columns, stride = row[NUMBERS + 3], row[NUMBERS + 4], row[NUMBERS + 5]
    top, left, down, across = row[NUMBERS + 6], row[NUMBERS + 7], row[NUMBERS + 8], row[NUMBERS + 9]
    for y in range(down):
        first_row, end_row = _within(y * stride - top, rows, height)
        for x in range(across):
            first, end = _within(x * stride - left, columns, width)
            for r in range(first_row, end_row):
                to = ((y * across + x) * rows + r) * columns * channels
                begin = ((y * stride - top + r) * width + x * stride - left) * channels
                for j in range(first * channels, end * channels):
                    picture[begin + j] += windows[to + j]


@njit
def _sizes(row: Any) -> tuple[int, int, int, int]:
    """Numbers of a picture, windows of a picture, numbers of a window, filters."""
    places = row[NUMBERS + 8] * row[NUMBERS + 9]
    return row[FIRST + BY_ROW], places, row[NUMBERS + 2] * row[NUMBERS + 3] * row[NUMBERS + 4], row[COLUMNS] // places


def convolution(row: Any, values: Any, gradients: Any) -> None:
    """Every window of pictures, first (m, height × width × channels), by second (rows × columns × channels, filters),
    plus third (1, filters): (m, windows × filters)."""
    (size, places, terms, filters), together = _sizes(row), row[_TOGETHER]
    windows, bias = values[row[_LAID_OUT] :], values[row[THIRD] : row[THIRD] + filters]
    for begin in range(0, row[ROWS], together):
        count = min(together, row[ROWS] - begin)
        for i in range(count):
            _lay_out(row, values[row[FIRST] + (begin + i) * size :], windows[i * places * terms :])
        out = values[row[OUTPUT] + begin * row[COLUMNS] :]
        for i in range(count * places):
            for j in range(filters):
                out[i * filters + j] = bias[j]
        add_product(windows, values[row[SECOND] :], out, count * places, terms, filters)


def convolution_backward(row: Any, values: Any, gradients: Any) -> None:
    (size, places, terms, filters), together = _sizes(row), row[_TOGETHER]
    windows, of_windows = values[row[_LAID_OUT] :], gradients[row[_LAID_OUT] :]
    bias, zero = gradients[row[THIRD] : row[THIRD] + filters], values.dtype.type(0)
    for begin in range(0, row[ROWS], together):
        count = min(together, row[ROWS] - begin)
        above = gradients[row[OUTPUT] + begin * row[COLUMNS] :]
        for i in range(count):
            _lay_out(row, values[row[FIRST] + (begin + i) * size :], windows[i * places * terms :])
        add_product_turned_first(windows, above, gradients[row[SECOND] :], terms, count * places, filters)
        for i in range(count * places):
            for j in range(filters):
                bias[j] += above[i * filters + j]
        if row[FIRST + NEEDED]:
            of_windows[: count * places * terms] = zero
            add_product_turned_second(above, values[row[SECOND] :], of_windows, count * places, filters, terms)
            for i in range(count):
                _add_back(row, of_windows[i * places * terms :], gradients[row[FIRST] + (begin + i) * size :])
