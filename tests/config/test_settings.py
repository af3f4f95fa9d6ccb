"""Enumeration of settings: each has a type, a default, a range where known, and what its docstring says of it."""

import pytest

from evo.config.glossary import GLOSSARY
from evo.config.keys import KEYS
from evo.config.meanings import meanings
from evo.config.resolve import resolve_config
from evo.config.settings import list_settings, type_in_words
from evo.config.task_spec import TaskSource
from evo.datasets import DATASETS
from evo.envs import TASKS
from evo.errors import EvoError
from evo.learners import METHODS


def test_every_setting_of_a_run_is_listed_with_its_meaning() -> None:
    found = {setting.key: setting for setting in list_settings()}
    assert [*found] == [*KEYS]
    assert all(setting.help and "\n" not in setting.help for setting in found.values())
    episodes = found["evaluation.episodes"]
    assert (episodes.kind, episodes.default, episodes.least, episodes.most) == ("integer", 1, 1, 100_000)
    assert found["budget.minutes"].kind == "number or none"


def test_settings_of_a_task_and_a_method_are_those_that_a_run_takes() -> None:
    listed = {setting.key for setting in list_settings("cartpole", "ppo")}
    taken = resolve_config(flags={"task.name": "cartpole", "method.name": "ppo"}).values
    assert {key for key in taken if key.startswith(("task.", "method."))} == {
        key for key in listed if key.startswith(("task.", "method."))
    }
    found = {setting.key: setting for setting in list_settings("digits", "ppo")}
    assert found["task.sequence"].help == "a picture is given row by row"
    assert found["method.minibatch"].help == "env steps of a minibatch"
    with pytest.raises(EvoError, match="'ppo'"):
        list_settings(method="pp0")


def test_meanings_are_read_from_a_docstring() -> None:
    text = """A task of a kind.

    low, high: bounds of the domain, in metres. Other words: none. seed: of its
    numbers; any. locked: joints that are stiff, removed: bodies that are missing. `noise` (nu, its deviation), `size`,
    `least` and `most` (bounds).
    Whatever the size: it is kept. Raises ValueError: never.
    """
    found = meanings(text, ["low", "high", "seed", "locked", "removed", "noise", "size", "least", "most"])
    assert found == {
        "low": "bounds of the domain, in metres",
        "high": "bounds of the domain, in metres",
        "seed": "of its numbers",
        "locked": "joints that are stiff",
        "removed": "bodies that are missing",
        "noise": "nu, its deviation",
        "size": "bounds",
        "least": "bounds",
        "most": "bounds",
    }


def test_types_are_told_in_words() -> None:
    assert type_in_words(float | tuple[float, float] | None) == "number or 2 numbers or none"
    assert type_in_words(list | tuple) == "list"
    assert type_in_words(bool) == "true or false"


@pytest.mark.parametrize("task", [*TASKS, *DATASETS, "rastrigin", "bbob-f1", "creature.xml"])
def test_every_option_of_a_task_has_a_meaning(task: str) -> None:
    options = [setting for setting in list_settings(task=task) if setting.key.startswith("task.")]
    assert [setting.key for setting in options if not setting.help or "\n" in setting.help] == []


@pytest.mark.parametrize("method", METHODS)
def test_every_option_of_a_method_has_a_meaning(method: str) -> None:
    options = [setting for setting in list_settings(method=method) if setting.key.startswith("method.")]
    assert [setting.key for setting in options if not setting.help or "\n" in setting.help] == []


def test_no_meaning_is_kept_for_an_option_that_no_task_has() -> None:
    own = {name for task in [*TASKS, *DATASETS, "rastrigin", "creature.xml"] for name in TaskSource(task).options}
    assert GLOSSARY.keys() <= own
