"""Validation of hyper-parameters: numbers within their ranges, or a ValueError of one line."""

import math
import numbers
from typing import Any

import numpy as np


def plain(value: Any) -> Any:
    """Return NumPy scalars and arrays as Python numbers and lists; anything else unchanged."""
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else value


def whole_number(name: str, value: int, least: int, most: int | None = None) -> int:
    """Return `value` as an int; raise ValueError naming the hyper-parameter unless it is in [least, most]."""
    allowed = f"a whole number >= {least}" if most is None else f"a whole number in [{least}, {most}]"
    value = plain(value)
    valid = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not valid or value < least or (most is not None and value > most):
        raise ValueError(f"{name}={value!r}: must be {allowed}")
    return int(value)


def positive_number(name: str, value: float) -> float:
    """Return `value` as a float; raise ValueError naming the hyper-parameter unless it is in (0, inf)."""
    value = plain(value)
    if not _is_real(value) or not 0 < value < math.inf:
        raise ValueError(f"{name}={value!r}: must be a finite number > 0")
    return float(value)


def finite_number(name: str, value: float) -> float:
    """Return `value` as a float; raise ValueError naming the hyper-parameter unless it is finite."""
    value = plain(value)
    if not _is_real(value) or not math.isfinite(value):
        raise ValueError(f"{name}={value!r}: must be a finite number")
    return float(value)


def number_between(name: str, value: float, least: float, most: float = math.inf) -> float:
    """Return `value` as a float; raise ValueError naming the hyper-parameter unless finite and in [least, most]."""
    value = plain(value)
    if not _is_real(value) or not (least <= value <= most and math.isfinite(value)):
        allowed = f"a finite number >= {least:g}" if most == math.inf else f"a number in [{least:g}, {most:g}]"
        raise ValueError(f"{name}={value!r}: must be {allowed}")
    return float(value)


def _is_real(value: object) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)
