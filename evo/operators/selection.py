"""Selection: which individuals live on, and which become parents."""

import numpy as np
from numpy.typing import NDArray


def best(fitness: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """Indices of the `count` fittest, best first, (count,); equal fitness in order of index."""
    return np.argsort(-fitness, kind="stable")[:count]


def truncation_selection(
    random: np.random.Generator,
    population: NDArray[np.float64],
    fitness: NDArray[np.float64],
    truncation: int,
    count: int,
) -> NDArray[np.float64]:
    """`count` parents, (count, parameters), drawn uniformly with replacement from the `truncation` fittest.

    `population` is (individuals, parameters), `fitness` (individuals,).
    """
    return population[best(fitness, truncation)[random.integers(truncation, size=count)]]
