"""The operation of convolutions; see `evo.autodiff.operations` for what it takes.

The windows of a picture are laid out side by side, so that a convolution is a matrix product (Chellapilla, Puri &
Simard 2006, "High performance convolutional neural networks for document processing"); one picture at a time, so that
they stay in the processor's cache, and on the way back once more. Each number of a window has a row, in which
neighbouring windows are neighbours; a last row of ones brings the bias. A picture is (height, width, channels).

The numbers of the operation: height, width, channels; rows and columns of a window; stride; padding above and on the
left; rows and columns of windows; where windows are laid out.
"""

from typing import Any

from envs.kernels import njit
from evo.autodiff.blas import add_product, add_product_turned_first, add_product_turned_second
from evo.autodiff.operations import BY_ROW, COLUMNS, FIRST, NEEDED, NUMBERS, OUTPUT, ROWS, SECOND


@njit
def _sizes(row: Any) -> tuple[int, int, int]:
    """Windows of a picture, numbers of a window, filters."""
    places = row[NUMBERS + 8] * row[NUMBERS + 9]
    return places, row[NUMBERS + 2] * row[NUMBERS + 3] * row[NUMBERS + 4], row[COLUMNS] // places


@njit
def _within(offset: int, stride: int, count: int, size: int) -> tuple[int, int]:
    """Of windows from 0 to `count`, the first and the end of those whose place at `offset` is from 0 to `size`."""
    return max(0, -(offset // stride)), min(count, (size - 1 - offset) // stride + 1)


@njit
def _lay_out(row: Any, picture: Any, windows: Any) -> None:
    """The windows of a picture. The padding nobody writes: a tape's buffers begin at zero."""
    height, width, channels = row[NUMBERS], row[NUMBERS + 1], row[NUMBERS + 2]
    rows, columns, stride = row[NUMBERS + 3], row[NUMBERS + 4], row[NUMBERS + 5]
    top, left, down, across = row[NUMBERS + 6], row[NUMBERS + 7], row[NUMBERS + 8], row[NUMBERS + 9]
    for r in range(rows):
        upper, lower = _within(r - top, stride, down, height)
        for c in range(columns):
            first, end = _within(c - left, stride, across, width)
            for channel in range(channels):
                begin = ((upper * stride + r - top) * width + first * stride + c - left) * channels + channel
                term = (r * columns + c) * channels + channel
                seen, laid = picture[begin:], windows[(term * down + upper) * across + first :]
                for y in range(lower - upper):
                    for x in range(end - first):
                        laid[y * across + x] = seen[(y * width + x) * stride * channels]


@njit
def _add_back(row: Any, windows: Any, picture: Any) -> None:
    """To every number of a picture what the windows say that have it."""
    height, width, channels = row[NUMBERS], row[NUMBERS + 1], row[NUMBERS + 2]
    rows, columns, stride = row[NUMBERS + 3], row[NUMBERS + 4], row[NUMBERS + 5]
    top, left, down, across = row[NUMBERS + 6], row[NUMBERS + 7], row[NUMBERS + 8], row[NUMBERS + 9]
    for r in range(rows):
        upper, lower = _within(r - top, stride, down, height)
        for c in range(columns):
            first, end = _within(c - left, stride, across, width)
            for channel in range(channels):
                begin = ((upper * stride + r - top) * width + first * stride + c - left) * channels + channel
                term = (r * columns + c) * channels + channel
                seen, laid = picture[begin:], windows[(term * down + upper) * across + first :]
                for y in range(lower - upper):
                    for x in range(end - first):
                        seen[(y * width + x) * stride * channels] += laid[y * across + x]


def convolution(row: Any, values: Any, gradients: Any) -> None:
    """Every window of pictures, first (m, height × width × channels), by the weights in the rows of second but the last
    (rows × columns × channels + 1, filters), plus the biases in that: (m, windows × filters)."""
    places, terms, filters = _sizes(row)
    windows, real = values[row[NUMBERS + 10] :], values.dtype.type
    windows[terms * places : (terms + 1) * places] = real(1)
    for i in range(row[ROWS]):
        _lay_out(row, values[row[FIRST] + i * row[FIRST + BY_ROW] :], windows)
        out = values[row[OUTPUT] + i * row[COLUMNS] : row[OUTPUT] + (i + 1) * row[COLUMNS]]
        out[:] = real(0)
        add_product_turned_first(windows, values[row[SECOND] :], out, places, terms + 1, filters)


def convolution_backward(row: Any, values: Any, gradients: Any) -> None:
    places, terms, filters = _sizes(row)
    windows, of_windows = values[row[NUMBERS + 10] :], gradients[row[NUMBERS + 10] :]
    for i in range(row[ROWS]):
        above, picture = gradients[row[OUTPUT] + i * row[COLUMNS] :], row[FIRST] + i * row[FIRST + BY_ROW]
        _lay_out(row, values[picture:], windows)
        add_product(windows, above, gradients[row[SECOND] :], terms + 1, places, filters)
        if row[FIRST + NEEDED]:
            of_windows[: terms * places] = values.dtype.type(0)
            add_product_turned_second(values[row[SECOND] :], above, of_windows, terms, filters, places)
            _add_back(row, of_windows, gradients[picture:])
