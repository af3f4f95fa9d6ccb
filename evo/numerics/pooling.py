"""Max and average pooling of an image's windows, compiled.

Windows do not overlap; what is left over at the edges is dropped, as in torch. `numbers` are height, width and channels
of the picture, then rows and columns of a window; a picture is (height × width × channels,).
"""

from typing import Any

from evo.envs.engine.compile import njit


@njit
def _offset(numbers: Any, place: int) -> int:
    """Return the offset of window element `place` from the window's first; past the last, the last one's."""
    width, channels, rows, columns = numbers[1], numbers[2], numbers[3], numbers[4]
    place = min(place, rows * columns - 1)
    return (place // columns * width + place % columns) * channels


@njit
def _better(value: Any, best: Any) -> bool:
    return value > best or value != value  # NaN counts as the maximum, so that it stays visible


@njit
def greatest(numbers: Any, picture: Any, out: Any, found: Any) -> None:
    """Max pooling: write each window's maximum to `out` and its position to `found`.

    found: shaped as `out`, the maximum's offset within its window, in numbers; of equal ones the first.
    """
    height, width, channels, rows, columns = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
    for place in range(0, rows * columns, 4):  # four elements a pass save three of four loads and stores of the outputs
        place0, place1 = _offset(numbers, place), _offset(numbers, place + 1)
        place2, place3 = _offset(numbers, place + 2), _offset(numbers, place + 3)
        index0, index1 = out.dtype.type(place0), out.dtype.type(place1)
        index2, index3 = out.dtype.type(place2), out.dtype.type(place3)
        at = 0
        for y in range(height // rows):
            for x in range(width // columns):
                window = picture[(y * rows * width + x * columns) * channels :]
                for channel in range(channels):
                    value = window[place0 + channel]
                    better = place == 0 or _better(value, out[at + channel])
                    best, index = (value, index0) if better else (out[at + channel], found[at + channel])
                    value = window[place1 + channel]
                    better = _better(value, best)
                    best, index = (value, index1) if better else (best, index)
                    value = window[place2 + channel]
                    better = _better(value, best)
                    best, index = (value, index2) if better else (best, index)
                    value = window[place3 + channel]
                    better = _better(value, best)
                    out[at + channel] = value if better else best
                    found[at + channel] = index3 if better else index
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
