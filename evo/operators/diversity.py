"""Diversity maintenance: fitness sharing and deterministic crowding.

Genomes are (individuals, genes); their distance is Euclidean for numbers, and Hamming's, the number of genes that
differ, for booleans. Sums are in order of index.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evo.envs.engine.compile import njit
from evo.numerics.validation import positive_number
from evo.operators.genomes import Genomes, check_parents
from evo.operators.selection import windowed_fitness

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


def fitness_sharing(population: Genomes, fitness: Floats, *, radius: float, alpha: float = 1.0) -> Floats:
    """Share fitness among individuals nearer than `radius` > 0, (individuals,), so that a peak holds a limited number.

    Each fitness is divided by its niche count, the sum over all, itself included, of 1 - (distance / radius)^alpha
    where that is positive, `alpha` > 0. The shared fitness is windowed as in roulette selection: shifted so that the
    least is 0, and all ones where all are equal. Goldberg & Richardson 1987, "Genetic Algorithms with Sharing for
    Multimodal Function Optimization".
    """
    positive_number("radius", radius)
    positive_number("alpha", alpha)
    if population.ndim != 2 or fitness.shape != population.shape[:1]:
        raise ValueError(f"fitness of shape {fitness.shape}: must be one an individual of {population.shape}")
    # With squared distances, (distance / radius)^alpha is (square / radius^2)^(alpha / 2); Hamming's is its own square.
    limit, exponent = (radius, alpha) if population.dtype == np.bool_ else (radius * radius, alpha / 2)
    return windowed_fitness(fitness) / _niche_counts(_numbers(population), limit, exponent)


def deterministic_crowding(
    population: Genomes, fitness: Floats, children: Genomes, children_fitness: Floats
) -> Indices:
    """Choose each place's survivor, (individuals,): parent i, or its child j if fitter, as individuals + j.

    Rows 2k and 2k + 1 of `population` are the parents of the same rows of `children`. Each of the two children competes
    with one of the two parents, matched for the smaller sum of distances, straight where equal; a child must be
    strictly fitter. Mahfoud 1995, "Niching Methods for Genetic Algorithms", section 5.2.
    """
    check_parents(population, children)
    individuals = len(population)
    if individuals % 2 or fitness.shape != (individuals,) or children_fitness.shape != (individuals,):
        raise ValueError(f"{individuals} parents: must be pairs, each with a fitness, as must the children")
    crosswise = np.arange(individuals) ^ 1  # 1, 0, 3, 2, …
    straight = _distances(population, children)
    crossed = _distances(population, children[crosswise])
    is_crossed = np.repeat(crossed[0::2] + crossed[1::2] < straight[0::2] + straight[1::2], 2)
    rivals = np.where(is_crossed, crosswise, np.arange(individuals))
    return np.where(children_fitness[rivals] > fitness, individuals + rivals, np.arange(individuals))


def _distances(first: Genomes, second: Genomes) -> Floats:
    """Return the distance of each row of `first` to that of `second`, (individuals,)."""
    squares: Floats = _squared_distances(_numbers(first), _numbers(second))
    return squares if first.dtype == np.bool_ else np.sqrt(squares)


def _numbers(genomes: Genomes) -> Floats:
    return np.ascontiguousarray(genomes, dtype=np.float64)  # in one memory layout, so that the kernels compile once


@njit(cache=True)
def _squared_distances(first: Any, second: Any) -> Any:
    squares = np.zeros(len(first))
    for individual in range(len(first)):
        for gene in range(first.shape[1]):
            difference = first[individual, gene] - second[individual, gene]
            squares[individual] += difference * difference
    return squares


@njit(cache=True)
def _niche_counts(population: Any, limit: float, exponent: float) -> Any:
    """Return sums of 1 - (squared distance / limit)^exponent where positive, (individuals,), in order of index."""
    individuals, genes = population.shape
    counts = np.zeros(individuals)
    for one in range(individuals):
        counts[one] += 1.0  # itself; earlier individuals have added their shares already
        for other in range(one + 1, individuals):
            square = 0.0
            for gene in range(genes):
                difference = population[one, gene] - population[other, gene]
                square += difference * difference
                if square >= limit:
                    break
            if square < limit:
                sharing = 1.0 - (square / limit) ** exponent
                counts[one] += sharing
                counts[other] += sharing
    return counts
