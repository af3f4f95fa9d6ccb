"""Crossover: `f(random, first, second, *, options)` returns one child of each pair of parents.

`first` and `second` are (individuals, genes), of one dtype: real, integer or boolean; the parents of child i are their
rows i, and the children have their shape and dtype. Every gene of a child is that gene of one of its parents. For the
other child of a pair, swap the parents. A bad option is a ValueError of one line.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.numerics.validation import number_between
from evo.operators.genomes import Genomes, check_parents


def uniform_crossover(
    random: np.random.Generator, first: Genomes, second: Genomes, *, probability: float = 0.5
) -> Genomes:
    """Take each gene from either parent at even odds with `probability`; otherwise copy the first parent.

    Syswerda 1989, "Uniform Crossover in Genetic Algorithms".
    """
    check_parents(first, second)
    number_between("probability", probability, 0, 1)
    has_two_parents = random.random(len(first)) < probability  # (individuals,)
    from_second = random.integers(2, size=first.shape, dtype=np.bool_)  # (individuals, genes)
    return np.where(has_two_parents[:, np.newaxis] & from_second, second, first)


def no_crossover(random: np.random.Generator, first: Genomes, second: Genomes) -> Genomes:
    """Copy the first parent: mutation alone makes the difference, as in evolutionary programming.

    Fogel, Owens & Walsh 1966, "Artificial Intelligence through Simulated Evolution".
    """
    check_parents(first, second)
    return first.copy()


def one_point_crossover(random: np.random.Generator, first: Genomes, second: Genomes) -> Genomes:
    """Join the first parent's head to the second's tail at a random cut between two genes; a lone gene is the first's.

    Holland 1975, "Adaptation in Natural and Artificial Systems".
    """
    check_parents(first, second)
    individuals, genes = first.shape
    cuts = random.integers(1, max(genes, 2), size=(individuals, 1))
    return np.where(np.arange(genes) < cuts, first, second)


def two_point_crossover(random: np.random.Generator, first: Genomes, second: Genomes) -> Genomes:
    """Copy the first parent, with the genes between two cuts from the second.

    The genome is a ring, cut at two of its `genes` gaps, every pair equally likely; a lone gene is the first's. De Jong
    1975, "An Analysis of the Behavior of a Class of Genetic Adaptive Systems".
    """
    check_parents(first, second)
    individuals, genes = first.shape
    start, stop = two_places(random, individuals, 1, max(genes, 2))  # gap g comes before gene g; the last is the first
    positions = np.arange(genes)
    return np.where((start <= positions) & (positions < stop), second, first)


def group_crossover(random: np.random.Generator, first: Genomes, second: Genomes, *, groups: ArrayLike) -> Genomes:
    """Take all genes of a group from the same parent, either at even odds; `groups` is (genes,), a label for each gene.

    With the incoming weights of a neuron as a group this is the crossover of nodes: Montana & Davis 1989, "Training
    Feedforward Neural Networks Using Genetic Algorithms".
    """
    check_parents(first, second)
    labels = np.asarray(groups)
    if labels.shape != first.shape[1:] or labels.dtype.kind not in "iu":
        raise ValueError(f"groups of {labels.dtype} and shape {labels.shape}: must be {first.shape[1]} whole numbers")
    names, group = np.unique(labels, return_inverse=True)  # group: (genes,), in [0, len(names))
    from_second = random.integers(2, size=(len(first), len(names)), dtype=np.bool_)  # (individuals, groups)
    return np.where(from_second[:, group], second, first)


def two_places(
    random: np.random.Generator, individuals: int, least: int, most: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Draw two different whole numbers in [least, most], the lesser and the greater, each (individuals, 1).

    Every pair is equally likely; `most` must exceed `least`.
    """
    one = random.integers(least, most, size=(individuals, 1), endpoint=True)
    other = random.integers(least, most, size=(individuals, 1))
    other += other >= one  # skips `one`
    return np.minimum(one, other), np.maximum(one, other)
