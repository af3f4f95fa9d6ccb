"""Threshold returns, and what each run spent until it reached them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from evo.comparison.member import Member, methods_of
from evo.comparison.statistics import interquartile_mean
from evo.comparison.terms import default_options

# Mania, Guy & Recht 2018, "Simple random search provides a competitive approach to reinforcement learning", table 1.
# Measured on the tasks' v1, whose rewards differ a little from v5's; not valid for tasks with other options.
ARS_PAPER: Mapping[str, float] = {
    "Swimmer-v5": 325.0,
    "Hopper-v5": 3120.0,
    "HalfCheetah-v5": 3430.0,
    "Walker2d-v5": 4390.0,
    "Ant-v5": 3580.0,
    "Humanoid-v5": 6000.0,
}


class Spent(NamedTuple):
    """Cost of training and selection until a threshold: env steps, and minutes of one core."""

    steps: float
    core_minutes: float


def thresholds_of(members: Sequence[Member]) -> dict[str, float]:
    """Return name → return, ascending: 25, 50, 75 and 100 % of the range, and the ARS paper's where the task has one.

    The range is from the lowest first score of any run to the best method's interquartile mean on the report episodes;
    there are no shares where the latter is not higher.
    """
    firsts = [score[np.isfinite(score)] for _, score in (member.scores("steps") for member in members)]
    low = min((score[0] for score in firsts if len(score)), default=float("nan"))
    groups = methods_of(members).values()
    high = np.fmax.reduce([interquartile_mean([member.report_mean for member in group]) for group in groups])
    # from above, so that 100 % is the best method's score to the last bit
    found = {
        f"{share} %": float(high - (100 - share) / 100 * (high - low)) for share in (25, 50, 75, 100) if high > low
    }
    config = members[0].config
    task = config.task.name
    if task in ARS_PAPER and config.task.given == default_options(task):
        found["ARS paper"] = ARS_PAPER[task]
    return dict(sorted(found.items(), key=lambda item: item[1]))


def spent_until(member: Member, threshold: float) -> Spent | None:
    """Return what a run had spent when its held-out score was first at least `threshold`; None where it never was."""
    scores = (member.scores(clock, selection=True) for clock in ("steps", "cpu_s"))
    steps, cpu = (taken[score >= threshold] for taken, score in scores)
    return Spent(float(steps[0]), float(cpu[0]) / 60.0) if len(steps) else None
