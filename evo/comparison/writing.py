"""Tables of a comparison as terminal output, Markdown and CSV."""

import math
from collections.abc import Iterable, Mapping, Sequence
from textwrap import fill
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from evo.comparison.comparison import Comparison
from evo.comparison.curves import budget_header, budget_texts
from evo.comparison.member import Member
from evo.comparison.notes import tuning_note
from evo.comparison.robustness import Robustness
from evo.comparison.statistics import interquartile_mean, seed_range
from evo.comparison.table import MethodRow, Reach, method_header, method_texts
from evo.comparison.tuning import tuning_header, tuning_texts
from evo.numerics.formatting import csv_text, number

_STANDING = ("iqm", "least", "most")


def member_header(unit: str, metric: str) -> tuple[str, ...]:
    """Return the names of the columns of `member_texts`; unit: of steps; metric: of fitness."""
    return "method", "seed", metric, "std", "last candidate", f"{unit}s + selection", "CPU s", "wall s", "run"


def threshold_header(thresholds: Mapping[str, float]) -> list[str]:
    """Return the names of the columns of `threshold_texts`."""
    return ["method", *(f"to {number(threshold)} ({name})" for name, threshold in thresholds.items())]


def threshold_texts(rows: Sequence[MethodRow]) -> list[list[str]]:
    """Return a line for each method: for each threshold the median seed's cost, and how many seeds reached it."""
    return [[row.method, *(_reach(reach, row.seeds) for reach in row.reached.values())] for row in rows]


def resolution(rows: Sequence[MethodRow], unit: str, metric: str) -> str:
    """Return a sentence on what is counted until a threshold, and on its resolution."""
    steps = ", ".join(f"{row.steps_between_scores:,.0f} ({row.method})" for row in rows)
    return (
        f"{unit.capitalize()}s and core-minutes are those of training and selection together. The held-out {metric} "
        f"was measured every {steps} {unit}s of training on average, which limits their precision."
    )


def member_texts(members: Iterable[Member]) -> list[list[str]]:
    """Return a line for each member."""
    return [
        [
            member.method,
            str(member.seed),
            number(member.report_mean),
            number(member.champion.reported_fitness.std),
            number(member.last_mean),
            f"{member.metrics['steps'][-1]:,.0f} + {member.selection('steps')[-1]:,.0f}",
            number(member.metrics["cpu_s"][-1]),
            number(member.metrics["wall_s"][-1]),
            str(member.path),
        ]
        for member in members
    ]


def terminal_tables(comparison: Comparison) -> Group:
    """Return tables of the methods, of thresholds, equal budgets and tuning, and of the members, for a common width."""
    task = comparison.members[0].config.task.name
    rows, unit, metric = comparison.rows, comparison.step_unit, comparison.metric
    header = method_header(unit, metric)
    shown = [place for place, name in enumerate(header) if name not in ("mean", "CPU s", "wall s", "selection s")]
    methods = [[line[place] for place in shown] for line in method_texts(rows)]
    run_header = member_header(unit, metric)
    told = [place for place, name in enumerate(run_header) if name not in ("std", "CPU s", "wall s")]
    members = [[line[place] for place in told] for line in member_texts(comparison.members)]
    folders = {member.path.parent for member in comparison.members}
    if len(folders) == 1:
        members = [[*line[:-1], member.path.name] for line, member in zip(members, comparison.members, strict=True)]

    config, budgets, tunings = comparison.members[0].config, comparison.budgets, comparison.tunings
    tuning_columns = tuning_header(unit)[:-1]  # without the settings, which are long
    tuning = [line[:-1] for line in tuning_texts(tunings)]
    note = tuning_note(config, comparison.terms.settings, tunings)
    return Group(
        terminal_table(task, [header[place] for place in shown], methods),
        terminal_table(
            f"to a held-out {metric}: {unit}s, core-minutes, seeds that got there",
            [name.replace(" (", "\n(") for name in threshold_header(comparison.thresholds)],
            [[row.method, *("\n".join(_format_reach(one, row.seeds)) for one in row.reached.values())] for row in rows],
        ),
        Text(f"{resolution(rows, unit, metric)}\n", style="dim"),
        terminal_table(
            f"held-out {metric} at equal budgets of training",
            budget_header(budgets, config.task.kind),
            [
                [cell.replace(" (", "\n(") for cell in line]
                for line in budget_texts(budgets, [row.method for row in rows])
            ],
        ),
        terminal_table("tuning", tuning_columns, tuning) if tuning else Text(f"{note}\n", style="dim"),
        terminal_table("every run", [run_header[place] for place in told], members),
    )


def terminal_table(title: str, header: Sequence[str], lines: Sequence[Sequence[str]]) -> Table:
    """Return a table whose header takes little width; the columns `method` and `run` are flush left."""
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        collapse_padding=True,
        pad_edge=False,
    )
    for name in header:
        names = name in ("method", "run")
        title_lines = name if "\n" in name else fill(name, 10, break_long_words=False)
        table.add_column(title_lines, justify="left" if names else "right", overflow="fold", no_wrap=not names)
    for line in lines:
        table.add_row(*line)
    return table


def markdown(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    rows = [header, ["---", *["---:"] * (len(header) - 1)], *lines]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in rows)


def methods_csv(comparison: Comparison) -> str:
    """Return every number of the methods, unrounded; missing values (no interval, not reached) are empty cells.

    Columns of fitness are called return, whatever its metric, so that programs find them. The last ones are the budgets
    that every run reached, with the held-out returns there, and what tuning here took, 0 where there was none.
    """
    header = ["method", "seeds", "return_iqm", "return_least", "return_most", "return_mean", "last_return_iqm"]
    header += ["steps", "selection_steps", "cpu_s", "wall_s", "selection_s", "steps_between_scores"]
    for threshold in comparison.thresholds.values():
        header += [f"{what}_to_{threshold:g}" for what in ("seeds", "steps", "core_minutes")]
    for budget in comparison.budgets:
        header += [f"equal_{budget.clock}", *(f"return_{what}_at_equal_{budget.clock}" for what in _STANDING)]
    header += [f"tuning_{what}" for what in ("trials", "steps", "selection_steps", "core_minutes")]
    lines: list[list[Any]] = []
    for row in comparison.rows:
        reached = [(reach.seeds, reach.steps, reach.core_minutes) for reach in row.reached.values()]
        returns = [row.iqm, row.least, row.most, row.mean, row.last_iqm]
        took = [row.steps, row.selection_steps, row.cpu_s, row.wall_s, row.selection_s, row.steps_between_scores]
        line = [row.method, row.seeds, *returns, *took, *(value for reach in reached for value in reach)]
        for budget in comparison.budgets:
            scores = budget.scores[row.method]
            line += [budget.amount, interquartile_mean(scores), *seed_range(scores)]
        one = comparison.tunings.get(row.method)
        line += [0, 0, 0, 0] if one is None else [one.trials, one.steps, one.selection_steps, one.core_minutes]
        lines.append(line)
    return csv_text(header, lines)


def members_csv(members: Iterable[Member]) -> str:
    """Return every member with its numbers, unrounded."""
    header = ["method", "seed", "return_mean", "return_std", "last_return_mean", "selection_steps"]
    header += [*(clocks := ("steps", "cpu_s", "wall_s", "selection_s")), "run"]
    return csv_text(
        header,
        [
            [
                *(member.method, member.seed, member.report_mean, member.champion.reported_fitness.std),
                *(member.last_mean, float(member.selection("steps")[-1])),
                *(float(member.metrics[column][-1]) for column in clocks),
                str(member.path),
            ]
            for member in members
        ],
    )


def robustness_csv(measured: Robustness) -> str:
    """Return a line for each member and size of noise.

    Its numbers are the distance of actions, the return, its share of the unperturbed one, and the failed episodes.
    """
    header = ["method", "seed", "noise", "astray", "return_mean", "share", "failed_episodes"]
    lines = []
    for member, (method, seed) in enumerate(zip(measured.methods, measured.seeds, strict=True)):
        for place, size in enumerate(measured.sizes):
            left = [float(table[member, place]) for table in (measured.astray, measured.returns, measured.shares)]
            lines.append([method, seed, size, *left, int(measured.failed[member, place])])
    return csv_text(header, lines)


def _reach(reach: Reach, seeds: int) -> str:
    steps, minutes, count = _format_reach(reach, seeds)
    return f"{steps} steps, {minutes} core-min ({count})" if minutes else f"{steps} ({count})"


def _format_reach(reach: Reach, seeds: int) -> tuple[str, str, str]:
    """Return steps and core-minutes of the median seed, and how many seeds reached the threshold."""
    count = f"{reach.seeds} of {seeds}"
    return ("–", "", count) if math.isinf(reach.steps) else (f"{reach.steps:,.0f}", f"{reach.core_minutes:.2g}", count)
