"""Pure random search.

Brooks 1958, "A Discussion of Random Methods for Seeking Maxima".
"""

from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.algorithm import AskTell
from evo.genomes.population import DensePopulation
from evo.numerics.randomness import generator
from evo.numerics.validation import positive_number, whole_number
from evo.operators.selection import best


@final
class RandomSearch(AskTell[DensePopulation]):
    """Random search: draws individuals from a fixed normal distribution, and keeps the best one.

    Where fitness is random (`noisy`, as the problem declares), the best individual is evaluated again beside the new
    ones, so that one lucky score does not last.

    Args:
        sigma: standard deviation of the draws around the initial point.
        population_size: individuals of a generation.
    """

    summary = "the best of random draws: a baseline"
    held = (0, 2)
    remembered = ("fittest", "fitness")

    def __init__(
        self, initial: ArrayLike, seed: int, noisy: bool = False, *, sigma: float = 1.0, population_size: int = 64
    ) -> None:
        super().__init__(initial, seed)
        self.sigma = positive_number("sigma", sigma)
        self.population_size = whole_number("population_size", population_size, 1)
        self.fittest, self.fitness = self.initial, -np.inf
        self.noisy, self.decisive = noisy, 1

    def propose(self) -> DensePopulation:
        random = generator(self.seed, "noise", self.generation)
        drawn = self.initial + self.sigma * random.standard_normal((self.population_size, self.initial.size))
        return DensePopulation(np.concatenate([self.fittest[np.newaxis], drawn]) if self._again else drawn)

    def update(self, population: DensePopulation, fitness: NDArray[np.float64]) -> None:
        first = best(fitness, 1)[0]
        if self._again or fitness[first] > self.fitness:  # asked for again, the best one so far comes first
            self.fittest, self.fitness = population.array[first], float(fitness[first])

    @property
    def _again(self) -> bool:
        """Return whether this generation evaluates the best individual again."""
        return self.noisy and self.generation > 0

    def candidates(self) -> NDArray[np.float64]:
        return self.fittest[np.newaxis].copy()

    def diagnostics(self) -> dict[str, float]:
        return {}
