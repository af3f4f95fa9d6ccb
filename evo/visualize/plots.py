"""Maps of functions, and the writing of figures."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.patheffects import Normal, Stroke
from matplotlib.transforms import Bbox
from scipy.stats import rankdata

from evo.errors import EvoError
from evo.problems.function import Landscape
from evo.storage.files import cannot_write, temporary_beside
from evo.visualize.colours import INK, ORANGE, PAPER, TEAL
from evo.visualize.style import styled

# Of each format, the date that its files would hold.
_UNDATED: dict[str, dict[str, Any]] = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
_GRID = 160  # points along a side of a landscape


@styled
def landscape_picture(problem: Landscape, champion: np.ndarray, trail: np.ndarray, title: str, path: Path) -> None:
    """Plot the function over its first two coordinates, the others as the champion's, and the path of the search.

    champion: (size,). trail: (generations, size), the first candidate of each generation. A function of one coordinate
    is plotted as a graph. path: .png, .svg or .pdf. Raises EvoError.
    """
    figure = Figure(figsize=(5.6, 5.0), dpi=120, layout="constrained")
    axes = figure.subplots()
    line = np.linspace(problem.low, problem.high, _GRID)
    seeds = np.zeros(1, np.int64)
    if problem.size == 1:
        axes.plot(line, problem.heights(line[:, None], seeds)[:, 0], color=TEAL)
        axes.plot(trail[:, 0], problem.heights(trail, seeds)[:, 0], ".", color=ORANGE)
        axes.set(xlabel="first number", ylabel="fitness", title=title)
        write_figure(figure, path)
        return
    heights = np.empty((_GRID, _GRID))
    for row, second in zip(heights, line, strict=True):
        points = np.tile(champion, (_GRID, 1))
        points[:, 0], points[:, 1] = line, second
        row[:] = problem.heights(points, seeds)[:, 0]
    # by rank: valleys of very different depth are all visible; points without fitness are blank
    ranks = np.ma.masked_where(np.isnan(heights), rankdata(heights, "min", nan_policy="omit").reshape(heights.shape))
    drawn = axes.contourf(line, line, ranks, levels=24, cmap="viridis")
    # the best values are bright: on them a white line needs its dark rim
    rim = [Stroke(linewidth=3.0, foreground=INK), Normal()]
    way: Any = {"color": PAPER, "linewidth": 1.2, "marker": ".", "markersize": 5, "path_effects": rim}
    axes.plot(trail[:, 0], trail[:, 1], **way, label="first candidate of each stored generation")
    star: Any = {"marker": "*", "linestyle": "", "color": "#ff7f3f", "markersize": 14, "markeredgecolor": "white"}
    axes.plot(*champion[:2], **star, label="champion")
    lowest, *_, highest = drawn.levels
    ends = figure.colorbar(drawn, ax=axes, shrink=0.8, ticks=[lowest, highest])
    ends.ax.set_yticklabels(["lowest", "highest"])
    ends.set_label("fitness, by rank", labelpad=-22)
    figure.legend(loc="outside lower center", ncols=2)
    axes.set(xlim=(problem.low, problem.high), ylim=(problem.low, problem.high), aspect="equal", title=title)
    axes.set(xlabel="first number", ylabel="second number")
    write_figure(figure, path)


def check_picture(path: Path) -> None:
    """Raise EvoError where the suffix is not .png, .svg or .pdf."""
    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise EvoError(f"cannot draw {path.name!r}: the suffix must be .png, .svg or .pdf")


def write_figure(figure: Figure, path: Path) -> None:
    """Write a figure whole or not at all, .png, .svg or .pdf by the path's suffix.

    The same figure gives the same bytes. Raises EvoError.
    """
    check_picture(path)
    suffix = path.suffix.lower()
    unfinished = temporary_beside(path)
    for axes in figure.axes:
        axes.title.set_parse_math(False)  # a $ in a task's name is a $
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with rc_context({"svg.hashsalt": "evo"}):
            _settle(figure)
            figure.savefig(unfinished, format=suffix[1:], metadata=_UNDATED[suffix])
        unfinished.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        unfinished.unlink(missing_ok=True)


def _settle(figure: Figure) -> None:
    """Lay a figure out for good, at rounded places: the layout's solver has other rounding errors from time to time."""
    engine = figure.get_layout_engine()
    if engine is None:
        return
    engine.execute(figure)
    figure.set_layout_engine("none")
    for axes in figure.axes:
        axes.set_position(Bbox(np.round(axes.get_position(original=True).get_points(), 6)))
