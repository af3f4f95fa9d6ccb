"""A small helping of chaos: the command that kills runs, and what it must notice."""

import itertools
import subprocess
import sys
from pathlib import Path

import pytest

import evo
from evo.api import running as api
from tests.chaos import CASES, differences, plan, table
from tests.support.places import ROOT
from tests.support.processes import PATIENCE


def test_killed_at_any_moment_and_resumed_equals_uninterrupted(tmp_path: Path) -> None:
    names = "sphere ga", "sphere cma-es", "cartpole ars", "cartpole ppo"
    command = [sys.executable, "-m", "tests.chaos", "--kills", "10", "--out", str(tmp_path)]
    command += [word for name in names for word in ("--case", name)]
    told = [subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE) for _ in range(2)]
    for ended in told:
        assert ended.returncode == 0, ended.stdout + ended.stderr
        name, trials, calls, moments, _, differing = ended.stdout.splitlines()[-1].split()
        assert (name, differing) == ("all", "0")
        assert int(calls) + int(moments) >= 10 and int(trials) >= 4
    assert told[0].stdout == told[1].stdout  # all of it done already


def test_the_plan_is_a_function_of_its_seed() -> None:
    def first(seed: int) -> list[object]:
        return list(itertools.islice(plan(seed, CASES), 50))

    assert first(3) == first(3)
    assert first(3) != first(4)


def test_what_differs_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "show", lambda *arguments: None)  # pictures are not compared
    for name in ("one", "other"):
        evo.run("sphere", dim=3, method="ga", generations=3, video=False, out=tmp_path / name)
    assert differences(tmp_path / "one", tmp_path / "other") == []
    evo.resume(tmp_path / "other", generations=4, video=False)
    found = differences(tmp_path / "one", tmp_path / "other")
    assert "fossils" in found
    assert "metrics: best" in found
    assert "checkpoint: learner/steps" in found


def test_a_table_counts_what_differed() -> None:
    row = {"trial": 0, "case": "a", "call": 1, "moment": 2, "helper": 0, "differing": ""}
    told = table([row, row | {"trial": 1, "case": "b", "differing": "fossils"}])
    assert [line.split()[-1] for line in told.splitlines()] == ["differing", "0", "1", "1"]
