"""Watcher: callbacks of a run."""

from collections.abc import Callable, Mapping
from typing import Protocol

from evo.runs.champion import Champion


class Watcher(Protocol):
    """Told what happens in a run, in the thread that trains. What it raises ends the run, everything saved."""

    def phase(self, text: str) -> None:
        """What is being done now, in a few words."""

    def note(self, text: str) -> None:
        """Something to be read even when the run is over, such as why there is no film."""

    def filmed(self, done: int, frames: int) -> None:
        """So many of the film's frames are drawn."""

    def selected(self, champion: Champion, steps: int, score: float, rate: float) -> None:
        """Candidates were scored after so many steps, at `rate` env steps/s; the champion so far."""

    def learned(self, row: Mapping[str, float]) -> None:
        """A generation is done; its row of metrics."""

    def ended(self, reason: str) -> None:
        """It learns no more, for this reason; what is left is to score the champion."""


class Callback:
    """A watcher that hands each row of metrics to a function, if there is one, and each event to another watcher."""

    def __init__(self, function: Callable[[Mapping[str, float]], None] | None, then: Watcher | None = None) -> None:
        self._function, self._then = function, then

    def phase(self, text: str) -> None:
        if self._then is not None:
            self._then.phase(text)

    def note(self, text: str) -> None:
        if self._then is not None:
            self._then.note(text)

    def filmed(self, done: int, frames: int) -> None:
        if self._then is not None:
            self._then.filmed(done, frames)

    def selected(self, champion: Champion, steps: int, score: float, rate: float) -> None:
        if self._then is not None:
            self._then.selected(champion, steps, score, rate)

    def learned(self, row: Mapping[str, float]) -> None:
        if self._function is not None:
            self._function(row)
        if self._then is not None:
            self._then.learned(row)

    def ended(self, reason: str) -> None:
        if self._then is not None:
            self._then.ended(reason)
