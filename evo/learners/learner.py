"""Learner: anything that improves parameters on a Problem, one `step()` at a time."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

from evo.numerics.running_statistics import ObservationStatistics
from evo.problems.problem import Problem


class Candidate(NamedTuple):
    """What a learner offers as champion: (size,) parameters as its problem stores them, and statistics to normalise
    observations by."""

    params: np.ndarray
    statistics: ObservationStatistics

    def __repr__(self) -> str:
        return f"Candidate({self.params.size:,} parameters, {self.statistics!r})"


class Learner(Protocol):
    """What the one training loop drives. Everything that changes is in `state()`."""

    problem: Problem
    """What it learns on."""
    steps: int
    """Steps of the problem taken in training so far."""
    episodes: int
    """Episodes run in training so far."""

    @property
    def generation(self) -> int:
        """Completed steps of the learner (an ES's or GA's generations)."""
        ...

    def prepare(self) -> None:
        """Compile what is not compiled yet; takes seconds the first time on a machine."""
        ...

    def step(self) -> dict[str, float]:
        """One generation; returns its row of metrics. Interrupted, it leaves everything as it was."""
        ...

    def finished(self) -> str | None:
        """Why there is nothing more to learn, or None."""
        ...

    def candidates(self) -> list[Candidate]:
        """What could become the champion now, the most promising first."""
        ...

    def state(self) -> dict[str, np.ndarray]:
        """Everything that changes, as plain arrays."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on exactly where `state()` was taken."""
        ...


def below(prefix: str, state: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a state whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): array for name, array in state.items() if name.startswith(prefix)}


def check_candidate(found: Candidate, own: Candidate) -> None:
    """ValueError where the arrays of a candidate from a file are not of the shapes and types of one's own: compiled
    code takes them as they are."""
    for name, one, needed in zip(
        ("parameters", "mean", "m2"),
        (found.params, found.statistics.mean, found.statistics.m2),
        (own.params, own.statistics.mean, own.statistics.m2),
        strict=True,
    ):
        if one.dtype != needed.dtype or one.shape != needed.shape:
            raise ValueError(f"{name}: {one.dtype} of shape {one.shape}, not {needed.dtype} of shape {needed.shape}")
