"""Speed of nodes beside threads: the same bits, and rows that add up."""

from collections.abc import Sequence

import numpy as np
import pytest

import evo
from evo.benchmarks.bench import bench, render
from evo.cluster.nodes import Nodes
from evo.cluster.simulation import Machine, SimulatedNodes
from evo.errors import EvoError
from evo.storage.messages import pack, unpack
from tests.support.slices import Elsewhere


def nodes(answer: object = evo.evaluate_slice) -> Nodes:
    """Two nodes, of which one takes twice as long, and a few that are lost before anything is measured."""
    machines = {"slow": Machine(seconds=2), "fast": Machine(), "brief": Machine(dies=3)}
    simulated = SimulatedNodes(machines, answer, np.random.default_rng(0))  # type: ignore[arg-type]
    return Nodes(simulated, 1, answer, {}, lambda text: None)  # type: ignore[arg-type]


def test_nodes_are_measured_together_and_each_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evo.benchmarks.nodes_speed._SETTLED", 0.0)
    rows = bench(tasks=["cartpole"], networks=["linear"], pairs=2, workers=nodes())
    here, there, *each = rows
    assert here["where"] == "this process, 1 thread" and there["where"] == "2 nodes"
    assert [row["where"] for row in each] == ["node slow", "node fast"]
    assert there["mismatches"] == 0 and there["pairs"] == 2 and there["cores"] == 2
    assert there["ratio_low"] <= there["ratio"] <= there["ratio_high"]
    slow, fast = (row["env_steps_per_s"] for row in each)
    assert fast == pytest.approx(2 * slow, rel=0.3)
    assert all(0 <= row["waiting"] < 0.3 for row in each)
    assert "node slow" in render(rows)


def test_other_bits_are_mismatches(monkeypatch: pytest.MonkeyPatch) -> None:
    def other(message: bytes, shared: Sequence[bytes]) -> bytes:
        told, arrays = unpack(evo.evaluate_slice(message, shared))
        return pack(told, arrays | {"returns": np.nextafter(arrays["returns"], np.inf)})

    monkeypatch.setattr("evo.benchmarks.nodes_speed._SETTLED", 0.0)
    rows = bench(tasks=["cartpole"], networks=["linear"], quick=True, workers=nodes(other))
    assert rows[1]["mismatches"] == 512


def test_what_knows_no_workers_says_so() -> None:
    with pytest.raises(EvoError, match=r"^--exact measures this process alone: leave out --workers$"):
        bench("exact", workers="ray")
    with pytest.raises(EvoError, match=r"^speed is measured of workers that are nodes: give --workers ray$"):
        bench(workers=Elsewhere())


def test_without_nodes_it_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evo.benchmarks.nodes_speed._AWAITED", 0.0)
    simulated = SimulatedNodes({"never": Machine(joins=1e9)}, evo.evaluate_slice, np.random.default_rng(0))
    alone = Nodes(simulated, 1, evo.evaluate_slice, {}, lambda text: None)
    with pytest.raises(EvoError, match=r"^no node has joined within 0 s"):
        bench(tasks=["cartpole"], networks=["linear"], quick=True, workers=alone)
