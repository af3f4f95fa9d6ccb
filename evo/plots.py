"""Figures of a run."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from evo.archive import temporary_beside
from evo.errors import EvoError, one_line


def learning_curve(metrics: Mapping[str, np.ndarray], title: str, path: Path) -> None:
    """Return over env steps: in training, of a generation or of recent episodes, and of what was offered, held-out.

    metrics: columns of metrics.csv. path: .png, .svg or .pdf. Raises EvoError.
    """
    steps, mean, spread = metrics["steps"], metrics["mean"], metrics["std"]
    figure = Figure(figsize=(7.2, 4.0), dpi=120, layout="constrained")
    axes = figure.subplots()
    axes.fill_between(steps, mean - spread, mean + spread, color="#2a8c9a", alpha=0.18, linewidth=0)
    axes.plot(steps, mean, color="#2a8c9a", label="training returns: mean ± standard deviation")
    axes.plot(steps, metrics["best"], color="#9ab7bd", linewidth=1, label="training returns: best")
    axes.plot(steps, metrics["selection"], color="#d9652f", drawstyle="steps-post", label="offered, held-out episodes")
    axes.set(xlabel="env steps", ylabel="return", title=title)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    write_figure(figure, path)


def write_figure(figure: Figure, path: Path) -> None:
    """Write a figure whole or not at all, .png, .svg or .pdf by the path's suffix. Raises EvoError."""
    suffix = path.suffix.lower()
    if suffix not in (".png", ".svg", ".pdf"):
        raise EvoError(f"cannot draw {path.name!r}: the suffix must be .png, .svg or .pdf")
    unfinished = temporary_beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(unfinished, format=suffix[1:])
        unfinished.replace(path)
    except OSError as error:
        raise EvoError(f"cannot write {path}: {one_line(error)}") from error
    finally:
        unfinished.unlink(missing_ok=True)
