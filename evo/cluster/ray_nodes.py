"""Ray's nodes: on each, one actor that holds the compiled problem and evaluates slices on all its processors.

Ray starts actors and brings bytes; which node does what, and what happens when one is lost, is decided in
`evo.cluster.nodes`. Actors are never restarted by Ray, nor are calls repeated: a node that is back is looked for here.
"""

import math
import os
import platform
import re
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any

from evo.cluster.dispatch import Order
from evo.cluster.losses import Rests
from evo.cluster.nodes import Lost, Ready, Trial
from evo.cluster.ray_connection import Connection, knock
from evo.envs.engine.interruption import deferred
from evo.errors import EvoError, one_line
from evo.version import __version__

_LOOKED = 1.0  # seconds after which Ray is asked for its nodes
_AWAY = 30.0  # seconds after which a cluster that is gone is looked for again
_KEPT = 4  # shared messages that are kept in the object store, and by an actor


class Slices:
    """What an actor does: it answers slices with the bits of threads anywhere.

    path: where the driver finds modules; they are trusted here as there. folder: where it works.
    """

    def __init__(self, path: Sequence[str], folder: str) -> None:
        with suppress(OSError):
            os.chdir(folder)
        sys.path += [place for place in path if place not in sys.path]
        self._known: dict[str, bytes] = {}  # by the names of their references

    def describe(self) -> dict[str, str]:
        return describe_machine()

    def take(self, data: bytes = b"") -> int:
        """Take bytes, to see how long it takes; returns their number."""
        return len(data)

    def try_out(self, cores: int, message: bytes, shared: Sequence[Any]) -> Any:
        """Return the facts that bits depend on, and the answer to a slice; compiles what is not compiled yet."""
        from evo.numerics.platform_facts import platform_facts

        return dict(platform_facts()), self.answer(cores, message, shared)

    def answer(self, cores: int, message: bytes, shared: Sequence[Any]) -> bytes:
        """Return the answer to a slice on so many threads; shared: references to what is in the object store."""
        import ray

        from evo.cluster.answering import evaluate_slice

        names = [reference.hex() for reference in shared]
        for name, reference in zip(names, shared, strict=True):
            found = self._known.pop(name, None)
            self._known[name] = ray.get(reference) if found is None else found
        while len(self._known) > _KEPT:
            del self._known[next(iter(self._known))]
        return evaluate_slice(message, [self._known[name] for name in names], threads=cores, trust=True)


def describe_machine() -> dict[str, str]:
    """Return what this machine runs and has, besides the facts that bits depend on."""
    import ray

    from evo.envs.engine.physics import available_threads
    from evo.numerics.platform_facts import platform_facts

    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    versions = {"python": platform.python_version(), "evo": __version__, "ray": ray.__version__}
    return {**versions, **platform_facts(), "processors": str(available_threads()), "memory": f"{memory / 1e9:.0f} GB"}


class RayNodes:
    """The nodes of a Ray cluster, as a transport: see `evo.cluster.nodes.Transport`.

    A signal's exception waits until Ray's code is left. address: as of `Connection`. Raises EvoError where
    Ray or the cluster is missing.
    """

    def __init__(self, address: str | None) -> None:
        self._connection = Connection(address)
        self._ray = self._connection.ray
        self._actor = self._ray.remote(max_restarts=0, max_task_retries=0)(Slices)
        self._arguments = working_place()
        self._actors: dict[str, Any] = {}
        self._cores: dict[str, int] = {}
        self._trials: dict[Any, tuple[str, Trial]] = {}  # reference to an answer → its node
        self._calls: dict[Any, Order] = {}
        self._stored: dict[bytes, Any] = {}  # shared message → reference to it in the object store
        self._rests = Rests()
        self._gone: list[Lost] = []
        self._away = False  # whether the cluster is gone, and looked for
        self._raylet: socket.socket | None = None  # a connection to the raylet that this process talks to
        self._look_at = -math.inf

    def clock(self) -> float:
        return monotonic()

    @deferred()
    def changes(self, trial: Trial) -> tuple[Sequence[Ready], Sequence[Lost]]:
        self.stay()
        if self.clock() >= self._look_at:
            self._look_at = self.clock() + _LOOKED
            if (alive := self.alive()) is not None:
                self._look(alive, trial)
        ready = [self._tried(reference) for reference in self.done([*self._trials], 0.0)]
        gone, self._gone = self._gone, []
        return [one for one in ready if one is not None], gone

    def unready(self) -> Sequence[str]:
        return [name for name, _ in self._trials.values()]

    def alive(self) -> Mapping[str, Any] | None:
        """Return what Ray tells of the nodes that are alive, by their names, as HOST/0a1b2c3d; None without a cluster.

        Then Ray must not be called.
        """
        if not self._is_there():
            return None
        alive = {name_of(node): node for node in self._ray.nodes() if node["Alive"]}
        own = self._ray.get_runtime_context().get_node_id()
        here = next((node for node in alive.values() if node["NodeID"] == own), None)
        if self._raylet is None and here is not None:
            self._raylet = socket.socket(socket.AF_UNIX)
            try:
                self._raylet.connect(here["RayletSocketName"])
            except OSError:  # it has ended, and Ray does not know yet
                self._leave()
                return None
        return alive

    def _is_there(self) -> bool:
        """Whether the cluster answers. One that is gone is left, as calls would block; one that is back is joined."""
        try:
            knock(self._connection.address)
            if not self._connection.open:
                self._leave()
                self._connection = Connection(self._connection.address)
                self._away, self._look_at = False, self.clock() + _LOOKED
        except (OSError, EvoError):
            self._leave()
            return False
        return True

    def stay(self) -> None:
        """Leave the cluster if this process's raylet is gone.

        Ray ends a process that then uses the object store, so this comes before all that does, and after every wait.
        """
        try:
            if self._raylet is not None and not self._raylet.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT):
                self._leave()
        except BlockingIOError:  # it lives, and says nothing
            return
        except OSError:
            self._leave()

    def _leave(self) -> None:
        """Drop all nodes, and Ray's connection."""
        self._gone += [Lost(name, "its cluster is gone") for name in self._actors]
        for held in (self._actors, self._trials, self._calls, self._stored):
            held.clear()
        self._rests.clear()
        self._hang_up()
        self._connection.close()
        self._away = True
        # what the program itself joined is its own to join again
        self._look_at = self.clock() + _AWAY if self._connection.own else math.inf

    def _hang_up(self) -> None:
        if self._raylet is not None:
            self._raylet.close()
            self._raylet = None

    def _look(self, alive: Mapping[str, Any], trial: Trial) -> None:
        """Begin actors on new nodes, and drop those of nodes that Ray has lost."""
        for name in self._actors.keys() - alive.keys():
            self._lose(name, "Ray no longer sees it")
        for name, node in alive.items():
            cores = cores_of(node)
            if cores and name not in self._actors and not self._rests.rests(name, self.clock()):
                self._begin(name, node["NodeID"], cores, trial)

    def _begin(self, name: str, address: str, cores: int, trial: Trial) -> None:
        self._actors[name] = begin_actor(self._actor, address, cores, self._arguments)
        self._cores[name] = cores
        call = self._actors[name].try_out.remote(cores, trial.message, self._share(trial.shared))
        self._trials[call] = name, trial

    def _tried(self, reference: Any) -> Ready | None:
        """Return a node that is ready; None where it was lost before."""
        name, trial = self._trials.pop(reference)
        try:
            facts, answer = self._ray.get(reference)
            return Ready(name, self._cores[name], facts, trial, answer)
        except self._ray.exceptions.RayTaskError as error:  # it lives, and cannot do what it was asked
            return Ready(name, self._cores[name], {}, trial, b"", failed=one_line(error.cause))
        except Exception as error:
            self._lose(name, why_lost(error))
            return None

    def _lose(self, name: str, why: str) -> None:
        self.give_up(name, for_good=False)
        self._gone.append(Lost(name, why))

    def _end(self, name: str) -> None:
        actor = self._actors.pop(name, None)
        if actor is not None:
            with suppress(Exception):  # it may be gone
                self._ray.kill(actor)
        self._trials = {call: tried for call, tried in self._trials.items() if tried[0] != name}
        self._calls = {call: order for call, order in self._calls.items() if order.node != name}

    @deferred()
    def send(self, order: Order, message: bytes, shared: Sequence[bytes]) -> None:
        self.stay()
        actor = self._actors.get(order.node)
        if actor is not None:  # else `changes` says that it is gone
            self._calls[actor.answer.remote(self._cores[order.node], message, self._share(shared))] = order

    def _share(self, shared: Sequence[bytes]) -> list[Any]:
        """Return references to shared messages, of which each is stored once."""
        for message in shared:
            self._stored[message] = self._stored.pop(message, None) or self._put(message)
        while len(self._stored) > _KEPT:
            del self._stored[next(iter(self._stored))]
        return [self._stored[message] for message in shared]

    def _put(self, message: bytes) -> Any:
        try:
            return self._ray.put(message)
        except (self._ray.exceptions.ObjectStoreFullError, self._ray.exceptions.OutOfDiskError) as error:
            size = len(message) / 1e6
            raise EvoError(
                f"Ray's object store has no room for {size:,.0f} MB, what all slices share: start Ray with a larger "
                "--object-store-memory"
            ) from error

    @deferred()
    def receive(self, patience: float) -> Sequence[tuple[int, bytes]]:
        self.stay()
        found = []
        for reference in self.done([*self._calls, *self._trials], patience):
            order = self._calls.pop(reference, None)
            if order is None:
                continue  # a trial, which `changes` looks at, or of a node that was just lost
            try:
                found.append((order.ticket, self._ray.get(reference)))
            except Exception as error:  # of the actor, its node, or what it ran
                self._lose(order.node, why_lost(error))
        return found

    def done(self, references: list[Any], patience: float) -> Sequence[Any]:
        """Return the references that are ready, waiting for one; with none at all, wait."""
        if not references:
            threading.Event().wait(patience)
            return []
        if patience > 0:
            self._ray.wait(references, num_returns=1, timeout=patience)
            self.stay()
            if not self._ray.is_initialized():
                return []
        return self._ray.wait(references, num_returns=len(references), timeout=0)[0]

    @deferred()
    def give_up(self, node: str, for_good: bool) -> None:
        self._rests.rest(node, self.clock(), for_good)
        self._end(node)

    @deferred()
    def restart(self) -> None:
        for name in [*self._actors]:
            self._end(name)
        self._trials.clear()
        self._calls.clear()
        self._gone.clear()
        self._look_at = -math.inf

    @property
    def usable(self) -> bool:
        """Whether the program itself has neither closed its connection nor opened another in its place."""
        return self._connection.open or (self._away and self._connection.own)

    def close(self) -> None:
        """End the actors, and leave the cluster, unless the program itself joined it."""
        if self._connection.open:
            self.restart()
        self._hang_up()
        self._connection.close()


def name_of(node: Mapping[str, Any]) -> str:
    """Return what people call a node, from what Ray tells of it: its host, and the beginning of its number."""
    return f"{node.get('NodeManagerHostname', 'node')}/{node['NodeID'][:8]}"


def cores_of(node: Mapping[str, Any]) -> int:
    """Return how many processors Ray gives out on a node, from what it tells of it."""
    return int(node["Resources"].get("CPU", 0))


def begin_actor(kind: Any, node: str, cores: int, place: tuple[list[str], str]) -> Any:
    """Begin an actor on a node and on no other, with so many of its processors; place: as of `working_place`."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    there = NodeAffinitySchedulingStrategy(node, soft=False)
    return kind.options(num_cpus=cores, scheduling_strategy=there).remote(*place)


def working_place() -> tuple[list[str], str]:
    """Return where this process finds modules, and the folder it works in, for actors."""
    return [path or os.getcwd() for path in sys.path], os.getcwd()


def why_lost(error: Exception) -> str:
    """Return why a call failed; of the paragraphs that Ray writes on actors and their errors, the reason in them."""
    error = getattr(error, "cause", None) or error
    if re.match(r"The actor \w+ is unavailable: ", str(error)):
        return "the connection to its worker process broke"
    known = re.search(r"[Bb]ecause (its (?:worker process|node) has died)|(No module named '[\w.]+')", str(error))
    return next(filter(None, known.groups())) if known else one_line(error)
