"""Statistics of few seeds: what intervals of them are worth, how often equal methods are told apart, exact p-values."""

import itertools
import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
import scipy.special
import scipy.stats

from evo.comparison import statistics
from evo.comparison.statistics import (
    LEAST_FOR_INTERVAL,
    bootstrap_interval,
    holm,
    interquartile_mean,
    least_p,
    middle_mean,
    rank_test,
    seed_range,
)

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def normal(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return random.normal(size=shape)


def two_kinds(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return random.normal(size=shape) + 10 * (random.random(shape) < 0.5)


def some_stand_still(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.where(random.random(shape) < 0.3, 0.1 * random.normal(size=shape), random.normal(10, 1, shape))


KINDS: dict[str, Draw] = {
    "normal": normal,
    "of two kinds, half and half": two_kinds,
    "three in ten stand still": some_stand_still,
}


def bootstrap_covers(values: np.ndarray, true: float, random: np.random.Generator) -> float:
    """How often the percentile bootstrap of 95 % holds the true value; values (draws, seeds)."""
    seeds = values.shape[1]
    if seeds <= 5:  # all resamples there are, and in how many orders each can be drawn
        chosen = np.array([*itertools.combinations_with_replacement(range(seeds), seeds)])
        counts = (chosen[:, :, None] == np.arange(seeds)).sum(axis=1)
        weights = math.factorial(seeds) / scipy.special.factorial(counts).prod(axis=1)
    else:
        chosen, weights = random.integers(seeds, size=(300, seeds)), np.ones(300)
    middles = middle_mean(values[:, chosen], axis=2)
    order = np.argsort(middles, axis=1)
    shares = np.cumsum(weights[order], axis=1) / weights.sum()
    sorted_middles = np.take_along_axis(middles, order, axis=1)
    low, high = (
        np.take_along_axis(sorted_middles, (shares < share).sum(axis=1, keepdims=True), axis=1)[:, 0]
        for share in (0.025, 0.975)
    )
    return float(np.mean((low <= true) & (true <= high)))


def covered(draw: Draw, seeds: int) -> tuple[float, float, float]:
    """Shares of percentile bootstraps, of Student's t intervals, and of ranges that hold the interquartile mean."""
    random = np.random.default_rng(seeds)
    values, true = draw(random, (1500, seeds)), interquartile_mean(draw(random, (400_000,)))
    margin = scipy.stats.t.ppf(0.975, seeds - 1) * values.std(axis=1, ddof=1) / math.sqrt(seeds)
    student = np.abs(middle_mean(values, axis=1) - true) <= margin
    low, high = np.array([seed_range(row) for row in values]).T
    return bootstrap_covers(values, true, random), float(student.mean()), float(((low <= true) & (true <= high)).mean())


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_intervals_hold_the_truth_as_often_as_the_table_says(seeds: int) -> None:
    table = {}
    for line in (statistics.__doc__ or "").splitlines():
        cells = [cell.strip() for cell in line.split("  ") if cell.strip()]
        if cells and cells[0] == str(seeds):
            table[cells[1]] = [float(cell.removesuffix(" %")) / 100 for cell in cells[2:]]
    assert table.keys() == KINDS.keys()
    for kind, said in table.items():
        found = covered(KINDS[kind], seeds)
        np.testing.assert_allclose(found, said, atol=0.04, err_msg=kind)  # some three standard errors
    # whichever interval of few seeds is printed, a percentage would be wrong
    assert seeds == 10 or all(min(column) < 0.93 for column in zip(*table.values(), strict=True))


def test_an_interval_is_given_from_ten_seeds_on_and_is_the_percentile_bootstraps() -> None:
    values = np.random.default_rng(0).normal(3000, 500, 12)
    for few in (values[: LEAST_FOR_INTERVAL - 1], np.append(values, np.nan)):
        assert np.isnan(bootstrap_interval(few)).all()
    low, high = bootstrap_interval(values)
    assert low < interquartile_mean(values) < high
    assert bootstrap_interval(values[::-1]) == (low, high)  # the same seeds, whatever their order
    drawn = np.random.default_rng(1).choice(values, (40_000, 12))
    other = [scipy.stats.trim_mean(drawn, 0.25, axis=1)]
    np.testing.assert_allclose((low, high), np.quantile(other, (0.025, 0.975)), atol=15)  # a hundredth of its width


@pytest.mark.parametrize("kind", KINDS)
def test_equal_methods_are_told_apart_no_oftener_than_claimed(kind: str) -> None:
    studies, falsely = 1000, 0
    pairs = list(itertools.combinations(range(4), 2))
    for values in KINDS[kind](np.random.default_rng(0), (studies, 4, 5)):
        adjusted = holm({pair: rank_test(values[pair[0]], values[pair[1]]) for pair in pairs})
        falsely += min(adjusted.values()) <= 0.05
    # at most 6 / 126 of them; what a simulation finds is at most three standard errors above
    assert falsely / studies <= 6 / 126 + 3 * math.sqrt(0.05 * 0.95 / studies)


def test_the_rank_test_is_exact() -> None:
    random = np.random.default_rng(0)
    for first, second in itertools.product(range(1, 8), repeat=2):
        one, other = random.normal(size=first), random.normal(size=second) + 1
        expected = scipy.stats.mannwhitneyu(one, other, method="exact").pvalue
        assert rank_test(one, other) == pytest.approx(expected, rel=1e-12)
    for _ in range(20):  # with ties, for which scipy deals the ranks in every way
        one, other = random.integers(4, size=4), random.integers(4, size=5)
        ranks = scipy.stats.rankdata(np.concatenate([one, other]))
        dealt = scipy.stats.permutation_test(
            (ranks[:4], ranks[4:]), lambda a, b, axis: a.sum(axis), vectorized=True, n_resamples=np.inf
        )
        assert rank_test(one, other) == pytest.approx(dealt.pvalue, rel=1e-12)


def test_the_rank_test_of_nothing_and_of_much() -> None:
    assert rank_test([1.0, 1.0], [1.0, 1.0]) == 1.0
    for none in ([], [math.nan, 1.0]):
        assert math.isnan(rank_test(none, [1.0, 2.0]))
    random = np.random.default_rng(0)
    one, other = random.normal(size=60), random.normal(size=60) + 0.4
    exact = scipy.stats.mannwhitneyu(one, other, method="exact").pvalue
    assert rank_test(one, other) == pytest.approx(exact, rel=0.03)
    # of few against many it is exact
    assert rank_test([-1.0], range(100)) == rank_test(range(100), [-1.0]) == pytest.approx(2 / 101, rel=1e-12)
    few, many = random.normal(size=7), random.normal(size=150) + 1
    exact = scipy.stats.mannwhitneyu(few, many, method="exact").pvalue
    assert rank_test(few, many) == pytest.approx(exact, rel=1e-12)
    assert rank_test(many, few) == pytest.approx(exact, rel=1e-12)


def test_the_least_p_is_that_of_seeds_that_do_not_mix() -> None:
    for seeds, expected in ((3, Fraction(1, 10)), (5, Fraction(1, 126))):
        assert least_p(seeds, seeds) == expected
        assert rank_test(range(seeds), range(9, 9 + seeds)) == pytest.approx(float(expected), rel=1e-12)
    assert least_p(1, 1) == 1
    assert least_p(2, 5) == Fraction(2, 21)


def test_holms_correction() -> None:
    # 4 tests: times 4, 3, 2, 1, and never below a smaller one's
    found = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})
    assert found == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02})
    assert [*found] == ["a", "b", "c", "d"]
    assert holm({"a": 0.9, "b": 0.8}) == {"a": 1.0, "b": 1.0}
    assert holm({}) == {}


def test_the_range_of_the_seeds() -> None:
    assert seed_range([3.0, 1.0, 2.0]) == (1.0, 3.0)
    for none in ([], [1.0], [1.0, math.nan]):
        assert np.isnan(seed_range(none)).all()


def test_the_interquartile_mean() -> None:
    assert interquartile_mean([3.0]) == 3.0
    assert interquartile_mean([1.0, 2.0]) == 1.5
    assert interquartile_mean([1.0, 2.0, 6.0]) == 3.0  # below four values nothing is cut
    assert interquartile_mean([-100.0, 2.0, 4.0, 900.0]) == 3.0
    assert interquartile_mean([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 700.0]) == 3.5  # two off each end
    assert math.isnan(interquartile_mean([]))
    assert math.isnan(interquartile_mean([1.0, math.nan]))
    values = np.random.default_rng(0).normal(size=13)
    assert interquartile_mean(values) == scipy.stats.trim_mean(values, 0.25)
