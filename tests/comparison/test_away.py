"""A member in a process of its own, as on a node: it is an ordinary run, and what becomes of it is told."""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

import evo
from evo.cluster import trial
from evo.cluster.trial import MachineTrial, try_machine
from evo.comparison.away import Report, Supervisor, messages_of, unpack_report
from evo.comparison.ray_hosts import _error_of
from evo.comparison.side_by_side import MemberError
from evo.config.config import Config
from evo.config.resolve import resolve_config
from evo.errors import EvoError
from evo.storage.messages import pack
from evo.storage.mirror import Mirror, Piece, Source
from tests.chaos import differences
from tests.support.places import ROOT

FEW = {"evaluation.selection_episodes": 2, "evaluation.report_episodes": 2}


def config(generations: int) -> Config:
    flags = {"task.name": "sphere", "task.dim": 4, "method.name": "cma-es", "budget.generations": generations}
    return resolve_config(settings=[*FEW.items()], flags=flags)


@pytest.fixture
def supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Supervisor:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(sys, "path", [*sys.path])
    return Supervisor([str(ROOT), *sys.path], str(ROOT))


def follow(supervisor: Supervisor, mirror: Mirror) -> list[Report]:
    """Take home what a member writes, to its end."""
    reports: list[Report] = []
    while not reports or reports[-1].code is None:
        reports.append(unpack_report(supervisor.news(1.0)))
        for piece in reports[-1].pieces:
            mirror.take(piece)
    mirror.close()
    return reports


def test_a_member_that_was_begun_here_ends_there_and_comes_home(supervisor: Supervisor, tmp_path: Path) -> None:
    whole, home = tmp_path / "whole", tmp_path / "home"
    evo.run(settings=config(6).values, out=whole, video=False, threads=1)

    def stop(row: Mapping[str, float]) -> None:
        if row["generation"] == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evo.run(settings=config(6).values, out=home, video=False, threads=1, callback=stop)
    text = config(6).toml()
    mirror = Mirror(home)
    for message in messages_of(Source(home).moment()):
        supervisor.take(message)
    assert supervisor.start(text, 1, str(home)) == try_machine(config(6))
    child = supervisor._child
    assert child is not None
    os.kill(child.pid, signal.SIGSTOP)
    while unpack_report(supervisor.news(0.1)).alive:
        pass
    os.kill(child.pid, signal.SIGCONT)
    last = follow(supervisor, mirror)[-1]
    assert (last.code, last.text) == (0, "")
    assert differences(home, whole) == []
    assert (home / "config.toml").read_text() == (whole / "config.toml").read_text()
    assert not list(tmp_path.glob("evo-members-*/*"))  # nothing is left there


def test_a_trial_tells_what_bits_depend_on_and_not_the_seed() -> None:
    found = try_machine(config(3))
    assert isinstance(found, MachineTrial)
    assert {"numpy", "scipy", "vectors", "BLAS"} <= found.facts.keys()
    assert found.digest == try_machine(config(5).changed({"seed": 7})).digest
    assert found.digest != try_machine(config(5).changed({"task.dim": 5})).digest


@pytest.mark.parametrize(
    ("code", "text", "kind", "told"),
    [
        (2, "evo: note: x\nevo: task.dim is too large\n", EvoError, "task.dim is too large"),
        (2, "", EvoError, "it failed without a word"),
        (1, "Traceback\n  line\nLookupError: no idea\n", MemberError, "LookupError: no idea"),
    ],
)
def test_what_a_member_failed_of_is_told(code: int, text: str, kind: type[Exception], told: str) -> None:
    error = _error_of(code, text)
    assert type(error) is kind and str(error) == told
    assert _error_of(0, "evo: note: x\n") is None


@pytest.mark.parametrize(
    "values",
    [
        {"pieces": []},
        {"pieces": [], "alive": 1, "code": None, "text": ""},
        {"pieces": [], "alive": True, "code": "0", "text": ""},
        {"pieces": [["ended", 0, 3, 3]], "alive": True, "code": None, "text": ""},  # without data
        {"pieces": [["ended", 0, 3, -3]], "alive": True, "code": None, "text": ""},
        {"pieces": [[7, 0, 0, 0]], "alive": True, "code": None, "text": ""},
        {"pieces": [["ended", 0]], "alive": True, "code": None, "text": ""},
    ],
)
def test_what_is_no_report_is_refused(values: dict[str, object]) -> None:
    import numpy as np

    with pytest.raises(ValueError, match=r"report|pieces|values"):
        unpack_report(pack(values, {"data": np.zeros(0, np.uint8)}))


def test_pieces_travel_in_messages_of_a_bounded_size() -> None:
    def pieces() -> Sequence[Piece]:
        return [Piece("ended", 0, 2**20, bytes(2**20)) for _ in range(20)]

    sizes = [len(message) for message in messages_of(iter(pieces()))]
    assert len(sizes) == 3 and max(sizes) < 2**23 + 2**21


def test_another_version_of_evo_has_another_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    _, digest = trial._updates.__wrapped__()
    monkeypatch.setattr(trial, "__version__", "99.0")
    facts, other = trial._updates.__wrapped__()
    assert facts["evo"] == "99.0"
    assert digest != other
