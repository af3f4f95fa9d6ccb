"""The connection to this machine's raylet, which tells that it has ended: without Ray, by a socket of its own."""

import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from evo.cluster import ray_nodes
from evo.cluster.ray_nodes import RayNodes


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the raylet listens, if it does, of a cluster of one node."""
    found = tmp_path / "raylet"
    node = {"NodeID": "one", "Alive": True, "RayletSocketName": str(found)}
    ray = SimpleNamespace(
        remote=lambda **options: lambda kind: kind,
        nodes=lambda: [node],
        get_runtime_context=lambda: SimpleNamespace(get_node_id=lambda: "one"),
    )

    def connect(address: Any) -> Any:
        return SimpleNamespace(ray=ray, address="192.0.2.1:1", open=True, own=True, close=lambda: None)

    monkeypatch.setattr(ray_nodes, "Connection", connect)
    monkeypatch.setattr(ray_nodes, "knock", lambda address: None)
    return found


def test_a_raylet_that_has_ended_before_ray_knows_is_a_cluster_that_is_gone(place: Path) -> None:
    nodes = RayNodes(None)
    assert nodes.alive() is None
    nodes.stay()
    nodes.close()


def test_the_raylet_is_hung_up_on_close(place: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(place))
        listening.listen()
        nodes = RayNodes(None)
        assert nodes.alive() is not None
        with listening.accept()[0] as raylet:
            nodes.stay()
            nodes.close()
            raylet.setblocking(False)
            assert raylet.recv(1) == b""
