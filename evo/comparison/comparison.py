"""Comparison: what came of runs beside each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from evo.comparison.member import Member
from evo.comparison.table import MethodRow
from evo.comparison.terms import Terms
from evo.numerics.formatting import maximised


@dataclass(frozen=True, eq=False)
class Comparison:
    """Members beside each other, and what their numbers say.

    path: the folder of report.html, tables and pictures. failures: a line for each member that failed and each picture
    that could not be made. thresholds: name → fitness. rows: the best method first. command: what repeats it.
    """

    path: Path
    command: str
    terms: Terms
    members: tuple[Member, ...]
    thresholds: Mapping[str, float]
    rows: tuple[MethodRow, ...]
    findings: tuple[str, ...]
    failures: tuple[str, ...]

    @property
    def step_unit(self) -> str:
        """What the members' steps are: `env step`, `evaluation`."""
        return self.members[0].config.step_unit

    @property
    def measure(self) -> str:
        """What the members' fitness is: `return`, `accuracy`, `−bits per character`."""
        return maximised(self.members[0].champion.measure)
