"""Learner: anything that improves parameters on a Problem, one `step()` at a time."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

from evo.numerics.running_statistics import ObservationStatistics
from evo.problems.problem import Problem


class Candidate(NamedTuple):
    """A proposed champion: parameters (size,) as its problem stores them, and statistics to normalise observations."""

    params: np.ndarray
    statistics: ObservationStatistics

    def __repr__(self) -> str:
        return f"Candidate({self.params.size:,} parameters, {self.statistics!r})"


class Learner(Protocol):
    """A learner: what the training loop drives, step by step. Everything that changes is in `state()`.

    It may also have `notes`, texts for the user when a run begins, `learns`, whether it learns yet or only gathers
    experience, and `census()`, arrays about who lives, by name, that the fossil of a generation keeps.
    """

    problem: Problem
    """The problem that it learns on."""
    steps: int
    """Steps of the problem taken in training so far."""
    episodes: int
    """Episodes run in training so far."""

    @property
    def generation(self) -> int:
        """Number of completed steps of the learner (an ES's or GA's generations)."""
        ...

    def prepare(self) -> None:
        """Compile what is not compiled yet; takes seconds the first time on a machine."""
        ...

    def step(self) -> dict[str, float]:
        """Run one generation; return its row of metrics. Interrupted, it leaves everything as it was."""
        ...

    def finished(self) -> str | None:
        """Return why there is nothing more to learn, or None."""
        ...

    def candidates(self) -> list[Candidate]:
        """Return the current candidates for champion, the most promising first."""
        ...

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that changes, as plain arrays."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Resume exactly where `state()` was taken."""
        ...


def check_candidate(found: Candidate, own: Candidate, problem: Problem) -> None:
    """Raise ValueError where a candidate is not such as the problem evaluates: its arrays are typed as in `own`.

    Compiled code does not check the arrays that it is given.
    """
    problem.check(found.params)
    if found.params.dtype != own.params.dtype:
        raise ValueError(f"parameters: {found.params.dtype}, not {own.params.dtype}")
    for name, one, needed in zip(
        ("mean", "m2"),
        (found.statistics.mean, found.statistics.m2),
        (own.statistics.mean, own.statistics.m2),
        strict=True,
    ):
        if one.dtype != needed.dtype or one.shape != needed.shape:
            raise ValueError(f"{name}: {one.dtype} of shape {one.shape}, not {needed.dtype} of shape {needed.shape}")
