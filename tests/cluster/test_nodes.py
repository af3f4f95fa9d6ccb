"""Slices on nodes that are slow, die, hang, return and join late: each is answered once, with the bits of threads."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import evo
from evo.cluster.dispatch import Dispatch
from evo.cluster.nodes import Nodes, unlike_facts
from evo.cluster.simulation import Machine, SimulatedNodes
from evo.errors import EvoError
from evo.storage.messages import pack


class Squares:
    """Work of squaring numbers, a slice each; at most `row` of them make one message. A square takes ten steps."""

    def __init__(self, count: int, row: int = 1000) -> None:
        self.count, self.row, self.steps = count, row, 0

    def here(self) -> list[int]:
        return [place**2 for place in range(self.count)]

    def __len__(self) -> int:
        return self.count

    def shared(self) -> Sequence[bytes]:
        return [b"squares"]

    def slices(self) -> Sequence[bytes]:
        return [self.join(range(place, place + 1)) for place in range(self.count)]

    def fitting(self, places: range) -> range:
        return range(places.start, min(places.stop, places.start - places.start % self.row + self.row))

    def join(self, places: range) -> bytes:
        assert self.fitting(places) == places
        return f"{places.start} {places.stop}".encode()

    def merge(self, answers: Iterable[bytes]) -> list[int]:
        found: dict[int, int] = {}
        for answer in answers:
            first, *squares = map(int, answer.split())
            places = range(first, first + len(squares))
            assert found.keys().isdisjoint(places), "answered twice"
            found.update(zip(places, squares, strict=True))
            self.steps += 10 * len(squares)
            if len(found) == self.count:
                break
        return [found[place] for place in range(self.count)]


def square(message: bytes, shared: Sequence[bytes]) -> bytes:
    assert shared == (b"squares",)
    first, end = map(int, message.split())
    return " ".join(map(str, [first, *(place**2 for place in range(first, end))])).encode()


def run(
    machines: Iterable[Machine], works: Sequence[Squares], seed: int = 0
) -> tuple[Nodes, SimulatedNodes, list[str]]:
    """Do work on simulated nodes, one piece after the other; return them and what was told."""
    told: list[str] = []
    simulated = SimulatedNodes({f"node{n}": one for n, one in enumerate(machines)}, square, np.random.default_rng(seed))
    nodes = Nodes(simulated, 1, square, {}, told.append)
    for work in works:
        assert nodes.evaluate(work) == work.here()
    return nodes, simulated, told


TIMES = st.floats(0, 200)
MACHINES = st.builds(
    Machine,
    seconds=st.floats(0.01, 3),
    spread=st.sampled_from([0, 0.3, 0.6]),
    joins=st.just(0.0) | TIMES,
    dies=st.just(math.inf) | TIMES,
    hangs=st.just(math.inf) | TIMES,
    returns=st.just(math.inf) | TIMES,
)


@given(st.lists(MACHINES, max_size=5), st.lists(st.integers(0, 60), max_size=3), st.integers(1, 9), st.integers(0, 99))
def test_whatever_nodes_do_each_slice_counts_once(
    machines: list[Machine], counts: list[int], row: int, seed: int
) -> None:
    run(machines, [Squares(count, row) for count in counts], seed)


def test_without_nodes_it_goes_on_alone_and_says_so() -> None:
    _, simulated, told = run([Machine(dies=20), Machine(dies=10)], [Squares(100), Squares(3)])
    assert simulated.clock() == pytest.approx(20)
    assert told[:2] == ["node node1 is lost: it died", "node node0 is lost: it died"]
    assert len(told) == 3 and "goes on alone in this process" in told[2]
    nodes, simulated, _ = run([Machine(joins=1e9)], [Squares(5)])
    assert simulated.sent == 0 and nodes.dispatch.finished


def test_a_node_that_is_not_ready_for_long_is_told_of_once() -> None:
    class Busy(SimulatedNodes):
        def unready(self) -> Sequence[str]:
            return ["busy"] if self.clock() < 500 else []

    told: list[str] = []
    nodes = Nodes(Busy({"a": Machine()}, square, np.random.default_rng(0)), 1, square, {}, told.append)
    for _ in range(10):
        nodes.evaluate(Squares(70))
    assert told == ["node busy is not ready (its processors are in use, or it compiles): it is waited for"]
    assert nodes._unready == {}


def test_a_node_that_joins_or_returns_gets_slices() -> None:
    late = [Machine(), Machine(joins=30), Machine(dies=30, returns=5)]
    nodes, simulated, told = run(late, [Squares(300)])
    assert told == ["node node2 is lost: it died"] and 100 < simulated.clock() < 130
    assert all(node.slices > 70 for node in nodes.dispatch.nodes.values())


def test_fast_nodes_answer_more() -> None:
    nodes, simulated, _ = run([Machine(seconds=1), Machine(seconds=0.1)], [Squares(330), Squares(330)])
    slow, fast = (nodes.dispatch.nodes[name].slices for name in ("node0", "node1"))
    assert fast > 8 * slow
    assert simulated.clock() == pytest.approx(660 / 11, rel=0.1)


def test_nodes_hardly_wait() -> None:
    """Slices of a second on ten nodes whose messages take ten milliseconds each way."""
    nodes, simulated, _ = run([Machine(latency=0.01)] * 10, [Squares(1000)])
    assert simulated.clock() < 1.03 * 1000 / 10
    assert sum(node.waited for node in nodes.dispatch.nodes.values()) < 0.03 * 1000
    assert nodes.dispatch.again == 0


def test_small_slices_travel_together() -> None:
    _, simulated, _ = run([Machine(seconds=0.001)] * 2, [Squares(10_000, row=10_000)] * 2)
    assert simulated.sent < 100
    _, simulated, _ = run([Machine(seconds=1.5)] * 2, [Squares(50)])
    assert simulated.sent == 50


def test_a_node_that_hangs_is_passed_over_in_bounded_time_and_given_up() -> None:
    nodes, simulated, told = run([Machine(), Machine(hangs=50)], [Squares(150), Squares(200)])
    assert simulated.clock() < 350
    assert told == ["node node1 does not answer: it is given up, and its slices go to others"]
    assert list(nodes.dispatch.nodes) == ["node0"] and nodes.dispatch.again > 0


def test_a_node_that_hangs_is_given_up_in_short_works_too() -> None:
    """What this process does between them is time in which no answer was looked at."""
    simulated = SimulatedNodes({"a": Machine(), "b": Machine(hangs=5)}, square, np.random.default_rng(0))
    told: list[str] = []
    nodes, works = Nodes(simulated, 1, square, {}, told.append), 0
    while not told and works < 100:
        nodes.evaluate(Squares(20))
        works += 1
        simulated.spend(30.0)
    assert told == ["node b does not answer: it is given up, and its slices go to others"]
    assert 120 < simulated.clock() - 30.0 * works < 120 + 40


@pytest.mark.parametrize("joins", [0.0, 3.0])
def test_a_node_that_hangs_at_its_first_message_is_passed_over_as_soon(joins: float) -> None:
    """Of two that join together nothing is known when it gets it; of the others, when it joins later."""
    machines = [Machine(seconds=0.1), Machine(seconds=0.1, joins=joins, hangs=joins)]
    _, simulated, told = run(machines, [Squares(100)])
    assert simulated.clock() < 20 and not told


def test_a_node_that_hangs_again_and_again_gets_no_more() -> None:
    nodes, _, told = run([Machine(), Machine(hangs=0, returns=1)], [Squares(4000)])
    assert list(nodes.dispatch.nodes) == ["node0"]
    assert told == [
        *["node node1 does not answer: it is given up, and its slices go to others"] * 3,
        "node node1 was lost 3 times without an answer: it gets no more slices",
    ]


def test_a_late_answer_counts_once_and_its_node_goes_on() -> None:
    """A stall of some seconds is no reason to lose a node."""
    slow = SimulatedNodes({"a": Machine(), "b": Machine()}, square, np.random.default_rng(0))
    told: list[str] = []
    nodes = Nodes(slow, 1, square, {}, told.append)
    assert nodes.evaluate(Squares(20))
    slow._busy["b"] += 25
    assert nodes.evaluate(Squares(60)) == Squares(60).here()
    assert nodes.dispatch.again == 1 or nodes.dispatch.again == 2
    assert not told and set(nodes.dispatch.nodes) == {"a", "b"}
    nodes.evaluate(Squares(60))
    assert nodes.dispatch.nodes["b"].slices > 30


def test_a_node_that_answers_otherwise_is_found() -> None:
    def answer(message: bytes, shared: Sequence[bytes]) -> bytes:
        nonlocal answers
        answers += 1
        return square(message, shared) if answers % 2 or answers < 9 else square(message, shared) + b" "

    answers, told = 0, list[str]()
    simulated = SimulatedNodes({"a": Machine(), "b": Machine()}, answer, np.random.default_rng(0))
    nodes = Nodes(simulated, 1, square, {}, told.append)
    nodes.evaluate(Squares(500))
    nodes.evaluate(Squares(500))
    assert 2 <= nodes.audited <= 30
    assert len(told) == nodes.differing > 0
    assert all("answer the same slices differently: do not trust this run" in line for line in told)


def test_equal_answers_are_not_told_and_one_node_is_not_asked_twice() -> None:
    nodes, _, told = run([Machine()] * 3, [Squares(900)])
    assert nodes.audited > 2 and not told
    assert run([Machine()], [Squares(300)])[0].audited == 0


def test_messages_grow_small_towards_the_end() -> None:
    dispatch = Dispatch()
    dispatch.join("a", 4, 0)
    dispatch.join("b", 4, 0)
    dispatch.begin(64, lambda places: places)
    first, second = dispatch.next_order(0), dispatch.next_order(0)
    assert first is not None and second is not None and dispatch.next_order(0) is None
    assert (first.places, second.places) == (range(4), range(4, 8))
    sizes, now = [], 0.0
    orders = [first, second]
    while orders:
        order = orders.pop(0)
        now += 0.001
        dispatch.answered(order.ticket, now)
        while (another := dispatch.next_order(now)) is not None:
            orders.append(another)
            sizes.append(len(another.places))
    assert dispatch.finished and max(sizes) >= 8 and sizes[-3:] == [1, 1, 1]


def refusing(here: Callable[..., bytes], **options: Any) -> tuple[Nodes, list[str]]:
    """Do work on a node whose answers this process compares with those of `here`."""
    told: list[str] = []
    simulated = SimulatedNodes({"far": Machine()}, square, np.random.default_rng(0))
    nodes = Nodes(simulated, 1, here, {"libc": "glibc 2.36"}, told.append, **options)
    nodes.evaluate(Squares(9))
    return nodes, told


def test_a_node_that_computes_other_bits_is_refused_or_recorded() -> None:
    nodes, told = refusing(lambda message, shared: square(message, shared) + b" ")
    assert told[0] == "node far is refused: it computes other bits: libc ? instead of glibc 2.36"
    assert not nodes.dispatch.nodes and list(nodes.refused) == ["far"]
    nodes, told = refusing(lambda message, shared: square(message, shared) + b" ", mixed=True)
    assert told == ["node far computes other bits, and joins all the same: libc ? instead of glibc 2.36"]
    assert nodes.unequal == {"far": "libc ? instead of glibc 2.36"} and nodes.dispatch.nodes["far"].slices == 9
    assert refusing(square)[0].dispatch.nodes["far"].slices == 9


@pytest.mark.parametrize("here_too", [False, True])
def test_what_a_node_fails_at_is_tried_here_and_the_node_is_given_up(here_too: bool) -> None:
    broken, answered = pack({"error": "no memory"}, {}), list[bytes]()

    def there(message: bytes, shared: Sequence[bytes]) -> bytes:
        answered.append(message)
        return broken if len(answered) in (9, 10) else square(message, shared)

    def here(message: bytes, shared: Sequence[bytes]) -> bytes:
        return broken if here_too and len(answered) > 8 else square(message, shared)

    simulated = SimulatedNodes({"a": Machine(), "b": Machine()}, there, np.random.default_rng(0))
    told: list[str] = []
    nodes = Nodes(simulated, 1, here, {}, told.append)
    if here_too:  # it is the work's own failure
        with pytest.raises(ValueError, match="invalid literal"):
            nodes.evaluate(Squares(60))
        assert not told and set(nodes.dispatch.nodes) == {"a", "b"}
        return
    assert nodes.evaluate(Squares(60)) == Squares(60).here()
    line = "node {} fails where this process does not, and gets no more slices: no memory"
    assert told[:2] == [line.format("a"), line.format("b")] or told[:2] == [line.format("b"), line.format("a")]
    assert not nodes.dispatch.nodes and set(nodes.refused) == {"a", "b"}


def test_of_facts_with_several_parts_those_that_differ_are_told() -> None:
    here = {
        "arithmetic": "norm fused, sum pairwise",
        "vectors": "avx avx2 avx512f",
        "libc": "glibc 2.36",
        "BLAS": "one",
    }
    there = {"arithmetic": "norm plain, sum pairwise", "vectors": "avx avx2", "libc": "glibc 2.31"}
    told = "arithmetic norm plain instead of norm fused; vectors {} avx512f; libc {}; BLAS {}"
    assert unlike_facts(there, here) == told.format("without", "2.31 instead of 2.36", "? instead of one")
    back = "arithmetic norm fused instead of norm plain; vectors with avx512f; libc 2.36 instead of 2.31"
    assert unlike_facts(here, there) == back
    assert unlike_facts(here, here) == "nothing that is known to matter differs"


@pytest.mark.parametrize("mixed", [False, True])
def test_a_node_that_fails_at_its_trial_is_refused_with_the_reason(mixed: bool) -> None:
    broken = pack({"error": "no module named 'mine'"}, {})
    simulated = SimulatedNodes({"far": Machine()}, lambda message, shared: broken, np.random.default_rng(0))
    told: list[str] = []
    nodes = Nodes(simulated, 1, square, {}, told.append, mixed=mixed)
    nodes.evaluate(Squares(9))
    assert told[0] == "node far is refused: no module named 'mine'"
    assert not nodes.dispatch.nodes


def test_a_node_that_answers_one_of_two_late_messages_and_hangs_on_the_other_is_given_up() -> None:
    dispatch = Dispatch()
    dispatch.join("a", 1, 0)
    dispatch.begin(9, lambda places: places)
    first = dispatch.next_order(0)
    assert first is not None
    dispatch.answered(first.ticket, 1)
    second, third = dispatch.next_order(1), dispatch.next_order(1)
    assert second is not None and third is not None
    assert dispatch.find_late(100) == [second, third]
    dispatch.answered(second.ticket, 101)
    assert dispatch.nodes["a"].late and dispatch.next_order(101) is None
    dispatch.answered(third.ticket, 102)
    assert not dispatch.nodes["a"].late and dispatch.next_order(102) is not None


def test_slow_slices_are_evaluated_twice_without_losing_nodes() -> None:
    nodes, _, told = run([Machine(seconds=40, spread=0.2)] * 8, [Squares(600)] * 2)
    assert not told and nodes.audited > 2 and len(nodes.dispatch.nodes) == 8


def test_many_short_works_leave_nothing_behind() -> None:
    nodes, _, told = run([Machine(seconds=0.01, spread=0.5)] * 6, [Squares(20, row=2)] * 200)
    assert not told and len(nodes.dispatch.nodes) == 6
    assert len(nodes.dispatch._orders) <= 12 and len(nodes._second) <= 12 and not nodes._hanging


def test_other_names_of_workers_are_one_line() -> None:
    with pytest.raises(EvoError, match=r"^workers 'slurm': write ray, or ray:HOST:6379 for the cluster at an address$"):
        evo.run("sphere", dim=2, generations=1, workers="slurm")
