"""Convolution operation; see `evo.autodiff.operations`.

The windows of a picture are laid out side by side (im2col), so that a convolution is a matrix product (Chellapilla,
Puri & Simard 2006, "High performance convolutional neural networks for document processing"); one picture at a time, so
that they stay in the processor's cache, and again in the backward pass. Each element of a window has a row, whose
columns are the windows; a last row of ones multiplies the bias. A picture is (height, width, channels); it is first
split into planes (channels, height, width), so that neighbours in a row come from neighbours in a plane.

The numbers of the operation: height, width, channels; rows and columns of a window; stride; padding above and on the
left; rows and columns of windows; the offset of the windows' buffer; the offset of the planes.
"""

from typing import Any

from evo.autodiff.blas import add_product, add_product_turned_first, add_product_turned_second
from evo.autodiff.operations import BY_ROW, COLUMNS, FIRST, NEEDED, NUMBERS, OUTPUT, ROWS, SECOND, gradient_of
from evo.envs.engine.compile import njit


@njit
def _sizes(row: Any) -> tuple[int, int, int]:
    """Return the numbers of windows in a picture, of terms in a window, and of filters."""
    places = row[NUMBERS + 8] * row[NUMBERS + 9]
    return places, row[NUMBERS + 2] * row[NUMBERS + 3] * row[NUMBERS + 4], row[COLUMNS] // places


@njit
def _within(offset: int, stride: int, count: int, size: int) -> tuple[int, int]:
    """Return first and end of the windows in [0, count) whose element at `offset` is within [0, size)."""
    return max(0, -(offset // stride)), min(count, (size - 1 - offset) // stride + 1)


@njit
def _part(row: Any, term: int) -> tuple[int, int, int, int, int]:
    """Return the range in which element `term` of a window is within the picture.

    That is: rows and columns of such windows, the first one's offset into the planes and into the windows, and the
    distance between columns in the planes.
    """
    height, width, channels = row[NUMBERS], row[NUMBERS + 1], row[NUMBERS + 2]
    columns, stride, down, across = row[NUMBERS + 4], row[NUMBERS + 5], row[NUMBERS + 8], row[NUMBERS + 9]
    place, channel = term // channels, term % channels
    above, before = place // columns - row[NUMBERS + 6], place % columns - row[NUMBERS + 7]
    upper, lower = _within(above, stride, down, height)
    first, end = _within(before, stride, across, width)
    seen = (channel * height + upper * stride + above) * width + first * stride + before
    return lower - upper, end - first, seen, (term * down + upper) * across + first, stride


@njit
def _lay_out(row: Any, planes: Any, windows: Any) -> None:
    """Copy the windows of a picture side by side (im2col).

    The padding is never written: a tape's buffers begin at zero.
    """
    width, across = row[NUMBERS + 1], row[NUMBERS + 9]
    for term in range(row[NUMBERS + 2] * row[NUMBERS + 3] * row[NUMBERS + 4]):
        rows, columns, begin, laid, stride = _part(row, term)
        for y in range(rows):
            seen = planes[begin + y * stride * width :]
            line = windows[laid + y * across : laid + y * across + columns]
            if stride == 1:  # a plain loop is vectorised
                for x in range(line.size):
                    line[x] = seen[x]
            else:
                for x in range(line.size):
                    line[x] = seen[x * stride]


@njit
def _add_back(row: Any, windows: Any, planes: Any) -> None:
    """Scatter-add window gradients into the planes (col2im)."""
    width, across = row[NUMBERS + 1], row[NUMBERS + 9]
    for term in range(row[NUMBERS + 2] * row[NUMBERS + 3] * row[NUMBERS + 4]):
        rows, columns, begin, laid, stride = _part(row, term)
        for y in range(rows):
            seen = planes[begin + y * stride * width :]
            line = windows[laid + y * across : laid + y * across + columns]
            if stride == 1:
                for x in range(line.size):
                    seen[x] += line[x]
            else:
                for x in range(line.size):
                    seen[x * stride] += line[x]


@njit
def _take_apart(row: Any, picture: Any, planes: Any) -> None:
    size, channels = row[NUMBERS] * row[NUMBERS + 1], row[NUMBERS + 2]
    for channel in range(channels):
        plane = planes[channel * size : (channel + 1) * size]
        for place in range(plane.size):
            plane[place] = picture[place * channels + channel]


@njit
def _add_together(row: Any, planes: Any, picture: Any) -> None:
    size, channels = row[NUMBERS] * row[NUMBERS + 1], row[NUMBERS + 2]
    for channel in range(channels):
        plane = planes[channel * size : (channel + 1) * size]
        for place in range(plane.size):
            picture[place * channels + channel] += plane[place]


def convolution(row: Any, values: Any, gradients: Any) -> None:
    """Convolve pictures, first (m, height × width × channels), with filters: (m, windows × filters).

    second (rows × columns × channels + 1, filters): the weights, and in the last row the biases.
    """
    places, terms, filters = _sizes(row)
    windows, planes, real = values[row[NUMBERS + 10] :], values[row[NUMBERS + 11] :], values.dtype.type
    windows[terms * places : (terms + 1) * places] = real(1)
    for i in range(row[ROWS]):
        _take_apart(row, values[row[FIRST] + i * row[FIRST + BY_ROW] :], planes)
        _lay_out(row, planes, windows)
        out = values[row[OUTPUT] + i * row[COLUMNS] : row[OUTPUT] + (i + 1) * row[COLUMNS]]
        out[:] = real(0)
        add_product_turned_first(windows, values[row[SECOND] :], out, places, terms + 1, filters)


@gradient_of(convolution)
def convolution_backward(row: Any, values: Any, gradients: Any) -> None:
    places, terms, filters = _sizes(row)
    windows, of_windows = values[row[NUMBERS + 10] :], gradients[row[NUMBERS + 10] :]
    planes, of_planes, zero = values[row[NUMBERS + 11] :], gradients[row[NUMBERS + 11] :], values.dtype.type(0)
    for i in range(row[ROWS]):
        above, picture = gradients[row[OUTPUT] + i * row[COLUMNS] :], row[FIRST] + i * row[FIRST + BY_ROW]
        _take_apart(row, values[picture:], planes)
        _lay_out(row, planes, windows)
        add_product(windows, above, gradients[row[SECOND] :], terms + 1, places, filters)
        if row[FIRST + NEEDED]:
            of_windows[: terms * places] = zero
            add_product_turned_second(values[row[SECOND] :], above, of_windows, terms, filters, places)
            of_planes[: row[FIRST + BY_ROW]] = zero
            _add_back(row, of_windows, of_planes)
            _add_together(row, of_planes, gradients[picture:])
