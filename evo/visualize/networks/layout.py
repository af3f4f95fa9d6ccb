"""Layout: where the units of a network are drawn: by depth from left to right, with few crossings of links.

The method is that of Sugiyama, Tagawa & Toda 1981, "Methods for visual understanding of hierarchical system
structures": cycles are broken, every unit stands one column right of the last that it reads, and columns are ordered by
barycentres.
"""

from dataclasses import dataclass

import numpy as np

from evo.visualize.networks.diagram import Diagram

_SWEEPS = 12  # over all columns
_SPREAD = 2.5  # the most that units of a shorter column are farther apart than those of the longest
_ROOM = 1 / 30  # unless they would be closer than this, and there is room


@dataclass(frozen=True, eq=False)
class Layout:
    """Where units are drawn.

    columns: int64 (units,), 0 for inputs, the last for outputs. heights: float64 (units,), 0 (top) to 1; NaN for units
    that are not drawn. gaps: float64 (columns,), the least distance of two units of each column. back: bool (links,),
    links that do not lead to a later column.
    """

    columns: np.ndarray
    heights: np.ndarray
    gaps: np.ndarray
    back: np.ndarray


def lay_out(diagram: Diagram, drawn: np.ndarray) -> Layout:
    """Return where the units of a diagram are drawn. drawn: bool (units,), those that are."""
    columns = columns_of(diagram)
    members = [np.flatnonzero(drawn & (columns == column)) for column in range(int(columns.max()) + 1)]
    if diagram.places is not None:
        members = [units[np.argsort(diagram.places[units, 1])] for units in members]
    pitch = 1 / max(max(map(len, members)) - 1, 1)
    heights = np.full(len(diagram), np.nan)
    gaps = [_gap(len(units), pitch) for units in members]
    for units, gap in zip(members, gaps, strict=True):
        heights[units] = 0.5 + gap * (np.arange(len(units)) - (len(units) - 1) / 2)
    if diagram.places is not None:  # nothing is moved
        return Layout(columns, heights, np.array(gaps), np.zeros(len(diagram.sources), bool))
    heights[diagram.outputs] = heights[np.sort(np.unique(diagram.outputs))][_ranks(diagram.outputs)]
    forward = columns[diagram.sources] < columns[diagram.targets]
    linked = forward & drawn[diagram.sources] & drawn[diagram.targets]
    ends = np.stack([diagram.sources[linked], diagram.targets[linked]])
    strength = np.abs(diagram.weights[linked]) + 1e-9
    for sweep in range(_SWEEPS):
        for column in range(1, len(members) - 1)[:: 1 if sweep % 2 == 0 else -1]:
            units = members[column]
            wanted = _barycentres(heights, ends, strength)[units]
            members[column] = units = units[np.argsort(wanted, kind="stable")]
            heights[units] = _separate(np.sort(wanted, kind="stable"), gaps[column])
    return Layout(columns, heights, np.array(gaps), ~forward)


def _gap(count: int, pitch: float) -> float:
    """Return the distance of `count` units of a column, where those of the longest are `pitch` apart."""
    whole = 1 / max(count - 1, 1)
    return min(max(_SPREAD * pitch, min(_ROOM, 0.8 * whole)), whole)


def _ranks(outputs: np.ndarray) -> np.ndarray:
    """Return the place of each output among the units that outputs read, in the order in which outputs name them."""
    order = list(dict.fromkeys(outputs.tolist()))
    return np.array([order.index(unit) for unit in outputs.tolist()], np.int64)


def columns_of(diagram: Diagram) -> np.ndarray:
    """Return the column of each unit, int64 (units,): after all that it reads, links that close cycles aside."""
    if diagram.places is not None:
        return diagram.places[:, 0]
    order, closing = _walk(diagram)
    columns = np.ones(len(diagram), np.int64)
    columns[: diagram.inputs] = 0
    place = np.empty(len(diagram), np.int64)
    place[order] = np.arange(len(order))
    for link in np.argsort(place[diagram.sources], kind="stable"):
        if not closing[link]:
            target = diagram.targets[link]
            columns[target] = max(columns[target], columns[diagram.sources[link]] + 1)
    others = np.ones(len(diagram), bool)
    others[diagram.outputs] = False
    columns[diagram.outputs] = max(columns[diagram.outputs].max(), columns[others].max() + 1)
    return np.unique(columns, return_inverse=True)[1].astype(np.int64)  # without columns that outputs left empty


def _walk(diagram: Diagram) -> tuple[np.ndarray, np.ndarray]:
    """Walk depth first; return units in topological order, (units,), and which links close a cycle, bool (links,)."""
    count = len(diagram)
    leaving = np.argsort(diagram.sources, kind="stable")
    begins = np.searchsorted(diagram.sources[leaving], np.arange(count + 1)).tolist()
    links, targets = leaving.tolist(), diagram.targets.tolist()
    closing = np.zeros(len(links), bool)
    state, following, finished = [0] * count, begins[:-1], []  # 0 new, 1 on the way, 2 finished
    for root in range(count):
        way = [root] if state[root] == 0 else []
        while way:
            unit = way[-1]
            state[unit] = 1
            if following[unit] == begins[unit + 1]:
                state[unit] = 2
                finished.append(way.pop())
                continue
            link = links[following[unit]]
            following[unit] += 1
            if state[targets[link]] == 0:
                way.append(targets[link])
            closing[link] = state[targets[link]] == 1
    return np.array(finished[::-1], np.int64), closing


def _barycentres(heights: np.ndarray, ends: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """Return the mean height of each unit's neighbours, by the strength of links; its own without any, (units,)."""
    total, weight = np.zeros(len(heights)), np.zeros(len(heights))
    for one, other in (ends, ends[::-1]):
        np.add.at(total, one, strength * heights[other])
        np.add.at(weight, one, strength)
    return np.where(weight > 0, total / np.where(weight > 0, weight, 1.0), heights)


def _separate(wanted: np.ndarray, gap: float) -> np.ndarray:
    """Return the heights nearest to the wanted ones, ascending, that are at least `gap` apart and within 0 to 1."""
    from scipy.optimize import isotonic_regression  # takes long to load, and few runs draw their network

    steps = gap * np.arange(len(wanted))
    found = isotonic_regression(wanted - steps).x + steps
    if found[-1] - found[0] >= 1:
        return np.linspace(0, 1, len(wanted))
    return found + max(0.0, -found[0]) - max(0.0, found[-1] - 1)
