"""Operators on orders: permutations stay permutations, the crossovers equal the papers', and moves are even."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from evo.numerics.randomness import generator
from evo.operators.crossover import two_places
from evo.operators.permutation import (
    inversion_mutation,
    order_crossover,
    partially_mapped_crossover,
    scramble_mutation,
    swap_mutation,
)

Permutations = NDArray[np.int64]
Operator = Callable[..., Permutations]

seeds = st.integers(0, 2**64)
individuals = st.integers(0, 6)
lengths = st.integers(2, 12)


def permutations(seed: int, purpose: str, count: int, genes: int) -> Permutations:
    return generator(seed, purpose).permuted(np.tile(np.arange(genes), (count, 1)), axis=1)


# Crossover


def plain_partially_mapped(first: list[int], second: list[int], start: int, stop: int) -> list[int]:
    """Goldberg & Lingle's mapping as a dictionary: a gene of the segment stands for what the second has there."""
    mapping = dict(zip(first[start:stop], second[start:stop], strict=True))

    def free(gene: int) -> int:
        return free(mapping[gene]) if gene in mapping else gene

    return [free(gene) for gene in second[:start]] + first[start:stop] + [free(gene) for gene in second[stop:]]


def plain_order(first: list[int], second: list[int], start: int, stop: int) -> list[int]:
    """Davis's fill: what the segment lacks, in the second's order, both read round from the segment's end."""
    segment = first[start:stop]
    others = [gene for gene in second[stop:] + second[:stop] if gene not in segment]
    after = len(first) - stop
    return others[after:] + segment + others[:after]


def test_the_plain_twins_make_the_textbooks_children() -> None:
    """Eiben & Smith 2003, "Introduction to Evolutionary Computing", section 3.5.4: figures 3.10 to 3.13."""
    first, second = [1, 2, 3, 4, 5, 6, 7, 8, 9], [9, 3, 7, 8, 2, 6, 5, 1, 4]
    assert plain_partially_mapped(first, second, 3, 7) == [9, 3, 2, 4, 5, 6, 7, 1, 8]
    assert plain_order(first, second, 3, 7) == [3, 8, 2, 4, 5, 6, 7, 1, 9]


@pytest.mark.parametrize(
    ("crossover", "plain"),
    [(partially_mapped_crossover, plain_partially_mapped), (order_crossover, plain_order)],
)
@given(seed=seeds, count=individuals, genes=lengths)
def test_crossover_of_orders_equals_its_plain_twin(
    crossover: Operator, plain: Callable[..., list[int]], seed: int, count: int, genes: int
) -> None:
    first, second = permutations(seed, "first", count, genes), permutations(seed, "second", count, genes)
    before = first.copy(), second.copy()
    start, stop = two_places(generator(seed, "crossover"), count, 0, genes)
    children = crossover(generator(seed, "crossover"), first, second)
    assert children.dtype == np.int64
    assert children.shape == (count, genes)
    np.testing.assert_array_equal((first, second), before)
    for child, one, other, begin, end in zip(children, first, second, start[:, 0], stop[:, 0], strict=True):
        assert child.tolist() == plain(one.tolist(), other.tolist(), begin, end)
        assert sorted(child) == list(range(genes))


@pytest.mark.parametrize("crossover", [partially_mapped_crossover, order_crossover])
def test_rows_of_any_layout_have_the_same_children(crossover: Operator) -> None:
    both = permutations(0, "parents", 20, 9)
    children = crossover(generator(0, "crossover"), both[::2].copy(), both[1::2].copy())
    np.testing.assert_array_equal(crossover(generator(0, "crossover"), both[::2], both[1::2]), children)


@pytest.mark.parametrize("crossover", [partially_mapped_crossover, order_crossover])
@pytest.mark.parametrize(
    "bad",
    [
        np.array([[0, 1, 1]]),
        np.array([[0, 1, 3]]),
        np.array([[-1, 0, 1]]),
        np.array([[1, 2, 3]]),
        np.array([[0, 1, 2]], dtype=np.int32),
        np.array([[0.0, 1.0, 2.0]]),
        np.array([[0]]),
    ],
)
def test_what_is_no_permutation_is_refused(crossover: Operator, bad: NDArray[Any]) -> None:
    good = np.arange(bad.shape[1], dtype=bad.dtype)[np.newaxis]
    for first, second in ((bad, good), (good, bad)):
        with pytest.raises(ValueError, match="must be int64 and every row a permutation"):
            crossover(generator(0, "crossover"), first, second)


def test_two_places_are_different_and_every_pair_equally_likely() -> None:
    lesser, greater = two_places(generator(0, "places"), 20_000, 3, 6)
    pairs, counts = np.unique(np.hstack([lesser, greater]), axis=0, return_counts=True)
    assert pairs.tolist() == [list(pair) for pair in itertools.combinations(range(3, 7), 2)]
    assert scipy.stats.chisquare(counts).pvalue > 1e-9  # would fail one true generator in a billion


# Mutation

every_mutation = pytest.mark.parametrize("mutation", [swap_mutation, inversion_mutation, scramble_mutation])


@every_mutation
@given(seed=seeds, count=individuals, genes=lengths)
def test_mutants_of_orders_are_orders(mutation: Operator, seed: int, count: int, genes: int) -> None:
    population = permutations(seed, "population", count, genes)
    before = population.copy()
    mutants = mutation(generator(seed, "mutation"), population)
    assert mutants.dtype == np.int64
    assert mutants.shape == population.shape
    np.testing.assert_array_equal(np.sort(mutants, axis=1), np.sort(population, axis=1))
    np.testing.assert_array_equal(population, before)
    np.testing.assert_array_equal(mutation(generator(seed, "mutation"), population), mutants)


@every_mutation
def test_a_lone_gene_cannot_move(mutation: Operator) -> None:
    with pytest.raises(ValueError, match="at least 2 genes"):
        mutation(generator(0, "mutation"), np.zeros((3, 1)))


@every_mutation
def test_genes_of_any_kind_move(mutation: Operator) -> None:
    population = np.tile(np.array([0.5, -2.0, 7.25]), (50, 1))
    mutants = mutation(generator(0, "mutation"), population)
    assert mutants.dtype == np.float64
    assert not np.array_equal(mutants, population)
    np.testing.assert_array_equal(np.sort(mutants, axis=1), np.sort(population, axis=1))


def swapped(order: list[int], start: int, end: int) -> list[list[int]]:
    order = order.copy()
    order[start], order[end] = order[end], order[start]
    return [order]


def inverted(order: list[int], start: int, end: int) -> list[list[int]]:
    return [order[:start] + order[start : end + 1][::-1] + order[end + 1 :]]


def scrambled(order: list[int], start: int, end: int) -> list[list[int]]:
    shuffles = itertools.permutations(order[start : end + 1])
    return [order[:start] + list(shuffle) + order[end + 1 :] for shuffle in shuffles]


@pytest.mark.parametrize(
    ("mutation", "outcomes"),
    [(swap_mutation, swapped), (inversion_mutation, inverted), (scramble_mutation, scrambled)],
)
def test_every_move_has_its_exact_probability(
    mutation: Operator, outcomes: Callable[[list[int], int, int], list[list[int]]]
) -> None:
    order, mutants = [0, 1, 2, 3], 30_000
    probabilities: dict[tuple[int, ...], float] = {}
    for start, end in itertools.combinations(range(4), 2):
        possible = outcomes(order, start, end)
        for outcome in possible:
            probabilities[tuple(outcome)] = probabilities.get(tuple(outcome), 0) + 1 / 6 / len(possible)
    made = mutation(generator(0, "mutation"), np.tile(order, (mutants, 1)))
    found, counts = np.unique(made, axis=0, return_counts=True)
    assert [tuple(row) for row in found.tolist()] == sorted(probabilities)
    expected = mutants * np.array([probabilities[outcome] for outcome in sorted(probabilities)])
    assert scipy.stats.chisquare(counts, expected).pvalue > 1e-9


def test_swaps_follow_one_another() -> None:
    mutants = swap_mutation(generator(0, "mutation"), np.tile(np.arange(3), (20_000, 1)), swaps=2)
    # Two swaps make an even permutation: the three rotations, each pair of swaps equally likely.
    found, counts = np.unique(mutants, axis=0, return_counts=True)
    assert found.tolist() == [[0, 1, 2], [1, 2, 0], [2, 0, 1]]
    assert scipy.stats.chisquare(counts).pvalue > 1e-9
    with pytest.raises(ValueError, match="swaps=0: must be a whole number >= 1"):
        swap_mutation(generator(0, "mutation"), np.tile(np.arange(3), (2, 1)), swaps=0)
