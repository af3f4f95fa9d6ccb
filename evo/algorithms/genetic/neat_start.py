"""Where NEAT begins: its options in words, the genome of the initial network, and the first generation."""

from collections.abc import Sequence

import numpy as np

from evo.genomes.graph import genes_of
from evo.networks.wiring import Wiring
from evo.operators.graph_genes import Floats, Genes, Ints, take


def one_of(name: str, value: str, choices: Sequence[str]) -> str:
    """Return `value`; raise ValueError naming the hyper-parameter unless it is one of the choices."""
    if value not in choices:
        raise ValueError(f"{name}={value!r}: must be one of {', '.join(choices)}")
    return value


def functions_of(name: str, text: str, known: Sequence[str]) -> Ints:
    """Return the places of functions named in a text, with commas between. Raises ValueError for an unknown one."""
    words = [word.strip() for word in str(text).split(",")]
    return np.array([known.index(one_of(name, word, known)) for word in words], np.int64)


def initial_genome(initial: Floats, bias_unit: bool, recurrent: bool) -> Genes:
    """Return the genome of a network's row. Raises ValueError where it is none."""
    try:
        wiring = Wiring.of(initial)
        if not recurrent:
            wiring.check_order()
        return genes_of(wiring, bias_unit)
    except ValueError as error:
        raise ValueError(
            "initial: NEAT evolves graphs of nodes, and this is none: take a task with a network, and network graph or "
            "graph:recurrent"
        ) from error


def moved_copies(first: Genes, rng: np.random.Generator, count: int, spread: float, biases: bool) -> Genes:
    """Return copies of a genome whose weights are moved by at most `spread`, all but the first; also biases, or not."""
    genes = take(first, np.zeros(count, np.int64))
    moves = rng.uniform(-spread, spread, len(genes.weights))
    moves[: len(first.weights)] = 0.0
    genes = genes._replace(weights=genes.weights + moves)
    if biases:
        moves = rng.uniform(-spread, spread, len(genes.biases))
        moves[: len(first.biases)] = 0.0
        genes = genes._replace(biases=genes.biases + moves)
    return genes


def single_links(first: Genes, rng: np.random.Generator, count: int, spread: float) -> Genes:
    """Return genomes with the outputs of another, and one random link from an input to an output each."""
    sources = rng.integers(first.inputs, size=count)
    outputs = rng.integers(first.outputs, size=count)
    bare = take(first._replace(node_offsets=np.array([0, first.outputs])), np.zeros(count, np.int64))
    return bare._replace(
        link_offsets=np.arange(count + 1),
        innovations=sources * first.outputs + outputs,
        sources=sources,
        targets=outputs + first.inputs + 1,
        weights=rng.uniform(-spread, spread, count),
        enabled=np.ones(count, np.bool_),
    )
