"""Small signs for what units compute: the shape of an activation, a mark for how inputs are combined."""

from collections.abc import Callable, Mapping

import numpy as np

_AXIS = np.linspace(-1.0, 1.0, 33)
# The shape over -1 to 1; scaled so that it is recognised, not so that it can be measured.
_SHAPES: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "linear": lambda x: x,
    "sigmoid": lambda x: np.tanh(2.2 * x),
    "steep_sigmoid": lambda x: np.tanh(4.9 * x),
    "tanh": lambda x: np.tanh(3.0 * x),
    "relu": lambda x: 1.6 * np.maximum(x, 0) - 0.7,
    "elu": lambda x: np.where(x > 0, 1.3 * x, 0.5 * np.expm1(4 * x)) - 0.2,
    "gaussian": lambda x: 1.6 * np.exp(-6 * x * x) - 0.8,
    "sine": lambda x: 0.9 * np.sin(np.pi * x),
    "cosine": lambda x: 0.9 * np.cos(np.pi * x),
    "absolute": lambda x: 1.6 * np.abs(x) - 0.8,
    "square": lambda x: 1.6 * x * x - 0.8,
    "step": lambda x: np.where(x > 0, 0.8, -0.8),
    "clamped": lambda x: np.clip(2.0 * x, -0.85, 0.85),
}
_MARKS: Mapping[str, str] = {"product": "×", "mean": "mean", "maximum": "max", "minimum": "min", "largest": "|max|"}


def shape_of(activation: str) -> np.ndarray | None:
    """Return the shape of an activation as a line, float64 (points, 2) within ±1, upwards; None for one without."""
    shape = _SHAPES.get(activation)
    return None if shape is None else np.column_stack([_AXIS, shape(_AXIS)])


def mark_of(aggregation: str) -> str:
    """Return the mark of an aggregation; "" for a sum."""
    return _MARKS.get(aggregation, "")
