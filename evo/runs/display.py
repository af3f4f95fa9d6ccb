"""Display of a run in a terminal: live where possible, plain lines elsewhere."""

import math
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from evo.config.config import Config
from evo.evaluation.workers import NodesStatus
from evo.numerics.formatting import number
from evo.runs.champion import Champion
from evo.runs.node_lines import NodeLines

_BLOCKS = " ▁▂▃▄▅▆▇█"
_CURVE_WIDTH, _CURVE_HEIGHT = 56, 6
_WIDTH = 76  # of the panel, fixed: in a terminal made narrower, wider lines would wrap and remain
_PACE = 60.0  # seconds over which the speed is measured
_LARGEST = 1e300  # beyond it sums and differences overflow
_NODES = 30.0  # seconds between two plain lines about nodes, unless some come or go


class Forecast:
    """Estimates progress and remaining time of a run, from its budget and the speed so far."""

    def __init__(self, config: Config) -> None:
        self._budget, self._unit = config.budget, config.task.kind.step_unit
        self._share = config.evaluation.selection_share
        # time and fraction at rows of this session, of the last minute
        self._seen: deque[tuple[float, float]] = deque()

    def fraction(self, row: Mapping[str, float]) -> float | None:
        """Return the used part of the budget, 0 to 1; None without a budget in steps, generations or minutes."""
        parts = [
            row[column] / limit
            for limit, column in ((self._budget.steps, "steps"), (self._budget.generations, "generation"))
            if limit
        ]
        if self._budget.minutes:
            parts.append((row["wall_s"] + row["selection_s"]) / (60.0 * self._budget.minutes))
        return min(1.0, max(parts)) if parts else None

    def seconds_left(self, row: Mapping[str, float]) -> float | None:
        fraction = self.fraction(row)
        if fraction is None:
            return None
        now = time.monotonic()
        # a learner slows down where learning begins, so what is far back tells little
        while len(self._seen) > 1 and self._seen[1][0] <= now - _PACE:
            self._seen.popleft()
        if not self._seen or fraction > self._seen[-1][1]:
            self._seen.append((now, fraction))
        began, first = self._seen[0]
        return (1.0 - fraction) * (now - began) / (fraction - first) if fraction > first else None

    def estimate(self, rate: float, steps: int) -> str:
        """Return a line about the remaining work, before it starts, at `rate` env steps/s with `steps` done.

        rate: NaN where it is not known yet.
        """
        budget, unit = self._budget.steps, self._unit
        if math.isnan(rate):
            minutes = self._budget.minutes
            return f"{minutes:g} minutes at most" if minutes else "the time left is known once learning has begun"
        if not rate > 0:
            return f"no {unit}s a second: the task ends at once"
        if budget and budget > steps:
            share = 1.0 + self._share
            ahead = duration((budget - steps) * share / rate)
            return f"about {ahead} for {budget - steps:,} {unit}s at {rate:,.0f} a second"
        if self._budget.minutes:
            return f"{self._budget.minutes:g} minutes at {rate:,.0f} {unit}s a second"
        return f"{rate:,.0f} {unit}s a second"


def duration(seconds: float) -> str:
    """Format a duration: `45 s`, `3 min 05 s`, `2 h 10 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def curve(values: Sequence[float], width: int = _CURVE_WIDTH, height: int = _CURVE_HEIGHT) -> list[str]:
    """Return a small chart of the values in block characters, `height` lines, oldest first."""
    finite = [value for value in values if abs(value) < _LARGEST]  # false for NaN too
    if len(finite) < 2:
        return [" " * width] * height
    columns = min(width, len(finite))
    # each column shows the mean of its share of the values
    edges = [round(index * len(finite) / columns) for index in range(columns + 1)]
    means = [sum(finite[a:b]) / (b - a) for a, b in pairwise(edges)]
    low, high = min(means), max(means)
    span = (high - low) or 1.0
    levels = [1 + round((value - low) / span * (8 * height - 1)) for value in means]
    rows = []
    for line in range(height - 1, -1, -1):
        rows.append("".join(_BLOCKS[min(8, max(0, level - 8 * line))] for level in levels).ljust(width))
    return rows


class Seen:
    """State of a run that displays keep."""

    def __init__(self, config: Config) -> None:
        self.forecast = Forecast(config)
        self.judged = "held-out" if config.task.kind.held_out else "champion"  # label of its score
        told = (
            "the champion's score on what training never sees" if config.task.kind.held_out else "the best point so far"
        )
        self.legend = f"best, mean: of the generation, in training; {self.judged}: {told}"
        task = config.task
        self.unit, self.epoch = (
            task.kind.step_unit,
            task.kind.examples(task.name, task.made) if task.kind.splits else None,
        )
        self.means: list[float] = []
        self.row: Mapping[str, float] = {}
        self.champion: Champion | None = None

    def on_generation(self, row: Mapping[str, float]) -> None:
        self.row = row
        if not math.isnan(row["mean"]):  # NaN until a learner's first episode has ended
            self.means.append(row["mean"])

    @property
    def progress(self) -> tuple[str, str]:
        """How far it is, as a word and a number: of a data set epochs, else generations."""
        if self.epoch is not None:
            return "epoch", f"{self.row['steps'] / self.epoch:,.2f}"
        return "generation", f"{self.row['generation']:,.0f}"

    @property
    def rate(self) -> float:
        """Speed of training over the whole run, env steps/s."""
        wall = self.row.get("wall_s", 0.0)
        return self.row.get("steps", 0.0) / wall if wall else 0.0


class PlainLines:
    """Prints a line when something changes, for logs, pipes and notebooks.

    At most one every two seconds in training. before: returns what each line begins with.
    """

    end_printed = False
    """Whether it printed why learning ended."""

    def __init__(self, config: Config, console: Console, before: Callable[[], str] = lambda: "") -> None:
        self._seen, self._console, self._printed, self._estimated = Seen(config), console, 0.0, False
        self._before = before
        self._nodes: NodeLines | None = None
        self._nodes_printed, self._nodes_known = -_NODES, (0, 0)

    def __enter__(self) -> "PlainLines":
        return self

    def show_nodes(self, status: Callable[[], NodesStatus]) -> None:
        self._nodes = NodeLines(status)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._seen.row:
            self._line()

    def phase(self, text: str) -> None:
        self._console.print(self._before() + text, markup=False, highlight=False, soft_wrap=True)

    def note(self, text: str) -> None:
        self.phase(text)

    def on_frame(self, done: int, frames: int) -> None:
        pass  # a line for each would flood a log

    def on_selection(self, champion: Champion, steps: int, score: float, rate: float) -> None:
        self._seen.champion = champion
        if not self._estimated:
            self._estimated = True
            self.phase(self._seen.forecast.estimate(rate, steps))
            self.phase(self._seen.legend)

    def on_generation(self, row: Mapping[str, float]) -> None:
        self._seen.on_generation(row)
        if time.monotonic() - self._printed > 2.0 or not self._printed:
            self._printed = time.monotonic()
            self._line()

    def on_end(self, reason: str) -> None:
        self.phase(f"ended: {reason}")
        self.end_printed = not self._console.quiet

    def _line(self) -> None:
        row, champion = self._seen.row, self._seen.champion
        held_out = f"  {self._seen.judged} {number(champion.score):>9}" if champion is not None else ""
        left = self._seen.forecast.seconds_left(row)
        time_left = f"  {duration(left)} left" if left is not None else ""
        failures = f"  {row['failures']:.0f} episodes failed" if row["failures"] else ""
        word, far = self._seen.progress
        unit = f"{self._seen.unit}s"
        self.phase(
            f"{word} {far:>5}  {row['steps']:12,.0f} {unit}  best {number(row['best']):>9}  mean "
            f"{number(row['mean']):>9}{held_out}  {self._seen.rate:8,.0f} {unit.split()[-1]}/s{time_left}{failures}"
        )
        if self._nodes is not None:
            known, now = self._nodes.changes(), time.monotonic()
            if known != self._nodes_known or now - self._nodes_printed >= _NODES:
                self._nodes_known, self._nodes_printed = known, now
                self.phase(self._nodes.line())


class LiveDisplay:
    """Shows the run in one panel that is redrawn in place."""

    end_printed = False

    def __init__(self, config: Config, console: Console) -> None:
        self._config, self._seen, self._phase, self._estimate = config, Seen(config), "starting", ""
        self._ended = ""
        self._nodes: NodeLines | None = None
        # notes go to standard error: on a terminal above the panel, so that they do not tear it
        above = sys.stderr is not None and sys.stderr.isatty()
        self._live = Live(self._panel(), console=console, refresh_per_second=8, redirect_stderr=above)

    def __enter__(self) -> "LiveDisplay":
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._phase = f"done: {self._ended}" if self._ended else "done"
        self._live.update(self._panel())
        self._live.stop()

    def show_nodes(self, status: Callable[[], NodesStatus]) -> None:
        self._nodes = NodeLines(status)
        self._live.update(self._panel())

    def phase(self, text: str) -> None:
        self._phase = text
        self._live.update(self._panel(), refresh=True)

    def note(self, text: str) -> None:
        self._live.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def on_frame(self, done: int, frames: int) -> None:
        self._phase = f"filming the champion: {done} of {frames} frames"
        self._live.update(self._panel())

    def on_selection(self, champion: Champion, steps: int, score: float, rate: float) -> None:
        self._seen.champion = champion
        self._estimate = self._estimate or self._seen.forecast.estimate(rate, steps)
        self._live.update(self._panel())

    def on_generation(self, row: Mapping[str, float]) -> None:
        self._seen.on_generation(row)
        self._live.update(self._panel())

    def on_end(self, reason: str) -> None:
        self._ended = reason

    def _panel(self) -> Panel:
        config, row, champion = self._config, self._seen.row, self._seen.champion
        names = " · ".join(filter(None, [config.method.name, config.network.layers, f"seed {config.seed}"]))
        title = Text.assemble((config.task.name, "bold"), "  ", names)
        # made anew at each redrawing, as generations may take minutes
        nodes: list[RenderableType] = [] if self._nodes is None else [self._nodes]
        if not row:
            text = Text(f"{self._phase} …\n{self._estimate}".strip(), style="dim")
            return Panel(Group(text, *nodes), title=title, title_align="left", width=_WIDTH)
        numbers = Table.grid(padding=(0, 3))
        for _ in range(4):
            numbers.add_column(justify="left")
        held_out = number(champion.score if champion is not None else math.nan)
        left = self._seen.forecast.seconds_left(row)
        word, far = self._seen.progress
        numbers.add_row(f"[dim]{word}", far, "[dim]best", f"[cyan]{number(row['best'])}")
        numbers.add_row(f"[dim]{config.task.kind.step_unit}s", f"{row['steps']:,.0f}", "[dim]mean", number(row["mean"]))
        numbers.add_row(
            "[dim]steps/s", f"{self._seen.rate:,.0f}", f"[dim]{self._seen.judged}", f"[bold green]{held_out}"
        )
        numbers.add_row(
            "[dim]time left", duration(left) if left is not None else "–", "[dim]failed", f"{row['failures']:.0f}"
        )
        fraction = self._seen.forecast.fraction(row)
        bar = Table.grid()  # a bar alone ends no line
        bar.add_row(ProgressBar(total=1.0, completed=fraction or 0.0, width=_CURVE_WIDTH, pulse=fraction is None))
        lines = [Text(line, style="cyan") for line in curve(self._seen.means)]
        span = f", {min(self._seen.means):,.0f} to {max(self._seen.means):,.0f}" if self._seen.means else ""
        scale = Text(f"mean fitness by generation{span}", style="dim")
        return Panel(
            Group(
                numbers,
                *nodes,
                Text(self._seen.legend, style="dim"),
                Text(),
                *lines,
                scale,
                Text(),
                bar,
                Text(self._phase, style="dim"),
            ),
            title=title,
            title_align="left",
            width=_WIDTH,
        )


def is_live(console: Console) -> bool:
    """Return whether the console can be redrawn in place and has block characters."""
    return console.is_terminal and not console.is_dumb_terminal and console.encoding.startswith("utf")


def display(config: Config, console: Console, quiet: bool) -> "LiveDisplay | PlainLines":
    """Return the display for the console: live on a terminal, plain lines elsewhere."""
    if quiet:
        return PlainLines(config, Console(quiet=True))
    return LiveDisplay(config, console) if is_live(console) else PlainLines(config, console)
