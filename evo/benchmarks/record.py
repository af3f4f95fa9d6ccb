"""The table of record's terms and its rows, as text, Markdown and CSV."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from rich.table import Table

from evo.benchmarks.published import SOURCES, THRESHOLDS, Figure, published
from evo.comparison.member import Member
from evo.comparison.statistics import LEAST_FOR_INTERVAL, bootstrap_interval, interquartile_mean, seed_range
from evo.comparison.table import Reach, reach_of
from evo.comparison.terms import unlike_platforms
from evo.comparison.thresholds import ARS_PAPER, spent_until
from evo.comparison.writing import markdown, terminal_table
from evo.config.config import Config
from evo.config.presets import PRESETS, TUNING_STEPS
from evo.learners import find_method
from evo.numerics.formatting import csv_text, number

TASKS = (
    "InvertedPendulum-v5",
    "InvertedDoublePendulum-v5",
    "Reacher-v5",
    "Pusher-v5",
    "Swimmer-v5",
    "Hopper-v5",
    "HalfCheetah-v5",
    "Walker2d-v5",
    "Ant-v5",
    "Humanoid-v5",
    "HumanoidStandup-v5",
)
ES = "es"  # stands for the best evolution strategy of ours on the task, other than ARS
METHODS = ("ars", ES, "ga", "ppo", "sac", "td3")
# The highest of openai-es, pgpe and sep-cma-es with linear policies in runs/reference/studies/*-linear: pgpe on
# Swimmer, sep-cma-es on HalfCheetah, Hopper and Walker2d (there on one seed). On Humanoid pgpe has the ClipUp paper's
# settings. On the other tasks they have not been compared.
_BEST_ES: Mapping[str, str] = {"Swimmer-v5": "pgpe", "Humanoid-v5": "pgpe"}
_OTHERWISE = "sep-cma-es"


def best_es(task: str) -> str:
    """Return the best evolution strategy of ours on a task, as far as is known."""
    return _BEST_ES.get(task, _OTHERWISE)


class Pair(NamedTuple):
    """A task and a method: a row of the table."""

    task: str
    method: str

    @classmethod
    def of(cls, config: Config) -> Self:
        """Return the pair of a run."""
        return cls(config.task.name, config.method.name)

    @property
    def place(self) -> tuple[int, str, int, str]:
        """Where it stands among the rows: the record's tasks and methods in their order, others after them."""
        methods = [best_es(self.task) if name == ES else name for name in METHODS]
        task = TASKS.index(self.task) if self.task in TASKS else len(TASKS)
        method = methods.index(self.method) if self.method in methods else len(methods)
        return task, self.task, method, self.method


@dataclass(frozen=True, eq=False)
class Row:
    """What a method's preset reaches on a task.

    members: its finished runs, by seed. begun: number of those that are not finished. threshold: the return that they
    are timed to; None where there is none for the task.
    """

    pair: Pair
    members: tuple[Member, ...]
    begun: int
    threshold: float | None

    @property
    def returns(self) -> list[float]:
        """Each seed's mean return of the champion on the report episodes."""
        return [member.report_mean for member in self.members]

    @property
    def reach(self) -> Reach | None:
        """What it took to the threshold; None without a threshold or a seed."""
        return None if self.threshold is None or not self.members else reach_of(self.members, self.threshold)

    @property
    def held(self) -> int:
        """Number of seeds whose champion has the threshold's return on the report episodes too."""
        return 0 if self.threshold is None else sum(each >= self.threshold for each in self.returns)

    @property
    def steps(self) -> tuple[float, float]:
        """Env steps of training and of selection, means of the seeds; NaN without one."""
        return (
            _mean([member.metrics["steps"][-1] for member in self.members]),
            _mean([member.selection("steps")[-1] for member in self.members]),
        )

    @property
    def core_minutes(self) -> float:
        """Minutes of one core for training and selection, the mean of the seeds; NaN without one."""
        return _mean([member.core_minutes for member in self.members])

    @property
    def family(self) -> str:
        """The method whose presets it has."""
        method = find_method(self.pair.method)
        return self.pair.method if method is None else method.family

    @property
    def tuning(self) -> int | None:
        """Env steps that tuning the preset took; None where they were not counted."""
        return TUNING_STEPS.get(self.pair.task, {}).get(self.family)

    @property
    def published(self) -> tuple[Figure, ...]:
        """What others published of the method on the task; of an evolution strategy, what is published of any."""
        method = find_method(self.pair.method)
        strategy = method is not None and method.reference.startswith("evo.algorithms.strategies.")
        return published(self.pair.task, ES if strategy and self.family != "ars" else self.family)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else math.nan


@dataclass(frozen=True, eq=False)
class Record:
    """The table of record.

    path: its folder. seeds: number of seeds that were asked for. changes: settings that all runs have in place of their
    presets'. rows: in the order of the table. notes: a line for each run that failed or was left out.
    """

    path: Path
    seeds: int
    changes: Mapping[str, Any]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]

    @property
    def tasks(self) -> list[str]:
        """The tasks of the rows, in their order."""
        return list(dict.fromkeys(row.pair.task for row in self.rows))

    def records(self) -> list[dict[str, Any]]:
        """Return every number of the rows, unrounded, by the names of record.csv; None for what there is not."""
        return [_numbers(row) for row in self.rows]

    def csv(self) -> str:
        """Return `records` as CSV; what there is not is an empty cell."""
        lines = [["" if value is None else value for value in line.values()] for line in self.records()]
        return csv_text(list(self.records()[0]), lines)

    def title(self, task: str) -> str:
        """Return a task with the threshold that its runs are timed to."""
        if task not in THRESHOLDS:
            return f"{task}: no threshold"
        return f"{task}: threshold {number(THRESHOLDS[task])}" + (" (ARS paper)" if task in ARS_PAPER else "")

    def lines(self, task: str) -> list[list[str]]:
        """Return a line of texts for each method on a task; `HEADER` names the columns."""
        return [_texts(row, self.seeds) for row in self.rows if row.pair.task == task]

    def table(self, task: str, width: int) -> Table:
        """Return a task's rows for a terminal of `width` columns, which may lack room for what others published."""
        wide = width >= _WIDE
        header = ["method", "seeds", "return (IQM)", "lowest to highest seed", "steps to threshold"]
        header += ["core-min to threshold", "reached, hold it", *(["published"] if wide else [])]
        lines = []
        for row in self.rows:
            if row.pair.task == task:
                method, seeds, iqm, between, steps, minutes, reached, held, *_ = _texts(row, self.seeds)
                line = [method, seeds, iqm, between.replace(" (", "\n("), steps, minutes]
                line += [reached if reached == "–" else f"{reached.partition(' ')[0]}, {held}"]
                lines.append([*line, *([_figure(row.published[0]) if row.published else "–"] if wide else [])])
        return terminal_table(self.title(task), header, lines)

    def markdown(self) -> str:
        """Return the text of record.md: an overview, a table for each task, every run, and what the columns hold."""
        changes = ", ".join(f"{key}={value}" for key, value in self.changes.items())
        parts = ["# Table of record", f"`evo bench --tasks-learned --seeds {self.seeds} --out {self.path}`", _NOTE]
        parts += [f"**Not the presets as they come: every run has {changes}.**"] if changes else []
        parts += [_to_list(_COLUMNS)]
        header, lines = _overview(self.rows)
        parts += [markdown(header, lines), _OVERVIEW_NOTE] if len(header) > 1 else []
        for task in self.tasks:
            parts += [f"## {self.title(task)}", markdown(HEADER, self.lines(task))]
        members = [member for row in self.rows for member in row.members]
        if members:
            lines = [_run_texts(row, member) for row in self.rows for member in row.members]
            parts += ["## Every run", markdown(_RUN_HEADER, lines)]
        if unlike := unlike_platforms(members):
            parts += ["## Made on unlike machines", _UNLIKE, _to_list(unlike)]
        parts += ["## Sources", _to_list([f"{name}: {text}." for name, text in SOURCES.items()])]
        if self.notes:
            parts += ["## Left out or failed", _to_list(self.notes)]
        return "\n\n".join(part.strip() for part in parts) + "\n"


def make_record(
    path: Path,
    asked: Sequence[Pair],
    seeds: int,
    changes: Mapping[str, Any],
    members: Sequence[Member],
    begun: Sequence[Config],
    notes: Sequence[str],
) -> Record:
    """Return the record of the runs in a folder: a row for each pair that was asked for or has a run.

    changes: as of a Record. begun: configurations of runs that are not finished.
    """
    rows = []
    begun_pairs = [Pair.of(config) for config in begun]
    known = {*asked, *begun_pairs, *(Pair.of(member.config) for member in members)}
    for pair in sorted(known, key=lambda pair: pair.place):
        group = sorted((one for one in members if Pair.of(one.config) == pair), key=lambda one: one.seed)
        rows.append(Row(pair, tuple(group), begun_pairs.count(pair), THRESHOLDS.get(pair.task)))
    return Record(path, seeds, changes, tuple(rows), tuple(notes))


HEADER = (
    "method",
    "seeds",
    "return (IQM)",
    "lowest to highest seed",
    "steps to threshold",
    "core-min to threshold",
    "reached it",
    "hold it",
    "env steps in all",
    "core-min in all",
    "tuning",
    "published",
)
_WIDE = 120  # columns of a terminal
_RUN_HEADER = (
    "task",
    "method",
    "seed",
    "return",
    "std",
    "env steps to threshold",
    "core-min to threshold",
    "env steps + selection",
    "core-min in all",
    "wall min in all",
    "ended",
)
_NOTE = (
    "Every run is `evo run TASK --method METHOD --seed SEED`, as it comes: the preset, with the method's own network, "
    "budget, and changes of the reward in training. Seeds are 100, 101, …; presets are tuned on seeds 0 to 9."
)
_COLUMNS = (
    "return (IQM): of the champions on the report episodes, by which none was chosen; interquartile mean of the seeds. "
    f"Beside it the lowest and highest seed, and from {LEAST_FOR_INTERVAL} seeds on the 95 % bootstrap interval of the "
    "IQM. With three or five seeds such an interval covers only 69 to 94 % (`evo/comparison/statistics.py`), so none "
    "is given.",
    "to threshold: env steps and minutes of one core, of training and selection together, until the held-out return on "
    "the selection episodes was first as high. Medians of the seeds, one that did not get there counting as infinite; "
    "–: half of them or more did not. Held-out returns are taken only from time to time, which limits the precision.",
    "reached it: seeds that did. hold it: seeds whose champion has that return on the report episodes too.",
    "in all: means of the seeds, of training and selection together.",
    "tuning: env steps of all trials by which the preset was tuned. not counted: there is no record of them. "
    "general: the task has no preset of the method, which runs with its general settings.",
    "published: what others report, ± as they report it, after so many million env steps. Their versions of the tasks "
    "and ways to measure differ (see the sources).",
)
_UNLIKE = "Core-minutes are those of the machine that made a run, and may not be comparable."
_OVERVIEW_NOTE = "Cells: return (IQM), and in parentheses how many seeds hold the threshold, of how many."


def _numbers(row: Row) -> dict[str, Any]:
    least, most = seed_range(row.returns)
    low, high = bootstrap_interval(row.returns)
    reach = row.reach
    steps, selection = row.steps
    numbers: dict[str, Any] = {
        "return_iqm": interquartile_mean(row.returns),
        "return_least": least,
        "return_most": most,
        "return_interval_low": low,
        "return_interval_high": high,
        "threshold": row.threshold,
        "seeds_reached": None if reach is None else reach.seeds,
        "steps_to_threshold": None if reach is None else reach.steps,
        "core_minutes_to_threshold": None if reach is None else reach.core_minutes,
        "seeds_holding": None if reach is None else row.held,
        "steps": steps,
        "selection_steps": selection,
        "steps_between_scores": _mean([member.steps_between_scores for member in row.members]),
        "core_minutes": row.core_minutes,
        "tuning_steps": row.tuning,
    }
    finite = {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in numbers.items()
    }
    named = {"task": row.pair.task, "method": row.pair.method, "seeds": len(row.members), "seeds_begun": row.begun}
    return {**named, **finite, "published": "; ".join(map(_figure, row.published))}


def _texts(row: Row, seeds: int) -> list[str]:
    count, reach = len(row.members), row.reach
    done = f"{count} of {seeds}" if count < seeds else str(count)
    ran = "begun" if row.begun else "not run"
    steps, minutes, reached, held = "–", "–", "–", "–"
    if reach is not None:
        reached, held = f"{reach.seeds} of {count}", f"{row.held} of {count}"
        if math.isfinite(reach.steps):
            steps, minutes = f"{reach.steps:,.0f}", number(reach.core_minutes)
    return [
        row.pair.method,
        done,
        number(interquartile_mean(row.returns)) if count else ran,
        _range(row.returns),
        *(steps, minutes, reached, held),
        f"{sum(row.steps):,.0f}" if count else "–",
        number(row.core_minutes),
        _tuning(row),
        "; ".join(map(_figure, row.published)) or "–",
    ]


def _range(returns: Sequence[float]) -> str:
    least, most = seed_range(returns)
    low, high = bootstrap_interval(returns)
    text = "–" if math.isnan(least) else f"{number(least)} to {number(most)}"
    return text if math.isnan(low) else f"{text} (95 %: {number(low)} to {number(high)})"


def _tuning(row: Row) -> str:
    if row.tuning is not None:
        return f"{row.tuning:,}"
    return "not counted" if row.family in PRESETS.get(row.pair.task, {}) else "general"


def _figure(figure: Figure) -> str:
    spread = "" if figure.spread is None else f" ± {figure.spread:,g}"
    steps = "" if figure.millions is None else f", {figure.millions:g} M"
    return f"{figure.value:,g}{spread} ({figure.source}{steps})"


def _run_texts(row: Row, member: Member) -> list[str]:
    spent = None if row.threshold is None else spent_until(member, row.threshold)
    steps = f"{member.metrics['steps'][-1]:,.0f} + {member.selection('steps')[-1]:,.0f}"
    return [
        *(row.pair.task, row.pair.method, str(member.seed)),
        number(member.report_mean),
        number(member.champion.reported_fitness.std),
        "–" if spent is None else f"{spent.steps:,.0f}",
        "–" if spent is None else number(spent.core_minutes),
        steps,
        number(member.core_minutes),
        number((member.metrics["wall_s"][-1] + member.metrics["selection_s"][-1]) / 60.0),
        member.ended or "–",
    ]


def _overview(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Return header and lines of the overview: a line for each task, a column for each of the record's methods."""
    lines: dict[str, dict[str, str]] = {}
    for row in rows:
        column = ES if row.pair.method == best_es(row.pair.task) else row.pair.method
        text = f"{number(interquartile_mean(row.returns))}" if row.members else "not run"
        if row.members and row.threshold is not None:
            text += f" ({row.held} of {len(row.members)})"
        lines.setdefault(row.pair.task, {})[column] = text
    shown = [name for name in METHODS if any(name in line for line in lines.values())]
    header = ["task", *("best ES" if name == ES else name for name in shown)]
    return header, [[task, *(line.get(name, "–") for name in shown)] for task, line in lines.items()]


def _to_list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
