"""Formatting of numbers for people and for programs."""

import csv
import io
import math
from collections.abc import Iterable, Sequence
from typing import Any

LARGEST = 1e150  # the largest allowed return: of larger ones not even the variance can be computed
RETURN, ACCURACY, BITS, ERROR = "return", "accuracy", "bits per character", "error"


def number(value: float) -> str:
    """Format a return, a fitness or seconds: one decimal, three significant digits below 10, a dash for NaN."""
    if math.isnan(value):
        return "–"
    return f"{value:,.1f}" if abs(value) >= 10 or value == 0 else f"{value:.3g}"


def spread(mean: float, deviation: float) -> str:
    """Format mean and standard deviation: `3312.6 ± 85.2`; three significant digits below 10: `0.0123 ± 0.00405`."""
    size = max(abs(mean), abs(deviation))
    if not 0 < size < 10:
        return f"{mean:.1f} ± {deviation:.1f}"
    places = 2 - math.floor(math.log10(size))
    return f"{mean:.{places}f} ± {deviation:.{places}f}" if places < 8 else f"{mean:.3g} ± {deviation:.3g}"


def format_score(metric: str, value: float) -> str:
    """Format a data set's score for people: `95.3 % accuracy`, `2.31 bits per character`, `error 3.2 (1000 $)`.

    value: maximised, so bits and errors are negative. metric: ACCURACY, BITS, or ERROR followed by a unit.
    """
    if math.isnan(value):
        return f"no {metric}: an output was not finite"
    if metric == ACCURACY:
        return f"{100 * value:.1f} % accuracy"
    if metric == BITS:
        return f"{-value:.3g} {metric}"
    return f"error {-value:.3g}{metric.removeprefix(ERROR)}"


def maximised(metric: str) -> str:
    """Return the name of the maximised fitness: `return`, `accuracy`; minimised measures get a minus: `−error`."""
    return metric if metric in (RETURN, ACCURACY) else f"−{metric}"


def csv_text(header: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    """Return a table as CSV with every number in full; numbers that are not finite become empty cells."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(
        ["" if isinstance(cell, float) and not math.isfinite(cell) else cell for cell in line] for line in lines
    )
    return text.getvalue()


def table_text(lines: Sequence[Sequence[str]]) -> str:
    """Align lines of cells, the header first, in columns: the first column flush left, the others flush right."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    rows = ([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])] for line in lines)
    return "\n".join("  ".join(row).rstrip() for row in rows)
