"""NSGA-II.

Deb, Pratap, Agarwal & Meyarivan 2002, "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II", IEEE Transactions
on Evolutionary Computation 6. With the authors' operators: simulated binary crossover and polynomial mutation.
"""

from collections.abc import Callable
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.multi_objective.bred_front import BredFront
from evo.algorithms.multi_objective.dominance import survive, win_tournaments
from evo.algorithms.multi_objective.front_search import Domain
from evo.algorithms.multi_objective.objectives import Known
from evo.genomes.population import DensePopulation
from evo.numerics.randomness import generator
from evo.operators.binding import Operator
from evo.operators.kinds import GenomeKind

Floats = NDArray[np.float64]


@final
class NSGAII(BredFront):
    """NSGA-II: survival by fronts of individuals that do not dominate each other, and within one by crowding.

    Args:
        population_size: individuals N, and children of a generation.
        cross: crossover operator, its name with options as in `sbx:eta=15`, or a function.
        mutate: mutation operator, its name with options as in `gaussian:sigma=0.1`, or a function; empty for polynomial
            mutation where there are bounds, else gaussian.
        genome: kind of genome, one of real, bounded, binary, integer or permutation; empty for real numbers within the
            bounds of the task, where it has some.
        objectives: names of the objectives, as in `speed,energy`; empty for all of a function, or a world's first two.
        reference: the point above which the hypervolume is measured, as in `-1.1,-1.1`; empty for that of the function,
            else the worst of each objective in the first generation.
        offered: number of the fittest of the front that are candidates for champion.
    """

    summary = "several objectives: non-dominated fronts and crowding (Deb 2002)"
    held = (0, 6)

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        noisy: bool = False,
        groups: ArrayLike | None = None,
        sensitivity: Callable[[Floats], Floats] | None = None,
        domain: Domain | None = None,
        known_objectives: Known = (),
        *,
        population_size: int = 100,
        cross: str | Operator = "sbx:eta=15,probability=0.5",
        mutate: str | Operator = "",
        genome: str | GenomeKind = "",
        objectives: str = "",
        reference: str = "",
        offered: int = 3,
    ) -> None:
        super().__init__(
            initial,
            seed,
            noisy,
            groups,
            sensitivity,
            domain,
            known_objectives,
            population_size=population_size,
            cross=cross,
            mutate=mutate,
            genome=genome,
            objectives=objectives,
            reference=reference,
            offered=offered,
        )

    def select_parents(self) -> NDArray[np.intp]:
        """Return two parents of each child, winners of tournaments of two by rank and then by crowding."""
        random = generator(self.seed, "selection", self.generation)
        everyone = [random.permutation(self.population_size) for _ in range(4)]  # each enters as often as the others
        one, other = np.concatenate(everyone).reshape(-1, 2).T
        return win_tournaments(self.objectives, one, other)

    def update(self, population: DensePopulation, fitness: Floats, objectives: Floats | None = None) -> None:
        assert objectives is not None
        pool = self.gather(population, fitness, objectives)
        self.keep(pool, survive(pool.objectives, self.population_size))
