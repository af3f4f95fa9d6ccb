"""Nodes: workers that evaluate slices wherever a transport takes them, and alone where no node is left.

A node may join at any time, once it has answered a trial with the bits of this process; it is given up once it hangs.
One message in a hundred is evaluated by a second node as well, and where the two answers differ, the user is told: a
processor or a library that computes other bits is the one fault that nobody would notice.
"""

import hashlib
import math
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from evo.cluster.dispatch import Dispatch, Node, Order
from evo.cluster.losses import TRIES, Losses
from evo.evaluation.workers import NodesStatus, NodeStatus, Work
from evo.storage.messages import unpack

_GLANCE = 0.2  # seconds after which nodes that join or leave are looked for
_AUDITED = 100  # one message in so many is evaluated twice
_HUNG = 120.0  # seconds by which an order is late when its node is given up
_AWAITED = 60.0  # seconds that the first nodes may take before the user is told that none has come
OTHER = "nodes that compute other bits"
DIFFERENT = "nodes that answered the same slices differently"

_Result = TypeVar("_Result")
Answer = Callable[[bytes, Sequence[bytes]], bytes]


class Trial(NamedTuple):
    """A slice of the work in progress, which a node answers before it gets others: its canary."""

    message: bytes
    shared: Sequence[bytes]


class Ready(NamedTuple):
    """A node that may join: its processors, what its bits depend on, and its answer to a trial.

    failed: what went wrong in place of an answer, or None.
    """

    name: str
    cores: int
    facts: Mapping[str, str]
    trial: Trial
    answer: bytes
    failed: str | None = None


class Lost(NamedTuple):
    """A node that is gone, or that could not begin, and why."""

    name: str
    why: str


class Transport(Protocol):
    """What takes messages to nodes and brings answers."""

    def clock(self) -> float:
        """Return the time in seconds, from any beginning."""
        ...

    def changes(self, trial: Trial) -> tuple[Sequence[Ready], Sequence[Lost]]:
        """Return the nodes that have answered a trial, and those that were lost before, since the last call.

        trial: for nodes that are new; one may also have answered the trial of a call before.
        """
        ...

    def unready(self) -> Sequence[str]:
        """Return the nodes that have not answered their trial yet."""
        ...

    def send(self, order: Order, message: bytes, shared: Sequence[bytes]) -> None:
        """Send slices to the order's node. What becomes of them, `receive` and `changes` tell. Raises EvoError."""
        ...

    def receive(self, patience: float) -> Sequence[tuple[int, bytes]]:
        """Return answers, each with its order's ticket; wait for one as long as `patience` seconds."""
        ...

    def give_up(self, node: str, for_good: bool) -> None:
        """End what a node does; it is gone, and may join again unless `for_good`."""
        ...

    def restart(self) -> None:
        """End what all nodes do, and forget it; they join anew, but for those that were given up for good."""
        ...

    def close(self) -> None:
        """Leave all nodes."""
        ...


class Lent(NamedTuple):
    """The nodes, for another use than slices. mixed, tell: as of `Nodes`."""

    transport: Transport
    mixed: bool
    tell: Callable[[str], None]


class _Audit(NamedTuple):
    """A message to be evaluated a second time."""

    message: bytes
    shared: Sequence[bytes]
    answer: bytes
    node: str
    load: int


class Nodes:
    """Workers that evaluate on a transport's nodes.

    threads: of this process, for what has no slices. answer: `evo.evaluate_slice` here, for trials, and for when there
    is no node. facts: what the bits of this process depend on. tell: takes lines for the user. mixed: whether nodes
    that compute other bits may join.

    It can be used again after whatever exception, a signal's too, left an evaluation at whatever line: the nodes then
    begin anew.
    """

    def __init__(
        self,
        transport: Transport,
        threads: int,
        answer: Answer,
        facts: Mapping[str, str],
        tell: Callable[[str], None],
        mixed: bool = False,
    ) -> None:
        self.threads = threads
        self.dispatch = Dispatch()
        self.audited = self.differing = 0
        self.refused: dict[str, str] = {}  # node → why
        self.unequal: dict[str, str] = {}  # node that joined though it computes other bits → how it differs
        self.other_bits: dict[str, int] = {}  # how answers that counted may have other bits → the number of them
        self.lost = 0  # times that a node was, which had joined
        self._transport, self._answer, self._facts, self._tell, self._mixed = transport, answer, facts, tell, mixed
        self._expected: dict[Trial, bytes] = {}
        self._audits: deque[_Audit] = deque(maxlen=_AUDITED)
        self._second: dict[int, tuple[_Audit, str]] = {}  # ticket → what is evaluated a second time, and where
        self._hanging: dict[str, float] = {}  # node → when it is given up
        self._left = math.inf  # when this process last looked at answers
        self._losses = Losses()  # of nodes, with slices or before they began, since an answer
        self._began, self._waited = transport.clock(), 0.0
        self._await_until = self._began + _AWAITED  # without a node by then, the user is told
        self._unready: dict[str, float] = {}  # node that has not answered its trial → when the user is told
        self._torn = False  # whether what is kept here may not fit together, as an evaluation was left in the middle

    def close(self) -> None:
        """Leave the nodes; nothing can be evaluated afterwards."""
        self._transport.close()

    def lend(self) -> Lent:
        """Free the nodes of slices, and return them for another use, until the next evaluation."""
        self._start_over()
        self._torn = True
        return Lent(self._transport, self._mixed, self._tell)

    def evaluate(self, work: Work[_Result]) -> _Result:
        """Return the work's result, from slices that nodes evaluate. Raises EngineError where one failed."""
        answers = self._answers(work)
        try:
            return work.merge(answers)
        finally:
            answers.close()  # not by the garbage collector, which would swallow a signal's exception
            self._left = self._transport.clock()

    def status(self) -> NodesStatus:
        """Return what nodes there are and what they do; from any Python thread."""
        now, nodes = self._transport.clock(), list(self.dispatch.nodes.values())
        return NodesStatus(
            nodes=tuple(
                NodeStatus(
                    name=node.name,
                    cores=node.cores,
                    flying=sum(order.load for order in list(node.orders.values())),
                    steps=node.steps,
                    seconds=now - node.joined,
                    waited=node.waited + (0.0 if node.orders else now - node.since),
                )
                for node in nodes
            ),
            lost=self.lost,
            seconds=now - self._began,
            waited=self._waited,
        )

    def _start_over(self) -> None:
        """Forget what nodes were sent, as nobody knows it, and let them begin anew."""
        self._transport.restart()
        self.dispatch = Dispatch()
        self._second.clear()
        self._hanging.clear()
        self._unready.clear()
        self._await_until = self._transport.clock() + _AWAITED

    def _answers(self, work: Work[Any]) -> Generator[bytes, None, None]:
        if self._torn:
            self._start_over()
        shared = tuple(work.shared())
        trial = Trial(work.join(range(1)), shared) if len(work) else Trial(b"", shared)
        self._torn = True
        self.dispatch.begin(len(work), work.fitting)
        messages: dict[range, bytes] = {}  # that were sent and have no answer
        self._audits.clear()
        away = max(0.0, self._transport.clock() - self._left)  # time in which no answer was looked at
        self._hanging = {name: until + away for name, until in self._hanging.items()}
        while not self.dispatch.finished:
            yield from self._hand_over(work, self._receive(0.0, messages, shared))
            self._look_for_nodes(trial)
            self._send_second()
            while (order := self.dispatch.next_order(self._transport.clock())) is not None:
                message = messages.get(order.places) or messages.setdefault(order.places, work.join(order.places))
                self._transport.send(order, message, shared)
            if (places := self.dispatch.take_alone()) is not None:
                yield from self._hand_over(work, [(None, self._answer(work.join(places), shared))])
                continue
            began = self._transport.clock()
            patience = min(_GLANCE, self.dispatch.patience(began))
            found = self._receive(patience, messages, shared)
            self._waited += self._transport.clock() - began
            yield from self._hand_over(work, found)
        self._torn = False

    def _hand_over(self, work: Work[Any], found: Sequence[tuple[Node | None, bytes]]) -> Iterator[bytes]:
        """Yield answers; while the work has one, and may stop or fail, all that is kept here fits together."""
        for node, answer in found:
            before = work.steps
            self._torn = False
            try:
                yield answer
            finally:  # the last is not asked beyond
                if node is not None:
                    node.steps += work.steps - before
            self._torn = True

    def _receive(
        self, patience: float, messages: dict[range, bytes], shared: Sequence[bytes]
    ) -> list[tuple[Node | None, bytes]]:
        """Return the answers that came and count, with their nodes; all that came, as who asked may stop at any."""
        found = list[tuple[Node | None, bytes]]()
        for ticket, answer in self._transport.receive(patience):
            now = self._transport.clock()
            order = self.dispatch.answered(ticket, now)
            if ticket in self._second:
                self._compare(*self._second.pop(ticket), answer)
            elif order is not None:
                message = messages.pop(order.places)
                if (why := _error_in(answer)) is not None:
                    found.append((None, self._answer_instead(order.node, why, message, shared)))
                    continue
                self._losses.forgive(order.node)
                self._remember(_Audit(message, shared, answer, order.node, order.load))
                if order.node in self.unequal:
                    self._record(f"{OTHER}: {self.unequal[order.node]}")
                found.append((self.dispatch.nodes[order.node], answer))
        return found

    def _answer_instead(self, node: str, why: str, message: bytes, shared: Sequence[bytes]) -> bytes:
        """Return this process's answer to what a node failed at; one that fails where others do not is given up."""
        answer = self._answer(message, shared)
        if _error_in(answer) is None:
            self.refused[node] = why
            self._tell(f"node {node} fails where this process does not, and gets no more slices: {why}")
            self._transport.give_up(node, for_good=True)
            self._drop(node)
        return answer

    def _record(self, what: str) -> None:
        """Count an answer that may have other bits than this process's."""
        self.other_bits[what] = self.other_bits.get(what, 0) + 1

    def _look_for_nodes(self, trial: Trial) -> None:
        ready, gone = self._transport.changes(trial)
        for name, why in gone:
            self._tell(f"node {name} is lost: {why}")
            self._drop(name)
        for node in ready:
            self._admit(node)
        now = self._transport.clock()
        for order in self.dispatch.find_late(now):
            self._hanging.setdefault(order.node, now + _HUNG)
        for name, until in list(self._hanging.items()):
            if name not in self.dispatch.nodes or not self.dispatch.nodes[name].late:
                del self._hanging[name]
            elif now > until:
                self._tell(f"node {name} does not answer: it is given up, and its slices go to others")
                self._transport.give_up(name, for_good=False)
                self._drop(name)
        self._unready = {name: self._unready.get(name, now + _AWAITED) for name in self._transport.unready()}
        if self.dispatch.nodes:
            self._await_until = now
            for name in [name for name, until in self._unready.items() if until <= now]:
                self._unready[name] = math.inf
                self._tell(f"node {name} is not ready (its processors are in use, or it compiles): it is waited for")
        elif self._await_until <= now < math.inf:
            self._await_until = math.inf
            self._tell(
                "no node is ready (none is there, or its processors are in use, or it compiles): the run goes on alone "
                "in this process, and on nodes as soon as one joins"
            )

    def _admit(self, node: Ready) -> None:
        """Let a node join that computes what this process does; refuse another, and say why."""
        if node.name in self.dispatch.nodes:  # it comes anew, and has lost what it had
            self._drop(node.name)
        if self._losses.is_over(node.name):
            return
        unlike = node.failed is not None or node.answer != self._expect(node.trial)
        failed = node.failed or (_error_in(node.answer) if unlike else None)
        if unlike and failed is None and self._mixed:
            self.unequal[node.name] = unlike_facts(node.facts, self._facts)
            self._tell(f"node {node.name} computes other bits, and joins all the same: {self.unequal[node.name]}")
        elif unlike:
            self.refused[node.name] = failed or f"it computes other bits: {unlike_facts(node.facts, self._facts)}"
            self._tell(f"node {node.name} is refused: {self.refused[node.name]}")
            self._transport.give_up(node.name, for_good=True)
            return
        self.dispatch.join(node.name, node.cores, self._transport.clock())

    def _expect(self, trial: Trial) -> bytes:
        """Return this process's answer to a trial."""
        if trial not in self._expected:
            self._expected = {trial: self._answer(trial.message, trial.shared)}
        return self._expected[trial]

    def _drop(self, name: str) -> None:
        """Forget a node that was lost; one that is lost again and again without an answer gets no more."""
        self._hanging.pop(name, None)
        node = self.dispatch.nodes.get(name)
        if (node is None or node.orders) and self._losses.lose(name):
            self._tell(f"node {name} was lost {TRIES} times without an answer: it gets no more slices")
            self._transport.give_up(name, for_good=True)
        if node is not None:
            for ticket in node.orders:
                self._second.pop(ticket, None)
            self.dispatch.leave(name)
            self.lost += 1

    def _remember(self, audit: _Audit) -> None:
        """Keep one message in a hundred for a second evaluation; which ones, its bytes say."""
        chosen = int.from_bytes(hashlib.sha256(audit.message).digest()[:4]) % _AUDITED == 0
        if chosen and audit.node not in self.unequal:
            self._audits.append(audit)

    def _send_second(self) -> None:
        for _ in range(len(self._audits)):
            audit = self._audits.popleft()
            order = self.dispatch.extra_order(audit.load, {audit.node, *self.unequal}, self._transport.clock())
            if order is None:
                self._audits.append(audit)
                return
            self._second[order.ticket] = audit, order.node
            self._transport.send(order, audit.message, audit.shared)

    def _compare(self, audit: _Audit, node: str, answer: bytes) -> None:
        self.audited += 1
        if answer != audit.answer:
            self.differing += 1
            self._record(DIFFERENT)
            self._tell(f"nodes {audit.node} and {node} answer the same slices differently: do not trust this run")


def _error_in(answer: bytes) -> str | None:
    """Return why there is no result in an answer; None where there is one."""
    if b'"error":' not in answer:  # reading all would take the driver's time
        return None
    try:
        return unpack(answer)[0].get("error")
    except ValueError:
        return None


def unlike_facts(there: Mapping[str, str], here: Mapping[str, str]) -> str:
    """Return in which of the facts here another machine differs, as in `libc 2.31 instead of 2.36`."""
    unlike = [f"{name} {_apart(there.get(name, '?'), here[name])}" for name in here if there.get(name) != here[name]]
    return "; ".join(unlike) or "nothing that is known to matter differs"


def _apart(there: str, here: str) -> str:
    """Return how a fact differs from another; both may be lists, of words or with commas."""
    mark = ", " if ", " in there + here else " "
    more = mark.join(part for part in there.split(mark) if part not in here.split(mark))
    less = mark.join(part for part in here.split(mark) if part not in there.split(mark))
    if more and less:
        return f"{more} instead of {less}"
    return f"with {more}" if more else f"without {less}" if less else there
