"""Heat maps of archives: every cell in the colour of its elite's fitness."""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from evo.visualize.plots import write_figure
from evo.visualize.style import styled

_SIDE = 400  # points along a side of a map
_PANELS = 4  # measures at most whose pairs are drawn, where there are more than two


@styled
def heat_map(
    fitness: np.ndarray,
    measures: np.ndarray,
    cells: np.ndarray,
    locate: Callable[[np.ndarray], np.ndarray],
    ranges: np.ndarray,
    names: Sequence[str],
    title: str,
    path: Path,
) -> None:
    """Draw a map of two measures cell by cell, or of other numbers of measures the elites over each pair of them.

    fitness (elites,), measures (elites, m), cells (elites,). locate: the cells of points in the unit cube, (points, m).
    ranges: (m, 2). path: .png, .svg or .pdf. Raises EvoError.
    """
    if len(names) == 2:
        figure = Figure(figsize=(6.4, 5.2), dpi=120, layout="constrained")
        axes = figure.subplots()
        middle = (np.arange(_SIDE) + 0.5) / _SIDE
        points = np.stack([grid.ravel() for grid in np.meshgrid(middle, middle)], axis=1)
        values = np.full(int(max(cells.max(initial=0), locate(points).max())) + 1, np.nan)
        values[cells] = fitness
        image = values[locate(points)].reshape(_SIDE, _SIDE)
        drawn = axes.imshow(image, origin="lower", extent=tuple(ranges.ravel()), aspect="auto", interpolation="nearest")
        axes.set(xlabel=names[0], ylabel=names[1], title=title)
        axes.grid(visible=False)
        figure.colorbar(drawn, ax=axes, label="fitness")
    else:
        figure = _pairs(fitness, measures, ranges, names, title)
    write_figure(figure, path)


def _pairs(fitness: np.ndarray, measures: np.ndarray, ranges: np.ndarray, names: Sequence[str], title: str) -> Figure:
    shown = range(min(len(names), _PANELS))
    pairs = list(itertools.combinations(shown, 2)) or [(0, 0)]
    columns = min(3, len(pairs))
    rows = -(-len(pairs) // columns)
    figure = Figure(figsize=(3.4 * columns + 1, 3.0 * rows + 0.4), dpi=120, layout="constrained")
    panels: Any = np.atleast_1d(figure.subplots(rows, columns)).ravel()
    order = np.argsort(fitness, kind="stable")  # the fittest on top
    for axes, (one, other) in zip(panels, pairs, strict=False):
        height = measures[:, other] if one != other else fitness
        drawn = axes.scatter(measures[order, one], height[order], c=fitness[order], s=6)
        axes.set(xlabel=names[one], ylabel=names[other] if one != other else "fitness", xlim=ranges[one])
        if one != other:
            axes.set(ylim=ranges[other])
    for axes in panels[len(pairs) :]:
        axes.set_visible(False)
    figure.suptitle(title)
    figure.colorbar(drawn, ax=list(panels), label="fitness")
    return figure
