"""`evo run --dry-run`: settings and cost, and nothing on disk."""

from pathlib import Path

import pytest

from evo.cli import app
from evo.grammar import parse_toml
from evo.learners.sac import SAC


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[dict[str, object], dict[str, str]]:
    """The settings, and the lines on cost by their names."""
    app(["run", *words, "--dry-run"], standalone_mode=False)
    settings, _, cost = capsys.readouterr().out.rpartition("\n\n")
    return parse_toml(settings), {line.split()[0]: line.split(maxsplit=1)[1] for line in cost.splitlines()}


def test_settings_and_cost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    settings, cost = told(capsys, "sphere", "--dim", "3", "--method", "ga", "--steps", "5000", "--seed", "7")
    assert settings["seed"] == 7 and settings["task"]["dim"] == 3  # type: ignore[index]
    assert cost["parameters"] == "3" and cost["steps"].startswith("about 5,000; ")
    assert "of which two are kept" in cost["checkpoint"] and cost["time"].startswith("about ")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_known_is_not_guessed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    _, cost = told(capsys, "sphere", "--method", "ga", "--until", "-1")
    assert cost["time"] == "not known" and cost["steps"].startswith("as many as it takes; ")
    _, cost = told(capsys, "sphere", "--method", "ga", "--minutes", "2")
    assert cost["time"] == "about 2 min 00 s"
    _, cost = told(capsys, "sphere", "--method", "ga", "--generations", "10", "--set", "method.population_size=50")
    assert cost["steps"].startswith("about 500; ")
    assert list(tmp_path.iterdir()) == []


def test_a_learner_that_first_gathers_experience_is_timed_when_it_learns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    learned: list[bool] = []
    step = SAC.step

    def watched(learner: SAC) -> dict[str, float]:
        learned.append(learner.learns)
        return step(learner)

    monkeypatch.setattr(SAC, "step", watched)
    small = ("--network", "mlp:4>squash", "--set", "method.critic=mlp:4", "--set", "method.warm_up=150")
    _, cost = told(capsys, "pendulum", "--method", "sac", *small, "--set", "method.capacity=1000")
    # a step that took long, on a busy machine, is not timed once more
    assert learned in ([False, False, False, True, True], [False, False, False, True])
    assert cost["note"].startswith("replay buffer: up to ")
