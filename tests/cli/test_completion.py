"""Names are completed in a shell."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from evo.cli import completion
from tests.support.places import ROOT


def test_names() -> None:
    assert completion.tasks("quad") == ["quadruped"]
    assert "HalfCheetah-v5" in completion.tasks("HALF") and completion.tasks("rastr") == ["rastrigin"]
    assert "openai-es" in completion.methods("open") and completion.methods("ars,openai") == ["ars,openai-es"]
    assert completion.networks("dense:8>lst") == ["dense:8>lstm"]


def test_runs(finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "runs" / "nothing").mkdir(parents=True)
    (tmp_path / "runs" / "one").symlink_to(finished_run)
    monkeypatch.chdir(tmp_path)
    assert completion.runs("") == completion.runs("runs/o") == ["runs/one"]
    assert completion.runs(f"{tmp_path}/runs/") == [f"{tmp_path}/runs/one"]
    assert completion.runs("runs/x") == []


def test_the_shell_is_answered(tmp_path: Path) -> None:
    """As bash asks, where completion was installed by `evo --install-completion`."""
    asked = {"_EVO_COMPLETE": "complete_bash", "COMP_WORDS": "evo run quad", "COMP_CWORD": "2"}
    code = "import sys; sys.argv = ['evo']; from evo.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | asked,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.stdout.split(), done.stderr) == (["quadruped"], "")
