"""Mutation: small random changes."""

import numpy as np
from numpy.typing import NDArray


def gaussian_mutation(
    random: np.random.Generator, population: NDArray[np.float64], deviation: float
) -> NDArray[np.float64]:
    """The population, (individuals, parameters), every gene moved by its own N(0, deviation**2)."""
    return population + deviation * random.standard_normal(population.shape)
