"""Numbers as people read them."""

import math


def number(value: float) -> str:
    """A return, a fitness or seconds: one decimal, three digits of what is small, a dash where there is none."""
    if math.isnan(value):
        return "–"
    return f"{value:,.1f}" if abs(value) >= 10 or value == 0 else f"{value:.3g}"
