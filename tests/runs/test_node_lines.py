"""What displays tell of nodes: how many, how fast, who waits; few or many, in 72 columns."""

import io
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

import evo
from evo.cluster.nodes import Nodes
from evo.cluster.simulation import Machine, SimulatedNodes
from evo.config.resolve import resolve_config
from evo.evaluation.workers import NodesStatus, NodeStatus
from evo.runs import node_lines
from evo.runs.callbacks import Callback
from evo.runs.display import LiveDisplay, PlainLines, display
from evo.runs.node_lines import NodeLines

NAMES = [f"node-{number}.example.org/{number:02x}ffffff" for number in range(256)]


def lines_of(*seen: NodesStatus) -> NodeLines:
    """Lines about nodes that were seen so, one after the other."""
    found = iter([seen[0], *seen])
    lines = NodeLines(lambda: next(found))
    for _ in seen[:-1]:
        lines.lines()
    return lines


def status(seconds: float, waited: float, *nodes: tuple[float, ...], lost: int = 0) -> NodesStatus:
    """nodes: the slices in flight, the steps, the seconds and those waited of each."""
    named = [NodeStatus(name, 4, *node) for name, node in zip(NAMES, nodes, strict=False)]  # type: ignore[arg-type]
    return NodesStatus(tuple(named), lost, seconds, waited)


def test_few_nodes_have_a_line_each() -> None:
    before = status(10, 5, (3, 1000, 10, 1), (2, 0, 4, 4), lost=2)
    lines = lines_of(before, status(30, 23, (5, 21_000, 30, 1), (0, 300, 24, 9), (1, 60, 6, 3), lost=3))
    assert lines.lines() == [
        "nodes      3, 1 lost, 6 slices in flight",
        "waiting    nodes 25 % of the time, this process 90 %",
        "steps/s          1,000  node 00ffffff, 4 cores, waits 0 %",
        "                    15  node 01ffffff, 4 cores, waits 25 %",
        "                    10  node 02ffffff, 4 cores, waits 50 %",
    ]


def test_of_many_nodes_the_slowest_and_the_fastest_are_told() -> None:
    nodes = [(2, 100.0 * number, 10.0, 1.0) for number in range(1, 41)]
    lines = lines_of(status(20, 10), status(30, 19, *nodes))
    assert lines.lines() == [
        "nodes      40, 80 slices in flight",
        "waiting    nodes 10 % of the time, this process 90 %",
        "steps/s    slowest          10  node 00ffffff, 4 cores, waits 10 %",
        "           median          205",
        "           fastest         400  node 27ffffff, 4 cores, waits 10 %",
    ]
    assert lines_of(status(20, 10), status(30, 19, *nodes)).line() == (
        "nodes: 40; waiting: nodes 10 %, this process 90 %; steps/s: slowest 10 node 00ffffff, "
        "4 cores, waits 10 %; median 205; fastest 400 node 27ffffff, 4 cores, waits 10 %"
    )


def test_no_nodes_and_new_ones_have_lines_too() -> None:
    assert lines_of(status(5, 0)).lines()[0] == "nodes      none: this process evaluates alone"
    assert lines_of(status(5, 0)).line() == "nodes: none: this process evaluates alone"
    assert "steps/s              –  node 00ffffff" in lines_of(status(5, 0, (0, 0, 0, 0))).lines()[2]


def test_a_node_that_came_back_is_measured_since_then() -> None:
    found = lines_of(status(100, 0, (0, 90_000, 100, 0)), status(110, 0, (0, 50, 5, 0), lost=1)).lines()
    assert found[0] == "nodes      1, 1 lost, 0 slices in flight"
    assert found[2].split()[1] == "10"


def test_speeds_are_of_the_last_minute() -> None:
    seen = [status(second, 0, (0, 1000 * min(second, 100), second, 0)) for second in range(0, 200, 2)]
    assert lines_of(*seen).lines()[2].split()[1] == "0"


SECONDS = st.just(0.0) | st.floats(1, 10**6)
NODES = st.tuples(st.integers(0, 10**6), st.integers(0, 10**9), SECONDS, SECONDS)


@given(st.lists(NODES, max_size=9), st.lists(NODES, max_size=9), SECONDS, st.integers(0, 10**5))
def test_whatever_nodes_do_it_is_told_in_72_columns(
    before: list[Any], after: list[Any], seconds: float, lost: int
) -> None:
    found = lines_of(status(seconds, 0, *before), status(2 * seconds, seconds, *after, lost=lost)).lines()
    assert max(map(len, found)) <= 72 and len(found) <= 5


def nodes_of(machines: dict[str, Machine]) -> Nodes:
    """Simulated nodes that evaluate in this process."""
    simulated = SimulatedNodes(machines, evo.evaluate_slice, np.random.default_rng(0))
    return Nodes(simulated, 1, evo.evaluate_slice, {}, lambda text: None)


@pytest.mark.parametrize("kind", [PlainLines, LiveDisplay])
def test_a_run_on_nodes_shows_them(kind: type[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_lines, "_APART", 0.0)
    nodes = nodes_of({"near": Machine(), "far": Machine(), "brief": Machine(dies=12)})
    settings = {"method.directions": 100, "evaluation.report_episodes": 9}
    console = Console(file=io.StringIO(), force_terminal=kind is LiveDisplay, width=90, height=50)
    made = list[Any]()

    def watch(config: Any) -> Any:
        made.append(display(config, console, False))
        return made[0]

    def draw(row: Any) -> None:
        if kind is LiveDisplay:
            made[0]._live.refresh()

    how: dict[str, Any] = {"method": "ars", "generations": 6, "settings": settings, "video": False}
    shown = evo.run("cartpole", out=tmp_path / "run", workers=nodes, display=watch, callback=draw, **how)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    name, rest = ("nodes:", "; waiting") if kind is PlainLines else ("nodes", r", \d+ slices in flight")
    assert re.search(f"{name} +3{rest}", text)
    assert re.search(f"{name} +2, 1 lost{rest}", text)
    assert re.search(r"steps/s:? +[0-9,]+ +node near, 1 core, waits \d+ %", text)
    assert len(shown.metrics["steps"]) == 6


def test_a_watcher_of_ones_own_needs_to_know_nothing_of_nodes(tmp_path: Path) -> None:
    class Own(Callback):
        def __enter__(self) -> "Own":
            return self

        def __exit__(self, *ended: object) -> None:
            pass

    nodes = nodes_of({"near": Machine()})
    watching: dict[str, Any] = {"display": lambda config: Own(None), "video": False}
    assert evo.run("sphere", dim=2, generations=2, out=tmp_path / "run", workers=nodes, **watching).champion


def test_many_nodes_cost_a_display_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it is drawn, a look at all nodes is taken once a second."""
    looks = 0

    def look() -> NodesStatus:
        nonlocal looks
        looks += 1
        return status(looks, 0, (0, 0, 1, 0))

    lines, now = NodeLines(look), 0.0
    monkeypatch.setattr(node_lines, "time", type("clock", (), {"monotonic": staticmethod(lambda: now)}))
    assert time.monotonic() != now
    for _ in range(80):
        now += 0.125
        lines.__rich__()
    assert looks == 1 + 10


def test_the_live_panel_with_nodes_fits_a_small_terminal(tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80, height=24)
    config = resolve_config(flags={"task.name": "cartpole"})
    shown = LiveDisplay(config, console)
    shown.show_nodes(lambda: status(9, 1, *[(1, 9, 9, 0)] * 3))
    shown.on_generation({"generation": 3, "steps": 5, "best": 1.0, "mean": 0.5, "wall_s": 3.0, "failures": 0})
    console.print(shown._panel())
    assert console.file.getvalue().count("\n") <= 24  # type: ignore[attr-defined]
