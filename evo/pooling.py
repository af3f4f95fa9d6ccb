"""Pooling, compiled: from a picture to the greatest or the mean of each of its windows, channel by channel.

Windows stand side by side; what is left over at the edges is dropped, as torch drops it. `numbers` are height, width
and channels of the picture, then rows and columns of a window; a picture is (height × width × channels,).
"""

from typing import Any

from envs.kernels import njit


@njit
def greatest(numbers: Any, picture: Any, out: Any) -> None:
    """What is not a number stays visible."""
    height, width, channels, rows, columns = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
    at = 0
    for y in range(height // rows):
        for x in range(width // columns):
            for r in range(rows):
                begin = ((y * rows + r) * width + x * columns) * channels
                for c in range(columns):
                    for channel in range(channels):
                        value = picture[begin + c * channels + channel]
                        if (r == 0 and c == 0) or value > out[at + channel] or value != value:
                            out[at + channel] = value
            at += channels


@njit
def average(numbers: Any, picture: Any, out: Any) -> None:
    height, width, channels, rows, columns = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
    share = out.dtype.type(1) / out.dtype.type(rows * columns)
    out[:] = out.dtype.type(0)
    at = 0
    for y in range(height // rows):
        for x in range(width // columns):
            for r in range(rows):
                begin = ((y * rows + r) * width + x * columns) * channels
                for c in range(columns):
                    for channel in range(channels):
                        out[at + channel] += share * picture[begin + c * channels + channel]
            at += channels
