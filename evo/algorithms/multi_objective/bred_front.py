"""The shared part of genetic searches for a front: genomes within the bounds of a task, and children of parents."""

from abc import abstractmethod
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.genetic.variation import Variation
from evo.algorithms.multi_objective.front_search import Domain, FrontSearch
from evo.algorithms.multi_objective.objectives import Known
from evo.numerics.randomness import generator
from evo.operators.binding import Operator
from evo.operators.kinds import GenomeKind, bounded_genome

Floats = NDArray[np.float64]


class BredFront(FrontSearch):
    """A genetic search for a front; a subclass writes `select_parents` and `update`.

    `groups`, (parameters,), are the parameters that neuron-wise crossover passes on together; `sensitivity`, a function
    of individuals, is the divisor of safe mutation; `domain` the bounds of the parameters. It lists the options of this
    class in its own constructor again: `cross`, `mutate`, `genome`.
    """

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        noisy: bool,
        groups: ArrayLike | None,
        sensitivity: Callable[[Floats], Floats] | None,
        domain: Domain | None,
        known_objectives: Known,
        *,
        population_size: int,
        cross: str | Operator,
        mutate: str | Operator,
        genome: str | GenomeKind,
        objectives: str,
        reference: str,
        offered: int,
    ) -> None:
        super().__init__(
            initial,
            seed,
            noisy,
            known_objectives,
            population_size=population_size,
            objectives=objectives,
            reference=reference,
            offered=offered,
        )
        kind = genome or ("real:spread=0.1" if domain is None else bounded_genome(low=domain[0], high=domain[1]))
        bounded = (kind.partition(":")[0].partition("(")[0] if isinstance(kind, str) else kind.name) == "bounded"
        mutation = mutate or ("polynomial:eta=20" if bounded else "gaussian:sigma=0.05")
        self.variation = Variation(self.initial, kind, cross, mutation, groups, sensitivity)
        if self.variation.adapts:
            raise ValueError(f"mutate={mutate!r}: must be a mutation without sigmas of its own: a front keeps none")

    @abstractmethod
    def select_parents(self) -> NDArray[np.intp]:
        """Return the parents, (2 population,): the two of each child are neighbours."""

    def propose_children(self) -> Floats:
        if not self.generation:
            random = generator(self.seed, "initial population")
            return self.variation.make_first(random, self.population_size)
        parents = self.select_parents()
        genomes = self.individuals.astype(self.variation.kind.dtype, copy=False)
        return self.variation.breed(self.seed, self.generation, genomes[parents[0::2]], genomes[parents[1::2]])
