"""Figures of a comparison: learning curves on several clocks, and robustness to noise on parameters."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, FuncFormatter, MaxNLocator
from scipy.optimize import isotonic_regression

from evo.comparison.curves import Curve, clocks_of, curves, equal_budget, middle_and_quartiles
from evo.comparison.member import Member, methods_of
from evo.comparison.robustness import Robustness
from evo.numerics.formatting import maximised
from evo.visualize.colours import MUTED, PAPER, colours_of
from evo.visualize.plots import write_figure
from evo.visualize.style import STYLE

# An axis in seconds is labelled in the largest unit of which it shows at least two.
_UNITS = ((7200.0, 3600.0, "hours"), (180.0, 60.0, "minutes"), (0.0, 1.0, "seconds"))
_STEPS = (1, 2, 2.5, 5, 10)  # of ticks
_LONG = 3.0  # times the upper quartile of the runs' times: an axis of time ends before runs that took longer
_TICKS = "{x:,.10g}"  # a short number with all its digits, without rounding errors


def learning_curves(members: Sequence[Member], path: Path, thresholds: Mapping[str, float]) -> list[str]:
    """Plot held-out fitness over steps, CPU time and wall-clock time, and over operations on a data set.

    A thin line is a seed, a thick one the interquartile mean of a method's seeds, and a band their middle half. Where
    few runs took far longer than the others, the axis of time ends before their ends, which are written above it.

    An upright dotted line marks the budget that every run reached, where there are several methods.

    thresholds: label → fitness, faint lines, left out where far above the curves; those drawn are returned. path: .png,
    .svg or .pdf. Raises EvoError.
    """
    with rc_context(STYLE):
        config = members[0].config
        clocks = clocks_of(config.task.kind)
        figure = Figure(figsize=(3.65 * len(clocks), 3.9), dpi=130, layout="constrained")
        panels = figure.subplots(1, len(clocks), sharey=True)
        colours = colours_of(methods_of(members))
        for axes, (clock, title) in zip(panels, clocks.items(), strict=True):
            found = curves(members, clock)
            for method, curve in found.items():
                _draw_curve(axes, curve, colours[method])
            taken = {(one.method, one.seed): one.scores(clock)[0] for one in members}
            ends = {name: float(times[-1]) for name, times in taken.items() if len(times)}
            axes.set_xlim(0, (_end(ends.values()) if clock.endswith("_s") and ends else 0) or None)
            size, unit = _label_clock(axes, clock, title)
            _name_longer(axes, ends, size, unit)
            if len(methods_of(members)) > 1:
                reached = equal_budget(members, clock).amount
                axes.axvline(reached, color=MUTED, linewidth=1.1, linestyle=(0, (1, 2)), zorder=1.5)
        panels[0].set_ylabel(f"held-out {maximised(members[0].champion.metric)}")
        panels[0].yaxis.set_major_formatter(_TICKS)
        drawn = _draw_thresholds(panels, thresholds)
        _legend(figure, colours, {method: len(group) for method, group in methods_of(members).items()})
        write_figure(figure, path)
        return drawn


def robustness_figure(robustness: Robustness, path: Path) -> None:
    """Plot returns of perturbed champions, over the size of the noise and over the distance of their actions.

    The panels show the return over the size, its share of the unperturbed return over the size, and that share over the
    distance. The line is the interquartile mean of a method's seeds, the band their middle half. A share needs a
    positive unperturbed return: its panels leave out seeds without one. path: .png, .svg or .pdf. Raises EvoError.
    """
    with rc_context(STYLE):
        figure = Figure(figsize=(13.5, 4.1), dpi=130, layout="constrained")
        absolute, relative, matched = figure.subplots(1, 3)
        groups = robustness.methods
        colours = colours_of(groups)
        # sizes are roughly geometric; evenly spaced places can also show the size 0
        places = np.arange(len(robustness.sizes))
        for method, colour in colours.items():
            rows = np.array([name == method for name in groups])
            for axes, table in ((absolute, robustness.returns), (relative, 100 * robustness.shares)):
                values = table[rows]
                values = values[~np.isnan(values).any(axis=1)]
                if len(values):
                    _draw_band(axes, places, *middle_and_quartiles(values), colour)
                    axes.plot(places, values.T, color=colour, linewidth=0.7, alpha=0.4)
            _draw_matched(matched, robustness, rows, colour)
        for axes, title in ((absolute, "return"), (relative, "share of the unperturbed return")):
            axes.set_xticks(places, [_percent(size) for size in robustness.sizes])
            axes.set(xlabel="noise on parameters / RMS of their layer", ylabel=title)
            axes.grid(visible=False, axis="x")
        absolute.yaxis.set_major_formatter(_TICKS)
        far = "change of the actions / half their range"
        if robustness.choices:
            far = "share of choices that differ"
        matched.set(xlabel=far, ylabel="share of the unperturbed return")
        for axes in (relative, matched):
            axes.yaxis.set_major_formatter("{x:.0f} %")
            _draw_reference(axes, 100)
            axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
        _legend(figure, colours, {method: groups.count(method) for method in colours})
        write_figure(figure, path)


def _draw_matched(axes: Axes, robustness: Robustness, rows: np.ndarray, colour: str) -> None:
    """Plot shares of a method's members, rows (members,), over the distance of actions that the noise causes."""
    shares = robustness.shares[rows]
    there = ~np.isnan(shares).any(axis=1)
    if there.any():
        astray = robustness.astray[rows][there]
        # where any seed was measured, and between; no farther than every seed reaches
        places = np.linspace(0.0, astray[:, -1].min(), 50)
        places = np.union1d(places, astray[astray < places[-1]])
        values = 100 * robustness.shares_at(places)[rows][there]
        _draw_band(axes, places, *middle_and_quartiles(values), colour)
        axes.plot(astray.T, 100 * shares[there].T, color=colour, linewidth=0.7, alpha=0.4)


def _draw_curve(axes: Axes, curve: Curve, colour: str) -> None:
    for time, score in curve.seeds:
        axes.step(time, score, where="post", color=colour, linewidth=0.7, alpha=0.4)
    if len(curve.clock):
        _draw_band(axes, curve.clock, curve.middle, curve.low, curve.high, colour, step="post")


def _draw_band(
    axes: Axes, x: np.ndarray, middle: np.ndarray, low: np.ndarray, high: np.ndarray, colour: str, step: Any = None
) -> None:
    axes.fill_between(x, low, high, step=step, color=colour, alpha=0.16, linewidth=0)
    drawstyle = "default" if step is None else f"steps-{step}"
    # a white rim separates lines where they cross
    axes.plot(x, middle, color=PAPER, linewidth=3.6, drawstyle=drawstyle, alpha=0.9)
    axes.plot(x, middle, color=colour, linewidth=2.2, drawstyle=drawstyle)


def _draw_thresholds(panels: Sequence[Axes], thresholds: Mapping[str, float]) -> list[str]:
    """Draw a line in each panel, with labels beside the last one; return the labels.

    Thresholds far above the curves are left out.
    """
    low, high = panels[0].get_ylim()
    near = {label: value for label, value in thresholds.items() if low <= value <= high + 0.15 * (high - low)}
    for axes in panels:
        for value in near.values():
            _draw_reference(axes, value)
    low, high = panels[0].get_ylim()
    # labels that would overlap move apart, all of them as little as possible (least squares)
    labels, values = sorted(near, key=lambda label: near[label]), np.array(sorted(near.values()))
    rise = 0.05 * (high - low) * np.arange(len(values))  # of labels that touch, by their height
    places = isotonic_regression(values - rise).x + rise if len(values) else values
    for label, place in zip(labels, places, strict=True):
        panels[-1].annotate(
            label,
            (1.0, place),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            color=MUTED,
            fontsize=9,
            annotation_clip=False,
        )
    return labels


def _draw_reference(axes: Axes, value: float) -> None:
    axes.axhline(value, color=MUTED, alpha=0.6, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1.5)


def _end(ends: Iterable[float]) -> float:
    """Return where an axis of time ends that is to show the bulk of runs: behind the longest that is not `_LONG`."""
    times = np.array([*ends])
    return 1.04 * float(times[times <= _LONG * np.percentile(times, 75)].max())


def _name_longer(axes: Axes, ends: Mapping[tuple[str, int], float], size: float, unit: str) -> None:
    """Write above the axes which runs go on beyond them; ends: (method, seed) → its time, in `size` of a `unit`."""
    beyond = {name: end for name, end in ends.items() if end > axes.get_xlim()[1]}
    if not beyond:
        return
    farthest = f"{max(beyond.values()) / size:,.3g} {unit}"
    names = [f"{method} seed {seed}" for method, seed in beyond]
    text = f"{names[0]} goes on to {farthest} →"
    if len(names) > 1:
        counts = Counter(method for method, _ in beyond)
        text = f"{', '.join(f'{count} of {method}' for method, count in counts.items())} go on, up to {farthest} →"
    axes.set_title(fill(text, 44), loc="right", fontsize=9, color=MUTED)


def _label_clock(axes: Axes, clock: str, title: str) -> tuple[float, str]:
    """Label the axis; return how much of the clock its unit is, and the unit."""
    if not clock.endswith("_s"):
        axes.set_xlabel(title)
        axes.xaxis.set_major_locator(MaxNLocator(6 if clock == "steps" else 3, steps=_STEPS))
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        return 1.0, title
    end = axes.get_xlim()[1]
    size, unit = next((size, unit) for least, size, unit in _UNITS if end >= least)
    # ticks at round numbers of the unit, not of seconds
    ticks = MaxNLocator(6, steps=_STEPS).tick_values(0, end / size)
    axes.set_xticks([tick * size for tick in ticks if 0 <= tick * size <= end])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: f"{seconds / size:g}"))
    axes.set_xlabel(f"{title} of training, {unit}")
    return size, unit


def _legend(figure: Figure, colours: Mapping[str, str], seeds: Mapping[str, int]) -> None:
    counts = set(seeds.values())
    names = {method: method if len(counts) == 1 else f"{method} ({seeds[method]} seeds)" for method in colours}
    handles = [Line2D([], [], color=colour, linewidth=3.0, label=names[method]) for method, colour in colours.items()]
    figure.legend(
        handles=handles, loc="outside upper left", ncols=max(len(handles), 1), frameon=False, handlelength=1.4
    )


def _percent(share: float) -> str:
    return f"{100 * share:g} %"
