"""Pictures from shapes: ellipses, regular polygons and small patterns, painted over each other and antialiased."""

from typing import Any

import numpy as np

from evo.envs.engine.compile import njit

CIRCLE, MARK = 0, 100  # kinds in between are numbers of sides of polygons, 3 to 8; MARK + i is pattern i
# Columns of a shape: kind, centre, half width and height, cosine and sine of its rotation, red, green, blue.
_KIND, _X, _Y, _WIDTH, _HEIGHT, _COSINE, _SINE, _RED = range(8)
COLUMNS = _RED + 3
_SAMPLES = 3  # per pixel and axis
_REACH = 1.0824  # the distance of an octagon's corners, whose sides are at distance 1


def shape_row(
    kind: int, middle: tuple[float, float], half: tuple[float, float], turn: float, colour: list[float]
) -> list[float]:
    """Return a shape as a row of numbers, in the order of the columns above.

    middle, half (width and height): in units of the picture's side. turn: in radians, clockwise. colour: red, green,
    blue from 0 to 1.
    """
    return [kind, *middle, *half, float(np.cos(turn)), float(np.sin(turn)), *colour]


def patterns(drawn: list[list[str]]) -> tuple[np.ndarray, np.ndarray]:
    """Convert patterns drawn with `#` to bool (patterns, rows, columns), and their own sizes, (patterns, 2)."""
    sizes = np.array([(len(rows), len(rows[0])) for rows in drawn])
    cells = np.zeros((len(drawn), *sizes.max(axis=0)), np.bool_)
    for index, rows in enumerate(drawn):
        cells[index, : len(rows), : len(rows[0])] = [[cell == "#" for cell in row] for row in rows]
    return cells, sizes


def _edges() -> np.ndarray:
    """Return the sides of polygons with 3 to 8 sides, one at the bottom: normal and distance, float64 (sides, side, 3).

    Sides of squares and octagons are at distance 1, corners of the others.
    """
    edges = np.zeros((9, 8, 3))
    for sides in range(3, 9):
        angles = np.pi / 2 + 2 * np.pi / sides * np.arange(sides)
        distance = 1.0 if sides in (4, 8) else np.cos(np.pi / sides)
        edges[sides, :sides] = np.stack([np.cos(angles), np.sin(angles), np.full(sides, distance)], axis=1)
    return edges


_EDGES = _edges()


def paint(shapes: np.ndarray, counts: np.ndarray, cells: np.ndarray, sizes: np.ndarray, side: int) -> np.ndarray:
    """Paint pictures, float32 (pictures, side, side, 3), black where nothing is.

    shapes: float64 (pictures, most shapes, COLUMNS), of each picture the first `counts`, later ones over earlier ones.
    cells, sizes: the patterns.
    """
    pictures = np.zeros((len(shapes), side, side, 3), np.float32)
    _paint(shapes, counts, cells, sizes, _EDGES, pictures)
    return pictures


@njit(cache=True, nogil=True)
def _paint(shapes: Any, counts: Any, cells: Any, sizes: Any, edges: Any, pictures: Any) -> None:
    fine = pictures.shape[1] * _SAMPLES
    share = 1.0 / (_SAMPLES * _SAMPLES)
    seen = np.empty((fine, fine), np.int64)  # the topmost shape at each point
    for picture in range(len(pictures)):
        seen[:] = -1
        for index in range(counts[picture]):
            _cover(shapes[picture, index], index, cells, sizes, edges, seen)
        for row in range(fine):
            for column in range(fine):
                if seen[row, column] >= 0:
                    for colour in range(3):
                        value = share * shapes[picture, seen[row, column], _RED + colour]
                        pictures[picture, row // _SAMPLES, column // _SAMPLES, colour] += value


@njit
def _cover(shape: Any, index: int, cells: Any, sizes: Any, edges: Any, seen: Any) -> None:
    """Write a shape's index to every sample point it covers; seen: int64 (points, points)."""
    fine = len(seen)
    kind, width, height, cosine, sine = int(shape[_KIND]), shape[_WIDTH], shape[_HEIGHT], shape[_COSINE], shape[_SINE]
    across = _REACH * (width * abs(cosine) + height * abs(sine))
    down = _REACH * (width * abs(sine) + height * abs(cosine))
    left, right = max(0, int((shape[_X] - across) * fine)), min(fine, int((shape[_X] + across) * fine) + 1)
    top, bottom = max(0, int((shape[_Y] - down) * fine)), min(fine, int((shape[_Y] + down) * fine) + 1)
    for row in range(top, bottom):
        y = (row + 0.5) / fine - shape[_Y]
        for column in range(left, right):
            x = (column + 0.5) / fine - shape[_X]
            u, v = (x * cosine + y * sine) / width, (y * cosine - x * sine) / height
            if kind == CIRCLE:
                inside = u * u + v * v < 1.0
            elif kind < MARK:
                inside = True
                for edge in range(kind):
                    inside &= u * edges[kind, edge, 0] + v * edges[kind, edge, 1] <= edges[kind, edge, 2]
            else:
                inside = abs(u) < 1.0 and abs(v) < 1.0
                if inside:
                    rows, columns = sizes[kind - MARK]
                    inside = cells[kind - MARK, int((v + 1.0) * 0.5 * rows), int((u + 1.0) * 0.5 * columns)]
            if inside:
                seen[row, column] = index
