"""`evo bench --training` says how long an epoch takes."""

import pytest

from evo.benchmarks.bench import bench
from evo.benchmarks.training_speed import NETWORKS
from evo.errors import EvoError
from evo.export.torch_networks import torch_module


def test_records_are_of_every_network() -> None:
    records = bench("training", quick=True)
    assert [record["network"] for record in records] == list(NETWORKS)
    for record in records:
        assert (record["examples"], record["batch"], record["pairs"]) == (128, 64, 1)
        assert 0 < record["epoch_s"] < 10
        assert record["cpu_s"] > 0
        if torch_module() is None:
            assert record["torch_epoch_s"] is record["torch_cpu_s"] is record["times_torch"] is None


def test_an_unknown_case_is_told() -> None:
    with pytest.raises(EvoError, match=r"no case of --training is 'lstm:65'.*lstm:64"):
        bench("training", networks=["lstm:65"])
