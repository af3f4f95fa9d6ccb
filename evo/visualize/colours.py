"""Colours of the house: the same for a method in every figure, film and table, and the two of a run by itself."""

from collections.abc import Iterable

# Okabe & Ito 2008, "Color Universal Design": distinguishable with every kind of colour blindness. Black is left to the
# text; yellow, too faint for a line on white, comes last.
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d46", "#f0e442")
# A run by itself: what it trained on, and what is held out; of signs, negative and positive.
TEAL, ORANGE = "#2a8c9a", "#d9652f"
PALE_TEAL, PALE_ORANGE = "#9ab7bd", "#e9b294"
INK, MUTED, PAPER = "#1d2733", "#66727f", "#ffffff"


def colours_of(methods: Iterable[str]) -> dict[str, str]:
    """Return method → "#rrggbb", in order of first appearance; the palette repeats past its end."""
    return {method: PALETTE[index % len(PALETTE)] for index, method in enumerate(dict.fromkeys(methods))}
