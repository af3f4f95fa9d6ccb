"""Max and average pooling operations; see `evo.autodiff.operations`, and `evo.numerics.pooling` for their arguments."""

from typing import Any

from evo.autodiff.operations import BY_ROW, COLUMNS, FIRST, NEEDED, NUMBERS, OUTPUT, ROWS, gradient_of
from evo.numerics import pooling


def greatest(row: Any, values: Any, gradients: Any) -> None:
    """Max pooling of pictures (m, height × width × channels): (m, windows × channels).

    The maxima's positions are kept for the backward pass, at the offset given by the number after those of
    `evo.numerics.pooling`.
    """
    size, pooled = row[FIRST + BY_ROW], row[COLUMNS]
    for i in range(row[ROWS]):
        begin, out, found = row[FIRST] + i * size, row[OUTPUT] + i * pooled, row[NUMBERS + 5] + i * pooled
        picture = values[begin : begin + size]
        pooling.greatest(row[NUMBERS:], picture, values[out : out + pooled], values[found : found + pooled])


@gradient_of(greatest)
def greatest_backward(row: Any, values: Any, gradients: Any) -> None:
    """Pass the gradient to the maximum's position, the first of equal ones as in torch."""
    height, width, channels = row[NUMBERS], row[NUMBERS + 1], row[NUMBERS + 2]
    rows, columns = row[NUMBERS + 3], row[NUMBERS + 4]
    if not row[FIRST + NEEDED]:
        return
    for i in range(row[ROWS]):
        below, above = gradients[row[FIRST] + i * row[FIRST + BY_ROW] :], gradients[row[OUTPUT] + i * row[COLUMNS] :]
        found = values[row[NUMBERS + 5] + i * row[COLUMNS] :]
        at = 0
        for y in range(height // rows):
            for x in range(width // columns):
                window = below[(y * rows * width + x * columns) * channels :]
                for channel in range(channels):
                    window[int(found[at + channel]) + channel] += above[at + channel]
                at += channels


def average(row: Any, values: Any, gradients: Any) -> None:
    """Average pooling of pictures (m, height × width × channels): (m, windows × channels)."""
    size, pooled = row[FIRST + BY_ROW], row[COLUMNS]
    for i in range(row[ROWS]):
        begin, out = row[FIRST] + i * size, row[OUTPUT] + i * pooled
        pooling.average(row[NUMBERS:], values[begin : begin + size], values[out : out + pooled])


@gradient_of(average)
def average_backward(row: Any, values: Any, gradients: Any) -> None:
    height, width, channels = row[NUMBERS], row[NUMBERS + 1], row[NUMBERS + 2]
    rows, columns = row[NUMBERS + 3], row[NUMBERS + 4]
    share = values.dtype.type(1) / values.dtype.type(rows * columns)
    if not row[FIRST + NEEDED]:
        return
    for i in range(row[ROWS]):
        below = gradients[row[FIRST] + i * row[FIRST + BY_ROW] :]
        above = gradients[row[OUTPUT] + i * row[COLUMNS] :]
        at = 0
        for y in range(height // rows):
            for x in range(width // columns):
                for r in range(rows):
                    begin = ((y * rows + r) * width + x * columns) * channels
                    for c in range(columns):
                        for channel in range(channels):
                            below[begin + c * channels + channel] += share * above[at + channel]
                at += channels
