"""Charts drawn in plain characters, for a terminal: ASCII alone, which every terminal, log and screen reader has."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from evo.numerics.formatting import number
from evo.visualize.charts.chart import Chart, Line, Lines, Page, Raster, Spans

WIDTH = 80  # characters, where the terminal does not say
_HEIGHT = 13  # lines of a chart
_MARGIN = 11  # characters of the numbers on the left
_MARKS = "*o+x#@%&"  # of lines, in their order
_FAINT = "."
_SHADES = " .:-=+*#%@"  # of sizes from 0 to the largest
_NONE: Mapping[str, str] = {}
_MOST_ROWS = 24  # of a raster


def page_in_characters(page: Page, width: int = WIDTH) -> str:
    """Return a page as text, its charts one below the other, in lines of at most `width` characters where they fit."""
    marks = {colour: _MARKS[index % len(_MARKS)] for index, (_, colour) in enumerate(page.legend)}
    parts = [page.title]
    if page.legend:
        parts.append("\n".join(f"{marks[colour]} {name}" for name, colour in page.legend))
    parts += [chart_in_characters(chart, width, marks) for row in page.rows for chart in row.charts]
    return "\n\n".join(parts)


def chart_in_characters(chart: Chart, width: int = WIDTH, known: Mapping[str, str] = _NONE) -> str:
    """Return a chart as text. known: marks of lines without a name, by their colours."""
    if isinstance(chart, Lines):
        drawn = _lines(chart, max(width - _MARGIN - 2, 20), known)
    elif isinstance(chart, Spans):
        drawn = _spans(chart, width)
    else:
        drawn = _raster(chart, width)
    return "\n".join(line.rstrip() for line in ([chart.title] if chart.title else []) + drawn)


def _lines(chart: Lines, width: int, known: Mapping[str, str]) -> list[str]:
    lines = [(line, *_finite(line, chart.log)) for line in chart.lines]
    shown = [each for each in lines if len(each[1])]
    if not shown:
        return ["nothing to draw: no value is finite"]
    low, high = _ends([y for _, _, y in shown])
    left, right = _ends([x for _, x, _ in shown])
    canvas = np.full((_HEIGHT, width), " ")
    named = [line for line, _, _ in shown if line.label]
    marks = {id(line): _MARKS[index % len(_MARKS)] for index, line in enumerate(named)}
    # the first line is the most important: it is drawn last, and faint ones first
    order = [each for each in shown if each[0].faint] + [each for each in reversed(shown) if not each[0].faint]
    for line, x, y in order:
        columns, rows = _trace(line, _share(x, left, right), _share(y, low, high), width)
        canvas[rows, columns] = _FAINT if line.faint else marks.get(id(line), known.get(line.colour, _MARKS[0]))
    labels = {0: high, _HEIGHT // 2: low / 2 + high / 2, _HEIGHT - 1: low}
    drawn = [f"{chart.up}{' (logarithmic)' if chart.log else ''}"]
    for row, characters in enumerate(canvas):
        value = labels.get(row)
        text = "" if value is None else f"{10.0 ** min(value, 308.0) if chart.log else value:,.4g}"
        drawn.append(f"{text[: _MARGIN - 1]:>{_MARGIN}} |{''.join(characters)}")
    first, last = f"{left:,.4g}", f"{right:,.4g}"
    drawn.append(f"{'':>{_MARGIN}} +{'-' * width}")
    middle = chart.across.center(max(width - len(first) - len(last), 0))
    drawn.append(f"{'':>{_MARGIN}}  {first}{middle}{last}")
    return drawn + [f"{'':>{_MARGIN}}  {marks[id(line)]} {line.label}" for line in named]


def _finite(line: Line, log: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the points that can be drawn, upwards by the axis."""
    with np.errstate(divide="ignore", invalid="ignore"):
        y = np.log10(line.y) if log else np.asarray(line.y, np.float64)
    there = np.isfinite(line.x) & np.isfinite(y)
    return np.asarray(line.x, np.float64)[there], y[there]


def _ends(parts: list[np.ndarray]) -> tuple[float, float]:
    low, high = min(float(part.min()) for part in parts), max(float(part.max()) for part in parts)
    if high > low:
        return low, high
    about, most = abs(low) / 2 or 0.5, float(np.finfo(np.float64).max)
    return max(low - about, -most), min(high + about, most)


def _share(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return where values are from 0 at `low` to 1 at `high`; by halves: a difference of large numbers may overflow."""
    return np.asarray((values / 2 - low / 2) / ((high / 2 - low / 2) or 1.0))


def _trace(line: Line, across: np.ndarray, up: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return columns and rows of the characters on a line, across and up from 0 to 1; straight between its points."""
    if line.stepped:
        across, up = np.repeat(across, 2)[1:], np.repeat(up, 2)[:-1]
    columns, rows = across * (width - 1), (1 - up) * (_HEIGHT - 1)
    far = np.maximum(np.abs(np.diff(columns)), np.abs(np.diff(rows)))
    steps = np.minimum(np.ceil(far).astype(int), width + _HEIGHT) + 1
    parts = [
        (np.linspace(columns[at], columns[at + 1], count), np.linspace(rows[at], rows[at + 1], count))
        for at, count in enumerate(steps)
    ] or [(columns, rows)]
    return tuple(np.rint(np.concatenate(part)).astype(int) for part in zip(*parts, strict=True))


def _spans(chart: Spans, width: int) -> list[str]:
    names = max(len(name) for name in chart.names)
    steps = chart.on.shape[1]
    columns = max(min(width - names - 3, steps), 1)
    edges = np.linspace(0, steps, columns + 1).astype(int)
    drawn = []
    for name, on in zip(chart.names, chart.on, strict=True):
        shares = [on[first:last].mean() for first, last in pairwise(edges)]
        drawn.append(f"{name:<{names}} |{''.join('#' if share >= 0.5 else '.' for share in shares)}|")
    last = f"{number(steps * chart.period)} s"
    return [*drawn, f"{'':<{names}}  0{'time'.center(max(columns - 1 - len(last), 0))}{last}"]


def _raster(chart: Raster, width: int) -> list[str]:
    rows, columns = chart.values.shape
    most, names = chart.most or 1.0, [*chart.names] or [str(row) for row in range(rows)]
    shown = range(min(rows, _MOST_ROWS))
    wide = max(len(names[row]) for row in shown)
    count = max(min(columns, width - wide - 3), 1)
    edges = np.linspace(0, columns, count + 1).astype(int)
    drawn = []
    for row in shown:
        sizes = np.abs(chart.values[row])
        peaks = [sizes[first:last].max() for first, last in pairwise(edges)]
        shades = [_SHADES[min(int(peak / most * len(_SHADES)), len(_SHADES) - 1)] for peak in np.nan_to_num(peaks)]
        drawn.append(f"{names[row]:<{wide}} |{''.join(shades)}|")
    if rows > _MOST_ROWS:
        drawn.append(f"and {rows - _MOST_ROWS:,} rows more")
    ends = "" if chart.extent is None else f" {number(chart.extent[0])} to {number(chart.extent[1])}"
    unit = f" {chart.unit}" if chart.unit else ""
    return [*drawn, f"{'':<{wide}}  {chart.across}{ends}; sizes up to {number(most)}{unit}: {_SHADES.strip()}"]
