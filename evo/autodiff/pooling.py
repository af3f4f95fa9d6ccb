"""Operations that pool the windows of pictures; see `evo.autodiff.operations` for what they take, and `evo.pooling` for
their numbers."""

from typing import Any

from evo import pooling
from evo.autodiff.operations import BY_ROW, COLUMNS, FIRST, NEEDED, NUMBERS, OUTPUT, ROWS


def greatest(row: Any, values: Any, gradients: Any) -> None:
    """The greatest of each window of pictures (m, height × width × channels): (m, windows × channels)."""
    size, pooled = row[FIRST + BY_ROW], row[COLUMNS]
    for i in range(row[ROWS]):
        begin, out = row[FIRST] + i * size, row[OUTPUT] + i * pooled
        pooling.greatest(row[NUMBERS:], values[begin : begin + size], values[out : out + pooled])


def greatest_backward(row: Any, values: Any, gradients: Any) -> None:
    """To the first of the greatest, as torch has it."""
    height, width, channels = row[NUMBERS], row[NUMBERS + 1], row[NUMBERS + 2]
    rows, columns = row[NUMBERS + 3], row[NUMBERS + 4]
    if not row[FIRST + NEEDED]:
        return
    for i in range(row[ROWS]):
        begin, at = i * row[FIRST + BY_ROW], row[OUTPUT] + i * row[COLUMNS]
        picture, below = values[row[FIRST] + begin :], gradients[row[FIRST] + begin :]
        for y in range(height // rows):
            for x in range(width // columns):
                first = (y * rows * width + x * columns) * channels
                for channel in range(channels):
                    for place in range(rows * columns):
                        index = first + (place // columns * width + place % columns) * channels + channel
                        if picture[index] == values[at]:
                            below[index] += gradients[at]
                            break
                    at += 1


def average(row: Any, values: Any, gradients: Any) -> None:
    """The mean of each window of pictures (m, height × width × channels): (m, windows × channels)."""
    size, pooled = row[FIRST + BY_ROW], row[COLUMNS]
    for i in range(row[ROWS]):
        begin, out = row[FIRST] + i * size, row[OUTPUT] + i * pooled
        pooling.average(row[NUMBERS:], values[begin : begin + size], values[out : out + pooled])


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
