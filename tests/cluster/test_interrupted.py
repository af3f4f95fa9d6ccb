"""Nodes are used again after an exception, such as a Ctrl-C, that leaves an evaluation at any point."""

import math
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evo.cluster import dispatch, nodes
from evo.cluster.nodes import Nodes
from evo.cluster.simulation import Machine, SimulatedNodes
from evo.errors import EvoError
from tests.cluster.test_nodes import Squares, square

MACHINES = {
    "plain": Machine(),
    "fast": Machine(seconds=0.01),
    "short-lived": Machine(dies=3, returns=2),
    "late": Machine(joins=4),
}
METHODS = "clock", "changes", "send", "receive", "give_up", "restart"


def workers(told: list[str]) -> tuple[Nodes, SimulatedNodes]:
    simulated = SimulatedNodes(MACHINES, square, np.random.default_rng(0))
    return Nodes(simulated, 1, square, {}, told.append), simulated


def interrupt(work: Callable[[], object], place: int) -> bool:
    """Raise KeyboardInterrupt before line number `place`, from 0, of the modules that keep the books.

    Returns whether it was raised.
    """
    files, lines = {nodes.__file__, dispatch.__file__}, 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal lines
        if frame.f_code.co_filename not in files:
            return None
        if event == "line":
            lines += 1
            if lines == place + 1:
                sys.settrace(None)
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


@given(st.lists(st.integers(0, 4000), min_size=1, max_size=3), st.integers(1, 40))
def test_a_ctrl_c_between_any_two_lines_leaves_nodes_that_can_be_used(places: list[int], count: int) -> None:
    again, simulated = workers([])
    again.evaluate(Squares(5))
    for place in places:
        interrupt(lambda: again.evaluate(Squares(count, row=7)), place)
    began = simulated.clock()
    for work in (Squares(60, row=7), Squares(40)):
        assert again.evaluate(work) == work.here()
    assert simulated.clock() - began < 40  # nobody waits for an order that was never sent
    assert {"plain", "fast"} <= again.dispatch.nodes.keys()
    assert set(again.dispatch._orders) <= {event.ticket for event in simulated._events}  # such as second evaluations


@given(st.sampled_from(METHODS), st.integers(0, 60), st.booleans(), st.sampled_from([KeyboardInterrupt, EvoError]))
def test_whatever_a_transport_raises_leaves_nodes_that_can_be_used(
    name: str, count: int, before: bool, kind: type[BaseException]
) -> None:
    again, simulated = workers([])
    real, calls = getattr(simulated, name), 0

    def failing(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if before and calls == count + 1:
            raise kind
        found = real(*arguments, **named)
        if not before and calls == count + 1:
            raise kind
        return found

    setattr(simulated, name, failing)
    for _ in range(2):
        try:
            again.evaluate(Squares(60, row=7))
        except kind:
            break
    setattr(simulated, name, real)
    began = simulated.clock()
    for work in (Squares(60, row=7), Squares(40)):
        assert again.evaluate(work) == work.here()
    assert simulated.clock() - began < 40
    assert {"plain", "fast"} <= again.dispatch.nodes.keys()


def test_an_evaluation_that_its_work_leaves_loses_no_node() -> None:
    """A slice that failed, a race that has enough, a signal while answers are merged: nodes go on as they are."""

    class Failing(Squares):
        def merge(self, answers: Any) -> list[int]:
            next(iter(answers))
            raise KeyboardInterrupt

    again, simulated = workers([])
    again.evaluate(Squares(5))
    with pytest.raises(KeyboardInterrupt):
        again.evaluate(Failing(30))
    lives = dict(simulated._lives)
    assert again.evaluate(Squares(60)) == Squares(60).here()
    assert {name: simulated._lives[name] for name in ("plain", "fast")} == {"plain": lives["plain"], "fast": 0}


def test_what_nodes_do_is_known() -> None:
    told: list[str] = []
    machines = {"one": Machine(), "two": Machine(seconds=0.5), "dying": Machine(dies=5)}
    simulated = SimulatedNodes(machines, square, np.random.default_rng(0))
    watched = Nodes(simulated, 1, square, {}, told.append)
    assert watched.status().nodes == () and watched.status().lost == 0
    watched.evaluate(Squares(60))
    found = watched.status()
    one, two = found.nodes
    assert (one.name, one.cores, two.name) == ("one", 1, "two") and found.lost == 1
    assert one.flying == two.flying == 0
    assert one.steps % 10 == 0 and one.steps + two.steps <= 600 - 40 and two.steps > 1.5 * one.steps
    assert one.seconds == two.seconds == found.seconds == simulated.clock()
    assert 0 <= one.waited < 2 and math.isclose(found.waited, found.seconds)  # this process takes no virtual time
    simulated.receive(30)  # nothing is asked for
    assert watched.status().nodes[0].waited >= 30 and watched.status().waited == found.waited
