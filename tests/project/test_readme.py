"""Every command of the README works as written; only budgets and film sizes are cut."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.places import ROOT

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
_LINES = [line for kind, text in BLOCKS if kind == "bash" for line in text.replace("\\\n", " ").splitlines()]
COMMANDS = [line.partition("#")[0].strip() for line in _LINES]
EVO_COMMANDS = [command for command in COMMANDS if command.startswith("evo ")]

CUTS = {
    "run": [
        "--generations",
        "1",
        "--no-video",
        "--set",
        "evaluation.selection_episodes=2",
        "--set",
        "evaluation.report_episodes=2",
    ],
    "resume": ["--generations", "2", "--no-video"],
    "replay": ["--width", "64", "--height", "36", "--seconds", "1"],
    "bench": ["--quick"],
    "robustness": ["--episodes", "1"],
    "compare": ["--no-video", "--set", "evaluation.selection_episodes=2", "--set", "evaluation.report_episodes=2"],
}


def test_the_readme_has_the_two_commands() -> None:
    assert COMMANDS[0] == "pip install -e . && evo run quadruped"
    assert COMMANDS[1].startswith("pip install -e '.[test]' && pytest")


# What goes on with a run goes after what made it; the others may run in any order, beside each other.
_ON_ONE_RUN = [command for command in EVO_COMMANDS if "runs/mine" in command]
_GROUPS = {"runs/mine": _ON_ONE_RUN} | {command: [command] for command in EVO_COMMANDS if command not in _ON_ONE_RUN}


def test_there_are_commands() -> None:
    assert len(_GROUPS) > 10
    assert len(_ON_ONE_RUN) > 5


@pytest.mark.parametrize("name", _GROUPS)
def test_every_command_of_the_readme_works(name: str, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    shutil.copytree(ROOT / "runs" / "reference", tmp_path / "runs" / "reference")
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    for command in _GROUPS[name]:
        words = shlex.split(command.replace("--minutes 1", "--steps 4000"))
        ended = subprocess.run(
            [sys.executable, "-m", "evo", *words[1:], *CUTS.get(words[1], [])],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
        )
        # of a run cut to a generation or two, the doctor may well find something wrong
        fine = {0, 1} if command.startswith("evo doctor runs/") else {0}
        assert ended.returncode in fine, f"{command}\n{ended.stdout}\n{ended.stderr}"


def test_the_python_of_the_readme_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for code in (text for kind, text in BLOCKS if kind == "python"):
        code = code.replace("minutes=3", "generations=1, video=False")
        exec(code, {})


def test_every_link_and_picture_of_the_readme_exists() -> None:
    links = re.findall(r"\]\(([^)]+)\)|src=\"([^\"]+)\"", README)
    local = [first or second for first, second in links if not (first or second).startswith("http")]
    assert local
    assert [path for path in local if not (ROOT / path).exists()] == []
