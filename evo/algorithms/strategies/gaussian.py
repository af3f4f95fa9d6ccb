"""The shared part of strategies that sample a normal distribution: options, bounds, sampling, and what is logged."""

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.algorithm import AskTell
from evo.algorithms.convergence import FitnessHistory
from evo.algorithms.strategies.cma_parameters import choose_population_size
from evo.genomes.bounds import Box
from evo.genomes.population import SampledPopulation
from evo.numerics.randomness import generator
from evo.numerics.validation import positive_number
from evo.operators.selection import best


class GaussianStrategy(AskTell[SampledPopulation]):
    """A strategy that samples mean + sigma × steps, the steps made from noise ~ N(0, I), and adapts it by ranks.

    `sigma` (the initial deviation), `population_size` (lambda; None: 4 + 3 ln n), `low` and `high` (bounds of every
    parameter; None: none).

    A subclass is final and writes `transform`, `adapt` and `finished`. mean: (parameters,), in the space without bounds
    (see `Box`). sigma: a number, or one for each parameter, (parameters,), as the subclass has it.

    A subclass with options of its own lists those above in its constructor again. `evo config`, --set and files read a
    method's options, their types and their defaults from that signature, and so does a reader.
    """

    smallest: ClassVar[int] = 3
    """The least population size."""

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        *,
        sigma: float = 0.5,
        population_size: int | None = None,
        low: float | None = None,
        high: float | None = None,
    ) -> None:
        super().__init__(initial, seed)
        self.box = Box(low, high, self.initial)
        self.initial_sigma = positive_number("sigma", sigma)
        self.population_size = choose_population_size(population_size, self.initial.size, self.smallest)
        self.mean = self.box.outside(self.initial)
        self.sigma: Any = self.box.cap_sigma(self.initial_sigma, np.ones(1))
        self.history = FitnessHistory(self.initial.size, self.population_size)

    @abstractmethod
    def transform(self, noise: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the steps that noise makes, both (individuals, parameters)."""

    @abstractmethod
    def adapt(self, steps: NDArray[np.float64], noise: NDArray[np.float64], order: NDArray[np.intp]) -> None:
        """Adapt the distribution; steps and noise of the individuals, whose order from best to worst is `order`."""

    def propose(self) -> SampledPopulation:
        random = generator(self.seed, "noise", self.generation)
        noise = random.standard_normal((self.population_size, self.initial.size))
        return SampledPopulation(self.mean, self.sigma, self.transform(noise), noise, self.box)

    def update(self, population: SampledPopulation, fitness: NDArray[np.float64]) -> None:
        self.adapt(population.steps, population.noise, best(fitness, self.population_size))
        self.history.add(fitness)

    def candidates(self) -> NDArray[np.float64]:
        return self.box.inside(self.mean[np.newaxis].copy())

    def diagnostics(self) -> dict[str, float]:
        return {"sigma": self.sigma}
