"""Ray intersection with height fields, by a quadtree of maxima.

The tree is that of "Maximum Mipmaps for Fast, Accurate, and Scalable Dynamic Height Field Rendering" (Tevs, Ihrke &
Seidel 2008). The surface is MuJoCo's: two triangles a cell, with the diagonal from its least to its greatest corner, on
a base.
"""

import math
from typing import Any, NamedTuple

import mujoco
import numpy as np
from numpy.typing import NDArray

from evo.envs.engine.compile import njit
from evo.envs.rendering.geometry import Matrix, Vector, normalise, to_local, to_world


class Field(NamedTuple):
    """A height field's numbers. size: MuJoCo's, half widths along x and y, height, depth of the base, metres."""

    geom: int
    size: tuple[float, float, float, float]
    heights: NDArray[np.float64]  # (rows, columns), metres
    maxima: NDArray[np.float64]  # level by level, from single cells up, each row by row
    starts: NDArray[np.int64]  # (levels,) beginning of each level
    widths: NDArray[np.int64]  # (levels,) cells in a row of each


def fields_of(model: mujoco.MjModel, shown: NDArray[np.bool_]) -> list[Field]:
    """Return the height fields among the geoms `shown` (ngeom,)."""
    found = []
    for geom in np.flatnonzero(shown & (model.geom_type == mujoco.mjtGeom.mjGEOM_HFIELD)):
        field = int(model.geom_dataid[geom])
        rows, columns = int(model.hfield_nrow[field]), int(model.hfield_ncol[field])
        begin = int(model.hfield_adr[field])
        size = tuple(float(each) for each in model.hfield_size[field])
        heights = size[2] * model.hfield_data[begin : begin + rows * columns].reshape(rows, columns).astype(float)
        level = np.maximum(heights[:-1], heights[1:])
        level = np.maximum(level[:, :-1], level[:, 1:])
        levels = [level]
        while level.size > 1:
            level = np.pad(level, [(0, side % 2) for side in level.shape], constant_values=-math.inf)
            level = level.reshape(level.shape[0] // 2, 2, level.shape[1] // 2, 2).max(axis=(1, 3))
            levels.append(level)
        starts = np.cumsum([0, *(each.size for each in levels[:-1])]).astype(np.int64)
        widths = np.array([each.shape[1] for each in levels], np.int64)
        maxima = np.concatenate([each.ravel() for each in levels])
        found.append(Field(int(geom), (size[0], size[1], size[2], size[3]), heights, maxima, starts, widths))
    return found


def meet(
    fields: list[Field], data: mujoco.MjData, eye: Vector, directions: NDArray[np.float64], seen: NDArray[np.float64]
) -> None:
    """Write into `seen` (rays, 5) where rays hit the fields, if nearer: distance, geom, normal.

    directions: (rays, 3), of length one.
    """
    for field in fields:
        rotation = tuple(tuple(row) for row in data.geom_xmat[field.geom].reshape(3, 3).tolist())
        x, y, z = data.geom_xpos[field.geom].tolist()
        origin = to_local(rotation, (eye[0] - x, eye[1] - y, eye[2] - z))
        _meet(
            field.geom,
            field.size,
            field.heights,
            field.maxima,
            field.starts,
            field.widths,
            origin,
            rotation,
            directions,
            seen,
        )


@njit(cache=True, nogil=True, error_model="numpy")
def _slab(origin: float, direction: float, low: float, high: float) -> tuple[float, float]:
    """Return a line's interval between two planes perpendicular to an axis."""
    if direction == 0.0:
        return (-math.inf, math.inf) if low <= origin <= high else (math.inf, -math.inf)
    first, second = (low - origin) / direction, (high - origin) / direction
    return min(first, second), max(first, second)


@njit(cache=True, nogil=True, error_model="numpy")
def _below(heights: Any, column: int, row: int, u: float, v: float, upper: bool) -> float:
    """Return the height at (u, v), from 0 to 1, in a cell: on its triangle where v >= u (upper), or the other one."""
    corner, opposite = heights[row, column], heights[row + 1, column + 1]
    if upper:
        left = heights[row + 1, column]
        return float(corner + v * (left - corner) + u * (opposite - left))
    right = heights[row, column + 1]
    return float(corner + u * (right - corner) + v * (opposite - right))


@njit(cache=True, nogil=True, error_model="numpy")
def _trace(
    size: tuple[float, float, float, float],
    heights: Any,
    maxima: Any,
    starts: Any,
    widths: Any,
    origin: Vector,
    direction: Vector,
) -> tuple[float, Vector]:
    """Return the distance along a ray in the field's own frame, -1 for a miss, and the normal there."""
    nothing = (0.0, 0.0, 1.0)
    columns, rows = heights.shape[1] - 1, heights.shape[0] - 1  # cells
    top = starts.size - 1
    x_in, x_out = _slab(origin[0], direction[0], -size[0], size[0])
    y_in, y_out = _slab(origin[1], direction[1], -size[1], size[1])
    z_in, z_out = _slab(origin[2], direction[2], -size[3], maxima[starts[top]])
    entry, leave = max(x_in, y_in, z_in, 0.0), min(x_out, y_out, z_out)
    if entry > leave:
        return -1.0, nothing
    # in cells: (column, row) = start + distance * step
    across, along = columns / (2.0 * size[0]), rows / (2.0 * size[1])
    start_x, start_y = (origin[0] + size[0]) * across, (origin[1] + size[1]) * along
    step_x, step_y = direction[0] * across, direction[1] * along
    at_x, at_y = start_x + entry * step_x, start_y + entry * step_y
    column, row = min(max(int(at_x), 0), columns - 1), min(max(int(at_y), 0), rows - 1)
    u, v = at_x - column, at_y - row
    if origin[2] + entry * direction[2] < _below(heights, column, row, u, v, v >= u) - 1e-9:
        # it enters through a side or the bottom
        if entry == 0.0:
            return -1.0, nothing
        if entry == x_in:
            return entry, (-math.copysign(1.0, direction[0]), 0.0, 0.0)
        if entry == y_in:
            return entry, (0.0, -math.copysign(1.0, direction[1]), 0.0)
        return entry, (0.0, 0.0, -1.0)
    level, distance = top, entry
    for _ in range(8 * (columns + rows) + 64):  # more than any ray needs
        width = 1 << level
        left, low = (column >> level) << level, (row >> level) << level
        edge_x = left + width if step_x > 0.0 else left
        edge_y = low + width if step_y > 0.0 else low
        next_x = (edge_x - start_x) / step_x if step_x != 0.0 else math.inf
        next_y = (edge_y - start_y) / step_y if step_y != 0.0 else math.inf
        after = max(min(next_x, next_y, leave), distance)
        lowest = origin[2] + (after if direction[2] < 0.0 else distance) * direction[2]
        if lowest <= maxima[starts[level] + (row >> level) * widths[level] + (column >> level)]:
            if level > 0:
                level -= 1
                continue
            # the cell's diagonal divides the ray into two stretches, each over one plane
            tilt = step_x - step_y
            split = (column - start_x - row + start_y) / tilt if tilt != 0.0 else math.inf
            begin = distance
            for part in range(2):
                end = after
                if part == 0 and begin < split < after:
                    end = split
                elif part == 1 and end == begin:
                    break
                middle = 0.5 * (begin + end)
                upper = start_y + middle * step_y - row >= start_x + middle * step_x - column
                above_begin = (
                    origin[2]
                    + begin * direction[2]
                    - _below(
                        heights, column, row, start_x + begin * step_x - column, start_y + begin * step_y - row, upper
                    )
                )
                above_end = (
                    origin[2]
                    + end * direction[2]
                    - _below(heights, column, row, start_x + end * step_x - column, start_y + end * step_y - row, upper)
                )
                if above_end < 0.0 or above_begin < 0.0:
                    share = min(max(above_begin / (above_begin - above_end), 0.0), 1.0) if above_begin > 0.0 else 0.0
                    corner, opposite = heights[row, column], heights[row + 1, column + 1]
                    if upper:
                        left_top = heights[row + 1, column]
                        slope_x, slope_y = opposite - left_top, left_top - corner
                    else:
                        right_low = heights[row, column + 1]
                        slope_x, slope_y = right_low - corner, opposite - right_low
                    normal = normalise((-slope_x * across, -slope_y * along, 1.0))
                    return begin + share * (end - begin), normal
                begin = end
                if end == after:
                    break
        if after >= leave:
            return -1.0, nothing
        distance = after
        last_x, last_y = left + width - 1, low + width - 1
        if next_x <= next_y:
            column = edge_x if step_x > 0.0 else edge_x - 1
            row = min(max(math.floor(start_y + after * step_y), low), last_y)
        else:
            row = edge_y if step_y > 0.0 else edge_y - 1
            column = min(max(math.floor(start_x + after * step_x), left), last_x)
        if column < 0 or row < 0 or column >= columns or row >= rows:
            return -1.0, nothing
        level = min(level + 1, top)
    return -1.0, nothing


@njit(cache=True, nogil=True, error_model="numpy")
def _meet(
    geom: int,
    size: tuple[float, float, float, float],
    heights: Any,
    maxima: Any,
    starts: Any,
    widths: Any,
    origin: Vector,
    rotation: Matrix,
    directions: Any,
    seen: Any,
) -> None:
    for ray in range(directions.shape[0]):
        direction = to_local(rotation, (directions[ray, 0], directions[ray, 1], directions[ray, 2]))
        distance, normal = _trace(size, heights, maxima, starts, widths, origin, direction)
        if distance >= 0.0 and (seen[ray, 0] < 0.0 or distance < seen[ray, 0]):
            outward = to_world(rotation, normal)
            seen[ray, 0], seen[ray, 1] = distance, geom
            seen[ray, 2], seen[ray, 3], seen[ray, 4] = outward[0], outward[1], outward[2]
