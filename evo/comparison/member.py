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
    """A finished run. metrics: columns of its metrics.csv, float64 (generations,). ended: why, None where unknown."""

    path: Path
    config: Config
    champion: Champion
    metrics: dict[str, np.ndarray]
    ended: str | None

    @property
    def method(self) -> str:
        return str(self.config["method.name"])

    @property
    def seed(self) -> int:
        return int(self.config["seed"])

    def scores(self, clock: str) -> tuple[np.ndarray, np.ndarray]:
        """When held-out scores were taken, and what they were, where they change and at the end; float64 (scores,).

        clock: a column of metrics. Both are empty where no score was ever taken. A row of metrics holds the score of
        what was offered before that generation began, when the row before was logged. What is offered after the last
        row is in none: its score is known where it became the champion; else the end repeats the score before it.
        """
        taken, score = np.append(0.0, self.metrics[clock]), self.metrics["selection"]
        last = self.champion.score if self.champion.generation == self.metrics["generation"][-1] else score[-1]
        score = np.append(score, last)
        taken, score = taken[~np.isnan(score)], score[~np.isnan(score)]
        kept = np.ones(len(score), bool)
        kept[1:-1] = score[1:-1] != score[:-2]
        return taken[kept], score[kept]

    @property
    def steps_between_scores(self) -> float:
        """Mean env steps from one score to the next."""
        # every score takes time, and one more is taken after the last row
        scored = np.diff(self.metrics["selection_s"], prepend=0.0) > 0
        return float(self.metrics["steps"][-1] / scored.sum())

    @property
    def report_mean(self) -> float:
        """Mean return of its champion on the report episodes."""
        assert self.champion.report_returns is not None
        return float(np.mean(self.champion.report_returns))


def read_member(path: Path, trust: bool = False) -> Member:
    """trust: as of a Run. Raises EvoError where there is no run, or one that is not finished."""
    run = Run(path, trust)
    member = Member(path, run.config, run.champion, run.metrics, run.ended)
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
