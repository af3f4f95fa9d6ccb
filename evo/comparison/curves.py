"""Learning curves of methods on a common clock, and what each had learned at a budget that all of them reached."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from evo.comparison.member import Member, methods_of
from evo.comparison.statistics import interquartile_mean, middle_mean, seed_range
from evo.config.kinds import ProblemKind
from evo.numerics.formatting import number

# Columns of metrics.csv. The two in seconds count only training, without selection and compilation.
CLOCKS = {"steps": "steps", "cpu_s": "CPU time", "wall_s": "wall-clock time"}
WORK = {"flops": "floating-point operations"}  # only on data sets, where evolution has no backward pass


class EqualBudget(NamedTuple):
    """The largest amount of training that every run reached, and the scores of the methods there.

    clock: a column of metrics; amount: in its unit. scores: method → the held-out score that each of its seeds had last
    by then, in the order of the seeds, float64 (seeds,); NaN before its first.
    """

    clock: str
    amount: float
    scores: Mapping[str, np.ndarray]


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


def clocks_of(kind: ProblemKind) -> dict[str, str]:
    """Return the clocks of a kind of problem: column of metrics → what it counts, in words."""
    timed = {clock: name for clock, name in CLOCKS.items() if clock != "steps"}
    return {"steps": f"{kind.step_unit}s", **{clock: WORK[clock] for clock in kind.clocks}, **timed}


def equal_budgets(members: Sequence[Member]) -> list[EqualBudget]:
    """Return the budgets that all runs reached, one for each clock of their task's kind."""
    return [equal_budget(members, clock) for clock in clocks_of(members[0].config.task.kind)]


def equal_budget(members: Sequence[Member], clock: str) -> EqualBudget:
    """Return the largest amount on a clock that every run reached, and what each had learned there."""
    amount = min(float(member.metrics[clock][-1]) for member in members)
    found = {}
    for method, group in methods_of(members).items():
        scores = []
        for member in group:
            taken, score = member.scores(clock)
            known = int(np.searchsorted(taken, amount, side="right"))
            scores.append(score[known - 1] if known else np.nan)
        found[method] = np.array(scores)
    return EqualBudget(clock, amount, found)


def budget_header(budgets: Sequence[EqualBudget], kind: ProblemKind) -> list[str]:
    """Return the names of the columns of `budget_texts`: `at 1,000,000 env steps`, `at 83.2 s of CPU time`."""
    names = clocks_of(kind)
    return ["method", *(f"at {_amount(one)} {names[one.clock]}" for one in budgets)]


def budget_texts(budgets: Sequence[EqualBudget], methods: Sequence[str]) -> list[list[str]]:
    """Return a line for each method: at each budget the interquartile mean of its seeds, and lowest to highest."""
    return [[method, *(_standing(one.scores[method]) for one in budgets)] for method in methods]


def _amount(budget: EqualBudget) -> str:
    if budget.clock.endswith("_s"):
        return f"{number(budget.amount)} s of"
    return f"{budget.amount:,.0f}" if budget.clock == "steps" else f"{budget.amount:.3g}"


def _standing(scores: np.ndarray) -> str:
    least, most = seed_range(scores)
    between = "" if np.isnan(least) else f" ({number(least)} to {number(most)})"
    return f"{number(interquartile_mean(scores))}{between}"


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
