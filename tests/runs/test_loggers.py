"""Loggers read metrics.csv: right after a resume, and never the end of a run."""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import evo
from evo.errors import EvoError
from evo.runs.loggers import Follower, following
from evo.storage.metrics import MetricsFile
from tests.support import fake_loggers
from tests.support.fake_loggers import KEPT, install

NAMES = ("tensorboard", "wandb", "mlflow")
SETTINGS = {"seed": 3, "task.name": "sphere"}


def append(run: Path, first: int, last: int) -> None:
    metrics = MetricsFile(run / "metrics.csv", [])
    for generation in range(first, last + 1):
        metrics.append({"generation": generation, "steps": 10 * generation, "best": 0.5 * generation, "std": np.nan})


def logged(run: Path) -> dict[str, list[tuple[int, float]]]:
    """What each logger has of the column `best`, by steps."""
    return {
        "tensorboard": KEPT[str(run / "logs" / "tensorboard")]["best"],
        "wandb": [(10 * step, row["best"]) for step, row in KEPT["wandb-offline"]],
        "mlflow": [(step, value) for step, name, value in KEPT["mlflow-1"] if name == "best"],
    }


def test_after_a_resume_each_row_is_there_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    notes: list[str] = []
    with following(NAMES, tmp_path, SETTINGS, notes.append):
        append(tmp_path, 1, 10)
    MetricsFile(tmp_path / "metrics.csv", []).keep(6)  # the run was killed, and its last checkpoint is of row 6
    with following(NAMES, tmp_path, SETTINGS, notes.append):
        append(tmp_path, 7, 9)
    with following(NAMES, tmp_path, SETTINGS, notes.append):
        append(tmp_path, 10, 14)
    expected = [(10 * generation, 0.5 * generation) for generation in range(1, 15)]
    assert logged(tmp_path) == dict.fromkeys(NAMES, expected)
    assert notes == [] and KEPT["params"] == {"seed": "3", "task.name": "sphere"}
    assert "std" not in KEPT[str(tmp_path / "logs" / "tensorboard")]  # NaN is no number to draw


def test_a_logger_killed_before_it_took_note_writes_its_rows_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    append(tmp_path, 1, 4)
    with following(["tensorboard"], tmp_path, SETTINGS, print):
        pass
    (tmp_path / "logs" / "tensorboard.json").write_text(json.dumps({"id": None, "rows": 2}))
    with following(["tensorboard"], tmp_path, SETTINGS, print):
        append(tmp_path, 5, 5)
    assert [step for step, _ in KEPT[str(tmp_path / "logs" / "tensorboard")]["best"]] == [10, 20, 30, 40, 50]


def test_only_whole_rows_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    append(tmp_path, 1, 2)
    file = tmp_path / "metrics.csv"
    whole = file.read_bytes()
    follower = Follower("tensorboard", tmp_path, SETTINGS, print)
    for size in (5, len(whole) - 3, len(whole)):
        file.write_bytes(whole[:size])
        follower.read()
    assert KEPT[str(tmp_path / "logs" / "tensorboard")]["best"] == [(10, 0.5), (20, 1.0)]


@pytest.mark.parametrize("name", NAMES)
def test_a_run_that_was_broken_off_and_resumed(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    path = tmp_path / "run"

    def stop(row: Any) -> None:
        if row["generation"] == 4:
            raise LookupError

    with pytest.raises(LookupError):
        evo.run("sphere", dim=2, method="ga", generations=9, out=path, video=False, threads=1, callback=stop, log=name)
    run = evo.resume(path, video=False, threads=1, log=[name])
    column = list(zip(run.metrics["steps"].tolist(), run.metrics["best"].tolist(), strict=True))
    if name == "wandb":
        found = [(row["steps"], row["best"]) for _, row in KEPT["wandb-offline"]]
    else:
        found = logged_by(name, path)
    assert found == column and len(column) == 9


def logged_by(name: str, run: Path) -> list[tuple[int, float]]:
    if name == "tensorboard":
        return KEPT[str(run / "logs" / "tensorboard")]["best"]
    return [(step, value) for step, word, value in KEPT["mlflow-1"] if word == "best"]


def test_a_logger_that_fails_is_one_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    install(monkeypatch, error=ConnectionError("the server\nis gone"))
    options: dict[str, Any] = {"dim": 2, "method": "ga", "generations": 6, "video": False, "threads": 1}
    told = evo.run("sphere", out=tmp_path / "with", log="tensorboard", verbose=True, **options)
    plain = evo.run("sphere", out=tmp_path / "without", **options)
    said = capsys.readouterr().out
    note = "the logger tensorboard has stopped (ConnectionError: the server is gone); metrics.csv has every row"
    assert said.count(note) == 1 and said.count("tensorboard") == 1
    assert told.ended == plain.ended and told.champion.digest == plain.champion.digest
    np.testing.assert_array_equal(told.metrics["best"], plain.metrics["best"])


@pytest.mark.parametrize(
    ("failing", "error", "said"),
    [
        ("open", ValueError("no"), "ValueError: no"),
        ("close", ValueError("no"), "ValueError: no"),
        ("open", SystemExit(3), "ExitError: it called sys.exit(3)"),
    ],
    ids=str,
)
def test_whatever_fails_the_note_is_one(
    failing: str, error: BaseException, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)

    def fail(*words: Any, **named: Any) -> None:
        raise error

    monkeypatch.setattr(fake_loggers.WandBRun, "define_metric" if failing == "open" else "finish", fail)
    append(tmp_path, 1, 2)
    notes: list[str] = []
    with following(["wandb"], tmp_path, SETTINGS, notes.append):
        pass
    assert notes == [f"the logger wandb has stopped ({said}); metrics.csv has every row"]


def test_an_unknown_or_absent_logger_is_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find: Callable[[str], Any] = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "wandb" else find(name))
    for name, said in (
        ("tensorbord", "did you mean 'tensorboard'"),
        ("wandb", r"needs wandb: pip install 'evo-creatures\[wandb\]'"),
    ):
        with pytest.raises(EvoError, match=said):
            evo.run("sphere", dim=2, generations=1, out=tmp_path / "run", log=name)
        assert not (tmp_path / "run").exists()
