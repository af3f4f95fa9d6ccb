"""Lexicase selection against the papers' loop on lists, and its exact probabilities."""

import itertools
import statistics
from collections.abc import Callable

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from evo.numerics.randomness import generator
from evo.operators.lexicase import epsilon_lexicase_selection, lexicase_selection

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

scores = st.floats(-1e100, 1e100) | st.integers(-3, 3).map(float)  # many ties
tables_of_cases = st.tuples(st.integers(1, 8), st.integers(1, 5)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=scores)
)
seeds = st.integers(0, 2**64)


def left_at_the_end(cases: list[list[float]], order: list[int], epsilon: list[float]) -> list[int]:
    """Those left when the cases have been gone through in order: the papers' loop, on lists."""
    pool = list(range(len(cases)))
    for case in order:
        elite = max(cases[individual][case] for individual in pool)
        pool = [individual for individual in pool if cases[individual][case] >= elite - epsilon[case]]
    return pool


def no_epsilon(cases: list[list[float]]) -> list[float]:
    return [0.0] * len(cases[0])


def median_absolute_deviations(cases: list[list[float]]) -> list[float]:
    columns = list(zip(*cases, strict=True))
    centres = [statistics.median(column) for column in columns]
    return [
        statistics.median(abs(value - centre) for value in column)
        for column, centre in zip(columns, centres, strict=True)
    ]


both_lexicases = pytest.mark.parametrize(
    ("selection", "epsilons"),
    [(lexicase_selection, no_epsilon), (epsilon_lexicase_selection, median_absolute_deviations)],
)


@both_lexicases
@given(cases=tables_of_cases, seed=seeds)
def test_lexicase_equals_its_plain_twin(
    selection: Callable[..., Indices], epsilons: Callable[..., list[float]], cases: Floats, seed: int
) -> None:
    random = generator(seed, "selection")
    orders = random.permuted(np.tile(np.arange(cases.shape[1]), (10, 1)), axis=1)
    ties = random.random(10)
    listed = cases.tolist()
    pools = [left_at_the_end(listed, order.tolist(), epsilons(listed)) for order in orders]
    twin = [pool[int(tie * len(pool))] for pool, tie in zip(pools, ties, strict=True)]
    assert selection(generator(seed, "selection"), cases, 10).tolist() == twin


@both_lexicases
def test_lexicase_selects_with_its_exact_probabilities(
    selection: Callable[..., Indices], epsilons: Callable[..., list[float]]
) -> None:
    cases = [[9.0, 0.0, 1.0], [1.0, 8.0, 2.0], [4.0, 4.0, 4.0], [4.0, 7.5, 4.0], [1.0, 8.0, 2.0], [0.0, 0.0, 0.0]]
    probabilities = np.zeros(len(cases))
    for order in itertools.permutations(range(3)):
        pool = left_at_the_end(cases, list(order), epsilons(cases))
        probabilities[pool] += 1 / 6 / len(pool)
    possible = probabilities > 0
    assert 0 < possible.sum() < len(cases)
    counts = np.bincount(selection(generator(0, "selection"), np.array(cases), 30_000), minlength=len(cases))
    assert counts[~possible].sum() == 0
    # The chi-square test would fail one true selection in a billion.
    assert scipy.stats.chisquare(counts[possible], 30_000 * probabilities[possible], sum_check=False).pvalue > 1e-9


@given(tables_of_cases, seeds)
def test_lexicase_never_selects_the_dominated(cases: Floats, seed: int) -> None:
    for parent in lexicase_selection(generator(seed, "selection"), cases, 10):
        dominates = (cases >= cases[parent]).all(axis=1) & (cases > cases[parent]).any(axis=1)
        assert not dominates.any()


def test_a_specialist_is_a_parent_though_its_sum_is_the_least() -> None:
    cases = np.array([[10.0, -100.0, -100.0], [9.0, 9.0, 8.0], [9.0, 8.0, 9.0]])
    counts = np.bincount(lexicase_selection(generator(0, "selection"), cases, 3000), minlength=3)
    assert scipy.stats.chisquare(counts).pvalue > 1e-9


def test_cases_must_be_a_table() -> None:
    for selection in (lexicase_selection, epsilon_lexicase_selection):
        with pytest.raises(ValueError, match=r"cases of shape \(3,\): must be finite and \(individuals, cases\)"):
            selection(generator(0, "selection"), np.zeros(3), 2)


def test_cases_may_be_whole_numbers_or_passes() -> None:
    passed = np.array([[True, False], [False, False]])
    for cases in (passed.astype(np.int64), passed):
        for selection in (lexicase_selection, epsilon_lexicase_selection):
            assert (selection(generator(0, "selection"), cases, 20) == 0).all()
