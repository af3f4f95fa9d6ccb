"""A driver that is stopped or killed leaves nothing on its cluster, and its run goes on anywhere with equal bits.

They need the extra `ray`, as the tests in test_ray.py.
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import evo
from tests.chaos import children, differences
from tests.support.processes import Child, wait_for
from tests.support.ray_cluster import RayCluster, begin

pytestmark = pytest.mark.ray

RUN = ["run", "cartpole", "--method", "openai-es", "--seed", "5", "--set", "evaluation.report_episodes=3"]
# The command with nodes that are there already, so that a run stops after few generations.
COMMAND = """
import sys
from evo.__main__ import main
from evo.cluster.named import workers_of
from tests.cluster.equality import wait_for

workers = sys.argv[sys.argv.index("--workers") + 1]
wait_for(workers_of(1, workers), 2)
main()
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    made = begin(2)
    yield made
    made.end()


def raylets(cluster: RayCluster) -> list[int]:
    return [int(word) for word in cluster.do("raylets").split()]


def evaluating(cluster: RayCluster) -> list[int]:
    """The processes of the cluster that evaluate slices."""
    found = [process for raylet in raylets(cluster) for process in children(raylet)]
    named = list[int]()
    for process in found:
        with suppress(OSError):
            if Path(f"/proc/{process}/cmdline").read_bytes().startswith(b"ray::Slices"):
                named.append(process)
    return named


def test_a_driver_that_is_stopped_or_killed_leaves_nothing_and_its_run_goes_on(
    cluster: RayCluster, tmp_path: Path
) -> None:
    path, words, alive = tmp_path / "run", [*RUN, "--out", str(tmp_path / "run")], raylets(cluster)
    for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)):
        command = [sys.executable, "-c", COMMAND, *words, "--workers", f"ray:{cluster.address}", "--threads", "1"]
        with Child(*command, "--generations", "1000000", "--no-video") as driver:
            driver.until("nodes: 2; ")  # both evaluate
            assert len(evaluating(cluster)) == 2
            driver.send(number)
            ended, _, errors = driver.end()
        assert ended == code
        if number is not signal.SIGKILL:
            assert errors == f"evo: stopped; evo resume {path} goes on from there\n"
        wait_for(lambda: not evaluating(cluster))
        assert raylets(cluster) == alive
        words = ["resume", str(path)]
    ahead = len(evo.load(path).metrics["steps"]) + 3
    evo.resume(path, generations=ahead, threads=1, video=False)
    few: dict[str, Any] = {"settings": {"evaluation.report_episodes": 3}, "video": False}
    evo.run("cartpole", method="openai-es", seed=5, generations=ahead, out=tmp_path / "threads", threads=1, **few)
    assert differences(tmp_path / "threads", path) == []


def test_a_program_that_is_interrupted_uses_the_same_nodes_again(cluster: RayCluster) -> None:
    code = f"""
import os, signal, threading
import numpy as np
import evo
from evo.cluster.named import workers_of

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background leaves it ignored
task = evo.task("cartpole")
network = evo.network("linear", task)
rows = np.random.default_rng(0).standard_normal((300, network.size))
expected = evo.evaluate(task, network, rows, threads=1)
nodes = workers_of(1, "ray:{cluster.address}")
for moment in (0.0, 0.2):
    while len(nodes.status().nodes) < 2:
        assert np.array_equal(evo.evaluate(task, network, rows, workers=nodes), expected)
    try:
        threading.Timer(moment, os.kill, (os.getpid(), signal.SIGINT)).start()
        while True:
            evo.evaluate(task, network, rows, workers=nodes)
    except KeyboardInterrupt:
        pass
    assert np.array_equal(evo.evaluate(task, network, rows, workers=nodes), expected)
print("equal bits, nodes lost:", nodes.lost, flush=True)
"""
    with Child(sys.executable, "-c", code) as program:
        assert program.until("equal bits") == "equal bits, nodes lost: 0\n"
        assert program.end()[0] == 0
    wait_for(lambda: not evaluating(cluster))
