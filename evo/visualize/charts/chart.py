"""What charts hold: lines, spans of time, and rasters; rows of them are a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from evo.visualize.colours import TEAL


@dataclass(frozen=True, eq=False)
class Line:
    """A line through points; a NaN leaves a gap.

    x, y: float64 (points,). label: by which the legend names it; "" is not named. low, high: a band around it,
    (points,), both or neither. stepped: each value holds until the next. faint: one of many, behind the others. dots:
    mark every so many points; 0: those of a short line. width: points of 1/72 inch.
    """

    x: np.ndarray
    y: np.ndarray
    label: str = ""
    colour: str = TEAL
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    stepped: bool = False
    faint: bool = False
    dots: int = 0
    width: float = 1.5


@dataclass(frozen=True, eq=False)
class Lines:
    """Lines in one system of axes. log: a logarithmic axis upwards. equal: one unit is as long on both axes."""

    across: str
    up: str
    lines: Sequence[Line]
    title: str = ""
    log: bool = False
    equal: bool = False


@dataclass(frozen=True, eq=False)
class Spans:
    """When what was on. on: bool (rows, steps), the first row on top. period: seconds of a step."""

    names: Sequence[str]
    on: np.ndarray
    period: float
    title: str = ""
    colour: str = TEAL


@dataclass(frozen=True, eq=False)
class Raster:
    """A matrix by colour, zero without one; values (rows, columns), the first row on top.

    names: of the rows; () leaves them out. extent: of the columns, the numbers at both ends. unit: of the values. most:
    the largest size that the colours tell apart.
    """

    values: np.ndarray
    across: str
    most: float
    title: str = ""
    names: Sequence[str] = ()
    extent: tuple[float, float] | None = None
    unit: str = ""
    up: str = ""


Chart = Lines | Spans | Raster


class Row(NamedTuple):
    """Charts side by side. height: inches. places: for how many there is room, at most `COLUMNS`; 0: as many as are."""

    charts: Sequence[Chart]
    height: float
    places: int = 0


class Page(NamedTuple):
    """Rows of charts, the first on top. legend: what colours mean in all of them, name and "#rrggbb"."""

    title: str
    rows: Sequence[Row]
    legend: Sequence[tuple[str, str]] = ()


COLUMNS = 4
