"""Interquartile means over few seeds, and bootstrap intervals of them and of their differences.

Source: Agarwal et al. 2021, "Deep Reinforcement Learning at the Edge of the Statistical Precipice" (and its library,
rliable): the mean of the middle half, with percentile bootstrap intervals over the seeds.
"""

from collections.abc import Sequence

import numpy as np
from scipy.stats import bootstrap, trim_mean

from evo.randomness import generator

RESAMPLES = 10_000
_NO_INTERVAL = (float("nan"), float("nan"))


def middle_mean(values: np.ndarray, axis: int = 0) -> np.ndarray:
    """Mean of the middle half along an axis.

    A quarter of the values, rounded down, goes from each end: below four values it is their mean.
    """
    return np.asarray(trim_mean(values, 0.25, axis=axis))


def interquartile_mean(values: Sequence[float] | np.ndarray) -> float:
    """`middle_mean` of the values, (seeds,); NaN without values or with a NaN among them."""
    given = np.asarray(values, np.float64)
    return float(middle_mean(given)) if len(given) and not np.isnan(given).any() else float("nan")


def bootstrap_interval(
    values: Sequence[float] | np.ndarray, seed: int = 0, confidence: float = 0.95, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """Percentile bootstrap interval of the interquartile mean of values, (seeds,), the same for the same `seed`.

    (NaN, NaN) where there is none: fewer than two values, or one that is not finite. Of two or three values it is an
    honest but coarse one: it cannot reach beyond the smallest and the largest.
    """
    return _interval([values], middle_mean, seed, confidence, resamples)


def difference_interval(
    first: Sequence[float] | np.ndarray,
    second: Sequence[float] | np.ndarray,
    seed: int = 0,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
) -> tuple[float, float]:
    """Percentile bootstrap interval of interquartile mean `first` minus that of `second`, as `bootstrap_interval`.

    The two are resampled apart: the same seed means different luck to different methods.
    """

    def difference(one: np.ndarray, other: np.ndarray, axis: int) -> np.ndarray:
        return middle_mean(one, axis) - middle_mean(other, axis)

    return _interval([first, second], difference, seed, confidence, resamples)


def _interval(
    samples: Sequence[Sequence[float] | np.ndarray], statistic: object, seed: int, confidence: float, resamples: int
) -> tuple[float, float]:
    given = [np.asarray(sample, np.float64) for sample in samples]
    if any(len(sample) < 2 or not np.isfinite(sample).all() for sample in given):
        return _NO_INTERVAL
    found = bootstrap(
        given,
        statistic,
        vectorized=True,
        n_resamples=resamples,
        confidence_level=confidence,
        method="percentile",
        rng=generator(seed, "bootstrap"),
    ).confidence_interval
    return float(found.low), float(found.high)
