"""Display of a study in a terminal: a line for each member, live; plain lines elsewhere."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import TracebackType
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from evo.api.running import Display
from evo.config.config import Config
from evo.numerics.formatting import number
from evo.runs.callbacks import Callback, Watcher
from evo.runs.champion import Champion
from evo.runs.display import PlainLines, Seen, duration, is_live

_AT_WORK = ("running", "resumed")
_STYLES = {"waiting": "dim", "running": "cyan", "resumed": "cyan", "reused": "green", "done": "green", "failed": "red"}


class StudyWatcher(Protocol):
    """Receives the events of a study; members are numbered in the order of work."""

    def state(self, index: int, state: str, note: str = "") -> None:
        """Receive a run's new state: waiting, running, resumed, reused, done or failed.

        Several may run at once. note: why it failed, which trial it is, or on which node it runs.
        """

    def watch(self, index: int) -> Display:
        """Return the display of a member's run."""
        ...

    def phase(self, text: str) -> None:
        """Receive what is being done now, in a few words."""


def names_of(configs: Sequence[Config]) -> list[str]:
    """Return what members are called: method and seed, and before them the task where it is not the same for all."""
    alike = len({config.task.name for config in configs}) < 2
    return [f"{'' if alike else f'{one.task.name} '}{one.method.name} seed {one.seed}" for one in configs]


class Pace:
    """Estimates the remaining time of a study from the share of it that was done in this session.

    weights: how much work each member is, in any unit.
    """

    def __init__(self, weights: Sequence[float]) -> None:
        self._weights, self._fractions = weights, [0.0] * len(weights)
        self._made, self._began = 0.0, 0.0

    def begin(self) -> None:
        """Start the clock, at the beginning of the first member's work."""
        self._began = self._began or time.monotonic()

    def reach(self, index: int, fraction: float, worked: bool = True) -> None:
        """Record the used fraction of a member's budget; worked: whether this session did it, or found it done."""
        if worked:
            self._made += (fraction - self._fractions[index]) * self._weights[index]
        self._fractions[index] = fraction

    def seconds_left(self) -> float | None:
        """Return the estimate; None before any work is done."""
        left = sum(weight * (1.0 - done) for weight, done in zip(self._weights, self._fractions, strict=True))
        return (time.monotonic() - self._began) * left / self._made if self._made > 0 else None

    @property
    def text(self) -> str:
        seconds = self.seconds_left()
        return f"about {duration(seconds)} left for all runs" if seconds else ""


class _Members:
    """State of the members, common to both displays."""

    def __init__(self, configs: Sequence[Config], weights: Sequence[float] | None) -> None:
        self.configs, self.names = configs, names_of(configs)
        self.pace = Pace([1.0] * len(configs) if weights is None else weights)
        self.seen = [Seen(config) for config in configs]
        self.states, self.notes = ["waiting"] * len(configs), [""] * len(configs)
        self.current = 0

    def state(self, index: int, state: str, note: str) -> None:
        self.states[index], self.notes[index], self.current = state, note, index
        if state in _AT_WORK:
            self.pace.begin()
        if state in ("reused", "done", "failed"):
            self.pace.reach(index, 1.0, worked=state == "done")

    def lead(self, index: int) -> str:
        """Return what tells lines of a run from those of others that run at the same time."""
        several = sum(state in _AT_WORK for state in self.states) > 1
        return f"[{index + 1}/{len(self.configs)}] {self.names[index]}: " if several else ""

    def on_generation(self, index: int, row: Mapping[str, float]) -> None:
        # what a resumed member had done before is not this session's work
        found = self.states[index] == "resumed" and not self.seen[index].row
        self.seen[index].on_generation(row)
        self.pace.reach(index, self.seen[index].forecast.fraction(row) or 0.0, worked=not found)


class StudyLines:
    """Prints a line when a member's state changes, and between them the lines of its run."""

    def __init__(self, configs: Sequence[Config], console: Console, weights: Sequence[float] | None = None) -> None:
        self._members, self._console = _Members(configs, weights), console

    def state(self, index: int, state: str, note: str = "") -> None:
        self._members.state(index, state, note)
        name = f"[{index + 1}/{len(self._members.configs)}] {self._members.names[index]}: {state}"
        left = self._members.pace.text if state in _AT_WORK else ""
        self.phase("; ".join(part for part in (name, note, left) if part))

    def watch(self, index: int) -> Display:
        @contextmanager
        def shown(config: Config) -> Iterator[Watcher]:
            with PlainLines(config, self._console, lambda: self._members.lead(index)) as lines:
                yield Callback(lambda row: self._members.on_generation(index, row), lines)

        return shown

    def phase(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


class StudyTable:
    """Shows all members in one table that is redrawn in place."""

    def __init__(self, configs: Sequence[Config], console: Console, weights: Sequence[float] | None = None) -> None:
        self._members, self._console, self._phase = _Members(configs, weights), console, "starting"
        self._live = Live(self._table(), console=console, refresh_per_second=8)

    def __enter__(self) -> "StudyTable":
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._phase = "done" if error is None else self._phase
        self._live.update(self._table())
        self._live.stop()

    def state(self, index: int, state: str, note: str = "") -> None:
        self._members.state(index, state, note)
        self.phase(note)

    def watch(self, index: int) -> Display:
        @contextmanager
        def shown(config: Config) -> Iterator[Watcher]:
            yield _MemberLine(self, index)

        return shown

    def phase(self, text: str) -> None:
        self._phase = text
        self._live.update(self._table(), refresh=True)

    def on_selection(self, index: int, champion: Champion) -> None:
        self._members.seen[index].champion = champion
        self._live.update(self._table())

    def on_generation(self, index: int, row: Mapping[str, float]) -> None:
        self._members.on_generation(index, row)
        self._live.update(self._table())

    def _table(self) -> Group:
        members = self._members
        tasks = list(dict.fromkeys(config.task.name for config in members.configs))
        of = tasks[0] if len(tasks) == 1 else f"{len(tasks)} tasks"
        table = Table(title=f"{of}: {len(members.configs)} runs", title_justify="left", title_style="bold")
        for name in ("task", "method", "seed")[len(tasks) == 1 :]:
            table.add_column(name)
        table.add_column("", width=12)
        for name in (f"{members.configs[0].task.kind.step_unit}s", "held-out", "steps/s"):
            table.add_column(name, justify="right", min_width=9)
        table.add_column("state")
        shown = self._window()
        for index in shown:
            config, seen, state = members.configs[index], members.seen[index], members.states[index]
            note = members.notes[index] if state in _AT_WORK else ""
            fraction = seen.forecast.fraction(seen.row) if seen.row else None
            table.add_row(
                *([config.task.name] if len(tasks) > 1 else []),
                config.method.name,
                str(config.seed),
                ProgressBar(total=1.0, completed=1.0 if state in ("done", "reused") else fraction or 0.0, width=12),
                f"{seen.row['steps']:,.0f}" if seen.row else "",
                number(seen.champion.score) if seen.champion is not None else "",
                f"{seen.rate:,.0f}" if seen.row else "",
                Text(f"{state} {note}".strip(), style=_STYLES[state]),
            )
        hidden = len(members.configs) - len(shown)
        more = f"{hidden} more not shown" if hidden else ""
        below = "   ".join(part for part in (self._phase, members.pace.text, more) if part)
        return Group(table, Text(below, style="dim"))

    def _window(self) -> range:
        """Return the members that fit on the screen, the current one among them."""
        count, room = len(self._members.configs), max(1, self._console.height - 8)
        first = min(max(0, self._members.current - room // 2), max(0, count - room))
        return range(first, min(count, first + room))


class _MemberLine:
    """Watcher of one member's run, which is not filmed."""

    def __init__(self, table: StudyTable, index: int) -> None:
        self._table, self._index = table, index

    def note(self, text: str) -> None:
        self._table.phase(text)

    def on_frame(self, done: int, frames: int) -> None:
        pass

    def phase(self, text: str) -> None:
        self._table.phase(text)

    def on_selection(self, champion: Champion, steps: int, score: float, rate: float) -> None:
        self._table.on_selection(self._index, champion)

    def on_generation(self, row: Mapping[str, float]) -> None:
        self._table.on_generation(self._index, row)

    def on_end(self, reason: str) -> None:
        self._table.phase(f"ended: {reason}")


def study_display(
    configs: Sequence[Config], console: Console, quiet: bool, weights: Sequence[float] | None = None
) -> AbstractContextManager[StudyWatcher]:
    """Return the display for the console: live on a terminal, plain lines elsewhere, nothing when quiet.

    weights: how much work each member is, for the time that is left; None: all the same.
    """
    if quiet:
        return nullcontext(StudyLines(configs, Console(quiet=True)))
    if is_live(console):
        return StudyTable(configs, console, weights)
    return nullcontext(StudyLines(configs, console, weights))
