"""Graph networks in a map and in novelty search: NEAT's genomes and operators, whose options a text gives.

Stanley & Miikkulainen 2002, "Evolving Neural Networks through Augmenting Topologies", sections 3.1 and 3.2.
"""

import numpy as np
from numpy.typing import NDArray

from evo.algorithms.genetic.neat import NEAT
from evo.algorithms.genetic.neat_start import moved_copies, single_links
from evo.envs.engine.random import words_of
from evo.genomes.graph import GraphPopulation
from evo.numerics.randomness import generator
from evo.operators.binding import concerning, operator_from_text
from evo.operators.graph_genes import Genes
from evo.operators.graph_mating import mate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def neat_from_text(
    text: str, initial: Floats, seed: int, recurrent: bool, most_nodes: int | None, population_size: int
) -> NEAT:
    """Return NEAT with the options of a text, as in `neat:power=0.5,add_node=0.1`. Raises ValueError."""
    with concerning("graph"):
        made = operator_from_text(text, {"neat": "evo.algorithms.genetic.neat:NEAT"})
        if "population_size" in getattr(made, "keywords", {}):
            raise ValueError("population_size is an option of the method itself")
        neat = made(initial, seed, recurrent, most_nodes, population_size=population_size)
        if not isinstance(neat, NEAT):
            raise ValueError(f"{text!r}: must be neat, with its options as in neat:power=0.5")
        return neat


def first_graphs(neat: NEAT, generation: int) -> GraphPopulation:
    """Return the first population of a map, as NEAT's; of another generation another one."""
    random, first = generator(neat.seed, "initial population", generation), neat.parents.genes
    if neat.start == "few":
        genes = single_links(first, random, neat.population_size, neat.first_spread)
    else:
        genes = moved_copies(first, random, neat.population_size, neat.first_spread, not neat.bias_unit)
    return GraphPopulation(genes, neat.recurrent)


def breed_graphs(
    neat: NEAT, generation: int, genes: Genes, fitness: Floats, first: Ints, second: Ints
) -> GraphPopulation:
    """Return a child of each pair of genomes, by their indices, (children,) each; fitness is of all genomes.

    As in NEAT, a share `mutation_only` has one parent, and of the others a share `mating_only` is not mutated. Numbers
    of new genes follow those that the genomes have: a number that no living genome has may be given again.
    """
    random = generator(neat.seed, "reproduction", generation)
    draws = random.random((5, len(first)))
    words = np.array(words_of(random.bit_generator.state), np.uint64)
    second = np.where(draws[3] < neat.breeding.mutation_only, first, second)
    children = mate(words, genes, fitness, first, second, averaging=neat.averaging, disabling=neat.disabling)
    mutated = (first == second) | (draws[4] >= neat.breeding.mating_only)
    direct = (genes.inputs + 1) * genes.outputs
    neat.next_node = int(genes.ids.max()) + 1
    neat.next_innovation = max(direct, int(genes.innovations.max(initial=-1)) + 1)
    return GraphPopulation(neat.mutants(words, draws[:3], children, mutated), neat.recurrent)
