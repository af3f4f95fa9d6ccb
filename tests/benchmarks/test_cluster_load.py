"""`evo bench --cluster` says what a driver does with simulated nodes, and where it saturates."""

import pytest

from evo.benchmarks import cluster_load
from evo.benchmarks.bench import bench

PARTS = "describe_s", "decide_s", "merge_s", "statistics_s", "ray_s"


def test_the_drivers_time_is_the_sum_of_its_parts_and_messages_are_small() -> None:
    records = bench("cluster", quick=True)
    assert [record["nodes"] for record in records] == [10, 30]
    for record in records:
        assert record["slices"] == 10 * record["nodes"] <= record["messages"] < 12 * record["nodes"]
        assert record["driver_s"] == pytest.approx(sum(record[part] for part in PARTS))
        assert all(record[part] > 0 for part in PARTS)
        assert (
            record["driver_busy"] == pytest.approx(record["driver_s"] / record["generation_s"])
            and 0 < record["driver_busy"] < 0.5
        )
        assert 0.4 < record["nodes_busy"] < 1
        assert (
            1e6 * record["sent_mb"] < 300 * record["slices"] + 20 * 1000
        )  # eight individuals a slice: a centre, streams
        assert record["received_mb"] > record["sent_mb"]  # statistics of observations


def test_more_nodes_are_not_tried_once_the_driver_saturates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages that take 0.3 s keep it busy with ten nodes of one-second slices."""
    monkeypatch.setattr(cluster_load, "_MESSAGE", 0.3)
    record, *others = cluster_load.cluster_load("HalfCheetah-v5", "linear", (10, 30))
    assert not others and record["driver_busy"] > 0.8 and record["bottleneck"] == "ray"
    assert record["messages_per_s"] == pytest.approx(1 / 0.3, rel=0.2)
    assert record["generation_s"] >= record["driver_s"]
