"""Compatibility distance of graph genomes, and species by it.

Stanley & Miikkulainen 2002, "Evolving Neural Networks through Augmenting Topologies", section 3.3, equation 1:
δ = c₁ E / N + c₂ D / N + c₃ W̄. N is 1 for genomes of fewer than 20 genes; the authors' code never divides.
"""

from typing import Any, NamedTuple

import numpy as np

from evo.envs.engine.compile import njit
from evo.operators.graph_genes import Genes, Ints


class Compatibility(NamedTuple):
    """Coefficients of the distance: c₁ of excess, c₂ of disjoint genes, c₃ of the mean difference of matching weights.

    divided_from: the number of links of the larger genome from which the counts are divided by it; 0 for never.
    """

    excess: float
    disjoint: float
    weights: float
    divided_from: int


def distances(genes: Genes, first: Ints, second: Ints, compatibility: Compatibility) -> Any:
    """Return the distance of each pair of genomes, by their indices, float64 (pairs,)."""
    return _distances(genes, first, second, compatibility)


@njit(cache=True)
def _distances(genes: Any, first: Any, second: Any, compatibility: Any) -> Any:
    found = np.empty(first.size)
    for pair in range(first.size):
        found[pair] = distance(genes, first[pair], genes, second[pair], compatibility)
    return found


@njit(cache=True)
def distance(genes: Any, one: int, others: Any, two: int, compatibility: Any) -> float:
    """Return the distance of genome `one` of some genes from genome `two` of others."""
    here, end = genes.link_offsets[one], genes.link_offsets[one + 1]
    there, others_end = others.link_offsets[two], others.link_offsets[two + 1]
    larger = max(end - here, others_end - there)
    disjoint, matching, difference = 0, 0, 0.0
    while here < end and there < others_end:
        if genes.innovations[here] == others.innovations[there]:
            difference += abs(genes.weights[here] - others.weights[there])
            matching += 1
            here += 1
            there += 1
        elif genes.innovations[here] < others.innovations[there]:
            disjoint += 1
            here += 1
        else:
            disjoint += 1
            there += 1
    excess = (end - here) + (others_end - there)
    counts = compatibility.excess * excess + compatibility.disjoint * disjoint
    if 0 < compatibility.divided_from <= larger:
        counts /= larger
    return counts + (compatibility.weights * difference / matching if matching else 0.0)


def divide(genes: Genes, former: Genes, representatives: Ints, threshold: float, compatibility: Compatibility) -> Ints:
    """Return the species of each genome, int64 (genomes,): the first whose representative is nearer than the threshold.

    representatives: the genomes of `former`, the generation before, that stand for species 0, 1, …; a genome that is
    near to none founds the next species and stands for it.
    """
    return _divide(genes, former, representatives, threshold, compatibility)


@njit(cache=True)
def _divide(genes: Any, former: Any, representatives: Any, threshold: float, compatibility: Any) -> Any:
    count = genes.link_offsets.size - 1
    species, founders, founded = np.empty(count, np.int64), np.empty(count, np.int64), 0
    for genome in range(count):
        found = -1
        for index in range(representatives.size):
            if distance(former, representatives[index], genes, genome, compatibility) < threshold:
                found = index
                break
        if found < 0:
            for index in range(founded):
                if distance(genes, founders[index], genes, genome, compatibility) < threshold:
                    found = representatives.size + index
                    break
        if found < 0:
            found = representatives.size + founded
            founders[founded] = genome
            founded += 1
        species[genome] = found
    return species
