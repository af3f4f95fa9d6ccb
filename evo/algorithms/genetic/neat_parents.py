"""The generation that NEAT breeds from: its genes, fitness and species."""

from collections.abc import Mapping
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from evo.operators.graph_genes import ARRAYS, Floats, Genes, Ints


@final
class Parents:
    """Individuals that were told: genes, fitness, float64 (individuals,), and species, int64 (individuals,)."""

    def __init__(self, genes: Genes, fitness: Floats, species: Ints) -> None:
        self.genes, self.fitness, self.species = genes, fitness, species

    def state(self) -> dict[str, NDArray[Any]]:
        """Return everything, as copies."""
        genes = {name: getattr(self.genes, name).copy() for name in ARRAYS}
        return genes | {"fitness": self.fitness.copy(), "species": self.species.copy()}

    def hold(self) -> tuple[Genes, Floats, Ints]:
        """Return what `put_back` takes: arrays themselves, in which nobody writes."""
        return self.genes, self.fitness, self.species

    def put_back(self, held: tuple[Genes, Floats, Ints]) -> None:
        self.genes, self.fitness, self.species = held

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Restore a `state()`."""
        arrays: dict[str, Any] = {name: np.array(state[name]) for name in ARRAYS}
        self.genes = self.genes._replace(**arrays)
        self.fitness, self.species = np.array(state["fitness"]), np.array(state["species"])
