"""The Deep GA: a genetic algorithm whose genomes are lists of seeds.

Such, Madhavan, Conti, Lehman, Stanley & Clune 2017, "Deep Neuroevolution: Genetic Algorithms Are a Competitive
Alternative for Training Deep Neural Networks for Reinforcement Learning", Algorithm 1, in its order; what a seed list
means is in `evo.genomes.seed_lists`.
"""

from collections.abc import Mapping
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.algorithm import AskTell
from evo.genomes.seed_lists import Reconstruction, SeedPopulation, common_length
from evo.numerics.randomness import generator
from evo.numerics.validation import number_between, positive_number, whole_number
from evo.operators.selection import best, truncation_selection


@final
class DeepGA(AskTell[SeedPopulation]):
    """Deep GA: truncation selection, elitism and Gaussian mutation only; caches some parents, whatever the population.

    The paper evaluates ten candidates on thirty more episodes to find one elite; here the run's selection seeds do that
    for the champion. The defaults of N, T and sigma are those of the authors' `ga_atari_config.json`.

    A list grows by one seed a generation. After a resume the part that all survivors share is reconstructed once, with
    one draw of noise a generation: six or seven seconds for a thousand generations of a million parameters. The parts
    that they do not share cost about as much as the rows of one generation.

    Args:
        population_size: individuals N.
        truncation: number T of the fittest that are parents, None for a fiftieth of N.
        elites: number of the fittest that survive unchanged and are evaluated again in every generation.
        sigma: standard deviation of a mutation.
        initial_spread: standard deviation of the first population around the initial point, which together stand for
            the paper's random initialisation φ.
        offered: number of the fittest that are candidates for champion.
        cache_mb: memory for the parameters of parents, in 10⁶ bytes (with less than T times eight bytes a parameter,
            more noise is drawn again).
    """

    summary = "genetic algorithm on lists of seeds, mutation only, for large networks (Such 2017)"
    remembered = ("parameters", "seeds", "lengths", "survivors_fitness")
    growing = ("seeds",)

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        *,
        population_size: int = 1000,
        truncation: int | None = None,
        elites: int = 1,
        sigma: float = 0.002,
        initial_spread: float = 0.1,
        offered: int = 3,
        cache_mb: float = 1000.0,
    ) -> None:
        super().__init__(initial, seed)
        self.population_size = whole_number("population_size", population_size, 2)
        fittest = max(1, self.population_size // 50) if truncation is None else truncation
        self.truncation = whole_number("truncation", fittest, 1, self.population_size)
        self.elites = whole_number("elites", elites, 0, self.population_size - 1)
        self.sigma = positive_number("sigma", sigma)
        self.initial_spread = number_between("initial_spread", initial_spread, 0)
        self.offered = whole_number("offered", offered, 1, self.population_size)
        cache_mb = number_between("cache_mb", cache_mb, 0)

        # All that is needed of the last population: the seed lists of its best, best first, and their fitness.
        survivors = self.decisive = max(self.truncation, self.elites, self.offered)
        self.seeds = np.zeros(0, np.int64)  # one list after the other
        self.lengths = np.zeros(survivors, np.int64)  # of the lists
        self.survivors_fitness = np.zeros(survivors)
        self.parameters = self.initial.size  # no other part of the state shows it
        # Not part of the state: only a cache of what follows from seeds.
        self.reconstruction = Reconstruction(self.initial, self.initial_spread, self.sigma, cache_mb)

    def survivors(self) -> list[NDArray[np.int64]]:
        """Return the seed lists of the last population's best, best first."""
        return np.split(self.seeds, np.cumsum(self.lengths)[:-1])

    def propose(self) -> SeedPopulation:
        survivors, elites = self.survivors(), self.elites if self.generation else 0
        children = self.population_size - elites
        random = generator(self.seed, "selection", self.generation)
        parents = truncation_selection(random, self.survivors_fitness, children, truncation=self.truncation)
        seeds = generator(self.seed, "mutation", self.generation).integers(2**62, size=children)  # tau_n
        self.reconstruction.attend(survivors)
        # Sorted, as the order of children is random anyway: a parent is reconstructed once for all its children.
        return SeedPopulation(self.reconstruction, survivors, elites, np.sort(parents), seeds)

    def update(self, population: SeedPopulation, fitness: NDArray[np.float64]) -> None:
        chosen = best(fitness, len(self.lengths))
        survivors = [population.seed_list(int(individual)) for individual in chosen]
        self.seeds, self.lengths = np.concatenate(survivors), np.array([len(seeds) for seeds in survivors])
        self.survivors_fitness = fitness[chosen]

    def candidates(self) -> NDArray[np.float64]:
        offered = self.survivors()[: self.offered if self.generation else 1]
        return np.array([self.reconstruction.parameters(seeds) for seeds in offered])

    def diagnostics(self) -> dict[str, float]:
        """Return `mutations` and `divergence`.

        `mutations`: of the best individual since `initial`; `divergence`: the most that a survivor has had since the
        last common ancestor of all survivors, small where diversity is lost.
        """
        survivors = self.survivors()
        return {"mutations": len(survivors[0]), "divergence": int(self.lengths.max()) - common_length(survivors)}

    def check(self, state: Mapping[str, NDArray[Any]]) -> None:
        super().check(state)
        if state["parameters"] != self.parameters:
            raise ValueError(f"state 'parameters' is {state['parameters']}, expected {self.parameters}")
        lengths, seeds = np.asarray(state["lengths"]), len(state["seeds"])
        if lengths.min() < 0 or lengths.sum() != seeds:
            raise ValueError(f"state 'lengths' is {lengths.tolist()}, expected lengths of {seeds} seeds in all")
