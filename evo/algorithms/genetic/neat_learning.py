"""What the networks of NEAT learn in their lives, and whether their children inherit it.

Baldwin: learning changes the fitness alone, so that those are selected who learn well. Lamarck: what was learned goes
back into the genes. Hinton & Nowlan 1987, "How learning can guide evolution"; Whitley, Gordon & Mathias 1994,
"Lamarckian evolution, the Baldwin effect and function optimization".
"""

from typing import Protocol, SupportsIndex, final

import numpy as np
from numpy.typing import NDArray

from evo.genomes.graph import GraphPopulation
from evo.genomes.graph_places import gene_places, inherit
from evo.genomes.rows import Rows
from evo.operators.graph_genes import Floats

LEARNING = ("none", "baldwin", "lamarck")


class Train(Protocol):
    """What a problem with gradients teaches individuals; see `evo.problems.fine_tuning.FineTuning`."""

    def __call__(
        self, rows: Rows, least: Floats, greatest: Floats, steps: int, seed: SupportsIndex, learning_rate: float
    ) -> tuple[NDArray[np.float32], int]: ...


@final
class Learning:
    """Learning in the lives of a population: weights and biases that are genes move by gradients, within ±limit.

    inherited: whether they go back into the genes. biases: whether nodes' biases are genes.
    """

    def __init__(
        self, train: Train | None, inherited: bool, steps: int, learning_rate: float, limit: float, biases: bool
    ) -> None:
        if train is None:
            raise ValueError(
                f"learning={LEARNING[1 + inherited]!r}: networks learn in their lives by gradients, which only graphs "
                "on data sets have; take network graph and a data set, such as spirals, or learning=none"
            )
        self._train, self._inherited, self._biases = train, inherited, biases
        self._steps, self._learning_rate, self._limit = steps, learning_rate, limit

    def teach(self, population: GraphPopulation, recurrent: bool, seed: SupportsIndex) -> GraphPopulation:
        """Return the population after its lessons, a function of itself and the seed."""
        born = population.part(0, len(population))
        places = gene_places(population.genes, recurrent)
        of_node = (places.nodes >= 0) & (places.links < 0)
        free = (places.links >= 0) | (of_node & self._biases)
        least = np.where(free, -self._limit, born.values)
        greatest = np.where(free, self._limit, born.values)
        values, steps = self._train(born, least, greatest, self._steps, seed, self._learning_rate)
        # a bias of 0 might change what leads to an output
        values = np.where(of_node & (values == 0), born.values, values)
        genes = population.genes
        if self._inherited:
            genes = inherit(genes, places, born.values, values)
        return population.after_learning(values, genes, steps)
