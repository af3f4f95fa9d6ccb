"""The numbers of a comparison: a row for each method."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evo.comparison.member import Member, methods_of
from evo.comparison.statistics import interquartile_mean, seed_range
from evo.comparison.thresholds import spent_until
from evo.numerics.formatting import number


@dataclass(frozen=True)
class Reach:
    """How many seeds reached a threshold, and the medians over all seeds of what it took.

    A seed that did not reach it counts as infinite, so the medians are infinite where half of them did not.
    """

    seeds: int
    steps: float
    core_minutes: float


@dataclass(frozen=True)
class MethodRow:
    """A method over its seeds.

    iqm, least, most: interquartile mean of the champions' mean returns on the report episodes, and the lowest and
    highest seed's (NaN for one seed); mean: their mean; last_iqm: interquartile mean of the last candidates on the same
    episodes, NaN where it is not known. steps, cpu_s, wall_s: mean cost of training; selection_steps and selection_s:
    mean cost of selection, not included in these. steps_between_scores: mean env steps of training from one held-out
    score to the next. reached: name of a threshold → Reach.
    """

    method: str
    seeds: int
    iqm: float
    least: float
    most: float
    mean: float
    last_iqm: float
    steps: float
    selection_steps: float
    cpu_s: float
    wall_s: float
    selection_s: float
    steps_between_scores: float
    reached: Mapping[str, Reach]


def method_rows(members: Sequence[Member], thresholds: Mapping[str, float]) -> list[MethodRow]:
    """Return a row for each method, the best interquartile mean first."""
    rows = [_row(method, group, thresholds) for method, group in methods_of(members).items()]
    # NaN, from a champion that failed a report episode, comes last
    return sorted(rows, key=lambda row: -row.iqm if row.iqm == row.iqm else float("inf"))


def _row(method: str, group: Sequence[Member], thresholds: Mapping[str, float]) -> MethodRow:
    returns = [member.report_mean for member in group]
    least, most = seed_range(returns)
    last = {
        column: float(np.mean([member.metrics[column][-1] for member in group]))
        for column in ("steps", "cpu_s", "wall_s", "selection_s")
    }
    return MethodRow(
        method=method,
        seeds=len(group),
        iqm=interquartile_mean(returns),
        least=least,
        most=most,
        mean=float(np.mean(returns)),
        last_iqm=interquartile_mean([member.last_mean for member in group]),
        selection_steps=float(np.mean([member.selection("steps")[-1] for member in group])),
        steps_between_scores=float(np.mean([member.steps_between_scores for member in group])),
        reached={name: reach_of(group, threshold) for name, threshold in thresholds.items()},
        **last,
    )


def reach_of(group: Sequence[Member], threshold: float) -> Reach:
    """Return how many seeds of a method reached a threshold, and what it took."""
    spent = [spent_until(member, threshold) for member in group]
    return Reach(
        seeds=sum(one is not None for one in spent),
        steps=float(np.median([np.inf if one is None else one.steps for one in spent])),
        core_minutes=float(np.median([np.inf if one is None else one.core_minutes for one in spent])),
    )


def method_header(unit: str, metric: str) -> tuple[str, ...]:
    """Return the names of the columns of `method_texts`; unit: of steps; metric: of fitness."""
    took = f"{unit}s + selection", "CPU s", "wall s", "selection s"
    return "method", "seeds", f"{metric} (IQM)", "lowest to highest seed", "mean", "last candidate (IQM)", *took


def method_texts(rows: Sequence[MethodRow]) -> list[list[str]]:
    """Return a line for each method."""
    return [
        [
            row.method,
            str(row.seeds),
            number(row.iqm),
            "–" if math.isnan(row.least) else f"{number(row.least)} to {number(row.most)}",
            number(row.mean),
            number(row.last_iqm),
            f"{row.steps:,.0f} + {row.selection_steps:,.0f}",
            *(number(seconds) for seconds in (row.cpu_s, row.wall_s, row.selection_s)),
        ]
        for row in rows
    ]
