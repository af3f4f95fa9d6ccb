"""Runs on a Ray cluster equal those on threads, to the bit, with nodes killed and stopped on the way.

They need the extra `ray`: `pip install -e '.[test,ray]' && pytest -m ray`.
"""

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import evo
from evo.cluster.named import workers_by_name
from evo.cluster.nodes import Nodes
from tests.chaos import differences
from tests.support.places import ROOT
from tests.support.ray_cluster import RayCluster, begin

pytestmark = pytest.mark.ray

# One of each kind of problem; the GA's rows travel, the others are made from a centre or from seeds.
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "a world": ("evo/PointMass-v0", {"method": "ars", "generations": 6}),
    "a world, by rows": ("cartpole", {"method": "ga", "generations": 3}),
    "a world, by seeds": ("cartpole", {"method": "deep-ga", "generations": 3}),
    "a function": ("rastrigin", {"method": "cma-es", "dim": 5, "generations": 20}),
    "a data set": ("xor", {"method": "openai-es", "generations": 5}),
    "a Gymnasium environment": ("CartPole-v1", {"method": "snes", "generations": 2}),
    "by gradients": ("cartpole", {"method": "ppo", "generations": 2}),
}
FEW = {"evaluation.selection_episodes": 2, "evaluation.report_episodes": 3}

if importlib.util.find_spec("ray"):

    @pytest.fixture(scope="module")
    def cluster() -> Iterator[RayCluster]:
        made = begin(3)
        yield made
        import ray

        ray.shutdown()
        made.end()

    @pytest.fixture
    def nodes(cluster: RayCluster) -> Nodes:
        return workers_by_name(f"ray:{cluster.address}", 1)

    def evaluate(nodes: Nodes, until: Callable[[], bool]) -> None:
        """Evaluate a population on nodes, again and again until something is seen; the returns are those of threads."""
        task = evo.task("HalfCheetah-v5", steps=100)
        network = evo.network("linear", task)
        rows = np.random.default_rng(0).standard_normal((600, network.size))
        expected = evo.evaluate(task, network, rows, seed=0, threads=2)
        while True:
            np.testing.assert_array_equal(evo.evaluate(task, network, rows, seed=0, workers=nodes), expected)
            if until():
                return

    def are_there(nodes: Nodes, count: int) -> Callable[[], bool]:
        """Whether so many nodes have answered slices of this process's last work."""
        return lambda: [node.slices > 0 for node in nodes.dispatch.nodes.values()] == [True] * count

    def test_all_nodes_do_the_work(nodes: Nodes) -> None:
        evaluate(nodes, are_there(nodes, 3))

    @pytest.mark.parametrize("name", CASES)
    def test_a_run_on_nodes_equals_one_on_threads(name: str, nodes: Nodes, tmp_path: Path) -> None:
        task, how = CASES[name]
        for out, where in {"threads": {"threads": 1}, "nodes": {"workers": nodes}}.items():
            evo.run(task, **how, seed=3, out=tmp_path / out, video=False, settings=FEW, **where)
        assert differences(tmp_path / "threads", tmp_path / "nodes") == []
        assert not nodes.refused and nodes.differing == 0

    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
    def test_a_worker_that_is_killed_or_stopped_changes_nothing(number: int, nodes: Nodes) -> None:
        evaluate(nodes, are_there(nodes, 3))
        transport: Any = nodes._transport
        name, actor = next(iter(transport._actors.items()))
        import ray

        os.kill(ray.get(actor.__ray_call__.remote(lambda _: os.getpid())), number)
        evaluate(nodes, lambda: name not in nodes.dispatch.nodes or nodes.dispatch.nodes[name].late)

    def test_a_node_that_is_cut_off_and_another_that_joins_change_nothing(nodes: Nodes, cluster: RayCluster) -> None:
        evaluate(nodes, lambda: len(nodes.dispatch.nodes) >= 2)
        before = set(nodes.dispatch.nodes)
        assert cluster.do("remove") == "done"
        evaluate(nodes, lambda: not before <= set(nodes.dispatch.nodes))
        assert cluster.do("add") == "done"
        evaluate(nodes, lambda: bool(set(nodes.dispatch.nodes) - before))

    def test_a_cluster_that_is_not_there_is_one_line() -> None:
        command = [sys.executable, "-m", "evo", "run", "cartpole", "--workers", "ray:127.0.0.1:1", "--dry-run"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300)
        assert done.returncode == 2
        assert done.stderr.startswith("evo: no Ray cluster answers at 127.0.0.1:1 (")
        assert done.stderr.count("\n") == 1
