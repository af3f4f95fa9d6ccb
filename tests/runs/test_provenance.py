"""A run that nodes of other bits had a part in says so for ever: in its directory, its champions, and to its user."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import evo
from evo.cli import app
from evo.cluster.nodes import Nodes, Ready, Trial
from evo.cluster.simulation import Machine, SimulatedNodes
from evo.diagnosis.doctor import doctor
from evo.errors import EvoError
from evo.runs.champion import Champion
from evo.runs.provenance import Provenance
from evo.storage.housekeeping import check_removable
from evo.storage.messages import pack, unpack

FEW: dict[str, Any] = {"settings": {"evaluation.report_episodes": 3}, "video": False, "seed": 1}
LINE = "nodes that compute other bits: libc 1.0 instead of 2.0"


def other(message: bytes, shared: Sequence[bytes]) -> bytes:
    """Answer a slice with returns that are greater by the least amount."""
    told, arrays = unpack(evo.evaluate_slice(message, shared))
    return pack(told, arrays | {"returns": np.nextafter(arrays["returns"], np.inf)})


class Facts(SimulatedNodes):
    """Nodes of another library."""

    def changes(self, trial: Trial) -> Any:
        ready, gone = super().changes(trial)
        return [Ready(one.name, 1, {"libc": "glibc 1.0"}, one.trial, one.answer) for one in ready], gone


def nodes(answer: Any = other, count: int = 1, mixed: bool = True) -> Nodes:
    simulated = Facts({f"far{number}": Machine() for number in range(count)}, answer, np.random.default_rng(0))
    return Nodes(simulated, 1, evo.evaluate_slice, {"libc": "glibc 2.0"}, lambda text: None, mixed)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clean") / "run"
    evo.run("cartpole", method="ars", generations=2, threads=1, out=path, **FEW)
    return path


def test_nodes_of_other_bits_are_recorded_and_stay_recorded_on_threads(tmp_path: Path) -> None:
    path = tmp_path / "run"
    run = evo.run("cartpole", method="ars", generations=2, workers=nodes(), out=path, **FEW)
    assert run.mixed == (LINE,) and (path / "mixed").read_text() == f"{LINE}\n"
    on_threads = evo.resume(path, generations=4, threads=1, video=False)
    assert on_threads.mixed == (LINE,)
    for file in ("champion.npz", "last.npz"):
        champion = Champion.load(path / file)
        assert champion.facts["nodes"] == LINE.removeprefix("nodes ")
        assert f"made with {LINE}" in champion.summary()
    check_removable(path)


def test_the_command_that_verifies_explains_the_difference(tmp_path: Path) -> None:
    run = evo.run("cartpole", method="ars", generations=2, workers=nodes(), out=tmp_path / "run", **FEW)
    check = run.champion.verify()
    assert not check.exact and check.differences["nodes"] == (LINE.removeprefix("nodes "), "none")
    assert f"  made with {LINE}; here none" in str(check).splitlines()


def test_doctor_resume_and_the_end_of_a_run_tell(tmp_path: Path) -> None:
    path = tmp_path / "run"
    evo.run("cartpole", method="ars", generations=2, workers=nodes(), out=path, **FEW)
    found = {finding.name: finding for finding in doctor(path)}
    assert found["bits"].ok and found["bits"].detail == f"of {LINE}"
    shown = CliRunner().invoke(app, ["resume", str(path), "--generations", "3", "--no-video", "--threads", "1"])
    lines = shown.stdout.splitlines()
    assert lines[1] == f"mixed   {LINE}" and lines.count(f"mixed   {LINE}") == 2


def test_a_run_that_did_not_need_them_is_not_marked(clean: Path) -> None:
    """Neither by nodes that were refused, nor by what the same nodes did for another run before."""
    assert evo.load(clean).mixed == () and "nodes" not in evo.load(clean).champion.facts
    refused = nodes(mixed=False)
    evo.resume(clean, generations=3, workers=refused, video=False)
    assert refused.refused and evo.load(clean).mixed == () and not (clean / "mixed").exists()
    used = nodes()
    task = evo.task("cartpole")
    evo.evaluate(task, "linear", np.zeros((3, evo.network("linear", task).size)), workers=used)
    assert used.other_bits == {LINE: 1}
    Provenance(evo.load(clean).directory, used).record()
    assert evo.load(clean).mixed == ()


def test_equal_nodes_leave_the_champion_as_threads_do(clean: Path, tmp_path: Path) -> None:
    alike = evo.run(
        "cartpole", method="ars", generations=2, workers=nodes(evo.evaluate_slice), out=tmp_path / "r", **FEW
    )
    assert alike.mixed == () and alike.champion.facts == evo.load(clean).champion.facts


def test_a_second_answer_that_differs_is_recorded_as_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = 0

    def sometimes(message: bytes, shared: Sequence[bytes]) -> bytes:
        nonlocal answers
        answers += 1
        return (other if answers > 9 and answers % 3 == 0 else evo.evaluate_slice)(message, shared)

    workers, path = nodes(sometimes, 2, mixed=False), tmp_path / "run"
    monkeypatch.setattr("evo.cluster.nodes._AUDITED", 1)
    few = {**FEW, "settings": {"method.directions": 80, "evaluation.report_episodes": 3}}
    evo.run("cartpole", method="ars", generations=2, workers=workers, out=path, **few)
    assert workers.differing
    assert evo.load(path).mixed == ("nodes that answered the same slices differently",)
    finding = next(one for one in doctor(path) if one.name == "bits")
    assert not finding.ok and "do not trust this run" in finding.advice


def test_it_is_written_before_what_came_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after a checkpoint, a run has its record; killed before, it has neither."""
    from evo.storage.run_directory import RunDirectory

    plain, found = RunDirectory.save_checkpoint, list[bool]()

    def save(self: RunDirectory, *arguments: Any) -> None:
        found.append((self.path / "mixed").exists())
        plain(self, *arguments)

    monkeypatch.setattr(RunDirectory, "save_checkpoint", save)
    evo.run("cartpole", method="ars", generations=2, workers=nodes(), out=tmp_path / "run", **FEW)
    assert found and all(found)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"a \x1b[31m line\n", b"x" * 70_000, b"\xff\xfe"])
def test_a_damaged_record_is_one_line_or_harmless(content: bytes, clean: Path) -> None:
    (clean / "mixed").write_bytes(content)
    try:
        for line in evo.load(clean).mixed:
            assert line.isprintable()
    except EvoError as error:
        assert "\n" not in str(error)
    finally:
        (clean / "mixed").unlink()
