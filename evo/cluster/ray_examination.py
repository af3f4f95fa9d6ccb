"""What the nodes of a Ray cluster are, whether they compute the driver's bits, and how fast bytes reach them."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from time import monotonic, perf_counter
from typing import Any, NamedTuple

from evo.cluster.nodes import Trial
from evo.cluster.ray_connection import Connection
from evo.cluster.ray_nodes import Slices, begin_actor, cores_of, working_place
from evo.errors import one_line

_BLOCK = 16 * 2**20  # bytes that a node is sent
_CALLS = 5  # times that a node is called for nothing
_IN_VAIN = 20.0  # seconds that one may take


class ExaminedNode(NamedTuple):
    """A node.

    name: its host and address. processors, store: that Ray gives out, and bytes of its object store. facts: versions,
    and what bits depend on. answer: to a trial. failed: why there are no facts or no answer, or None. latency: s of a
    call there and back. bandwidth: bytes/s to it.
    """

    name: str
    processors: int
    store: float
    facts: Mapping[str, str] = {}
    answer: bytes = b""
    failed: str | None = None
    latency: float = 0.0
    bandwidth: float = 0.0


def examine_nodes(connection: Connection, trial: Trial, patience: float) -> Iterator[ExaminedNode]:
    """Examine all nodes at once, and yield each as it has answered; one that has not within `patience` seconds failed.

    They need no free processor.
    """
    ray, until = connection.ray, monotonic() + patience
    shared, block = [ray.put(message) for message in trial.shared], ray.put(bytes(_BLOCK))
    actors, found, waiting = {}, {}, {}
    try:
        for node in (node for node in ray.nodes() if node["Alive"]):
            has, host, address = node["Resources"], node["NodeManagerHostname"], node["NodeManagerAddress"]
            actor = begin_actor(ray.remote(max_restarts=0)(Slices), node["NodeID"], 0, working_place())
            about = actor.describe.remote()
            answer = actor.answer.remote(1, trial.message, shared)
            actors[answer], waiting[answer] = actor, about
            found[answer] = ExaminedNode(f"{host} ({address})", cores_of(node), has.get("object_store_memory", 0.0))
        while waiting and (left := until - monotonic()) > 0:
            for answer in ray.wait([*waiting], num_returns=1, timeout=left)[0]:
                about, node = waiting.pop(answer), found.pop(answer)
                with suppress(Exception):  # why, the answer tells too
                    node = node._replace(facts=ray.get(about, timeout=1.0))
                try:
                    node = node._replace(answer=ray.get(answer))
                    latency, bandwidth = _measure(ray, actors[answer], block, until)
                    yield node._replace(latency=latency, bandwidth=bandwidth)
                except ray.exceptions.GetTimeoutError:
                    yield node._replace(failed="it answered once, and then no more")
                except ray.exceptions.RayTaskError as error:
                    yield node._replace(failed=one_line(error.cause))
                except ray.exceptions.RayError as error:
                    yield node._replace(failed=one_line(error))
        for node in found.values():
            yield node._replace(failed=f"it has not answered within {patience:.0f} s")
    finally:
        for actor in actors.values():
            with suppress(Exception):  # it may be gone
                ray.kill(actor)


def _measure(ray: Any, actor: Any, block: Any, until: float) -> tuple[float, float]:
    """Return latency and bandwidth. Raises Ray's errors, and its GetTimeoutError at that time at the latest."""

    def seconds(*data: Any) -> float:
        began = perf_counter()
        ray.get(actor.take.remote(*data), timeout=max(0.0, min(_IN_VAIN, until - monotonic())))
        return perf_counter() - began

    return min(seconds() for _ in range(_CALLS)), _BLOCK / seconds(block)
