"""Small self-contained pieces of HTML, for notebooks: tables and curves that fetch nothing; every text is escaped."""

import base64
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

import numpy as np

from evo.errors import printable
from evo.numerics.formatting import number

_WIDTH, _HEIGHT, _EDGE = 420, 110, 6  # of a curve, in pixels
_POINTS = 300  # at most, of a curve


def box(title: str, *parts: str) -> str:
    """Return parts of HTML under a title."""
    return f'<div style="font-family:sans-serif;font-size:13px"><b>{_safe(title)}</b>{"".join(parts)}</div>'


def facts(rows: Iterable[tuple[str, object]]) -> str:
    """Return a table of names and values."""
    lines = "".join(
        f'<tr><th style="text-align:left;font-weight:normal;opacity:.7">{_safe(name)}</th>'
        f'<td style="text-align:left">{_safe(value)}</td></tr>'
        for name, value in rows
    )
    return f"<table>{lines}</table>"


def table(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a table with a header."""
    top = "".join(f"<th>{_safe(name)}</th>" for name in header)
    rows = "".join("<tr>" + "".join(f"<td>{_safe(cell)}</td>" for cell in line) + "</tr>" for line in lines)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{rows}</tbody></table>"


def curve(steps: np.ndarray, values: np.ndarray, name: str, unit: str) -> str:
    """Return a curve of values (rows,) over steps (rows,) as inline SVG; "" with fewer than two finite values."""
    finite = np.isfinite(steps) & np.isfinite(values)
    x, y = steps[finite].astype(float), values[finite].astype(float)
    if len(x) < 2:
        return ""
    chosen = np.unique(np.linspace(0, len(x) - 1, min(len(x), _POINTS)).astype(int))
    x, y = x[chosen], y[chosen]
    low, high = float(y.min()), float(y.max())
    across = (x - x[0]) / ((x[-1] - x[0]) or 1.0) * (_WIDTH - 2 * _EDGE) + _EDGE
    # halves: a difference of two large numbers may overflow
    up = (y / 2 - low / 2) / ((high / 2 - low / 2) or 1.0)
    down = _HEIGHT - _EDGE - up * (_HEIGHT - 2 * _EDGE)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across, down, strict=True))
    told = _safe(f"{name}: {number(low)} to {number(high)}, over {x[-1]:,.0f} {unit}s")
    return (
        f'<div><svg width="{_WIDTH}" height="{_HEIGHT}" role="img" aria-label="{told}">'
        f'<polyline points="{points}" fill="none" stroke="#2a78b8" stroke-width="1.5"/></svg>'
        f'<div style="opacity:.7">{told}</div></div>'
    )


def picture(path: Path) -> str:
    """Return an SVG file as an inline image; "" where it cannot be read."""
    try:
        data = base64.b64encode(path.read_bytes()).decode()
    except OSError:
        return ""
    return f'<div><img style="max-width:640px" alt="{_safe(path.stem)}" src="data:image/svg+xml;base64,{data}"></div>'


def _safe(value: object) -> str:
    return escape(printable(str(value)))
