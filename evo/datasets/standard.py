"""Standardisation: mean 0 and standard deviation 1 over the training examples."""

import math

import numpy as np


def moments(column: np.ndarray) -> tuple[float, float]:
    """Return mean and standard deviation of a column (examples,); 1 for the deviation of a constant column.

    Sums are exact (math.fsum), and so the same on every machine.
    """
    mean = math.fsum(column.tolist()) / len(column)
    deviation = math.sqrt(math.fsum(((column - mean) ** 2).tolist()) / len(column))
    return mean, deviation or 1.0


def standardise(columns: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Standardise columns (examples, features) by the mean and deviation of the rows `train`."""
    found = [moments(column) for column in columns[train].T]
    return (columns - [mean for mean, _ in found]) / [deviation for _, deviation in found]
