"""Operations of convolutions; see `evo.autodiff.operations` for what they take.

`patches` lays out every window of a picture as a row, so that a convolution is one matrix product for a whole batch
(Chellapilla, Puri & Simard 2006, "High performance convolutional neural networks for document processing"). A picture
is (height, width, channels), row by row; so a row of a window is one run of numbers.
"""

from typing import Any

from envs.kernels import njit
from evo.autodiff.operations import BY_ROW, COLUMNS, FIRST, NEEDED, NUMBERS, OUTPUT, ROWS


@njit
def _within(start: int, count: int, size: int) -> tuple[int, int]:
    """Of `count` places from `start` on, the first that is not before 0, and the end of those before `size`."""
    return min(max(-start, 0), count), max(min(size - start, count), 0)


def patches(row: Any, values: Any, gradients: Any) -> None:
    """Windows of pictures (m, height × width × channels): (m, windows × rows × columns × channels).

    Numbers: height, width, channels; rows and columns of a window; stride; padding of zeros above and on the left; rows
    and columns of windows.
    """
    height, width, channels = row[NUMBERS], row[NUMBERS + 1], row[NUMBERS + 2]
    rows, columns, stride = row[NUMBERS + 3], row[NUMBERS + 4], row[NUMBERS + 5]
    top, left, down, across = row[NUMBERS + 6], row[NUMBERS + 7], row[NUMBERS + 8], row[NUMBERS + 9]
    run, zero = columns * channels, values.dtype.type(0)
    for i in range(row[ROWS]):
        pictures = values[row[FIRST] + i * row[FIRST + BY_ROW] :]
        out = values[row[OUTPUT] + i * row[COLUMNS] :]
        at = 0
        for y in range(down):
            first_row, end_row = _within(y * stride - top, rows, height)
            for x in range(across):
                first, end = _within(x * stride - left, columns, width)
                for r in range(rows):
                    if r < first_row or r >= end_row:
                        for j in range(run):
                            out[at + j] = zero
                    else:
                        begin = ((y * stride - top + r) * width + x * stride - left) * channels
                        for j in range(first * channels):
                            out[at + j] = zero
                        for j in range(first * channels, end * channels):
                            out[at + j] = pictures[begin + j]
                        for j in range(end * channels, run):
                            out[at + j] = zero
                    at += run


def patches_backward(row: Any, values: Any, gradients: Any) -> None:
    height, width, channels = row[NUMBERS], row[NUMBERS + 1], row[NUMBERS + 2]
    rows, columns, stride = row[NUMBERS + 3], row[NUMBERS + 4], row[NUMBERS + 5]
    top, left, down, across = row[NUMBERS + 6], row[NUMBERS + 7], row[NUMBERS + 8], row[NUMBERS + 9]
    if not row[FIRST + NEEDED]:
        return
    for i in range(row[ROWS]):
        below = gradients[row[FIRST] + i * row[FIRST + BY_ROW] :]
        above = gradients[row[OUTPUT] + i * row[COLUMNS] :]
        at = 0
        for y in range(down):
            first_row, end_row = _within(y * stride - top, rows, height)
            for x in range(across):
                first, end = _within(x * stride - left, columns, width)
                for r in range(rows):
                    if first_row <= r < end_row:
                        begin = ((y * stride - top + r) * width + x * stride - left) * channels
                        for j in range(first * channels, end * channels):
                            below[begin + j] += above[at + j]
                    at += columns * channels
