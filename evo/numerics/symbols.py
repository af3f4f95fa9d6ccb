"""Symbols: the index that a float stands for."""

from typing import Any

from evo.envs.engine.compile import njit


@njit
def symbol_of(value: Any, symbols: int) -> int:
    """Return the index in [0, symbols) nearest to a number; 0 for NaN."""
    if not value > 0:
        return 0
    if value > symbols - 1:
        return symbols - 1
    return int(value + 0.5)
