"""Hosts on Ray nodes, decided on without a cluster: who is called, who rests, and what is looked for again."""

import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, cast

import pytest

from evo.cluster.ray_nodes import RayNodes
from evo.comparison.ray_hosts import RayHosts

ONE = {"a/1": {"Resources": {"CPU": 1}, "NodeID": "1"}}


class Cluster:
    """Ray and the connection to it; its actors answer at once."""

    def __init__(self) -> None:
        self.nodes: Mapping[str, Any] | None = ONE
        self.connected, self.actors, self.killed = True, 0, 0

    def alive(self) -> Mapping[str, Any] | None:
        self.connected = self.nodes is not None
        return self.nodes

    def stay(self) -> None:
        pass

    def done(self, references: list[Any], patience: float) -> Sequence[Any]:
        return references

    def is_initialized(self) -> bool:
        return self.connected

    def get(self, reference: Any) -> Any:
        return None

    def kill(self, actor: Any) -> None:
        assert self.connected, "Ray is called without a cluster"
        self.killed += 1

    def remote(self, *arguments: Any, **options: Any) -> Any:
        return lambda kind: self._Actors(self)

    class _Actors:
        def __init__(self, cluster: "Cluster") -> None:
            self._cluster = cluster
            self.hello = self

        def options(self, **options: Any) -> "Cluster._Actors":
            return Cluster._Actors(self._cluster)

        def remote(self, *arguments: Any) -> "Cluster._Actors":
            self._cluster.actors += bool(arguments)
            return self


class Hosts(RayHosts):
    now = 0.0

    def clock(self) -> float:
        return self.now


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    made, ray, exceptions, strategies = Cluster(), ModuleType("ray"), ModuleType("ray.exceptions"), ModuleType("s")
    for name in ("is_initialized", "get", "kill", "remote"):
        setattr(ray, name, getattr(made, name))
    ray.exceptions = exceptions  # type: ignore[attr-defined]
    exceptions.RayTaskError = TypeError  # type: ignore[attr-defined]
    strategies.NodeAffinitySchedulingStrategy = lambda node, soft: None  # type: ignore[attr-defined]
    modules = {"ray": ray, "ray.exceptions": exceptions, "ray.util": ModuleType("ray.util")}
    for name, module in {**modules, "ray.util.scheduling_strategies": strategies}.items():
        monkeypatch.setitem(sys.modules, name, module)
    return made


def begin(cluster: Cluster) -> tuple[Hosts, str]:
    hosts = Hosts(cast(RayNodes, cluster), 1, 1)
    hosts.look(1)
    hosts.news(0.0)
    (host,) = hosts.look(1)
    assert cluster.actors == 1
    return hosts, host.name


def look_for(hosts: Hosts, seconds: float) -> None:
    until = hosts.now + seconds
    while hosts.now < until:
        hosts.now += 0.2
        hosts.look(1)


@pytest.mark.parametrize("connected", [False, True])
def test_a_cluster_that_is_gone_is_not_called_and_is_found_when_it_is_back(connected: bool, cluster: Cluster) -> None:
    hosts, host = begin(cluster)
    cluster.nodes, cluster.connected = None, connected
    look_for(hosts, 3.0)
    assert [(news.host, news.gone) for news in hosts.news(0.0)] == [(host, "its cluster is gone")]
    assert not cluster.killed
    look_for(hosts, 20.0)
    cluster.nodes = ONE
    look_for(hosts, 10.0)
    assert cluster.actors == 2


def test_another_node_is_tried_when_an_actor_is_not_ready_for_long(cluster: Cluster) -> None:
    """The processors of the first may be in use; what is done with it once they are free is as ever."""
    cluster.nodes = {**ONE, "b/2": {"Resources": {"CPU": 1}, "NodeID": "2"}}
    hosts = Hosts(cast(RayNodes, cluster), 1, 1)
    look_for(hosts, 10.0)
    assert cluster.actors == 1 and hosts.expected()
    look_for(hosts, 15.0)
    assert cluster.actors == 2 and hosts.expected()
    look_for(hosts, 30.0)
    assert cluster.actors == 2 and not hosts.expected()
    hosts.news(0.0)
    assert len(hosts.look(1)) == 2


def test_a_node_that_is_given_up_for_good_gets_no_more_although_its_host_is_gone(cluster: Cluster) -> None:
    hosts, host = begin(cluster)
    hosts.give_up(host, for_good=False)
    look_for(hosts, 10.0)
    assert cluster.actors == 2  # a node that is lost may be back
    hosts.give_up(host, for_good=True)
    assert cluster.killed == 2
    look_for(hosts, 10.0)
    assert cluster.actors == 2
