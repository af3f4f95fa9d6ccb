"""Workers by what the user gives: a number of threads, an object, `ray`, `ray:HOST:6379`, `ray:HOST:6379,mixed`."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from evo.cluster.answering import evaluate_slice
from evo.cluster.nodes import Nodes
from evo.envs.engine.physics import available_threads
from evo.errors import EvoError
from evo.evaluation.workers import Threads, Workers
from evo.numerics.platform_facts import platform_facts

if TYPE_CHECKING:
    from evo.cluster.ray_nodes import RayNodes

_MIXED = ",mixed"


# one at most: a node's processors are held until this process ends
_held: dict[tuple[str, int], tuple[Nodes, "RayNodes"]] = {}


def workers_of(threads: int | None, workers: Workers | str | None = None) -> Workers:
    """Return the workers, or else so many threads: by default the processors that this process may use.

    workers: by name, as `ray`, has so many threads of this process besides. Raises EvoError.
    """
    if workers is None or isinstance(workers, str):
        here = Threads(available_threads() if threads is None else threads)
        return here if workers is None else workers_by_name(workers, here.threads)
    if threads is not None:
        raise EvoError("threads and workers both say where to evaluate: give one of them")
    if not (hasattr(workers, "threads") and callable(getattr(workers, "evaluate", None))):
        raise EvoError(f"workers takes an object with threads and evaluate(work), got {workers!r}; see threads=")
    return workers


def cluster_address(text: str) -> str | None:
    """Return the address of a cluster in what the user writes, as `workers_by_name` takes it. Raises EvoError."""
    kind, _, address = text.removesuffix(_MIXED).partition(":")
    if kind != "ray":
        raise EvoError(f"workers {text!r}: write ray, or ray:HOST:6379 for the cluster at an address")
    return address or None


def workers_by_name(text: str, threads: int) -> Nodes:
    """Return the nodes of a Ray cluster as workers; threads: of this process.

    text: `ray` for the cluster on this machine or in the environment variable RAY_ADDRESS, `ray:ADDRESS` for another,
    with `,mixed` behind it to accept nodes that compute other bits. Raises EvoError.
    """
    address = cluster_address(text)
    from evo.cluster.ray_nodes import RayNodes

    if (text, threads) in _held and _held[text, threads][1].usable:
        return _held[text, threads][0]
    while _held:
        _held.popitem()[1][0].close()

    def answer(message: bytes, shared: Sequence[bytes]) -> bytes:
        return evaluate_slice(message, shared, threads=threads, trust=True)

    tell = logging.getLogger("evo").warning
    mixed = text.endswith(_MIXED)
    transport = RayNodes(address)
    nodes = Nodes(transport, threads, answer, platform_facts(), tell, mixed)
    _held[text, threads] = nodes, transport
    return nodes
