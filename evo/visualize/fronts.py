"""Pictures of Pareto fronts: individuals by each pair of objectives."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from evo.visualize.plots import write_figure
from evo.visualize.style import styled

_PANELS = 4  # objectives at most whose pairs are drawn
_COLUMNS = 3


@styled
def plot_front(
    objectives: np.ndarray,
    first: np.ndarray,
    known: np.ndarray | None,
    names: Sequence[str],
    title: str,
    path: Path,
) -> None:
    """Draw individuals by each pair of their objectives, those that nobody dominates in colour.

    objectives: (individuals, k), each maximised. first: bool (individuals,), whether nobody dominates it. known: points
    of the front that is sought, (points, k), or None. path: .png, .svg or .pdf. Raises EvoError.
    """
    pairs = list(itertools.combinations(range(min(len(names), _PANELS)), 2))
    columns = min(_COLUMNS, len(pairs))
    rows = -(-len(pairs) // columns)
    figure = Figure(figsize=(3.6 * columns + 1.4, 3.4 * rows + 0.6), dpi=120, layout="constrained")
    panels: Any = np.atleast_1d(figure.subplots(rows, columns)).ravel()
    for axes, (one, other) in zip(panels, pairs, strict=False):
        if known is not None:
            axes.scatter(known[:, one], known[:, other], s=2, color="0.75", label="known front")
        axes.scatter(*objectives[~first][:, [one, other]].T, s=10, color="0.5", label="dominated")
        axes.scatter(*objectives[first][:, [one, other]].T, s=14, color="C0", label="front")
        axes.set(xlabel=names[one], ylabel=names[other])
    for axes in panels[len(pairs) :]:
        axes.set_visible(False)
    panels[0].legend()
    figure.suptitle(title)
    write_figure(figure, path)
