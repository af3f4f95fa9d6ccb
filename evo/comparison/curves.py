"""Learning curves of methods on a common clock: held-out scores of the seeds, and their interquartile mean."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evo.comparison.member import Member, methods_of
from evo.comparison.statistics import middle_mean

# Columns of metrics.csv. The two in seconds count only training, without selection and compilation.
CLOCKS = {"steps": "steps", "cpu_s": "CPU time", "wall_s": "wall-clock time"}
WORK = {"flops": "floating-point operations"}  # only on data sets, where evolution has no backward pass


@dataclass(frozen=True, eq=False)
class Curve:
    """A method's seeds on one clock; all are step functions, each value holding until the next.

    seeds: for each seed its `Member.scores`, (clock, score), float64 (scores,) each. clock: where the score of any seed
    changes, while all of them run, (points,). middle, low, high: interquartile mean, 25th and 75th percentile of the
    seeds there, (points,).
    """

    seeds: tuple[tuple[np.ndarray, np.ndarray], ...]
    clock: np.ndarray
    middle: np.ndarray
    low: np.ndarray
    high: np.ndarray


def curves(members: Sequence[Member], clock: str) -> dict[str, Curve]:
    """Return method → its curve; methods without a score yet are left out. clock: a column of metrics."""
    found = {}
    for method, group in methods_of(members).items():
        seeds = [scores for member in group if len((scores := member.scores(clock))[0])]
        if seeds:
            found[method] = curve(seeds)
    return found


def curve(seeds: Sequence[tuple[np.ndarray, np.ndarray]]) -> Curve:
    """Return the curve of some seeds, from where the last seed has its first score to where the first seed ends.

    Outside of that span only some of the seeds have a score, and statistics would jump where one starts or ends. Where
    a seed ends before another begins, the span is empty.
    """
    begin, end = max(time[0] for time, _ in seeds), min(time[-1] for time, _ in seeds)
    clock = np.unique(np.concatenate([time for time, _ in seeds]))
    clock = clock[(clock >= begin) & (clock <= end)]
    values = np.stack([score[np.searchsorted(time, clock, side="right") - 1] for time, score in seeds])
    return Curve(tuple(seeds), clock, *middle_and_quartiles(values))


def middle_and_quartiles(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return interquartile mean, 25th and 75th percentile over seeds: values (seeds, points) → three of (points,)."""
    low, high = np.percentile(values, [25, 75], axis=0)
    return middle_mean(values), low, high
