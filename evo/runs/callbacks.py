"""Watcher: callbacks of a run."""

from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

from evo.errors import EvoError
from evo.evaluation.workers import NodesStatus
from evo.runs.champion import Champion

_EVENTS = "phase", "note", "on_frame", "on_selection", "on_generation", "on_end"


class Watcher(Protocol):
    """Receives the events of a run, in the thread that trains.

    What it raises ends the run, after everything is saved.
    """

    def phase(self, text: str) -> None:
        """Receive what is being done now, in a few words."""

    def note(self, text: str) -> None:
        """Receive a message to be read even after the run, such as why there is no film."""

    def on_frame(self, done: int, frames: int) -> None:
        """Receive how many of the film's frames are drawn."""

    def on_selection(self, champion: Champion, steps: int, score: float, rate: float) -> None:
        """Receive that candidates were scored after `steps` steps, at `rate` env steps/s; the champion so far.

        rate: NaN where it tells nothing of learning, which has not begun.
        """

    def on_generation(self, row: Mapping[str, float]) -> None:
        """Receive the row of metrics of a finished generation."""

    def on_end(self, reason: str) -> None:
        """Receive why learning ended; the champion is scored next."""


@runtime_checkable
class NodesWatcher(Protocol):
    """A watcher that also shows the nodes which evaluate a run."""

    def show_nodes(self, status: Callable[[], NodesStatus]) -> None:
        """Receive what says, whenever it is called, what nodes there are and what they do."""


class Callback:
    """A watcher that passes each row of metrics to a function, if there is one, and each event to another watcher.

    Raises EvoError for another watcher that would fail at an event.
    """

    def __init__(self, function: Callable[[Mapping[str, float]], None] | None, then: Watcher | None = None) -> None:
        lacking = [name for name in _EVENTS if then is not None and not hasattr(then, name)]
        if lacking:
            raise EvoError(
                f"the watcher {type(then).__name__} has no {', '.join(lacking)}: each event has a method, as in "
                "evo.runs.callbacks.Watcher"
            )
        self._function, self._then = function, then

    def phase(self, text: str) -> None:
        if self._then is not None:
            self._then.phase(text)

    def note(self, text: str) -> None:
        if self._then is not None:
            self._then.note(text)

    def on_frame(self, done: int, frames: int) -> None:
        if self._then is not None:
            self._then.on_frame(done, frames)

    def on_selection(self, champion: Champion, steps: int, score: float, rate: float) -> None:
        if self._then is not None:
            self._then.on_selection(champion, steps, score, rate)

    def on_generation(self, row: Mapping[str, float]) -> None:
        if self._function is not None:
            self._function(row)
        if self._then is not None:
            self._then.on_generation(row)

    def on_end(self, reason: str) -> None:
        if self._then is not None:
            self._then.on_end(reason)
