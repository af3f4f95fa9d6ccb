"""Numbers in standard units: mean 0 and standard deviation 1 over the examples that are learned from."""

import math

import numpy as np


def moments(column: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of a column (examples,); a column that does not vary has deviation 1.

    Sums are exact (math.fsum), and so the same on every machine.
    """
    mean = math.fsum(column.tolist()) / len(column)
    deviation = math.sqrt(math.fsum(((column - mean) ** 2).tolist()) / len(column))
    return mean, deviation or 1.0


def standardised(columns: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Columns (examples, features) in units of the rows `train`."""
    found = [moments(column) for column in columns[train].T]
    return (columns - [mean for mean, _ in found]) / [deviation for _, deviation in found]
