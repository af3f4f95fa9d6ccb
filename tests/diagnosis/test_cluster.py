"""Examination of a cluster's nodes: each thing that may be wrong is said, with what to do."""

from typing import Any

import pytest

from evo.cluster.ray_examination import ExaminedNode
from evo.diagnosis.cluster import _judge

HERE = dict.fromkeys(("python", "evo", "ray", "numpy", "numba", "mujoco", "vectors"), "1.0")
HERE |= {"processors": "4", "memory": "16 GB"}
WELL: dict[str, Any] = {"facts": {**HERE, "processors": "8"}, "answer": b"bits", "latency": 1e-3, "bandwidth": 1e8}
SILENT: dict[str, Any] = {"facts": {}, "answer": b""}
WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "version": ({"facts": {**WELL["facts"], "evo": "0.9"}}, "evo 0.9 instead of 1.0", "install the same versions"),
    "bits": ({"answer": b"other"}, "it computes other bits, so runs refuse it: nothing that is known", "mixed"),
    "processor": (
        {"answer": b"other", "facts": {**WELL["facts"], "vectors": "avx"}},
        "it computes other bits, so runs refuse it: vectors avx instead of 1.0",
        "mixed, or install the same",
    ),
    "no evo": (SILENT | {"failed": "ModuleNotFoundError: No module named 'evo'"}, "it has no evo", "pip install"),
    "hung": (SILENT | {"failed": "it has not answered within 120 s"}, "within 120 s", "start Ray there anew"),
    "far away": ({"bandwidth": 2e5}, "it is slow to reach: 1.0 ms, 0.2 MB/s", "network"),
    "too many": ({"processors": 16}, "it may use only 8 processors", "--num-cpus=8"),
    "none": ({"processors": 0}, "it has no processors", "--num-cpus"),
}


def node(**changed: Any) -> ExaminedNode:
    return ExaminedNode(**{"name": "host (192.0.2.1)", "processors": 8, "store": 2e9, **WELL, **changed})


def test_a_node_that_is_well() -> None:
    found = _judge(node(), HERE, b"bits")
    assert found.ok and not found.advice
    assert found.name == "node host (192.0.2.1)"
    assert found.detail.startswith(
        "8 processors, 16 GB of memory, object store of 2.0 GB; the same bits; 1.0 ms, 100 MB/s; "
    )


def test_another_processor_with_the_same_bits_is_well_and_told() -> None:
    found = _judge(node(facts={**WELL["facts"], "vectors": "avx"}), HERE, b"bits")
    assert found.ok and not found.advice
    told = "the same bits in episodes, but studies may refuse it: vectors avx instead of 1.0; 1.0 ms"
    assert told in found.detail


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_a_node_is_said(name: str) -> None:
    changed, said, advice = WRONG[name]
    found = _judge(node(**changed), HERE, b"bits")
    assert not found.ok
    assert said in found.detail and advice in found.advice
