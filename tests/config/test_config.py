"""Configuration: the order of the layers, types, names, and that a file repeats what wrote it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evo.config.keys import KEYS
from evo.config.presets import PRESETS
from evo.config.resolve import Config, read_config, resolve_config, task_name
from evo.config.values import parse_setting
from evo.envs import TASKS
from evo.errors import EvoError
from evo.learners import METHODS


def resolved(**flags: object) -> Config:
    return resolve_config(flags={key.replace("__", "."): value for key, value in flags.items()})


def test_later_layers_win() -> None:
    task = {"task.name": "HalfCheetah-v5"}
    preset = resolve_config(flags=task)
    assert preset["method.sigma"] == PRESETS["HalfCheetah-v5"]["ars"]["method.sigma"]
    file = {"method.sigma": 0.1, "method.learning_rate": 0.1, "seed": 1}
    assert resolve_config(file, flags=task)["method.sigma"] == 0.1
    sets = [("method.sigma", 0.2), ("seed", 2)]
    config = resolve_config(file, sets, {**task, "seed": 3})
    assert (config["method.learning_rate"], config["method.sigma"], config["seed"]) == (0.1, 0.2, 3)
    assert config["evaluation.selection_episodes"] == KEYS["evaluation.selection_episodes"].default


def test_a_budget_replaces_the_one_below_it_whole() -> None:
    assert resolved(task__name="HalfCheetah-v5")["budget.steps"]
    minutes = resolved(task__name="HalfCheetah-v5", budget__minutes=3)
    assert (minutes["budget.steps"], minutes["budget.minutes"]) == (None, 3.0)
    both = resolved(task__name="HalfCheetah-v5", budget__minutes=3, budget__steps=5)
    assert (both["budget.steps"], both["budget.minutes"]) == (5, 3.0)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("method", METHODS)
def test_every_pair_resolves_and_its_file_repeats_it(task: str, method: str) -> None:
    config = resolved(task__name=task, method__name=method, seed=7)
    again = resolve_config(read_config(config.toml(), "config.toml"))
    assert again.values == config.values
    assert again.toml() == config.toml()


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("quadruped", "evo/Quadruped-v0"),
        ("half-cheetah", "HalfCheetah-v5"),
        ("halfcheetah", "HalfCheetah-v5"),
        ("half_cheetah-v5", "HalfCheetah-v5"),
        ("WALKER2D", "Walker2d-v5"),
        ("evo/Hopper-v5", "Hopper-v5"),
        ("cartpole", "evo/CartPole-v0"),
        ("my.module:task", "my.module:task"),
    ],
)
def test_short_names(short: str, full: str) -> None:
    assert task_name(short) == full


def test_training_options_are_only_those_given() -> None:
    config = resolved(task__name="Hopper-v5")
    assert config.section("training") == {"healthy_reward": 0.0}
    assert config["task.healthy_reward"] == 1.0


def test_an_algorithm_of_ones_own_is_named_by_reference() -> None:
    config = resolved(task__name="cartpole", method__name="evo.algorithms.genetic.ga:GA", budget__steps=10)
    assert config["method.population_size"] > 1


@given(st.text(max_size=30))
def test_any_text_is_a_setting_or_one_clear_error(text: str) -> None:
    try:
        key, _ = parse_setting(text)
        assert key == text.partition("=")[0].strip()
    except EvoError as error:
        assert "key=value" in str(error)


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from(sorted(KEYS)), st.one_of(st.integers(), st.floats(), st.text(), st.booleans())))
def test_any_values_resolve_or_are_one_clear_error(values: dict[str, object]) -> None:
    try:
        config = resolve_config({"task.name": "cartpole", "method.name": "ars"} | values)
    except EvoError as error:
        assert "\n" not in str(error)
    else:
        assert resolve_config(read_config(config.toml(), "file")).values == config.values


def test_an_entry_of_what_is_no_table_is_one_line() -> None:
    flags = {"task.name": "Ant-v4", "budget.generations": 1}
    with pytest.raises(EvoError, match=r"task\.foo\.bar is an entry of a table, and 3 is none"):
        resolve_config(settings=[("task.foo", 3), ("task.foo.bar", 1)], flags=flags)


@pytest.mark.parametrize("value", [10**400, 1e308, -1e30])
def test_a_whole_number_of_more_than_64_bits_is_one_line(value: float) -> None:
    with pytest.raises(EvoError, match=r"method\.directions must be of 64 bits"):
        resolve_config(settings={"method.directions": value}, flags={"task.name": "sphere", "method.name": "ars"})
