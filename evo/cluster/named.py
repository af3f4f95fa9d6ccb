"""Workers by what the user writes: `ray`, `ray:HOST:6379`, `ray:HOST:6379,mixed`."""

import logging
from collections.abc import Sequence

from evo.cluster.answering import evaluate_slice
from evo.cluster.nodes import Nodes
from evo.errors import EvoError
from evo.numerics.platform_facts import platform_facts

_MIXED = ",mixed"


_held: dict[tuple[str, int], Nodes] = {}  # one at most: a node's processors are held until this process ends


def workers_by_name(text: str, threads: int) -> Nodes:
    """Return the nodes of a Ray cluster as workers; threads: of this process.

    text: `ray` for the cluster on this machine or in the environment variable RAY_ADDRESS, `ray:ADDRESS` for another,
    with `,mixed` behind it to accept nodes that compute other bits. Raises EvoError.
    """
    kind, _, address = text.removesuffix(_MIXED).partition(":")
    if kind != "ray":
        raise EvoError(f"workers {text!r}: write ray, or ray:HOST:6379 for the cluster at an address")
    from evo.cluster.ray_nodes import RayNodes

    if (text, threads) in _held:
        return _held[text, threads]
    while _held:
        _held.popitem()[1].close()

    def answer(message: bytes, shared: Sequence[bytes]) -> bytes:
        return evaluate_slice(message, shared, threads=threads, trust=True)

    tell = logging.getLogger("evo").warning
    mixed = text.endswith(_MIXED)
    _held[text, threads] = Nodes(RayNodes(address or None), threads, answer, platform_facts(), tell, mixed)
    return _held[text, threads]
