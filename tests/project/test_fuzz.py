"""A small helping of `python -m tests.fuzz`: whatever is done to a file, it is a result or one line."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evo.api import running as api
from tests.fuzz import KINDS, Cases, make_runs


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cases]:
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api, "show", lambda *arguments: None)  # pictures take longer than all else
        make_runs(folder, ["sphere-cma-es", "sphere-ga", "cartpole-ars"])
        yield Cases(folder, tmp_path_factory.mktemp("work"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_is_a_result_or_one_line(kind: str, cases: Cases) -> None:
    @settings(max_examples=25, derandomize=True, database=None)
    @given(st.integers(0, 2**32 - 1))
    def one(seed: int) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            cases.run(kind, np.random.default_rng(seed))

    one()


def test_a_failure_would_be_seen(tmp_path: Path, cases: Cases, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(random: np.random.Generator) -> None:
        raise KeyError("about")

    monkeypatch.setattr(cases, "champion", broken)
    with pytest.raises(KeyError):
        cases.run("champion", np.random.default_rng(0))
