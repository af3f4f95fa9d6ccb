"""Reproduction in species: how many children each has, and of which parents.

Stanley & Miikkulainen 2002, "Evolving Neural Networks through Augmenting Topologies", sections 3.3 and 4.1. Species
share fitness explicitly (Goldberg & Richardson 1987): each member's is divided by their number.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evo.envs.engine.compile import njit
from evo.envs.engine.random import random
from evo.operators.graph_distance import distance
from evo.operators.graph_genes import Floats, Genes, Ints


class Breeding(NamedTuple):
    """How parents are chosen.

    survival: share of a species that may be parents, the fittest of it; one more at least. champion_size: a species
    with more children than this copies its fittest unchanged. mutation_only: chance of a child of one parent.
    interspecies: chance that the second parent is another species' fittest. mating_only: chance that a child of two is
    not mutated.
    """

    survival: float
    champion_size: int
    mutation_only: float
    interspecies: float
    mating_only: float


class Plan(NamedTuple):
    """Of each child: the first and the second parent, int64 (children,), and whether it is mutated, bool (children,).

    A child of one parent has it twice.
    """

    first: Ints
    second: Ints
    mutated: NDArray[np.bool_]


def count_from_worst(fitness: Floats) -> Floats:
    """Return fitness, (individuals,), counted from the worst where that is negative, in a unit of 2⁶⁴.

    In such a unit sums of finite fitness are finite, and shares are the same to the bit.
    """
    scaled = fitness * 2.0**-64
    return scaled - min(0.0, float(scaled.min()))


def shares(fitness: Floats, species: Ints, fertile: NDArray[np.bool_], children: int) -> Ints:
    """Return how many children each species has, int64 (species,), in proportion to its members' mean fitness.

    fitness: >= 0, (individuals,). species: the species of each, (individuals,). fertile: bool (species,), those that
    have any. What rounding leaves goes to the one with the most.
    """
    return _shares(fitness, species, fertile, children)


@njit(cache=True)
def _shares(fitness: Any, species: Any, fertile: Any, children: int) -> Any:
    count = fertile.size
    shared, sizes = np.zeros(count), np.zeros(count)
    for individual in range(fitness.size):
        shared[species[individual]] += fitness[individual]
        sizes[species[individual]] += 1
    total = 0.0
    for index in range(count):
        shared[index] = shared[index] / sizes[index] if fertile[index] else 0.0
        total += shared[index]
    if not total > 0:  # nobody is better than the worst
        shared[:] = fertile
        total = shared.sum()
    offspring, carried, given = np.zeros(count, np.int64), 0.0, 0
    for index in range(count):
        carried += shared[index] / total * children
        offspring[index] = int(carried)
        carried -= offspring[index]
        given += offspring[index]
    offspring[np.argmax(shared)] += children - given
    return offspring


def choose_parents(
    stream: Any,
    genes: Genes,
    fitness: Floats,
    species: Ints,
    offspring: Ints,
    breeding: Breeding,
    compatibility: Any,
) -> Plan:
    """Return the parents of as many children as each species has, int64 (species,), one species after the other.

    A child of parents that do not differ is mutated in any case. compatibility: coefficients of the distance by which
    they do. stream: uint64 (4,), moves on.
    """
    return Plan(*_choose(stream, genes, fitness, species, offspring, breeding, compatibility))


@njit(cache=True)
def _choose(
    stream: Any, genes: Any, fitness: Any, species: Any, offspring: Any, breeding: Any, compatibility: Any
) -> Any:
    count = offspring.size
    starts = np.zeros(count + 1, np.int64)
    for individual in range(species.size):
        starts[species[individual] + 1] += 1
    starts = np.cumsum(starts)
    members, filled = np.empty(species.size, np.int64), starts.copy()
    for individual in np.argsort(-fitness, kind="mergesort"):  # the fittest of each species first
        members[filled[species[individual]]] = individual
        filled[species[individual]] += 1
    children = offspring.sum()
    first, second, mutated = np.empty(children, np.int64), np.empty(children, np.int64), np.ones(children, np.bool_)
    child = 0
    for index in range(count):
        begin, size = starts[index], starts[index + 1] - starts[index]
        pool = min(int(breeding.survival * size) + 1, size)
        for number in range(offspring[index]):
            if number == 0 and offspring[index] > breeding.champion_size:
                first[child] = second[child] = members[begin]
                mutated[child] = False
                child += 1
                continue
            first[child] = second[child] = members[begin + int(random(stream) * pool)]
            if random(stream) >= breeding.mutation_only:
                if count > 1 and random(stream) < breeding.interspecies:
                    other = int(random(stream) * (count - 1))
                    second[child] = members[starts[other + (other >= index)]]
                else:
                    second[child] = members[begin + int(random(stream) * pool)]
                one, two = first[child], second[child]
                if random(stream) < breeding.mating_only and one != two:
                    mutated[child] = distance(genes, one, genes, two, compatibility) == 0.0
            child += 1
    return first, second, mutated
