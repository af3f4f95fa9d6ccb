"""Crossover: children made of two parents."""

import numpy as np
from numpy.typing import NDArray


def uniform_crossover(
    random: np.random.Generator,
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    probability: float,
) -> NDArray[np.float64]:
    """Children, (individuals, parameters), of the parents in the same rows of `first` and `second`.

    With `probability` a child takes each gene from either parent at even odds; otherwise it is its first parent.
    Syswerda 1989, "Uniform Crossover in Genetic Algorithms".
    """
    has_two_parents = random.random(len(first)) < probability  # (individuals,)
    from_second = random.integers(2, size=first.shape, dtype=np.bool_)  # (individuals, parameters)
    return np.where(has_two_parents[:, np.newaxis] & from_second, second, first)
