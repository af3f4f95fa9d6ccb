"""Statistics of few seeds: interquartile means, the range of the seeds, an exact test of whether two methods differ.

Source: Agarwal et al. 2021, "Deep Reinforcement Learning at the Edge of the Statistical Precipice", for the mean of the
middle half of the seeds, but not for its percentile bootstrap intervals. Coverage of the true interquartile mean by
these and other intervals (simulated, nominally 95 %; `tests/comparison/test_statistics.py` simulates it again):

    seeds   values                       percentile bootstrap   Student's t   lowest to highest seed
    3       normal                       76 %                   95 %          75 %
    3       of two kinds, half and half  75 %                   75 %          75 %
    3       three in ten stand still     69 %                   86 %          69 %
    5       normal                       91 %                   94 %          94 %
    5       of two kinds, half and half  94 %                   92 %          94 %
    5       three in ten stand still     83 %                   86 %          88 %
    10      normal                       93 %                   94 %          100 %
    10      of two kinds, half and half  93 %                   86 %          100 %
    10      three in ten stand still     92 %                   88 %          99 %

With three or five seeds no interval covers 95 % for every distribution: seeds with another gait, or that stand still,
may be missing from the sample. So the range and the number of the seeds are shown, without a percentage. From ten
seeds on the bootstrap is close enough to what it claims to be shown beside them.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import comb
from typing import TypeVar

import numpy as np
from scipy.stats import mannwhitneyu, rankdata, trim_mean

from evo.numerics.randomness import generator

LEAST_FOR_INTERVAL = 10  # seeds; with fewer, a bootstrap interval of 95 % covers as little as 69 %
_RESAMPLES = 20_000

# With more than this many values in each of the two, the normal approximation of the rank test is as good as the exact
# one (p-values around 0.02 are within 2 % of it); one value against many is never normal.
_EXACT = 50
Key = TypeVar("Key")


def middle_mean(values: np.ndarray, axis: int = 0) -> np.ndarray:
    """Return the mean of the middle half along an axis.

    A quarter of the values, rounded down, is cut from each end: below four values it is their mean.
    """
    return np.asarray(trim_mean(values, 0.25, axis=axis))


def interquartile_mean(values: Sequence[float] | np.ndarray) -> float:
    """Return the `middle_mean` of values (seeds,); NaN without values or with a NaN among them."""
    given = np.asarray(values, np.float64)
    return float(middle_mean(given)) if len(given) and not np.isnan(given).any() else float("nan")


def seed_range(values: Sequence[float] | np.ndarray) -> tuple[float, float]:
    """Return the lowest and highest of values (seeds,); (NaN, NaN) for fewer than two, or with a NaN among them."""
    given = np.asarray(values, np.float64)
    if len(given) < 2 or np.isnan(given).any():
        return float("nan"), float("nan")
    return float(given.min()), float(given.max())


def bootstrap_interval(values: Sequence[float] | np.ndarray) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of the interquartile mean of values (seeds,).

    The same values always have the same interval. (NaN, NaN) for fewer than `LEAST_FOR_INTERVAL`, or with a NaN.
    """
    given = np.sort(np.asarray(values, np.float64))  # the order of the seeds must not matter
    if len(given) < LEAST_FOR_INTERVAL or np.isnan(given).any():
        return float("nan"), float("nan")
    chosen = generator(0, "bootstrap").integers(len(given), size=(_RESAMPLES, len(given)))
    low, high = np.quantile(middle_mean(given[chosen], axis=1), (0.025, 0.975))
    return float(low), float(high)


def rank_test(first: Sequence[float] | np.ndarray, second: Sequence[float] | np.ndarray) -> float:
    """Return the two-sided p-value of the Wilcoxon-Mann-Whitney rank test of two samples, (seeds,) each.

    The null hypothesis is one common distribution. Exact, also with ties: the share of all ways to deal the ranks to
    the two whose rank sum is as far out, doubled. Where both have more than 50 values it is the normal approximation.
    The seeds are not paired: the same seed means other chances for another method. (Paired, five seeds could never be
    significant: the signs of five differences do not go below p = 1/16.) NaN without values or with a NaN among them.
    """
    both = np.concatenate([first, second]).astype(np.float64)
    if not len(first) or not len(second) or np.isnan(both).any():
        return float("nan")
    fewer = min(len(first), len(second))
    if fewer > _EXACT:
        return float(mannwhitneyu(first, second, method="asymptotic").pvalue)
    ranks = np.rint(2 * rankdata(both)).astype(int)  # doubled, because ties have half ranks
    ranks //= np.gcd.reduce(ranks)
    chosen = ranks[:fewer] if len(first) == fewer else ranks[-fewer:]  # the test is symmetric in the two samples
    most = np.sort(ranks)[-fewer:].sum()
    ways = np.zeros((fewer + 1, most + 1))  # number of ways to choose [count] ranks with [sum]
    ways[0, 0] = 1
    for rank in ranks:
        ways[1:, rank:] += ways[:-1, : most + 1 - rank].copy()
    chances, found = ways[-1] / ways[-1].sum(), chosen.sum()
    return float(min(2 * min(chances[: found + 1].sum(), chances[found:].sum()), 1.0))


def least_p(first: int, second: int) -> Fraction:
    """Return the smallest p-value that `rank_test` can have for these sample sizes, without ties.

    It is that of all values of one above all of the other. 1/10 for 3 and 3, 1/126 for 5 and 5.
    """
    return min(Fraction(2, comb(first + second, first)), Fraction(1))


def holm(p_values: Mapping[Key, float]) -> dict[Key, float]:
    """Return adjusted p-values of several tests by Holm's correction (Holm 1979).

    Each is multiplied so that the probability of any false finding among all tests stays below the level.
    """
    adjusted, largest = {}, 0.0
    ordered = sorted(p_values, key=lambda key: p_values[key])
    for place, key in enumerate(ordered):
        largest = max(largest, min((len(ordered) - place) * p_values[key], 1.0))
        adjusted[key] = largest
    return {key: adjusted[key] for key in p_values}
