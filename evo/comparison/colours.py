"""Colours of methods, the same in every figure, film and table of a comparison."""

from collections.abc import Iterable

# Okabe & Ito 2008, "Color Universal Design": distinguishable with every kind of colour blindness. Black is left to the
# text; yellow, too faint for a line on white, comes last.
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d46", "#f0e442")
INK, MUTED, PAPER = "#1d2733", "#66727f", "#ffffff"


def colours_of(methods: Iterable[str]) -> dict[str, str]:
    """Return method → "#rrggbb", in order of first appearance; the palette repeats past its end."""
    return {method: PALETTE[index % len(PALETTE)] for index, method in enumerate(dict.fromkeys(methods))}
