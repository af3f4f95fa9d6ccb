"""Mating of graph genomes: genes of the same innovation are lined up, the others are the fitter parent's.

Stanley & Miikkulainen 2002, "Evolving Neural Networks through Augmenting Topologies", section 3.2, figure 4. Where the
paper leaves a choice, the authors' NEAT C++ (version 1.2) is followed: of equally fit parents the one with fewer links
gives the genes that do not match, and some matings average matching weights in place of choosing one.
"""

from typing import Any

import numpy as np

from evo.envs.engine.compile import njit
from evo.envs.engine.random import random
from evo.operators.graph_genes import Floats, Genes, Ints, copy_link, copy_node, empty_genes


def mate(
    stream: Any, genes: Genes, fitness: Floats, first: Ints, second: Ints, *, averaging: float, disabling: float
) -> Genes:
    """Return a child of each pair of genomes, by their indices, (children,); where both are the same, a copy.

    A child has the nodes and links of the fitter parent. Of each that the other parent has too, it is from either with
    equal chance. averaging: share of matings in which matching weights are averaged instead. disabling: chance that a
    link disabled in either parent is disabled in the child; else it is enabled. stream: uint64 (4,), moves on.
    """
    leading = structural_parents(genes, fitness, first, second)
    other = first + second - leading
    children: Genes = _mate(stream, genes, leading, other, averaging, disabling)
    return children


def structural_parents(genes: Genes, fitness: Floats, first: Ints, second: Ints) -> Ints:
    """Return of each pair the parent whose nodes and links the child has: the fitter, or the one with fewer links."""
    links = np.diff(genes.link_offsets)
    equal, better = fitness[second] == fitness[first], fitness[second] > fitness[first]
    return np.where(better | (equal & (links[second] < links[first])), second, first)


@njit(cache=True)
def _mate(stream: Any, genes: Any, leading: Any, other: Any, averaging: float, disabling: float) -> Any:
    children = leading.size
    node_offsets, link_offsets = np.zeros(children + 1, np.int64), np.zeros(children + 1, np.int64)
    for child in range(children):
        one = leading[child]
        nodes = genes.node_offsets[one + 1] - genes.node_offsets[one]
        node_offsets[child + 1] = node_offsets[child] + nodes
        link_offsets[child + 1] = link_offsets[child] + genes.link_offsets[one + 1] - genes.link_offsets[one]
    made = empty_genes(genes, node_offsets, link_offsets)
    for child in range(children):
        one, two = leading[child], other[child]
        averaged = one != two and random(stream) < averaging
        at, match, end = node_offsets[child], genes.node_offsets[two], genes.node_offsets[two + 1]
        for node in range(genes.node_offsets[one], genes.node_offsets[one + 1]):
            chosen = node
            if one != two:
                while match < end and genes.ids[match] < genes.ids[node]:
                    match += 1
                if match < end and genes.ids[match] == genes.ids[node] and random(stream) < 0.5:
                    chosen = match
            copy_node(genes, chosen, made, at)
            at += 1
        at, match, end = link_offsets[child], genes.link_offsets[two], genes.link_offsets[two + 1]
        for link in range(genes.link_offsets[one], genes.link_offsets[one + 1]):
            copy_link(genes, link, made, at)
            if one != two:
                while match < end and genes.innovations[match] < genes.innovations[link]:
                    match += 1
                if match < end and genes.innovations[match] == genes.innovations[link]:
                    if averaged:
                        made.weights[at] = 0.5 * (genes.weights[link] + genes.weights[match])
                    elif random(stream) < 0.5:
                        made.weights[at] = genes.weights[match]
                    if not (genes.enabled[link] and genes.enabled[match]):
                        made.enabled[at] = random(stream) >= disabling
            at += 1
    return made
