"""Charts drawn as a figure."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, MaxNLocator, NullFormatter

from evo.errors import EvoError
from evo.visualize.charts.chart import Chart, Line, Lines, Page, Raster, Spans
from evo.visualize.colours import PAPER
from evo.visualize.plots import write_figure
from evo.visualize.style import SIGNS, styled

_WIDTH, _TALLEST = 8.0, 150  # inches
_FEW = 60  # points of a line that is too short to be seen without dots
_INSIDE = 4  # names in a legend that has room within the axes
_BESIDE = 3  # names in a row of the legend
_LARGE = 10_000  # numbers on an axis that are written as 10k


@styled
def draw_page(page: Page, path: Path) -> None:
    """Draw a page to a file, .png, .svg or .pdf. Raises EvoError."""
    heights = [row.height for row in page.rows]
    if sum(heights) > _TALLEST:
        raise EvoError(f"a page {sum(heights):,.0f} inches tall, where {_TALLEST} are room: plot fewer runs or kinds")
    named = 0.22 * -(-len(page.legend) // _BESIDE)
    figure = Figure(figsize=(_WIDTH, sum(heights) + 0.35 + named), dpi=130, layout="constrained")
    places = [row.places or len(row.charts) for row in page.rows]
    columns = math.lcm(*places)  # of the grid that rows of unlike numbers share
    grid = figure.add_gridspec(len(heights), columns, height_ratios=heights)
    for number, row in enumerate(page.rows):
        wide = columns // places[number]
        for place, chart in enumerate(row.charts):
            draw_chart(figure.add_subplot(grid[number, place * wide : (place + 1) * wide]), chart)
    figure.suptitle(page.title, x=0.01, ha="left")
    if page.legend:
        lines = [Line2D([], [], color=colour, linewidth=3.0, label=name) for name, colour in page.legend]
        figure.legend(handles=lines, loc="outside lower left", ncols=_BESIDE, handlelength=1.4)
    write_figure(figure, path)


def draw_chart(axes: Axes, chart: Chart) -> None:
    """Draw a chart into axes."""
    if isinstance(chart, Lines):
        _draw_lines(axes, chart)
    elif isinstance(chart, Spans):
        _draw_spans(axes, chart)
    else:
        _draw_raster(axes, chart)
    axes.set_title(chart.title)


def _draw_lines(axes: Axes, chart: Lines) -> None:
    for line in sorted(chart.lines, key=lambda line: not line.faint):
        _draw_line(axes, line)
    axes.set(xlabel=chart.across, ylabel=chart.up)
    if chart.log:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")  # powers would need the mathematics that texts are not read as
        axes.yaxis.set_minor_formatter(NullFormatter())
    if chart.equal:
        axes.set_aspect("equal", adjustable="datalim")
    axes.margins(x=0.02)
    if max((float(np.max(np.abs(line.x), initial=0.0)) for line in chart.lines), default=0.0) >= _LARGE:
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    named = sum(bool(line.label) for line in chart.lines)
    if named > _INSIDE:
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    elif named:
        axes.legend(loc="best", frameon=True, framealpha=0.8, edgecolor="none", fancybox=False)


def _draw_line(axes: Axes, line: Line) -> None:
    style = "steps-post" if line.stepped else "default"
    if line.low is not None and line.high is not None:
        step: Any = "post" if line.stepped else None
        axes.fill_between(line.x, line.low, line.high, step=step, color=line.colour, alpha=0.16, linewidth=0)
    if line.faint:
        axes.plot(
            line.x, line.y, color=line.colour, label=line.label or None, drawstyle=style, linewidth=0.7, alpha=0.4
        )
        return
    every = line.dots or (1 if len(line.x) < _FEW and not line.stepped else 0)
    dots: Any = {"marker": "o", "markersize": 3, "markevery": every} if every else {}
    axes.plot(
        line.x, line.y, color=line.colour, label=line.label or None, drawstyle=style, linewidth=line.width, **dots
    )


def _draw_spans(axes: Axes, chart: Spans) -> None:
    end = chart.on.shape[1] * chart.period
    for row, on in enumerate(chart.on):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], on.astype(np.int8), [0]])))
        begins, ends = edges[::2] * chart.period, edges[1::2] * chart.period
        spans = [*zip(begins.tolist(), (ends - begins).tolist(), strict=True)]
        axes.broken_barh(spans, (row - 0.34, 0.68), facecolors=chart.colour, linewidth=0)
    axes.set(xlim=(0, end), ylim=(len(chart.names) - 0.5, -0.5), xlabel="time / s")
    axes.set_yticks(range(len(chart.names)), chart.names)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)


def _draw_raster(axes: Axes, chart: Raster) -> None:
    rows, columns = chart.values.shape
    first, last = chart.extent or (-0.5, columns - 0.5)
    where = (first, last, rows - 0.5, -0.5)
    most: Any = {"vmin": -chart.most, "vmax": chart.most, "cmap": SIGNS}
    shown = axes.imshow(chart.values, aspect="auto", interpolation="nearest", extent=where, **most)
    axes.grid(visible=False)
    axes.set(xlabel=chart.across, ylabel=chart.up, facecolor=PAPER)
    if chart.names:
        axes.set_yticks(range(rows), chart.names, fontsize=9 if rows <= 10 else 7)
        axes.tick_params(axis="y", length=0)
    else:
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    if chart.extent is None:
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    figure: Any = axes.figure
    figure.colorbar(shown, ax=axes, label=chart.unit, pad=0.01, aspect=14)
