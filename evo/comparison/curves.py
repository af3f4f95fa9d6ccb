"""Learning curves of methods on a common clock: each seed's held-out score, and what is typical of the seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import trim_mean

from evo.comparison.member import Member, methods_of

# Columns of metrics.csv. The two in seconds count training alone: selection and compilation are apart.
CLOCKS = {"steps": "env steps", "cpu_s": "CPU time", "wall_s": "wall-clock time"}


@dataclass(frozen=True, eq=False)
class Curve:
    """A method's seeds on one clock; all step functions, each value holding until the next.

    seeds: for each seed (clock, score), float64 (selections,) each, the last clock being its end. clock: where the
    score of any seed changes, while all of them run, (points,). middle, low, high: interquartile mean, 25th and 75th
    percentile of the seeds there, (points,).
    """

    seeds: tuple[tuple[np.ndarray, np.ndarray], ...]
    clock: np.ndarray
    middle: np.ndarray
    low: np.ndarray
    high: np.ndarray


def curves(members: Sequence[Member], clock: str) -> dict[str, Curve]:
    """Method → its curve. clock: one of CLOCKS. Methods of which no seed has a score yet are left out."""
    found = {}
    for method, group in methods_of(members).items():
        seeds = [steps for member in group if len((steps := selections(member.metrics, clock))[0])]
        if seeds:
            found[method] = curve(seeds)
    return found


def selections(metrics: Mapping[str, np.ndarray], clock: str) -> tuple[np.ndarray, np.ndarray]:
    """(clock, score) of one run: where its score changes, and its end; both empty while it has none.

    A row of metrics holds the score of the last candidate offered before it, so that a score is dated at most one
    generation late, never early.
    """
    scored = ~np.isnan(metrics["selection"])
    time, score = metrics[clock][scored], metrics["selection"][scored]
    kept = np.ones(len(score), bool)
    kept[1:-1] = score[1:-1] != score[:-2]
    return time[kept], score[kept]


def curve(seeds: Sequence[tuple[np.ndarray, np.ndarray]]) -> Curve:
    """The seeds' typical score, from where the last seed has its first one to where the first seed ends.

    Outside of that span only some of the seeds have a score, and a statistic of them would jump as they come and go.
    Where a seed ends before another begins, the span is empty.
    """
    begin, end = max(time[0] for time, _ in seeds), min(time[-1] for time, _ in seeds)
    clock = np.unique(np.concatenate([time for time, _ in seeds]))
    clock = clock[(clock >= begin) & (clock <= end)]
    values = np.stack([score[np.searchsorted(time, clock, side="right") - 1] for time, score in seeds])
    return Curve(tuple(seeds), clock, *middle_and_quartiles(values))


def middle_and_quartiles(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Interquartile mean, 25th and 75th percentile over the seeds; values (seeds, points) → three of (points,)."""
    low, high = np.percentile(values, [25, 75], axis=0)
    return np.asarray(trim_mean(values, 0.25, axis=0)), low, high
