"""Permutation genomes: every row is a permutation of 0 … genes - 1, int64, (individuals, genes).

The crossovers are `f(random, first, second)`, the mutations `f(random, population, *, options)`; the mutations only
move genes, so they suit genomes of any kind. Anything else, or fewer than two genes, is a ValueError of one line.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evo.envs.engine.compile import njit
from evo.numerics.validation import whole_number
from evo.operators.crossover import two_places
from evo.operators.genomes import Genomes, check_parents

Permutations = NDArray[np.int64]


def partially_mapped_crossover(random: np.random.Generator, first: Permutations, second: Permutations) -> Permutations:
    """PMX: copy a segment of the first parent; elsewhere copy the second's genes, mapped through the segment if taken.

    Where the second has a gene that the segment holds already, the child gets what the second has at the place of that
    gene in the segment, and so on until it is new. Segments are all equally likely. Goldberg & Lingle 1985, "Alleles,
    Loci, and the Traveling Salesman Problem".
    """
    first, second = _check(first, second)
    start, stop = two_places(random, len(first), 0, first.shape[1])
    children = np.empty_like(first)
    _map_partially(first, second, start[:, 0], stop[:, 0], children)
    return children


def order_crossover(random: np.random.Generator, first: Permutations, second: Permutations) -> Permutations:
    """OX: copy a segment of the first parent; fill in the other genes in the second's order, from the segment's end on.

    Segments are all equally likely. Davis 1985, "Applying Adaptive Algorithms to Epistatic Domains".
    """
    first, second = _check(first, second)
    start, stop = two_places(random, len(first), 0, first.shape[1])
    children = np.empty_like(first)
    _follow_order(first, second, start[:, 0], stop[:, 0], children)
    return children


def swap_mutation(random: np.random.Generator, population: Genomes, *, swaps: int = 1) -> Genomes:
    """Swap two different genes of each genome, drawn uniformly, `swaps` >= 1 times in succession.

    Banzhaf 1990, "The 'Molecular' Traveling Salesman".
    """
    mutants = population.copy()
    rows = np.arange(len(population))[:, np.newaxis]
    for _ in range(whole_number("swaps", swaps, 1)):
        places = np.hstack(_two_genes(random, population))  # (individuals, 2)
        mutants[rows, places] = mutants[rows, places[:, ::-1]]
    return mutants


def inversion_mutation(random: np.random.Generator, population: Genomes) -> Genomes:
    """Reverse the genes of each genome between two places, drawn uniformly and both included.

    Holland 1975, "Adaptation in Natural and Artificial Systems"; on tours it is 2-opt's move.
    """
    start, end = _two_genes(random, population)
    places = np.arange(population.shape[1])
    inside = (start <= places) & (places <= end)
    return np.take_along_axis(population, np.where(inside, start + end - places, places), axis=1)


def scramble_mutation(random: np.random.Generator, population: Genomes) -> Genomes:
    """Shuffle the genes of each genome between two places, drawn uniformly and both included.

    Syswerda 1991, "Schedule Optimization Using Genetic Algorithms".
    """
    start, end = _two_genes(random, population)
    places = np.arange(population.shape[1])
    inside = (start <= places) & (places <= end)
    # Sorting by random keys shuffles; keys in [start, end + 1) stay clear of the places outside.
    keys = np.where(inside, start + (end + 1 - start) * random.random(population.shape), places)
    return np.take_along_axis(population, np.argsort(keys, axis=1, kind="stable"), axis=1)


def _two_genes(random: np.random.Generator, population: Genomes) -> tuple[NDArray[Any], NDArray[Any]]:
    individuals, genes = population.shape
    if genes < 2:
        raise ValueError(f"population of shape {population.shape}: must have at least 2 genes to move")
    return two_places(random, individuals, 0, genes - 1)


def _check(first: Permutations, second: Permutations) -> tuple[Permutations, Permutations]:
    check_parents(first, second)
    first, second = np.ascontiguousarray(first), np.ascontiguousarray(second)  # of one layout: kernels compile once
    # The kernels index by genes: only permutations keep them within the arrays.
    if first.dtype != np.int64 or first.shape[1] < 2 or not (are_permutations(first) and are_permutations(second)):
        raise ValueError("parents: must be int64 and every row a permutation of 0 … genes - 1, of at least 2 genes")
    return first, second


@njit(cache=True)
def are_permutations(rows: Any) -> bool:
    """Return whether every row, int64 (individuals, genes) and contiguous, is a permutation of 0 … genes - 1."""
    individuals, genes = rows.shape
    seen_in = np.full(genes, -1)  # the last row that had the gene
    for individual in range(individuals):
        for place in range(genes):
            gene = rows[individual, place]
            if not 0 <= gene < genes or seen_in[gene] == individual:
                return False
            seen_in[gene] = individual
    return True


@njit(cache=True)
def _map_partially(first: Any, second: Any, start: Any, stop: Any, children: Any) -> None:
    individuals, genes = first.shape
    place_in_first = np.empty(genes, dtype=np.int64)
    for individual in range(individuals):
        for place in range(genes):
            place_in_first[first[individual, place]] = place
        for place in range(genes):
            if start[individual] <= place < stop[individual]:
                children[individual, place] = first[individual, place]
                continue
            gene = second[individual, place]
            while start[individual] <= place_in_first[gene] < stop[individual]:
                gene = second[individual, place_in_first[gene]]
            children[individual, place] = gene


@njit(cache=True)
def _follow_order(first: Any, second: Any, start: Any, stop: Any, children: Any) -> None:
    individuals, genes = first.shape
    taken_by = np.full(genes, -1)  # the last child whose segment has the gene
    for individual in range(individuals):
        for place in range(start[individual], stop[individual]):
            children[individual, place] = first[individual, place]
            taken_by[first[individual, place]] = individual
        place = stop[individual]
        for step in range(genes):
            gene = second[individual, (stop[individual] + step) % genes]
            if taken_by[gene] != individual:
                children[individual, place % genes] = gene
                place += 1
