"""Member: one finished run in a comparison, with its metrics and champion."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from evo.config.config import Config
from evo.envs.engine.physics import EngineError
from evo.errors import EvoError
from evo.evaluation.workers import Workers
from evo.numerics.randomness import report_seeds
from evo.problems.problem import evaluate_alone
from evo.runs.champion import Champion
from evo.runs.run import Run


@dataclass(frozen=True, eq=False)
class Member:
    """A finished run of a comparison.

    metrics: columns of its metrics.csv, float64 (generations,). ended: why, None where unknown. last: its last
    candidate, at the last row of metrics, scored on the report episodes by `with_last`; None where that is not known.
    label: its method's label where runs of one method differ in settings (`evo.comparison.terms.labels`). processors:
    those it has run on, as far as that is known.
    """

    path: Path
    config: Config
    champion: Champion
    metrics: dict[str, np.ndarray]
    ended: str | None
    last: Champion | None = None
    label: str = ""
    processors: tuple[str, ...] = ()

    @property
    def method(self) -> str:
        """Name of its method, with the settings in which runs of that method differ."""
        return self.label or self.config.method.name

    @property
    def seed(self) -> int:
        return self.config.seed

    def scores(self, clock: str, selection: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Return when held-out scores were taken, and the scores, where they change and at the end; float64 (scores,).

        clock: a column of metrics. selection: include the steps or time of selection, that of the score itself too;
        clock is `steps` or `cpu_s` then. Both arrays are empty where no score was ever taken. A row of metrics holds
        the score of the candidates before that generation began, when the row before was logged. No row holds the score
        of the candidates after the last row: it is known where one became the champion; else the end repeats the score
        before it.
        """
        taken, score = np.append(0.0, self.metrics[clock]), self.metrics["selection"]
        if selection:
            taken = taken + self.selection(clock)
        last = self.champion.score if self.champion.generation == self.metrics["generation"][-1] else score[-1]
        score = np.append(score, last)
        taken, score = taken[~np.isnan(score)], score[~np.isnan(score)]
        kept = np.ones(len(score), bool)
        kept[1:-1] = score[1:-1] != score[:-2]
        return taken[kept], score[kept]

    @property
    def steps_between_scores(self) -> float:
        """Mean env steps from one score to the next."""
        # one more is taken after the last row
        return float(self.metrics["steps"][-1] / self._scored.sum())

    @property
    def report_mean(self) -> float:
        """Mean return of its champion on the report episodes."""
        assert self.champion.report_returns is not None
        return float(np.mean(self.champion.report_returns))

    @property
    def last_mean(self) -> float:
        """Mean return of its last candidate on the report episodes; NaN where that is not known."""
        returns = None if self.last is None else self.last.report_returns
        return float("nan") if returns is None else float(np.mean(returns))

    @property
    def counts_selection(self) -> bool:
        """Whether it counted the steps and the core time of selection; runs before evo 0.2 did not."""
        return "selection_steps" in self.metrics

    @property
    def core_minutes(self) -> float:
        """Minutes of one core for training and selection."""
        return float(self.metrics["cpu_s"][-1] + self.selection("cpu_s")[-1]) / 60.0

    def selection(self, clock: str) -> np.ndarray:
        """Return what selection had taken when each score was known, float64 (generations + 1,).

        The entries are before each generation, and after the last. clock: `steps` or `cpu_s`.

        The selection after the last generation is in no row of metrics: it counts as much as the one before it. Where
        steps were not counted, they are estimated as `evaluation.selection_share` of training's steps up to the next
        selection or the end, because the next selection waits until those of this one are that share. They are at most
        that, except for the last selections, for which nothing waits. Where the core time was not counted, it is the
        wall-clock time of selection times the number of processors that training kept busy.
        """
        if clock == "steps" and not self.counts_selection:
            steps = np.append(0.0, self.metrics["steps"])
            begun = np.append(self._scored, True).nonzero()[0]  # rows before which there was a selection
            following = np.append(begun, len(steps) - 1)[np.searchsorted(begun, np.arange(len(steps)), side="right")]
            return np.asarray(self.config.evaluation.selection_share * steps[following])
        if self.counts_selection:
            taken = self.metrics["selection_steps" if clock == "steps" else "selection_cpu_s"]
        else:
            busy = self.metrics["cpu_s"][-1] / max(self.metrics["wall_s"][-1], 1e-9)
            taken = self.metrics["selection_s"] * busy
        amounts = np.diff(taken, prepend=0.0)
        return np.append(taken, taken[-1] + amounts[amounts > 0][-1:].sum())

    @property
    def _scored(self) -> np.ndarray:
        """Mask of the generations before which candidates were scored, bool (generations,)."""
        return np.diff(self.metrics["selection_s"], prepend=0.0) > 0


def read_member(path: Path, trust: bool = False) -> Member:
    """Read a finished run as a member.

    trust: as of a Run. Raises EvoError where there is none, or it is not finished.
    """
    run = Run(path, trust)
    member = Member(path, run.config, run.champion, run.metrics, run.ended, processors=run.processors)
    if member.champion.report_returns is None:
        raise EvoError(f"{path} is not finished; `{run.command('resume')}` finishes it")
    if not member.metrics:
        raise EvoError(run.unlearned)
    last = Champion.load(run.directory.last_path, trust) if run.directory.last_path.exists() else None
    # a last candidate of an earlier end, before the run was resumed, does not count
    ends = last is not None and all(getattr(last, name) == member.metrics[name][-1] for name in ("generation", "steps"))
    return replace(member, last=last) if ends else member


def with_last(member: Member, workers: Workers) -> Member:
    """Return the member with its last candidate scored on its champion's report episodes. Raises EvoError."""
    if member.last is None or member.last.report_returns is not None:
        return member
    champion = member.champion
    assert champion.report_returns is not None
    if member.last.digest == champion.digest:
        return replace(member, last=champion)
    seeds = report_seeds(len(champion.report_returns))
    problem = member.last.problem_on(workers)
    try:
        returns = evaluate_alone(problem, *member.last.candidate, seeds).returns[0]
    except EngineError as error:
        raise EvoError(f"{member.path}: {error}") from error
    return replace(member, last=member.last.with_report(returns, {}))


def methods_of(members: Sequence[Member]) -> dict[str, list[Member]]:
    """Return method → its members in order of their seeds; methods in order of first appearance."""
    groups: dict[str, list[Member]] = {}
    for member in members:
        groups.setdefault(member.method, []).append(member)
    return {method: sorted(group, key=lambda one: one.seed) for method, group in groups.items()}
