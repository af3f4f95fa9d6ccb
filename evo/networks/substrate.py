"""Substrates: where the units of a network are whose weights a pattern paints (HyperNEAT).

Units of a layer lie in the middles of equal parts of [-1, 1], so that a pattern looks the same at any resolution.
"""

import math

import numpy as np

from evo.networks.layer import Shape, shape_text

LAYOUTS = ("line", "grid", "body")


def line(count: int) -> np.ndarray:
    """Return units along the x axis, float64 (count, 2)."""
    return grid(count, 1)


def grid(columns: int, rows: int) -> np.ndarray:
    """Return units in the plane, row by row, float64 (rows × columns, 2)."""
    y, x = np.meshgrid(*((2 * np.arange(side) + 1 - side) / side for side in (rows, columns)), indexing="ij")
    return np.stack([x, y], axis=-1).reshape(-1, 2)


def ends(layout: str, inputs: Shape, outputs: int) -> tuple[np.ndarray, np.ndarray]:
    """Return places of inputs and outputs on lines or grids, float64 (units, dimensions) each.

    On a grid are the inputs of a picture, whose channels have a third coordinate, or those of a square number, and the
    outputs if they are as many as the picture's pixels; else they are on a line. Raises ValueError for inputs that are
    no grid.
    """
    count = math.prod(inputs)
    if layout == "line":
        return line(count), line(outputs)
    side = math.isqrt(count)
    height, width, channels = inputs if len(inputs) == 3 else (side, side, 1)
    if height * width * channels != count:
        raise ValueError(f"{shape_text(inputs)} inputs are no grid: a picture is one, or a square number, such as 121")
    given = grid(width, height)
    if channels > 1:
        given = np.column_stack([np.repeat(given, channels, axis=0), np.tile(line(channels)[:, 0], len(given))])
    return given, grid(width, height) if outputs == height * width else line(outputs)


def together(layers: list[np.ndarray]) -> list[np.ndarray]:
    """Return the places of all layers with as many coordinates as the most have; missing ones are 0."""
    dimensions = max(places.shape[1] for places in layers)
    return [np.pad(places, ((0, 0), (0, dimensions - places.shape[1]))) for places in layers]
