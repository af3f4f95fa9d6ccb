"""The generation that NEAT breeds from: its genes, fitness and species, and the network of the fittest."""

from collections.abc import Mapping
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from evo.networks.wiring import Wiring
from evo.numerics.node_functions import ACTIVATIONS, AGGREGATIONS
from evo.operators.graph_genes import ARRAYS, Floats, Genes, Ints, check_genes


@final
class Parents:
    """Individuals that were told: genes, fitness, float64 (individuals,), and species, int64 (individuals,).

    row: the network of the fittest as it was evaluated, which may have learned: float64 (its numbers,).
    """

    growing = (*ARRAYS, "fitness", "species", "row")
    """The arrays of the state, all of any length."""

    def __init__(self, genes: Genes, fitness: Floats, species: Ints, row: Floats) -> None:
        self.genes, self.fitness, self.species, self.row = genes, fitness, species, row

    def representatives(self, random: np.random.Generator) -> Ints:
        """Return a random member of each species, int64 (species,): the genome that stands for it (section 3.3)."""
        sizes = np.bincount(self.species)
        places = np.cumsum(sizes) - sizes + random.integers(sizes)
        return np.argsort(self.species, kind="stable")[places]

    def state(self) -> dict[str, NDArray[Any]]:
        """Return everything, as copies."""
        genes = {name: getattr(self.genes, name).copy() for name in ARRAYS}
        return genes | {"fitness": self.fitness.copy(), "species": self.species.copy(), "row": self.row.copy()}

    def check(self, state: Mapping[str, NDArray[Any]], recurrent: bool) -> Genes:
        """Return the genes of a state. Raises ValueError where its arrays, of the right dtypes, are no such parents."""
        arrays: dict[str, Any] = {name: np.asarray(state[name]) for name in ARRAYS}
        genes = self.genes._replace(**arrays)
        try:
            check_genes(genes, recurrent, (len(ACTIVATIONS), len(AGGREGATIONS)))
            Wiring.of(state["row"])
        except ValueError as error:
            raise ValueError(f"state 'parents': {error}") from error
        if not len(state["species"]) == len(state["fitness"]) == genes.genomes:
            raise ValueError(
                f"state 'parents_species' is of {len(state['species'])} individuals, expected {genes.genomes}"
            )
        return genes

    def hold(self) -> tuple[Genes, Floats, Ints, Floats]:
        """Return what `put_back` takes: arrays themselves, in which nobody writes."""
        return self.genes, self.fitness, self.species, self.row

    def put_back(self, held: tuple[Genes, Floats, Ints, Floats]) -> None:
        self.genes, self.fitness, self.species, self.row = held

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Restore a `state()`."""
        arrays: dict[str, Any] = {name: np.array(state[name]) for name in ARRAYS}
        self.genes = self.genes._replace(**arrays)
        self.fitness, self.species = np.array(state["fitness"]), np.array(state["species"])
        self.row = np.array(state["row"])
