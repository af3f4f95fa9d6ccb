"""Member: one finished run in a comparison, read whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evo.champion import Champion
from evo.config import Config
from evo.errors import EvoError
from evo.finished import Run


@dataclass(frozen=True, eq=False)
class Member:
    """A finished run. metrics: columns of its metrics.csv, float64 (generations,)."""

    path: Path
    config: Config
    champion: Champion
    metrics: dict[str, np.ndarray]

    @property
    def method(self) -> str:
        return str(self.config["method.name"])

    @property
    def seed(self) -> int:
        return int(self.config["seed"])

    @property
    def report_mean(self) -> float:
        """Mean return of its champion on the report episodes."""
        assert self.champion.report_returns is not None
        return float(np.mean(self.champion.report_returns))


def read_member(path: Path) -> Member:
    """Raises EvoError where there is no run, or one that is not finished."""
    run = Run(path)
    member = Member(path, run.config, run.champion, run.metrics)
    if member.champion.report_returns is None:
        raise EvoError(f"{path} is not finished; `evo resume {path}` finishes it")
    if not member.metrics:
        raise EvoError(f"{path} learned nothing: its budget is 0; `evo resume {path}` takes a larger one")
    return member


def methods_of(members: Sequence[Member]) -> dict[str, list[Member]]:
    """Method → its members in order of their seeds; methods in order of first appearance."""
    groups: dict[str, list[Member]] = {}
    for member in members:
        groups.setdefault(member.method, []).append(member)
    return {method: sorted(group, key=lambda one: one.seed) for method, group in groups.items()}
