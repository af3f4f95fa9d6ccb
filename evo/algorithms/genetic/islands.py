"""Island model: populations that evolve separately, with occasional migrants.

Tanese 1989, "Distributed Genetic Algorithms"; Whitley, Rana & Heckendorn 1999, "The Island Model Genetic Algorithm: On
Separability, Population Size and Convergence".
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Protocol, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms import ALGORITHMS
from evo.algorithms.algorithm import Algorithm, AskTell, build_algorithm
from evo.envs.reference import resolve
from evo.genomes.population import DensePopulation
from evo.numerics.randomness import generator
from evo.numerics.validation import whole_number
from evo.operators.binding import Operator, concerning, operator_from_text
from evo.operators.selection import best
from evo.storage.memory import check_bytes

Floats = NDArray[np.float64]


class Inhabited(Algorithm, Protocol):
    """An algorithm that keeps individuals: `inhabitants` names its attributes that are arrays with a row for each."""

    inhabitants: ClassVar[tuple[str, ...]]
    individuals: NDArray[Any]
    fitness: Floats


@final
class Archipelago:
    """Islands in a ring, all of one algorithm. Raises ValueError where it keeps no individuals."""

    def __init__(self, islands: Sequence[Any]) -> None:
        if not hasattr(islands[0], "inhabitants"):
            those = [name for name in ALGORITHMS if hasattr(resolve(name, ALGORITHMS), "inhabitants")]
            raise ValueError(f"{type(islands[0]).__name__} keeps no individuals; one of {', '.join(those)}")
        self.islands: Sequence[Inhabited] = islands

    def migrate(self, count: int) -> None:
        """Copy each island's `count` fittest over the next one's least fit, the fittest over the worst.

        All migrants are copied before any arrives.
        """
        leaving = []
        for island in self.islands:
            fittest = best(island.fitness, count)
            leaving.append({name: getattr(island, name)[fittest] for name in island.inhabitants})
        for island, arriving in zip(self.islands, [leaving[-1], *leaving[:-1]], strict=True):
            places = best(island.fitness, len(island.fitness))[::-1][:count]
            for name in island.inhabitants:
                array = getattr(island, name).copy()
                array[places] = arriving[name]
                setattr(island, name, array)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return everything that changes, as copies."""
        return {
            f"{number}_{name}": array
            for number, island in enumerate(self.islands)
            for name, array in island.state().items()
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Restore a `state()`."""
        for number, island in enumerate(self.islands):
            island.restore({name: state[f"{number}_{name}"] for name in island.state()})


@final
class Islands(AskTell[DensePopulation]):
    """An island model: populations in a ring, each evolved by an algorithm with its own seed.

    All algorithms are given `initial`, `groups`, `sensitivity` and `noisy`.

    Args:
        islands: number of islands.
        algorithm: algorithm of every island, one that keeps individuals, with its options as in
            `ga:population_size=32,mutate='gaussian:sigma=0.1'`, or a constructor.
        interval: generations from one migration to the next.
        migrants: number of an island's fittest that are copied to the next island, where they replace the least fit.
    """

    summary = "island model: separate populations of a genetic algorithm, with migration (Tanese 1989)"
    remembered = ("archipelago",)

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        groups: ArrayLike | None = None,
        sensitivity: Callable[[Floats], Floats] | None = None,
        noisy: bool = False,
        *,
        islands: int = 4,
        algorithm: str | Operator = "ga:population_size=32,select='truncation:truncation=8'",
        interval: int = 10,
        migrants: int = 2,
    ) -> None:
        super().__init__(initial, seed)
        check_bytes(f"{whole_number('islands', islands, 2):,} islands", 2**14 * islands, "fewer islands need less")
        self.interval = whole_number("interval", interval, 1)
        known = {"groups": groups, "sensitivity": sensitivity, "noisy": noisy}
        with concerning("algorithm"):
            constructor = operator_from_text(algorithm, ALGORITHMS)
            seeds = [int(generator(self.seed, "island", island).integers(2**62)) for island in range(islands)]
            made = [build_algorithm(constructor, self.initial, seed, known) for seed in seeds]
            self.archipelago = Archipelago(made)
        smallest = min(len(island.fitness) for island in self.archipelago.islands)
        self.migrants = whole_number("migrants", migrants, 1, smallest)

    def propose(self) -> DensePopulation:
        return DensePopulation(np.concatenate([island.ask().dense() for island in self.archipelago.islands]))

    def update(self, population: DensePopulation, fitness: NDArray[np.float64]) -> None:
        told = 0
        for island in self.archipelago.islands:
            asked = len(island.ask())  # an island that was just restored has not been asked yet
            island.tell(fitness[told : told + asked])
            told += asked
        if (self.generation + 1) % self.interval == 0:
            self.archipelago.migrate(self.migrants)

    def candidates(self) -> Floats:
        """Return the first candidate of every island, that of the island with the fittest individual first."""
        if self.generation == 0:
            return self.initial[np.newaxis].copy()
        islands = self.archipelago.islands
        fittest = np.array([island.fitness.max() for island in islands])
        return np.stack([islands[island].candidates()[0] for island in best(fittest, len(islands))])

    def diagnostics(self) -> dict[str, float]:
        """Return root mean square distances of individuals from a mean.

        `diversity`: of all individuals from theirs; `diversity_within`: of each island's from its own.
        """
        living = [np.asarray(island.individuals, np.float64) for island in self.archipelago.islands]
        within = [np.sum(np.var(individuals, axis=0)) for individuals in living]
        everyone = np.sum(np.var(np.concatenate(living), axis=0))
        return {"diversity": math.sqrt(everyone), "diversity_within": math.sqrt(np.mean(within))}
