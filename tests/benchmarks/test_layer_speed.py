"""`evo bench --layers` times what is equal: every layer's step and plain loops of it."""

import numpy as np
import pytest

from evo.benchmarks import layer_speed
from evo.benchmarks.bench import bench, render
from evo.benchmarks.layer_speed import CASES, sides
from evo.errors import EvoError
from evo.export.torch_networks import torch_module


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.network)
def test_a_step_equals_plain_loops(case: layer_speed.Case) -> None:
    runs = sides(case)
    ours, plain = runs["ours"](100), runs["plain"](100)
    assert ours.std() > 0.1
    np.testing.assert_allclose(ours, plain, rtol=1e-4, atol=1e-4)


def test_what_is_not_equal_is_told() -> None:
    dense, wrong = CASES[0], next(case for case in CASES if case.network == "dropout:0.2")
    with pytest.raises(RuntimeError, match="dense:64: plain computes something else"):
        sides(dense._replace(plain=wrong.plain))


def test_records_are_of_every_case() -> None:
    records = bench("layers", quick=True)
    assert [record["network"] for record in records] == [case.network for case in CASES]
    assert len({record["network"] for record in records}) == len(CASES)
    for record in records:
        assert record["ns"] > 0
        assert record["times_plain"] == pytest.approx(record["plain_ns"] / record["ns"])
        if torch_module() is None:
            assert record["torch_ns"] is record["times_torch"] is None
    assert len(render(records).splitlines()) == 1 + len(CASES)


def test_what_cannot_be_measured_is_a_dash() -> None:
    (record,) = bench("layers", networks=["cpg:8"], quick=True)
    assert render([record]).splitlines()[1].split()[4::2] == ["–", "–"]


def test_an_unknown_case_is_told() -> None:
    with pytest.raises(EvoError, match=r"no case of --layers is 'lstm:33'.*lstm:32"):
        bench("layers", networks=["lstm:33"])
