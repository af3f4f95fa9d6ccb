"""`evo bench --memory` says of a generation what is true of it."""

import numpy as np
import pytest

from evo.benchmarks.bench import bench
from evo.benchmarks.footprint import METHODS


def test_memory_is_that_of_a_few_networks_and_the_limit_that_of_the_bytes_moved() -> None:
    """A hundred of 20,000 parameters: OpenAI-ES keeps some vectors, the Deep GA two parents, and not half of all."""
    records = bench("memory", quick=True)
    assert [record["method"] for record in records] == list(METHODS)
    one = 8 * 20_000 / 1e6
    for record, stored, updates, most in zip(records, (50, 100), (50, 2), (20, 50), strict=True):
        assert record["stored_mb"] == stored * one
        assert one < record["peak_mb"] < most * one
        assert record["moved_gb"] == pytest.approx((12 * 100 + 16 * updates) * 20_000 / 1e9)
        assert record["limit_s"] == pytest.approx(record["moved_gb"] / record["copy_gb_per_s"])
        assert record["cpu_s"] > 0.5 * record["drawing_s"] > 0  # the best of five draws: half allows for a noisy clock
        assert all(np.isfinite(value) for value in record.values() if isinstance(value, float))
