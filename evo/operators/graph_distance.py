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
    here = genes.innovations, genes.weights, genes.link_offsets[one], genes.link_offsets[one + 1]
    there = others.innovations, others.weights, others.link_offsets[two], others.link_offsets[two + 1]
    return _distance(*here, *there, compatibility)


@njit(cache=True)
def _distance(
    mine: Any, weights: Any, here: int, end: int, theirs: Any, others: Any, there: int, stop: int, compatibility: Any
) -> float:
    """Return the distance of two genomes: innovation numbers and weights, from here to before end and there to stop."""
    larger = max(end - here, stop - there)
    disjoint, matching, difference = 0, 0, 0.0
    while here < end and there < stop:
        if mine[here] == theirs[there]:
            difference += abs(weights[here] - others[there])
            matching += 1
            here += 1
            there += 1
        elif mine[here] < theirs[there]:
            disjoint += 1
            here += 1
        else:
            disjoint += 1
            there += 1
    excess = (end - here) + (stop - there)
    return _counted(excess, disjoint, larger, compatibility) + (
        compatibility.weights * difference / matching if matching else 0.0
    )


@njit(cache=True)
def _counted(excess: int, disjoint: int, larger: int, compatibility: Any) -> float:
    """Return what genes without a match are of the distance, where the larger genome has so many links."""
    counts = compatibility.excess * excess + compatibility.disjoint * disjoint
    return counts / larger if 0 < compatibility.divided_from <= larger else counts


@njit(cache=True)
def _is_far(mine: Any, begin: int, end: int, theirs: Any, start: int, stop: int, threshold: float, rule: Any) -> bool:
    """Return whether two genomes' newest genes show that they are at the threshold or beyond it, as those of most do.

    What has no match only adds to the distance. mine, theirs: innovation numbers, of the genomes from begin to before
    end and from start to before stop. rule: the coefficients.
    """
    larger = max(end - begin, stop - start)
    here, there, excess, disjoint = end - 1, stop - 1, 0, 0
    while here >= begin and (stop == start or mine[here] > theirs[stop - 1]):
        excess += 1
        here -= 1
    while there >= start and (end == begin or theirs[there] > mine[end - 1]):
        excess += 1
        there -= 1
    if _counted(excess, disjoint, larger, rule) >= threshold:
        return True
    while here >= begin and there >= start:
        if mine[here] == theirs[there]:
            here -= 1
            there -= 1
            continue
        if mine[here] > theirs[there]:
            here -= 1
        else:
            there -= 1
        disjoint += 1
        if _counted(excess, disjoint, larger, rule) >= threshold:
            return True
    return False


def divide(genes: Genes, former: Genes, representatives: Ints, threshold: float, compatibility: Compatibility) -> Ints:
    """Return the species of each genome, int64 (genomes,): the first whose representative is nearer than the threshold.

    representatives: the genomes of `former`, the generation before, that stand for species 0, 1, …; a genome that is
    near to none founds the next species and stands for it.
    """
    links = [(each.innovations, each.weights, each.link_offsets) for each in (genes, former)]
    return _divide(*links[0], *links[1], representatives, threshold, compatibility)


@njit(cache=True)
def _divide(
    numbers: Any,
    weights: Any,
    offsets: Any,
    old_numbers: Any,
    old_weights: Any,
    old_offsets: Any,
    representatives: Any,
    threshold: float,
    compatibility: Any,
) -> Any:
    count, known = offsets.size - 1, representatives.size
    species, founders, founded = np.empty(count, np.int64), np.empty(count, np.int64), 0
    for genome in range(count):
        begin, end = offsets[genome], offsets[genome + 1]
        found = -1
        for index in range(known):
            start, stop = old_offsets[representatives[index]], old_offsets[representatives[index] + 1]
            if _is_far(old_numbers, start, stop, numbers, begin, end, threshold, compatibility):
                continue
            apart = _distance(old_numbers, old_weights, start, stop, numbers, weights, begin, end, compatibility)
            if apart < threshold:
                found = index
                break
        if found < 0:
            for index in range(founded):
                start, stop = offsets[founders[index]], offsets[founders[index] + 1]
                if _is_far(numbers, start, stop, numbers, begin, end, threshold, compatibility):
                    continue
                if _distance(numbers, weights, start, stop, numbers, weights, begin, end, compatibility) < threshold:
                    found = known + index
                    break
        if found < 0:
            found = known + founded
            founders[founded] = genome
            founded += 1
        species[genome] = found
    return species
