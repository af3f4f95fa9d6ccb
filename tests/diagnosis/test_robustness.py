"""The robustness card: each row is what the champion earns under that adversity."""

import csv
import io
import math
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import evo
from evo.cli import app
from evo.config.build import make_network, make_task
from evo.diagnosis import robustness as hardships
from evo.diagnosis.robustness import Card, Row
from evo.evaluation.workers import Threads
from evo.numerics.randomness import report_seeds
from evo.problems.control import Walking
from evo.problems.problem import evaluate_alone
from tests.support.places import REFERENCE


def test_a_card_is_the_returns_under_each_adversity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardships, "HARDSHIPS", hardships.HARDSHIPS[3:4])
    champion = evo.load(REFERENCE / "hopper").champion
    card = evo.robustness(champion, episodes=2)
    names = [row.name for row in card.rows]
    assert names[:3] == ["as it is", "friction × 0.5", "a joint locked, any of 3"]
    assert names[3].startswith("… the worst one, ") and names[4] == "a limb removed, any of 1"
    np.testing.assert_array_equal(card.rows[0].returns, champion.evaluate(episodes=2).returns)
    assert len(card.rows[2].returns) == 6
    locked = {}
    for joint in ("thigh_joint", "leg_joint", "foot_joint"):
        task = make_task("Hopper-v5", {**champion.task_options, "locked": joint})
        problem = Walking(task, make_network(champion.network_text, task, champion.normalise), Threads(1))
        locked[joint] = evaluate_alone(problem, *champion.candidate, report_seeds(2)).returns[0]
    np.testing.assert_array_equal(card.rows[2].returns, np.concatenate(list(locked.values())))
    worst = min(locked, key=lambda joint: float(locked[joint].mean()))
    assert names[3] == f"… the worst one, {worst}"
    np.testing.assert_array_equal(card.rows[3].returns, locked[worst])


def test_a_card_in_words_and_numbers() -> None:
    champion = evo.load(REFERENCE / "hopper").champion
    rows = (
        Row("as it is", np.array([10.0, 30.0])),
        Row("ice", np.array([5.0, math.nan])),
        Row("gone", np.full(2, np.nan)),
    )
    card = Card(champion, rows)
    assert card.texts()[1:] == [("ice", "5", "25 %", "1"), ("gone", "–", "–", "2")]
    lines = list(csv.DictReader(io.StringIO(card.csv())))
    assert [line["return_mean"] for line in lines] == ["20.0", "5.0", ""]
    assert [line["failed_episodes"] for line in lines] == ["0", "1", "2"]
    assert "return  share  failed" in str(card).splitlines()[0]
    # a share of a loss says nothing
    assert math.isnan(Card(champion, (Row("as it is", np.array([-1.0])),)).share(rows[0]))


def test_the_command_prints_the_card_and_writes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardships, "HARDSHIPS", ())
    words = ["robustness", str(REFERENCE / "cartpole"), "--episodes", "2", "--out", str(tmp_path / "card.csv")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "as it is" in done.output
    assert (tmp_path / "card.csv").read_text().startswith("hardship,")


def test_what_has_no_card_is_told() -> None:
    with pytest.raises(evo.EvoError, match="episodes must be at least 1"):
        evo.robustness(REFERENCE / "hopper", episodes=0)
