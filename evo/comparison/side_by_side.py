"""Members of a study side by side, each whole on one host: which host gets which, and what is done when one is lost.

Decisions alone: what hosts are, and how members come home from them, is behind `Hosts`. A member that is lost goes on
elsewhere from what has come home of it, and no result depends on which host that is.
"""

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from evo.cluster.losses import TRIES, Losses
from evo.cluster.nodes import unlike_facts
from evo.cluster.trial import MachineTrial, try_machine
from evo.config.config import Config
from evo.envs.engine import interruption
from evo.errors import EvoError
from evo.runs.provenance import NODES
from evo.runs.signals import saving, stoppable

_GLANCE = 0.2  # seconds after which hosts that are new are looked for
_SILENT = 60.0  # seconds without a word from a host after which it is given up
_BEGINNING = 600.0  # the same while a member begins, which may compile
_AWAITED = 60.0  # seconds that hosts may take to be there, or to be back
_STOPPING = 20.0  # seconds that members have to save and to come home when the study is stopped


class MemberError(Exception):
    """A member failed by an exception that is no EvoError; a note has its traceback."""


class Host(NamedTuple):
    """A place that runs one member at a time. node: the machine it is on, as people call it."""

    name: str
    node: str


class News(NamedTuple):
    """What a host says.

    trial: the machine's trial for the member it has begun, or why it has none. saved: whether a later checkpoint of the
    member has come home; came: that, or rows of metrics. alive: False where its process is stopped. over: whether the
    member has ended, error: what it failed of. lost: why the member's process is gone; gone: why the host is, with the
    node that is at fault if it was never ready.
    """

    host: str
    trial: MachineTrial | str | None = None
    came: bool = False
    saved: bool = False
    alive: bool = True
    over: bool = False
    error: Exception | None = None
    lost: str | None = None
    gone: str | None = None
    node: str = ""


class Hosts(Protocol):
    """What takes members to hosts, and writes what comes of them into their directories here."""

    def clock(self) -> float:
        """Return the time in seconds, from any beginning."""
        ...

    def look(self, wanted: int) -> Sequence[Host]:
        """Return the hosts that are ready since the last call. wanted: how many there should be in all."""
        ...

    def expected(self) -> bool:
        """Return whether a host should be ready soon."""
        ...

    def begin(self, host: str, path: Path, config: Config) -> None:
        """Begin a member there, or resume it from its directory here. Raises EvoError for a directory in use."""
        ...

    def news(self, patience: float) -> Sequence[News]:
        """Return what hosts say; wait for it as long as `patience` seconds."""
        ...

    def mark(self, host: str, how: str) -> None:
        """Let the records of its member say, before anything more comes home, how its bits may be others."""
        ...

    def stop(self, host: str) -> None:
        """Ask a member to save what it has, and to end."""
        ...

    def give_up(self, host: str, for_good: bool) -> None:
        """End a host and its member. It may come again, as another, unless `for_good`: then none on its node may."""
        ...


class Members(Protocol):
    """What becomes of the members of a study."""

    def begin(self, path: Path, node: str) -> bool:
        """Take note that a member begins, or goes on; return False where it is finished, or cannot be run."""
        ...

    def come(self, path: Path, saved: bool) -> None:
        """Take note that rows, and a checkpoint where `saved`, have come home."""
        ...

    def end(self, path: Path, error: Exception | None = None) -> None:
        """Take note of a member's end. Raises an error that is a fault of evo itself."""
        ...

    def here(self, path: Path) -> None:
        """Run a member in this process."""
        ...


@dataclass
class _Work:
    """A member on a host. heard: when the host last said something. begun: whether the host has passed its trial."""

    path: Path
    heard: float
    begun: bool = False


class _Loss(NamedTuple):
    """Where a member was lost, and why."""

    node: str
    why: str


class SideBySide:
    """Runs members on hosts.

    threads: of each member, here too. tell: takes lines for the user. mixed: whether machines that compute other bits
    may run members. expect: returns this machine's trial for a member.
    """

    def __init__(
        self,
        hosts: Hosts,
        threads: int,
        tell: Callable[[str], None],
        mixed: bool = False,
        expect: Callable[[Config], MachineTrial] = try_machine,
    ) -> None:
        self.threads = threads
        self._hosts, self._tell, self._mixed, self._expect = hosts, tell, mixed, expect
        self._runs: Mapping[Path, Config] = {}
        self._expected: dict[Sequence[Any], MachineTrial] = {}  # by what a trial depends on
        self._nodes: dict[str, str] = {}  # host → its node
        self._idle: list[str] = []
        self._at: dict[str, _Work] = {}
        self._waiting: deque[Path] = deque()
        self._lost: dict[Path, list[_Loss]] = {}  # of a member since something of it came home
        self._losses = Losses()  # of nodes, the same
        self._await_until = -math.inf  # without a host by then, members run here
        self._alone = False
        self._unlike: set[str] = set()  # nodes that run members though they compute other bits

    def finish(self, runs: Mapping[Path, Config], members: Members) -> None:
        """Run every member to its end, in this order as far as hosts are free; alone where there is no host.

        KeyboardInterrupt and SystemExit are raised once what could be saved has come home.
        """
        self._runs, self._members = runs, members
        self._waiting.extend(runs)
        self._await_until = self._hosts.clock() + _AWAITED
        while self._waiting or self._at:
            with stoppable(), saving():
                try:
                    self._work_on_hosts()
                except BaseException:
                    self._stop()
                    raise
            if self._waiting:
                self._members.here(self._waiting.popleft())

    def _work_on_hosts(self) -> None:
        """Work until every member has ended, or no host is left."""
        self._listen(0.0)  # while a member ran here, hosts may have become ready
        while self._waiting or self._at:
            interruption.check()
            for host in self._hosts.look(len(self._waiting) + len(self._at)):
                self._nodes[host.name] = host.node
                self._idle.append(host.name)
            self._end_lost()
            self._assign()
            now = self._hosts.clock()
            if self._at:
                self._await_until, self._alone = now + _AWAITED, False
            elif not self._waiting:
                return
            elif now >= self._await_until and not self._hosts.expected():
                if not self._alone:
                    self._tell(
                        "no node is ready (none is there, or its processors are in use): the study goes on alone in "
                        "this process, one run after another, and on nodes as soon as one is ready"
                    )
                self._alone = True
                return
            self._listen(_GLANCE)

    def _listen(self, patience: float) -> None:
        """Take what hosts say within so many seconds, and give up those that have said nothing for long."""
        heard = self._hosts.news(patience)
        listened = self._hosts.clock()
        for news in heard:
            self._hear(news)
        now = self._hosts.clock()
        for name, work in list(self._at.items()):
            work.heard += now - listened  # while this process did something else, as compiling, nobody was heard
            if now - work.heard > (_SILENT if work.begun else _BEGINNING):
                self._hosts.give_up(name, for_good=False)
                self._lose_host(name, "it does not answer")

    def _assign(self) -> None:
        while (pair := self._pair()) is not None:
            path, host = pair
            self._waiting.remove(path)
            if not self._members.begin(path, self._nodes[host]):
                continue
            try:
                self._hosts.begin(host, path, self._runs[path])
            except EvoError as error:
                self._members.end(path, error)
            else:
                self._idle.remove(host)
                self._at[host] = _Work(path, self._hosts.clock())

    def _pair(self) -> tuple[Path, str] | None:
        """Return a member and a host for it: on a node where it was lost only if others are busy, and not for ever."""
        pairs = [(self._losses_at(path, host), path, host) for path in self._waiting for host in self._idle]
        fewest, path, host = min(pairs, key=lambda pair: pair[0], default=(TRIES, Path(), ""))
        return None if fewest >= TRIES else (path, host)

    def _losses_at(self, path: Path, host: str) -> int:
        return [loss.node for loss in self._lost.get(path, ())].count(self._nodes[host])

    def _hear(self, news: News) -> None:
        if news.gone is not None:
            self._lose_host(news.host, news.gone, news.node)
        work = self._at.get(news.host)
        if work is None:
            return
        if news.alive:
            work.heard = self._hosts.clock()
        if news.trial is not None and not self._admit(news.host, work, news.trial):
            return
        if news.saved:
            self._lost.pop(work.path, None)
            self._losses.forgive(self._nodes[news.host])
        if news.came or news.saved:
            self._members.come(work.path, news.saved)
        if news.over or news.lost is not None:
            del self._at[news.host]
            self._idle.append(news.host)
            if news.lost is not None:
                self._lose(work.path, self._nodes[news.host], news.lost)
            else:
                self._members.end(work.path, news.error)

    def _admit(self, host: str, work: _Work, trial: MachineTrial | str) -> bool:
        """Return whether a member may go on on a machine, as it computes what this one does; else refuse its node.

        A member whose trial fails here too has failed.
        """
        node = self._nodes[host]
        try:
            expected = self._expect_of(self._runs[work.path])
        except Exception as error:  # the member's fault, and no node's
            self._hosts.give_up(host, for_good=False)
            del self._at[host], self._nodes[host]
            self._members.end(work.path, error)
            return False
        if isinstance(trial, MachineTrial):
            work.begun, work.heard = True, self._hosts.clock()
            if trial.digest == expected.digest:
                return True
            why = f"computes other bits: {unlike_facts(trial.facts, expected.facts)}"
            if self._mixed:
                how = unlike_facts(trial.facts, expected.facts)
                self._hosts.mark(host, f"{NODES} that compute other bits: {how}")
                if node not in self._unlike:
                    self._unlike.add(node)
                    self._tell(f"node {node} {why}; it runs members all the same")
                return True
        else:
            why = f"cannot run {work.path.name}: {trial}"
        self._tell(f"node {node} is refused: it {why}")
        self._hosts.give_up(host, for_good=True)
        for other in [name for name, its in self._nodes.items() if its == node]:
            self._forget(other)
        return False

    def _expect_of(self, config: Config) -> MachineTrial:
        own = ("seed", "method.", "budget.", "training.", "start.")  # which a trial does not depend on
        key = tuple((name, repr(value)) for name, value in config.values.items() if not name.startswith(own))
        if key not in self._expected:
            self._expected[key] = self._expect(config)
        return self._expected[key]

    def _forget(self, host: str) -> None:
        """Drop a host; its member waits again."""
        self._nodes.pop(host, None)
        if host in self._idle:
            self._idle.remove(host)
        if (work := self._at.pop(host, None)) is not None:
            self._waiting.appendleft(work.path)

    def _lose_host(self, host: str, why: str, node: str = "") -> None:
        """Drop a host that is gone; a node that is lost again and again gets no more. node: as of `News`."""
        ready, node, work = host in self._nodes, self._nodes.get(host, node), self._at.pop(host, None)
        self._forget(host)
        if work is None and (ready or not node):
            return
        self._tell(f"node {node} is lost: {why}")
        if work is not None:
            self._lose(work.path, node, why)
        if self._losses.lose(node):
            self._tell(f"node {node} was lost {TRIES} times, and nothing came home: it gets no more members")
            self._hosts.give_up(host, for_good=True)

    def _lose(self, path: Path, node: str, why: str) -> None:
        """Let a member wait to be resumed elsewhere."""
        self._lost.setdefault(path, []).append(_Loss(node, why))
        self._waiting.appendleft(path)

    def _end_lost(self) -> None:
        """End members that were lost again and again: on two nodes, or on all there are."""
        for path, lost in [*self._lost.items()]:
            nodes = {loss.node for loss in lost}
            over = len(lost) >= TRIES and (len(nodes) > 1 or nodes.issuperset(self._nodes.values()))
            if over and path in self._waiting:
                self._waiting.remove(path)
                why = f"it was lost {len(lost)} times without progress, the last time: {lost[-1].why}"
                self._members.end(path, EvoError(why))

    def _stop(self) -> None:
        """Ask all members to save what they have, and take it home, in bounded time."""
        until = self._hosts.clock() + _STOPPING
        for host in self._at:
            self._hosts.stop(host)
        while self._at and self._hosts.clock() < until:
            for news in self._hosts.news(_GLANCE):
                if news.saved and news.host in self._at:
                    self._members.come(self._at[news.host].path, saved=True)
                if news.over or news.lost is not None or news.gone is not None:
                    self._at.pop(news.host, None)
