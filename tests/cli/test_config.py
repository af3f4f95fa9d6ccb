"""`evo config`: every setting is explained."""

import json
import logging

import pytest

from evo.cli import app
from evo.config.settings import list_settings
from evo.envs.notes import note
from evo.errors import EvoError


def told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    app([*words], standalone_mode=False)
    return capsys.readouterr().out


def test_a_setting_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "config", "evaluation.episodes") == (
        "evaluation.episodes  integer, 1 to 100000; default 1\n"
        "                     episodes that each individual of a generation is scored on\n"
    )


def test_it_says_what_a_run_would_use(capsys: pytest.CaptureFixture[str]) -> None:
    record = json.loads(told(capsys, "config", "method.sigma", "--task", "quadruped", "--json"))[0]
    assert (record["default"], record["value"], record["type"]) == (0.03, 0.1, "number")  # the preset's, of ars
    assert "0.1 in a run of ars on quadruped" in told(capsys, "config", "method.sigma", "--task", "quadruped")
    assert "value" not in json.loads(told(capsys, "config", "method.sigma", "--method", "ars", "--json"))[0]


@pytest.mark.parametrize(("word", "section"), [("ars", "method"), ("quadruped", "task"), ("budget", "budget")])
def test_a_section_a_method_a_task(word: str, section: str, capsys: pytest.CaptureFixture[str]) -> None:
    records = json.loads(told(capsys, "config", word, "--json"))
    every = list_settings(word if section == "task" else None, word if section == "method" else None)
    assert [record["key"] for record in records] == [
        one.key for one in every if one.key.startswith(f"{section}.") and one.key != f"{section}.name"
    ]
    if section != "budget":
        assert json.loads(told(capsys, "list", word, "--json")) == records


def test_a_method_of_ones_own(capsys: pytest.CaptureFixture[str]) -> None:
    own = "evo.algorithms.strategies.snes:SNES"
    assert told(capsys, "config", own) == told(capsys, "config", "snes") == told(capsys, "list", own)


def test_an_old_name_explains_the_present_one(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="evo")
    note.cache_clear()
    old, present = (told(capsys, "config", f"method.{name}", "-m", "ars") for name in ("step_size", "learning_rate"))
    assert old == present
    assert caplog.messages == ["method.step_size is now method.learning_rate"]


def test_all_settings(capsys: pytest.CaptureFixture[str]) -> None:
    assert [record["key"] for record in json.loads(told(capsys, "config", "--json"))] == [
        one.key for one in list_settings()
    ]
    assert told(capsys, "config").endswith("--task TASK and --method METHOD adds its own settings\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["evaluation.episode"], "did you mean 'evaluation.episodes'"),
        (["method.sigma"], "evo config method.sigma --method ars"),
        (["method.deviation_change"], "method.deviation_change is now method.sigma_change, by the method: name one"),
        (["method.step_size"], "method.step_size is now method.sigma or method.learning_rate or method.step, by the"),
        (["method.step_size", "--method", "ga"], "there is no setting 'method.step_size'"),
        (["task.gravity"], "evo config task.gravity --task quadruped"),
        (["task.gravty", "--task", "quadruped"], "did you mean 'task.gravity'"),
        (["method.sigma", "--method", "arz"], "did you mean 'ars'"),
    ],
)
def test_what_is_no_setting(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(EvoError) as error:
        told(capsys, "config", *words)
    assert said in str(error.value)
