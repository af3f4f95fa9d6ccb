"""Formatting of numbers for people and for programs."""

import csv
import io
import math
from collections.abc import Iterable, Sequence
from typing import Any

LARGEST = 1e150  # that a return may be: of larger ones not even the variance can be computed
RETURN, ACCURACY, BITS, ERROR = "return", "accuracy", "bits per character", "error"


def number(value: float) -> str:
    """A return, a fitness or seconds: one decimal, three digits of what is small, a dash where there is none."""
    if math.isnan(value):
        return "–"
    return f"{value:,.1f}" if abs(value) >= 10 or value == 0 else f"{value:.3g}"


def spread(mean: float, deviation: float) -> str:
    """A mean and the deviation around it: `3312.6 ± 85.2`; of small ones three digits, as in `0.0123 ± 0.00405`."""
    size = max(abs(mean), abs(deviation))
    if not 0 < size < 10:
        return f"{mean:.1f} ± {deviation:.1f}"
    places = 2 - math.floor(math.log10(size))
    return f"{mean:.{places}f} ± {deviation:.{places}f}" if places < 8 else f"{mean:.3g} ± {deviation:.3g}"


def told(measure: str, value: float) -> str:
    """What a data set reports, as people say it: `95.3 % accuracy`, `2.31 bits per character`, `error 3.2 (1000 $)`.

    value: more being better, so that bits and errors are below 0. measure: ACCURACY, BITS, or ERROR and a unit.
    """
    if math.isnan(value):
        return f"no {measure}: an output was not finite"
    if measure == ACCURACY:
        return f"{100 * value:.1f} % accuracy"
    if measure == BITS:
        return f"{-value:.3g} {measure}"
    return f"error {-value:.3g}{measure.removeprefix(ERROR)}"


def maximised(measure: str) -> str:
    """What fitness is called: `return`, `accuracy`; with a minus what is better the less: `−bits per character`."""
    return measure if measure in (RETURN, ACCURACY) else f"−{measure}"


def csv_text(header: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    """A table as CSV, every number whole; one that is not finite is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(
        ["" if isinstance(cell, float) and not math.isfinite(cell) else cell for cell in line] for line in lines
    )
    return text.getvalue()


def table_text(lines: Sequence[Sequence[str]]) -> str:
    """Lines of cells, the header first, in columns to be read: the first one flush left, the others flush right."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    rows = ([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])] for line in lines)
    return "\n".join("  ".join(row).rstrip() for row in rows)
