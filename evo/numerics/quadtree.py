"""Quadtree: where in the plane [-1, 1]² a graph's pattern of weights carries information, compiled (ES-HyperNEAT).

Risi & Stanley 2012, "An enhanced hypercube-based encoding for evolving the placement, density, and connectivity of
neurons", section 3 and algorithms 1 and 2. The pattern is that of the weights between one unit and all points of the
plane: what the first output of a graph answers, within ±1, when it is given both places and the way from one to the
other. The points at depth d are the middles of 2^d × 2^d squares, row by row; those of all depths are numbered from the
coarsest on.
"""

from typing import Any

import numpy as np

from evo.envs.engine.compile import njit
from evo.envs.engine.physics import is_stopped
from evo.numerics.graph_nodes import HEADER, compute_nodes

_ABSENT, _LEAF, _DIVIDED, _OPEN, EXPRESSED = range(5)  # states of points


@njit(cache=True)
def first_point(depth: int) -> int:
    """Return the number of the first point at a depth, 1 or more: how many there are at the depths before."""
    return ((1 << 2 * depth) - 4) // 3


@njit
def place_of_point(point: int) -> tuple[Any, Any]:
    """Return the x and y of a point, float32."""
    depth = 1
    while point >= first_point(depth + 1):
        depth += 1
    side, local = 1 << depth, point - first_point(depth)
    return _middle(local % side, side), _middle(local // side, side)


@njit
def _middle(index: int, side: int) -> Any:
    return np.float32(2 * index + 1 - side) / np.float32(side)


@njit(error_model="numpy")
def ask(pattern: Any, output: int, asked: Any, unit: Any, x: Any, y: Any, outgoing: bool) -> Any:
    """Return what a graph answers to a unit and a point (x, y, 0 …), within ±1; 0 for what is no number.

    pattern: the row of the graph. asked: room for its inputs and nodes. unit: the place of the unit, (dimensions,);
    outgoing: whether it is the source, else the target.
    """
    dimensions = unit.size
    for axis in range(dimensions):
        here, there = unit[axis], x if axis == 0 else y if axis == 1 else np.float32(0)
        if not outgoing:
            here, there = there, here
        asked[axis], asked[dimensions + axis], asked[2 * dimensions + axis] = here, there, there - here
    compute_nodes(pattern, asked, 3 * dimensions, 0)
    answer = asked[3 * dimensions + int(pattern[HEADER + output])]
    return min(max(answer, np.float32(-1)), np.float32(1)) if answer == answer else np.float32(0)


@njit(error_model="numpy")
def express_points(
    pattern: Any,
    asked: Any,
    unit: Any,
    outgoing: bool,
    depths: Any,
    thresholds: Any,
    answers: Any,
    states: Any,
    stop: int,
) -> None:
    """Find the points to which a unit is connected: they are left with state EXPRESSED, and their answers.

    depths: the initial depth, to which the plane is always divided, and the maximum depth. thresholds: of division, of
    variance and of bands. answers: float32, states: int32, (points,). stop: the address of a stop flag, 0 for none;
    once it is set they are not to be used.
    """
    _divide(pattern, asked, unit, outgoing, depths, thresholds[0], answers, states, stop)
    _extract(pattern, asked, unit, outgoing, depths[1], thresholds[1], thresholds[2], answers, states, stop)


@njit(error_model="numpy")
def _divide(
    pattern: Any,
    asked: Any,
    unit: Any,
    outgoing: bool,
    depths: Any,
    threshold: float,
    answers: Any,
    states: Any,
    stop: int,
) -> None:
    """Algorithm 1: four children are divided, too, down to the initial depth, and further where their answers vary."""
    states[:] = _ABSENT
    for depth in range(1, depths[1] + 1):
        side, first = 1 << depth, first_point(depth)
        for row in range(0, side, 2):
            if is_stopped(stop):
                return
            for column in range(0, side, 2):
                if depth > 1 and states[first_point(depth - 1) + row // 2 * (side // 2) + column // 2] != _DIVIDED:
                    continue
                mean = 0.0
                for child in range(4):
                    here, there = row + child // 2, column + child % 2
                    point = first + here * side + there
                    answers[point] = ask(pattern, 0, asked, unit, _middle(there, side), _middle(here, side), outgoing)
                    states[point] = _LEAF
                    mean += answers[point] / 4.0
                variance = 0.0
                for child in range(4):
                    difference = answers[first + (row + child // 2) * side + column + child % 2] - mean
                    variance += difference * difference / 4.0
                if depth < depths[0] or (depth < depths[1] and variance > threshold):
                    for child in range(4):
                        states[first + (row + child // 2) * side + column + child % 2] = _DIVIDED


@njit(error_model="numpy")
def _extract(
    pattern: Any,
    asked: Any,
    unit: Any,
    outgoing: bool,
    deepest: int,
    threshold: float,
    band: float,
    answers: Any,
    states: Any,
    stop: int,
) -> None:
    """Algorithm 2: where the answers below a point vary, go on below it; else take it where it lies in a band.

    It does if the answers differ from its own by more than `band` on both sides, left and right or above and below. An
    answer of 0 is no connection.
    """
    for depth in range(1, deepest + 1):
        side, first = 1 << depth, first_point(depth)
        step = np.float32(2) / np.float32(side)
        for row in range(side):
            if is_stopped(stop):
                return
            for column in range(side):
                if depth > 1 and states[first_point(depth - 1) + row // 2 * (side // 2) + column // 2] != _OPEN:
                    continue
                point = first + row * side + column
                if states[point] == _DIVIDED and _variance(depth, row, column, deepest, answers, states) >= threshold:
                    states[point] = _OPEN
                    continue
                x, y, answer = _middle(column, side), _middle(row, side), answers[point]
                left = abs(answer - ask(pattern, 0, asked, unit, x - step, y, outgoing))
                right = abs(answer - ask(pattern, 0, asked, unit, x + step, y, outgoing))
                above = abs(answer - ask(pattern, 0, asked, unit, x, y - step, outgoing))
                below = abs(answer - ask(pattern, 0, asked, unit, x, y + step, outgoing))
                if answer != 0 and max(min(left, right), min(above, below)) > band:
                    states[point] = EXPRESSED


@njit(error_model="numpy")
def _variance(depth: int, row: int, column: int, deepest: int, answers: Any, states: Any) -> float:
    """Return the variance of the answers of all leaves below a point."""
    count, mean, variance = 0, 0.0, 0.0
    for turn in range(2):
        for deeper in range(depth + 1, deepest + 1):
            side, scale = 1 << deeper, 1 << (deeper - depth)
            for here in range(row * scale, (row + 1) * scale):
                for there in range(column * scale, (column + 1) * scale):
                    point = first_point(deeper) + here * side + there
                    if states[point] != _LEAF:
                        continue
                    if turn == 0:
                        count += 1
                        mean += answers[point]
                    else:
                        variance += (answers[point] - mean) ** 2
        if turn == 0:
            mean /= count
    return variance / count
