"""Plots of a run: learning curves, losses, maps of functions."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patheffects import Normal, Stroke
from matplotlib.ticker import EngFormatter
from scipy.stats import rankdata

from evo.errors import EvoError, one_line
from evo.numerics.formatting import ACCURACY
from evo.problems.function import Landscape
from evo.storage.files import temporary_beside

_GRID = 160  # points along a side of a landscape


def learning_curve(metrics: Mapping[str, np.ndarray], title: str, path: Path, unit: str = "env step") -> None:
    """Plot returns over env steps: training returns (of a generation or of recent episodes), and held-out returns.

    metrics: columns of metrics.csv. path: .png, .svg or .pdf. unit: of a step. Raises EvoError.
    """
    steps, mean, spread = metrics["steps"], metrics["mean"], metrics["std"]
    figure = Figure(figsize=(7.2, 4.0), dpi=120, layout="constrained")
    axes = figure.subplots()
    axes.fill_between(steps, mean - spread, mean + spread, color="#2a8c9a", alpha=0.18, linewidth=0)
    axes.plot(steps, mean, color="#2a8c9a", label="training returns: mean ± standard deviation")
    axes.plot(steps, metrics["best"], color="#9ab7bd", linewidth=1, label="training returns: best")
    axes.plot(steps, metrics["selection"], color="#d9652f", drawstyle="steps-post", label="offered, held-out episodes")
    axes.set(xlabel=f"{unit}s", ylabel="return", title=title)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    write_figure(figure, path)


def loss_curve(metrics: Mapping[str, np.ndarray], metric: str, title: str, path: Path) -> None:
    """Plot the loss on minibatches and the score of candidates on the validation split, over the examples seen.

    metrics: columns of metrics.csv. metric: what is scored. path: .png, .svg or .pdf. Raises EvoError.
    """
    steps, sign = metrics["steps"], 1 if metric == ACCURACY else -1  # bits and errors are plotted as positive numbers
    figure = Figure(figsize=(7.2, 5.0), dpi=120, layout="constrained")
    loss, score = figure.subplots(2, sharex=True)
    evolved = not np.array_equal(metrics["best"], metrics["mean"], equal_nan=True)  # backprop has one loss
    if evolved:
        loss.plot(steps, -metrics["best"], color="#9ab7bd", linewidth=1, label="best of a generation")
    loss.plot(steps, -metrics["mean"], color="#2a8c9a", label="mean of a generation" if evolved else "mean of an epoch")
    loss.set(ylabel="loss in training", yscale="log", title=title)
    score.plot(steps, sign * metrics["selection"], color="#d9652f", drawstyle="steps-post", label="validation split")
    score.set(xlabel="examples seen", ylabel=metric)
    score.xaxis.set_major_formatter(EngFormatter(sep=""))
    for axes in (loss, score):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
        axes.legend(frameon=False, fontsize=8, loc="best")
    write_figure(figure, path)


def descent_curve(metrics: Mapping[str, np.ndarray], title: str, path: Path) -> None:
    """Plot minus the fitness of points over evaluations, on a logarithmic axis; the fitness where some is above 0.

    metrics: columns of metrics.csv. path: .png, .svg or .pdf. Raises EvoError.
    """
    steps, best, mean = metrics["steps"], np.maximum.accumulate(metrics["best"]), metrics["mean"]
    below = bool((best <= 0).all())  # true of functions whose best value is known
    lines = ((mean, "#2a8c9a", "mean of a generation"), (best, "#d9652f", "best so far"))
    figure = Figure(figsize=(7.2, 4.0), dpi=120, layout="constrained")
    axes = figure.subplots()
    for values, colour, label in lines:
        # 0 has no place on a logarithmic axis
        shown = np.where(values < 0, -values, np.nan) if below else values
        axes.plot(steps, shown, color=colour, label=label, marker="." if len(steps) < 60 else None)
    if below and (best < 0).any():
        axes.set_yscale("log")
    axes.set(xlabel="evaluations", ylabel="distance from the best value" if below else "fitness", title=title)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, fontsize=8, loc="best")
    write_figure(figure, path)


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
        axes.plot(line, problem.heights(line[:, None], seeds)[:, 0], color="#2a8c9a")
        axes.plot(trail[:, 0], problem.heights(trail, seeds)[:, 0], ".", color="#d9652f")
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
    rim = [Stroke(linewidth=3.0, foreground="#20343a"), Normal()]
    way: Any = {"color": "white", "linewidth": 1.2, "marker": ".", "markersize": 5, "path_effects": rim}
    axes.plot(trail[:, 0], trail[:, 1], **way, label="first candidate of each stored generation")
    star: Any = {"marker": "*", "linestyle": "", "color": "#ff7f3f", "markersize": 14, "markeredgecolor": "white"}
    axes.plot(*champion[:2], **star, label="champion")
    lowest, *_, highest = drawn.levels
    ends = figure.colorbar(drawn, ax=axes, shrink=0.8, ticks=[lowest, highest])
    ends.ax.set_yticklabels(["lowest", "highest"])
    ends.set_label("fitness, by rank", labelpad=-22)
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    axes.set(xlim=(problem.low, problem.high), ylim=(problem.low, problem.high), aspect="equal", title=title)
    axes.set(xlabel="first number", ylabel="second number")
    write_figure(figure, path)


def check_picture(path: Path) -> None:
    """Raise EvoError where the suffix is not .png, .svg or .pdf."""
    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise EvoError(f"cannot draw {path.name!r}: the suffix must be .png, .svg or .pdf")


def write_figure(figure: Figure, path: Path) -> None:
    """Write a figure whole or not at all, .png, .svg or .pdf by the path's suffix. Raises EvoError."""
    check_picture(path)
    suffix = path.suffix.lower()
    unfinished = temporary_beside(path)
    for axes in figure.axes:
        axes.title.set_parse_math(False)  # a $ in a task's name is a $
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(unfinished, format=suffix[1:])
        unfinished.replace(path)
    except OSError as error:
        raise EvoError(f"cannot write {path}: {one_line(error)}") from error
    finally:
        unfinished.unlink(missing_ok=True)
