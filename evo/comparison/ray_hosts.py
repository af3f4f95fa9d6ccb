"""Hosts on the nodes of a Ray cluster: an actor for each member that runs at a time, on so many of a node's processors.

Ray starts actors and brings bytes; what is done with them is decided in `evo.comparison.side_by_side`. An actor has one
call at a time, whose answer leads to the next.
"""

import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

from evo.cluster.losses import Rests
from evo.cluster.nodes import Nodes
from evo.cluster.ray_nodes import RayNodes, begin_actor, cores_of, why_lost, working_place
from evo.cluster.trial import MachineTrial
from evo.comparison.away import Supervisor, messages_of, unpack_report
from evo.comparison.side_by_side import Host, MemberError, News, SideBySide
from evo.config.config import Config
from evo.errors import EvoError, one_line, printable
from evo.evaluation.workers import Workers
from evo.runs.provenance import add_mixed
from evo.storage.mirror import Mirror, Source

_LOOKED, _AWAY = 1.0, 5.0  # seconds after which Ray is asked for its nodes, and a cluster that is gone looked for
_PATIENCE = 1.0  # seconds that an actor waits for something worth sending
_SOON = 20.0  # seconds after which an actor that is not ready is not counted on: its processors may be in use


@contextmanager
def nodes_of(workers: Workers, threads: int | None, say: Callable[[str], None]) -> Iterator[SideBySide | None]:
    """Provide the nodes of workers on Ray for members side by side, free of slices meanwhile; None for other workers.

    threads: of each member, the same for all, as their clocks are compared; by default as many as the node with the
    fewest processors has. say: takes a line on what was chosen.
    """
    lent = workers.lend() if isinstance(workers, Nodes) else None
    if lent is None or not isinstance(lent.transport, RayNodes):
        yield None
        return
    hosts = RayHosts(lent.transport, threads, workers.threads)
    cores = hosts.cores
    if cores and hosts.threads > max(cores):
        raise EvoError(
            f"runs of {hosts.threads} threads each find no room: the most processors of a node are {max(cores)}; take "
            f"--threads {max(cores)} or fewer"
        )
    places, each = sum(one // hosts.threads for one in cores), f"{hosts.threads} thread{'s' * (hosts.threads > 1)}"
    if cores:
        say(f"runs go side by side on {len(cores)} node{'s' * (len(cores) != 1)}: {places} at a time, each with {each}")
    else:
        say(f"no node is there yet: runs go side by side, each with {each}, as soon as one is")
    try:
        yield SideBySide(hosts, hosts.threads, lent.tell, lent.mixed)
    finally:
        hosts.close()


@dataclass
class _Slot:
    """An actor. node: the name of its node. opened: when it was begun.

    call: what the actor is asked, and `step`: which call that is. mirror: where its member comes home. messages: what
    is to be sent to it before it begins. start: arguments for that.
    """

    node: str
    opened: float
    actor: Any
    call: Any
    step: str = "hello"
    mirror: Mirror | None = None
    messages: Iterator[bytes] = field(default_factory=lambda: iter(()))
    start: Sequence[Any] = ()


class RayHosts:
    """Hosts, see `evo.comparison.side_by_side.Hosts`, on the cluster that this process is connected to.

    nodes: the connection to the cluster, which slices do not use meanwhile. threads: of each; None for as many as the
    node with the fewest processors has, or `otherwise` without nodes.
    """

    def __init__(self, nodes: RayNodes, threads: int | None, otherwise: int) -> None:
        import ray
        import ray.exceptions

        self._ray, self._nodes = ray, nodes
        self._actor = ray.remote(max_restarts=0, max_task_retries=0)(Supervisor)
        self._alive: Mapping[str, Any] = nodes.alive() or {}
        self.cores = [cores for node in self._alive.values() if (cores := cores_of(node))]
        self.threads = threads or min(self.cores, default=otherwise)
        self._slots: dict[str, _Slot] = {}
        self._nodes_of: dict[str, str] = {}  # host → its node; of those that are gone too
        self._numbers = count(1)
        self._ready: list[Host] = []
        self._gone: list[News] = []
        self._rests = Rests()
        self._look_at = -math.inf

    def clock(self) -> float:
        return monotonic()

    def look(self, wanted: int) -> Sequence[Host]:
        self._stay()
        if self.clock() >= self._look_at:
            self._look_at = self.clock() + _LOOKED
            if (alive := self._nodes.alive()) is None:
                self._leave()
            self._alive = alive or {}
            for name in [name for name, slot in self._slots.items() if slot.node not in self._alive]:
                self._lose(name, "Ray no longer sees it")
        while (
            sum(not self._is_late(slot) for slot in self._slots.values()) < wanted
            and (node := self._roomiest()) is not None
        ):
            self._open(node)
        ready, self._ready = self._ready, []
        return ready

    def expected(self) -> bool:
        return any(slot.step == "hello" and not self._is_late(slot) for slot in self._slots.values())

    def _is_late(self, slot: _Slot) -> bool:
        return slot.step == "hello" and self.clock() - slot.opened > _SOON

    def _stay(self) -> bool:
        """Return whether the cluster is there; else Ray must not be called, and all hosts are gone."""
        self._nodes.stay()
        there: bool = self._ray.is_initialized()
        if not there and self._alive:
            self._leave()
        return there

    def _leave(self) -> None:
        """Drop all hosts of a cluster that is gone, without calling it, and look for it later."""
        self._alive, self._look_at = {}, self.clock() + _AWAY
        self._gone += [News(name, gone="its cluster is gone") for name in self._slots]
        for name in [*self._slots]:
            self._drop(name)

    def _roomiest(self) -> str | None:
        """Return the node with the most room for another actor; None where none has any."""
        room = {
            name: cores_of(node) // self.threads
            for name, node in self._alive.items()
            if not self._rests.rests(name, self.clock())
        }
        for slot in self._slots.values():
            if slot.node in room:
                room[slot.node] -= 1
        best = max(room, key=lambda name: room[name], default=None)
        return best if best is not None and room[best] > 0 else None

    def _open(self, node: str) -> None:
        actor = begin_actor(self._actor, self._alive[node]["NodeID"], self.threads, working_place())
        name = f"{node} {next(self._numbers)}"
        self._slots[name], self._nodes_of[name] = _Slot(node, self.clock(), actor, actor.hello.remote()), node

    def begin(self, host: str, path: Path, config: Config) -> None:
        if not self._stay() or (slot := self._slots.get(host)) is None:  # it is gone, which `news` tells next
            return
        try:
            slot.mirror = Mirror(path)
            slot.messages = messages_of(Source(path).moment())
            slot.start = config.toml(), self.threads, str(path)
            self._send(slot)
        except OSError as error:
            raise EvoError(f"cannot read {path}: {one_line(error)}") from error

    def _send(self, slot: _Slot) -> None:
        """Send the next message, or after the last the word to start."""
        message = next(slot.messages, None)
        slot.step = "start" if message is None else "take"
        slot.call = slot.actor.start.remote(*slot.start) if message is None else slot.actor.take.remote(message)

    def news(self, patience: float) -> Sequence[News]:
        calls = {slot.call: name for name, slot in self._slots.items() if slot.call is not None}
        if self._stay():
            for call in self._nodes.done([*calls], 0.0 if self._gone else patience):
                if calls[call] in self._slots:
                    self._gone += self._answered(calls[call])
            self._stay()
        else:
            threading.Event().wait(0.0 if self._gone else patience)
        found, self._gone = self._gone, []
        return found

    def _answered(self, name: str) -> Sequence[News]:
        """Take the answer of an actor, and ask for the next."""
        slot = self._slots[name]
        call, slot.call = slot.call, None
        try:
            answer = self._ray.get(call)
            if slot.step == "news":
                return self._report(name, slot, answer)
            if slot.step == "take":
                self._send(slot)
                return []
        except self._ray.exceptions.RayTaskError as error:  # it lives, and cannot do what it was asked
            if slot.step == "start":
                return [News(name, trial=printable(one_line(error.cause)))]
            self._lose(name, one_line(error.cause))
            return []
        except EvoError as error:  # what came cannot be written here, or what is to be sent cannot be read
            self.give_up(name, for_good=False)
            return [News(name, over=True, error=error), News(name, gone=one_line(error))]
        except Exception as error:
            self._lose(name, why_lost(error))
            return []
        if slot.step == "hello":
            self._ready.append(Host(name, slot.node))
            return []
        slot.step, slot.call = "news", slot.actor.news.remote(_PATIENCE)
        return [News(name, trial=answer if isinstance(answer, MachineTrial) else "it answers something else")]

    def _report(self, name: str, slot: _Slot, message: bytes) -> Sequence[News]:
        """Take home what a member has written. Raises EvoError, and ValueError for what is none of a run's."""
        assert slot.mirror is not None
        report = unpack_report(message)
        saved = [slot.mirror.take(piece) for piece in report.pieces]
        news = News(name, came=bool(saved), saved=any(saved), alive=report.alive)
        if report.code is None:
            slot.call = slot.actor.news.remote(_PATIENCE)
            return [news]
        slot.mirror.close()
        slot.mirror = None
        if report.code in (0, 1, 2):
            return [news._replace(over=True, error=_error_of(report.code, report.text))]
        how = f"signal {-report.code}" if report.code < 0 else f"status {report.code}"
        return [news._replace(lost=f"its process ended with {how}")]

    def mark(self, host: str, how: str) -> None:
        slot = self._slots.get(host)
        if slot is not None and slot.mirror is not None:
            slot.mirror.mark(lambda path: add_mixed(path, how))

    def stop(self, host: str) -> None:
        slot = self._slots.get(host) if self._stay() else None
        if slot is not None and slot.step == "news":
            slot.actor.stop.remote()
        elif slot is not None:  # its member has not begun
            self._lose(host, "it is stopped")

    def give_up(self, host: str, for_good: bool) -> None:
        node = self._nodes_of[host]  # the host itself may be gone
        self._rests.rest(node, self.clock(), for_good)
        if not self._stay():
            return
        for name in [name for name, one in self._slots.items() if name == host or (for_good and one.node == node)]:
            actor = self._drop(name)
            with suppress(Exception):  # it may be gone
                self._ray.kill(actor)

    def _drop(self, host: str) -> Any:
        """Forget a host; return its actor, which lives."""
        slot = self._slots.pop(host)
        if slot.mirror is not None:
            slot.mirror.close()
        return slot.actor

    def _lose(self, host: str, why: str) -> None:
        node = self._slots[host].node
        self.give_up(host, for_good=False)
        self._gone.append(News(host, gone=printable(why), node=node))

    def close(self) -> None:
        """End all actors, and their members with them."""
        for host in list(self._slots):
            self.give_up(host, for_good=False)


def _error_of(code: int, text: str) -> Exception | None:
    """Return what a member failed of, from its exit status and what it printed as errors."""
    lines = [printable(line) for line in text.split("\n") if line.strip()] or ["it failed without a word"]
    if code == 0:
        return None
    if code == 2:
        told = [line for line in lines if line.startswith("evo: ")] or lines
        return EvoError(told[-1].removeprefix("evo: "))
    error = MemberError(lines[-1])
    error.add_note("\n".join(lines))
    return error
