"""Pure random search: what any search must beat.

Brooks 1958, "A Discussion of Random Methods for Seeking Maxima".
"""

from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.algorithm import AskTell
from evo.algorithms.population import DensePopulation
from evo.operators.selection import best
from evo.randomness import generator
from evo.ranges import positive_number, whole_number


@final
class RandomSearch(AskTell[DensePopulation]):
    """Draws individuals from one normal distribution, for ever, and keeps the best one.

    `spread` (its deviation around `initial`) and `population` (individuals a generation).
    """

    remembered = ("fittest", "fitness")

    def __init__(self, initial: ArrayLike, seed: int, *, spread: float = 1.0, population: int = 64) -> None:
        super().__init__(initial, seed)
        self.spread = positive_number("spread", spread)
        self.population = whole_number("population", population, 1)
        self.fittest, self.fitness = self.initial, -np.inf
        self.decisive = 1

    def propose(self) -> DensePopulation:
        random = generator(self.seed, "noise", self.generation)
        return DensePopulation(
            self.initial + self.spread * random.standard_normal((self.population, self.initial.size))
        )

    def update(self, population: DensePopulation, fitness: NDArray[np.float64]) -> None:
        first = best(fitness, 1)[0]
        if fitness[first] > self.fitness:
            self.fittest, self.fitness = population.array[first], float(fitness[first])

    def candidates(self) -> NDArray[np.float64]:
        return self.fittest[np.newaxis].copy()

    def diagnostics(self) -> dict[str, float]:
        return {}
