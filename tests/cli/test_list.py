"""`evo list` and `evo remove`."""

import json
import os
import shutil
import socket
import sys
from pathlib import Path

import pytest

import evo
from evo.cli import app
from evo.errors import EvoError
from evo.runs.loggers import LOGGERS
from evo.storage.housekeeping import is_held, size_of
from evo.storage.run_directory import RunDirectory
from tests.support.places import REFERENCE, ROOT
from tests.support.processes import Child


def told(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    app([*map(str, words)], standalone_mode=False)
    return capsys.readouterr().out


@pytest.fixture
def runs(finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder `runs` with the run `first`, finished, and `second`, stopped."""
    shutil.copytree(finished_run, tmp_path / "runs" / "first")
    shutil.copytree(finished_run, tmp_path / "runs" / "second")
    (tmp_path / "runs" / "second" / "ended").unlink()
    (tmp_path / "runs" / "notes").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "runs"


def test_records_of_runs(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = json.loads(told(capsys, "list", "runs", "--json"))
    run = evo.load(runs / "first")
    assert {record["path"] for record in records} == {"runs/first", "runs/second"}
    first = next(record for record in records if record["path"] == "runs/first")
    assert first == {
        "path": "runs/first",
        "task": "evo/CartPole-v0",
        "network": "linear",
        "method": "ars",
        "seed": 4,
        "generation": 3,
        "steps": run.metrics["steps"][-1],
        "fitness": run.champion.reported_fitness.mean,
        "metric": "return",
        "state": "finished",
    }
    for words, paths in (
        (["--finished"], {"runs/first"}),
        (["--unfinished"], {"runs/second"}),
        (["--task", "cart"], {"runs/first", "runs/second"}),
        (["--task", "quadruped"], set()),
        (["--method", "ars", "--finished", "--task", "CartPole-v0"], {"runs/first"}),
        (["--method", "ga"], set()),
    ):
        assert {record["path"] for record in json.loads(told(capsys, "list", *words, "--json"))} == paths
    assert "none of the 2 runs" in told(capsys, "list", "--method", "ga")
    text = told(capsys, "list", "runs")
    assert "finished" in text and "stopped" in text and "tasks" not in text


def test_lists_of_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    methods = json.loads(told(capsys, "list", "methods", "--json"))
    assert {"name", "summary"} == methods[0].keys() and "ars" in [method["name"] for method in methods]
    whole = json.loads(told(capsys, "list", "--json", "--folder", REFERENCE.parent))
    assert [*whole] == ["tasks", "data sets", "functions", "methods", "networks", "runs"]
    assert len(whole["runs"]) == len(list(REFERENCE.glob("*/config.toml")))
    assert {record["state"] for record in whole["runs"]} == {"finished"}
    with pytest.raises(EvoError, match="did you mean 'methods'"):
        told(capsys, "list", "metods")
    with pytest.raises(EvoError, match="choose among runs"):
        told(capsys, "list", "methods", "--finished")


def test_a_run_in_progress_is_seen_and_stays(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = (
        "import pathlib, signal; from evo.storage.run_directory import RunDirectory\n"
        "held = RunDirectory.open(pathlib.Path('runs/second'), write=True); print('held', flush=True); signal.pause()"
    )
    with Child(sys.executable, "-c", code, cwd=runs.parent, PYTHONPATH=str(ROOT)) as other:
        other.until("held")
        states = {record["path"]: record["state"] for record in json.loads(told(capsys, "list", "runs", "--json"))}
        assert states == {"runs/first": "finished", "runs/second": "running"}
        with pytest.raises(EvoError, match="is being written by a live run"):
            told(capsys, "remove", "runs/first", "runs/second", "--yes")
    assert (runs / "first").exists()  # nothing is removed where one of them must stay
    assert not is_held(runs / "second")
    # a number that another process bears by now: then the lock decides
    (runs / "second" / "lock").write_text(f"{os.getpid()} {socket.gethostname()}\n")
    assert not is_held(runs / "second")


def test_remove_says_what_it_removed(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size = size_of(runs / "first")
    assert told(capsys, "remove", "runs/first", "-y") == f"removed runs/first: {size / 1000:.3g} kB\n"
    assert sorted(os.listdir(runs)) == ["notes", "second"]


def test_remove_asks(runs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EvoError, match="say so by --yes"):
        told(capsys, "remove", "runs/first")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    answers = iter([False, True])
    monkeypatch.setattr("typer.confirm", lambda text: next(answers))
    assert told(capsys, "remove", "runs/first", "runs/second").startswith("kept runs/first\nremoved runs/second: ")
    assert sorted(os.listdir(runs)) == ["first", "notes"]


def test_remove_keeps_what_is_no_run_of_ours(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (runs / "link").symlink_to(runs / "first")
    (runs / "notes" / "config.toml").write_text('name = "mine"\n')
    (runs / "second" / "thesis.tex").write_text("years of work")
    for path, said in (
        ("runs/link", "is a link"),
        ("runs/notes", "is not one that evo wrote"),
        ("runs/second", "'thesis.tex', which evo did not make"),
        ("runs/absent", "there is no run at"),
        ("runs/first/config.toml", "is a file, not a run"),
        ("runs", "is not a run"),
    ):
        with pytest.raises(EvoError, match=said):
            told(capsys, "remove", "runs/first", path, "--yes")
        assert sorted(os.listdir(runs)) == ["first", "link", "notes", "second"]
    RunDirectory.open(runs / "first")


@pytest.mark.parametrize(
    "mine", ["plots/notes.md", "videos/holiday/day.mp4", "logs/thesis.tex", "checkpoints/mine.npz", "fossils/000.txt"]
)
def test_remove_keeps_what_lies_within_its_folders(runs: Path, mine: str, capsys: pytest.CaptureFixture[str]) -> None:
    (runs / "first" / mine).parent.mkdir(parents=True, exist_ok=True)
    (runs / "first" / mine).write_text("years of work")
    with pytest.raises(EvoError, match="which evo did not make"):
        told(capsys, "remove", "runs/second", "runs/first", "--yes")
    assert (runs / "first" / mine).exists() and (runs / "second").exists()


def test_remove_takes_all_that_a_run_makes(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = [
        "videos/champion.mp4",
        "plots/learning.PNG",
        "fossils/.evo-1.tmp",
        ".evo-2.tmp/state.npz",
        "plots/.DS_Store",
    ]
    made += [f"logs/{name}{rest}" for name in LOGGERS for rest in (".json", "/run/files/anything")]
    for name in made:
        (runs / "first" / name).parent.mkdir(parents=True, exist_ok=True)
        (runs / "first" / name).touch()
    (runs / "first" / "logs" / "wandb" / "latest").symlink_to(runs / "notes")
    told(capsys, "remove", "runs/first", "--yes")
    assert sorted(os.listdir(runs)) == ["notes", "second"]


def test_remove_keeps_links_and_other_disks(
    runs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (runs / "first" / "videos").symlink_to(runs / "notes")
    with pytest.raises(EvoError, match="first/videos is a link"):
        told(capsys, "remove", "runs/second", "runs/first", "--yes")
    (runs / "second" / "videos").mkdir(exist_ok=True)
    monkeypatch.setattr("os.path.ismount", lambda path: Path(path).name == "videos")
    with pytest.raises(EvoError, match="second/videos is mounted there"):
        told(capsys, "remove", "runs/second", "--yes")
    monkeypatch.undo()
    monkeypatch.chdir(runs.parent)
    point = (runs / "second" / "videos").resolve()
    monkeypatch.setattr("evo.storage.housekeeping._mount_points", lambda: [Path("/"), point])
    with pytest.raises(EvoError, match="second/videos is mounted there"):
        told(capsys, "remove", "runs/second", "--yes")
    assert sorted(os.listdir(runs)) == ["first", "notes", "second"]


def test_remove_by_another_way_to_it(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told(capsys, "remove", "runs/first/../first", "--yes")
    assert sorted(os.listdir(runs)) == ["notes", "second"]


def test_remove_says_where_the_rest_is(
    runs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path / "checkpoints"))

    monkeypatch.setattr("shutil.rmtree", refuse)
    with pytest.raises(
        EvoError, match=r"cannot remove all of runs/first: .*; what is left is /.*/runs/\.evo-\w+\.tmp$"
    ):
        told(capsys, "remove", "runs/first", "--yes")


def test_a_closed_input_and_a_pipe_for_a_lock(
    runs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(EvoError, match="say so by --yes"):
        told(capsys, "remove", "runs/first")
    (runs / "first" / "lock").unlink(missing_ok=True)
    os.mkfifo(runs / "first" / "lock")  # to open it would wait for a writer
    assert not is_held(runs / "first")
