"""The command line on the terminals, pipes and folders that people have."""

import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from rich.console import Console

import evo
from evo import cli
from evo.errors import EvoError
from evo.runs.display import is_live
from evo.runs.terminal import READER_LEFT, show_warning
from tests.support.places import ROOT

QUADRUPED = ROOT / "runs" / "reference" / "quadruped"


def command(*words: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """What the command says when it is called in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "evo", *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        encoding="latin-1",
        timeout=300,
        check=False,
    )


def test_modules_of_the_users_with_our_names_break_nothing(tmp_path: Path) -> None:
    """Projects of reinforcement learning often have an `envs` of their own."""
    (tmp_path / "envs.py").write_text("raise RuntimeError('this is not evo')\n")
    (tmp_path / "networks").mkdir()
    assert "HalfCheetah-v5" in command("list", folder=tmp_path).stdout


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_an_encoding_without_our_signs_gets_plain_ones(encoding: str, tmp_path: Path) -> None:
    said = command("replay", str(QUADRUPED), "--out", "x.avi", folder=tmp_path, PYTHONIOENCODING=encoding)
    assert said.returncode == 2
    shutil.copytree(QUADRUPED, tmp_path / "runs" / "größe-± – 机")
    said = command("list", folder=tmp_path, PYTHONIOENCODING=encoding)
    assert said.returncode == 0, said.stderr
    assert ("gr??e-+/- - ?" if encoding == "ascii" else "größe-± - ?") in said.stdout


def test_a_reader_who_leaves_ends_the_command(tmp_path: Path) -> None:
    """As in `evo list | head -1`, without a word; of a run one wants to know that it can go on."""
    advice = b"evo: stopped, since nobody reads the output any more; `evo resume` goes on\n"
    for words, expected in ((["list"], b""), (["run", "sphere", "--dim", "2"], advice)):
        reading, writing = os.pipe()
        os.close(reading)
        said = subprocess.run(
            [sys.executable, "-m", "evo", *words],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=writing,
            stderr=subprocess.PIPE,
            timeout=300,
            check=False,
        )
        os.close(writing)
        assert said.returncode == READER_LEFT
        assert said.stderr.endswith(expected)
    assert "ended" in command("resume", "--quiet", "--no-video", folder=tmp_path).stdout


def test_a_deleted_folder_is_one_line(tmp_path: Path) -> None:
    code = "import os; os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone'); from evo.cli import main; main()"
    said = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (said.returncode, said.stderr) == (
        2,
        "evo: the folder you are in has been deleted; cd to one that is there\n",
    )


def test_help_has_its_short_name(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["-h"], ["run", "-h"]):
        monkeypatch.setattr(sys, "argv", ["evo", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == 0
        assert "Usage" in capsys.readouterr().out


def test_warnings_bring_no_colours_into_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = show_warning
        warnings.warn("\x1b[33mWARN: an old\n environment\x1b[0m", UserWarning, stacklevel=1)
    assert capsys.readouterr().err == "evo: warning: WARN: an old environment\n"


def test_only_a_terminal_that_can_change_what_it_shows_is_live(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert is_live(Console(force_terminal=True))
    assert not is_live(Console())
    monkeypatch.setenv("TERM", "dumb")  # an editor's: lines, then, as they come
    assert not is_live(Console(force_terminal=True))


def test_what_cannot_be_filmed_is_said_before_the_champion_is_scored_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scored(champion: object) -> None:
        raise AssertionError("scored again")

    monkeypatch.setattr("evo.runs.champion.Champion.verify", scored)
    with pytest.raises(EvoError, match=r"cannot film to 'x.avi': its suffix must be one of .mp4, .gif, .webp, .png"):
        evo.replay(QUADRUPED, tmp_path / "x.avi", checked=print)
    with pytest.raises(EvoError, match="a strip of stills shows one episode"):
        evo.replay(QUADRUPED, tmp_path / "x.png", evolution=True)


def test_a_film_says_how_far_it_is_and_is_the_same_on_one_thread(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    size = {"width": 64, "height": 36, "seconds": 0.2}
    evo.replay(QUADRUPED, tmp_path / "a.webp", **size, threads=1, progress=lambda *done: seen.append(done))
    assert seen == [(done, len(seen)) for done in range(1, len(seen) + 1)]
    assert len(seen) > 3
    evo.replay(QUADRUPED, tmp_path / "b.webp", **size, threads=3)
    assert (tmp_path / "a.webp").read_bytes() == (tmp_path / "b.webp").read_bytes()
