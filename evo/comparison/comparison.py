"""Comparison: results of several runs on one task."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from evo.comparison.curves import EqualBudget
from evo.comparison.member import Member
from evo.comparison.table import MethodRow, method_header, method_texts
from evo.comparison.terms import Terms
from evo.comparison.tuning import Tuning
from evo.numerics.formatting import maximised
from evo.visualize.notebook import box, facts, picture, table


@dataclass(frozen=True, eq=False)
class Comparison:
    """The members of a comparison and their results.

    path: the folder of report.html, tables and pictures. failures: a line for each member that failed and each picture
    that could not be made. tunings: method → what its tuning took and found; empty where presets were used. thresholds:
    name → fitness. budgets: those that every run reached. rows: the best method first. command: repeats the comparison.
    """

    path: Path
    command: str
    terms: Terms
    members: tuple[Member, ...]
    tunings: Mapping[str, Tuning]
    thresholds: Mapping[str, float]
    budgets: tuple[EqualBudget, ...]
    rows: tuple[MethodRow, ...]
    findings: tuple[str, ...]
    failures: tuple[str, ...]

    @property
    def step_unit(self) -> str:
        """The unit of the members' steps: `env step`, `evaluation`, `example`."""
        return self.members[0].config.task.kind.step_unit

    @property
    def metric(self) -> str:
        """The metric of the members' fitness: `return`, `accuracy`, `−bits per character`."""
        return maximised(self.members[0].champion.metric)

    def _repr_html_(self) -> str:
        """Return what notebooks show: a row for each method, the findings, and the learning curves."""
        rows = table(method_header(self.step_unit, self.metric), method_texts(self.rows))
        told = facts([("", finding) for finding in (*self.findings, f"report: {self.path / 'report.html'}")])
        return box(
            f"Comparison on {self.members[0].champion.task_name}", rows, told, picture(self.path / "learning.svg")
        )
