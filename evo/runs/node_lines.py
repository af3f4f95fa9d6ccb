"""Lines about the nodes that evaluate a run, for its displays."""

import math
import statistics
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from rich.text import Text

from evo.evaluation.workers import NodesStatus, NodeStatus

_WINDOW = 60.0  # seconds over which speeds and waiting are measured
_APART = 1.0  # seconds between two looks: of a thousand nodes one takes some ten milliseconds
_FEW = 3  # nodes that have a line each
_LABEL = 10  # width of the first column


class _Speed(NamedTuple):
    """A node with its speed in env steps/s and the share of its time in which it had no slices; NaN if not known."""

    node: NodeStatus
    steps: float
    waiting: float


class NodeLines:
    """What nodes there are, how fast they are, and who waits; `status` says it, and is asked whenever lines are made.

    lost: how often a node was lost since this was made.
    """

    def __init__(self, status: Callable[[], NodesStatus]) -> None:
        self._status, self._seen = status, deque[NodesStatus]()
        self._lost = status().lost
        self._drawn, self._text = -math.inf, Text()

    def __rich__(self) -> Text:
        if time.monotonic() - self._drawn >= _APART:
            self._drawn, self._text = time.monotonic(), Text("\n".join(self.lines()))
        return self._text

    def changes(self) -> tuple[int, int]:
        """Return the numbers of nodes and of lost ones."""
        now = self._status()
        return len(now.nodes), now.lost - self._lost

    def lines(self) -> list[str]:
        """Return lines of at most 72 columns: few nodes have one each, of many the slowest and the fastest are told."""
        now, speeds = self._look()
        driver = _share(now.waited - self._seen[0].waited, now.seconds - self._seen[0].seconds)
        flying = f", {sum(node.flying for node in now.nodes):,} slices in flight" if now.nodes else ""
        return [
            _line("nodes", f"{self._count(now)}{flying}"),
            _line("waiting", f"nodes {_percent(_mean_waiting(speeds))} of the time, this process {_percent(driver)}"),
            *(_line(*pair) for pair in zip(("steps/s", *[""] * len(speeds)), _told(speeds), strict=False)),
        ]

    def line(self) -> str:
        """Return all in one line, for a log, which is written when no slices are in flight."""
        now, speeds = self._look()
        if not speeds:
            return f"nodes: {self._count(now)}"
        driver = _share(now.waited - self._seen[0].waited, now.seconds - self._seen[0].seconds)
        waiting = f"waiting: nodes {_percent(_mean_waiting(speeds))}, this process {_percent(driver)}"
        told = "; ".join(" ".join(text.split()) for text in _told(speeds))
        return f"nodes: {self._count(now)}; {waiting}; steps/s: {told}"

    def _count(self, now: NodesStatus) -> str:
        lost = f", {now.lost - self._lost:,} lost" if now.lost > self._lost else ""
        if not now.nodes:
            return f"none{lost}: this process evaluates alone"
        return f"{len(now.nodes):,}{lost}"

    def _look(self) -> tuple[NodesStatus, list[_Speed]]:
        """Return what nodes there are, and their speeds over the last minute, or since they joined."""
        now = self._status()
        if not self._seen or now.seconds - self._seen[-1].seconds >= _APART:
            self._seen.append(now)
        while len(self._seen) > 2 and self._seen[1].seconds <= now.seconds - _WINDOW:
            self._seen.popleft()
        first = self._seen[0]
        before = {node.name: node for node in first.nodes}
        return now, [_speed(node, before.get(node.name), now.seconds - first.seconds) for node in now.nodes]


def _speed(node: NodeStatus, before: NodeStatus | None, ago: float) -> _Speed:
    """Return a node's speed since it was as `before`, `ago` seconds back, or since it joined if that was later."""
    if before is None or node.seconds < ago:
        before = NodeStatus(node.name, node.cores, 0, 0, 0.0, 0.0)
    seconds = node.seconds - before.seconds
    return _Speed(node, _share(node.steps - before.steps, seconds), _share(node.waited - before.waited, seconds))


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else math.nan


def _mean_waiting(speeds: list[_Speed]) -> float:
    known = [speed.waiting for speed in speeds if not math.isnan(speed.waiting)]
    return statistics.fmean(known) if known else math.nan


def _percent(share: float) -> str:
    return "–" if math.isnan(share) else f"{100 * min(1.0, max(0.0, share)):.0f} %"


def _rate(steps: float) -> str:
    return "–" if math.isnan(steps) else f"{steps:,.0f}"


def _told(speeds: list[_Speed]) -> list[str]:
    """Return a text for each of few nodes, or three on many."""
    if len(speeds) <= _FEW:
        return [_one(speed) for speed in speeds]
    ordered = sorted(speeds, key=lambda speed: -math.inf if math.isnan(speed.steps) else speed.steps)
    middle = statistics.median(0.0 if math.isnan(speed.steps) else speed.steps for speed in speeds)
    return [f"slowest {_one(ordered[0])}", f"median  {_rate(middle):>11}", f"fastest {_one(ordered[-1])}"]


def _one(speed: _Speed) -> str:
    node = speed.node
    cores = f"{node.cores} core{'' if node.cores == 1 else 's'}"
    return f"{_rate(speed.steps):>11}  node {short(node.name)}, {cores}, waits {_percent(speed.waiting)}"


def short(name: str) -> str:
    """Return a node's name, or of a long one, as HOST/0a1b2c3d, its end."""
    return name if len(name) <= 16 else name[-8:]


def _line(label: str, text: str) -> str:
    return f"{label:<{_LABEL}} {text}"
