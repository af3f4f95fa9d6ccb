"""Mutation of the numbers and functions of graph genomes; the structure stays.

Stanley & Miikkulainen 2002, "Evolving Neural Networks through Augmenting Topologies", section 4.1: each weight of a
genome is perturbed uniformly with a chance of .9, else drawn anew. How far is not in the paper; the authors' NEAT C++
(version 1.2), which made its results, takes 2.5 and draws from within ± that, and mutates in three ways: half of the
genomes severely (.7 of the weights perturbed, .2 drawn anew), of the others all weights perturbed, or, in a genome of
ten links and more, of the newest fifth only half, and .2 drawn anew: what is new and small is to be found quickly.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evo.envs.engine.compile import njit
from evo.envs.engine.random import random
from evo.operators.graph_genes import NODE_ARRAYS, Floats, Genes, Ints


def mutate_weights(
    stream: Any, genes: Genes, chosen: NDArray[np.bool_], *, power: float, severe: float, limit: float
) -> Genes:
    """Return genomes of which the chosen ones, bool (genomes,), have other weights.

    power: the most that a weight moves, and the bound ± of a new one. severe: share of genomes that are mutated
    severely. limit: bound ± of all weights. stream: uint64 (4,), moves on.
    """
    return genes._replace(weights=_weights(stream, genes, chosen, power, severe, limit))


@njit(cache=True)
def _weights(stream: Any, genes: Any, chosen: Any, power: float, severe: float, limit: float) -> Any:
    weights = genes.weights.copy()
    for genome in range(chosen.size):
        if not chosen[genome]:
            continue
        begin, end = genes.link_offsets[genome], genes.link_offsets[genome + 1]
        hard = random(stream) < severe
        newest = begin + 0.8 * (end - begin)
        for link in range(begin, end):
            step = power * (2.0 * random(stream) - 1.0)
            kept, drawn = 0.0, 0.0
            if hard:
                kept, drawn = 0.1, 0.2
            elif end - begin >= 10 and link > newest:
                kept, drawn = 0.3, 0.2
            choice = random(stream)
            if choice < drawn:
                weights[link] = step
            elif choice < 1.0 - kept:
                weights[link] += step
            weights[link] = min(max(weights[link], -limit), limit)
    return weights


def move_numbers(stream: Any, values: Floats, chance: float, *, power: float, low: float, high: float) -> Floats:
    """Return numbers of nodes, (nodes,), of which each is moved with this chance, by at most ± power, within bounds."""
    return _moved(stream, values, chance, power, low, high)


@njit(cache=True)
def _moved(stream: Any, values: Any, chance: float, power: float, low: float, high: float) -> Any:
    moved = values.copy()
    for node in range(values.size):
        if random(stream) < chance:
            moved[node] = min(max(values[node] + power * (2.0 * random(stream) - 1.0), low), high)
    return moved


def draw_functions(stream: Any, genes: Genes, values: Ints, chance: float, choices: Ints) -> Ints:
    """Return functions of nodes, int64 (nodes,): a hidden node's is drawn anew from the choices with this chance."""
    return _drawn(stream, genes, values, chance, choices)


def change_nodes(genes: Genes, changed: Genes, chosen: NDArray[np.bool_]) -> Genes:
    """Return genomes of which the chosen ones, bool (genomes,), have the numbers and functions of nodes of others.

    changed: genomes of the same nodes and links.
    """
    if changed is genes:
        return genes
    nodes = np.repeat(chosen, np.diff(genes.node_offsets))
    names = NODE_ARRAYS[1:]  # all but the ids
    return genes._replace(**{name: np.where(nodes, getattr(changed, name), getattr(genes, name)) for name in names})


@njit(cache=True)
def _drawn(stream: Any, genes: Any, values: Any, chance: float, choices: Any) -> Any:
    drawn = values.copy()
    for node in range(values.size):
        if genes.ids[node] > genes.inputs + genes.outputs and random(stream) < chance:
            drawn[node] = choices[int(random(stream) * choices.size)]
    return drawn
