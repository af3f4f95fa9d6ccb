"""Pictures from shapes: ellipses, regular polygons and small patterns, painted over each other and antialiased."""

from typing import Any

import numpy as np

from envs.kernels import njit

CIRCLE, MARK = 0, 100  # kinds below are the numbers of sides of polygons; MARK + i is pattern i
# A shape: its kind, its middle, half its width and height, cosine and sine of its turn, red, green, blue.
_KIND, _X, _Y, _WIDTH, _HEIGHT, _COSINE, _SINE, _RED = range(8)
COLUMNS = _RED + 3
_SAMPLES = 3  # in a pixel, each way


def shape_row(
    kind: int, middle: tuple[float, float], half: tuple[float, float], turn: float, colour: np.ndarray
) -> list[float]:
    """A shape in numbers. middle, half (its width and height): in units of the picture's side; turn: in radians,
    clockwise. colour: red, green, blue from 0 to 1."""
    return [float(kind), *middle, *half, float(np.cos(turn)), float(np.sin(turn)), *colour.tolist()]


def patterns(drawn: list[list[str]]) -> tuple[np.ndarray, np.ndarray]:
    """Patterns drawn with `#` in rows of text as bool (patterns, rows, columns), and their own sizes, (patterns, 2)."""
    sizes = np.array([(len(rows), len(rows[0])) for rows in drawn])
    cells = np.zeros((len(drawn), *sizes.max(axis=0)), np.bool_)
    for index, rows in enumerate(drawn):
        cells[index, : len(rows), : len(rows[0])] = [[cell == "#" for cell in row] for row in rows]
    return cells, sizes


@njit(cache=True, nogil=True)
def paint(shapes: Any, counts: Any, grounds: Any, normals: Any, cells: Any, sizes: Any, pictures: Any) -> None:
    """Paint pictures, float32 (pictures, side, side, 3), all of them written.

    shapes: float64 (pictures, most shapes, COLUMNS), of each picture the first `counts`, later ones over earlier ones.
    grounds: float64 (pictures, 2, 3), the colour of the background at the top and at the bottom. normals: as `NORMALS`.
    """
    side = pictures.shape[1]
    share = 1.0 / (_SAMPLES * _SAMPLES)
    for picture in range(pictures.shape[0]):
        for row in range(side):
            for column in range(side):
                red, green, blue = 0.0, 0.0, 0.0
                for sample in range(_SAMPLES * _SAMPLES):
                    y = (row + (sample // _SAMPLES + 0.5) / _SAMPLES) / side
                    x = (column + (sample % _SAMPLES + 0.5) / _SAMPLES) / side
                    seen = counts[picture] - 1
                    while seen >= 0 and not _covers(shapes[picture, seen], x, y, normals, cells, sizes):
                        seen -= 1
                    if seen >= 0:
                        shape = shapes[picture, seen]
                        red, green, blue = red + shape[_RED], green + shape[_RED + 1], blue + shape[_RED + 2]
                    else:
                        top, bottom = grounds[picture, 0], grounds[picture, 1]
                        red += top[0] + y * (bottom[0] - top[0])
                        green += top[1] + y * (bottom[1] - top[1])
                        blue += top[2] + y * (bottom[2] - top[2])
                pictures[picture, row, column, 0] = red * share
                pictures[picture, row, column, 1] = green * share
                pictures[picture, row, column, 2] = blue * share


@njit
def _covers(shape: Any, x: float, y: float, normals: Any, cells: Any, sizes: Any) -> bool:
    """Whether a shape covers a point."""
    across, down = x - shape[_X], y - shape[_Y]
    u = (across * shape[_COSINE] + down * shape[_SINE]) / shape[_WIDTH]
    v = (down * shape[_COSINE] - across * shape[_SINE]) / shape[_HEIGHT]
    kind = int(shape[_KIND])
    if kind >= MARK:
        if not (-1.0 < u < 1.0 and -1.0 < v < 1.0):
            return False
        rows, columns = sizes[kind - MARK]
        return cells[kind - MARK, int((v + 1.0) * 0.5 * rows), int((u + 1.0) * 0.5 * columns)]
    if u * u + v * v >= 2.0:
        return False
    if kind == CIRCLE:
        return u * u + v * v < 1.0
    for edge in range(kind):
        if u * normals[kind, edge, 0] + v * normals[kind, edge, 1] > normals[kind, edge, 2]:
            return False
    return True


def _edges() -> np.ndarray:
    """Of polygons with up to eight sides, one of them at the bottom: each side's normal, and its distance, float64
    (sides, side, 3). Their width reaches 1 where corners or sides do, a square's at its sides."""
    edges = np.zeros((9, 8, 3))
    for sides in range(3, 9):
        angles = np.pi / 2 + 2 * np.pi / sides * np.arange(sides)
        distance = 1.0 if sides in (4, 8) else np.cos(np.pi / sides)
        edges[sides, :sides] = np.stack([np.cos(angles), np.sin(angles), np.full(sides, distance)], axis=1)
    return edges


NORMALS = _edges()
