"""Configuration: the order of the layers, types, names, and that a file repeats what wrote it."""

from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evo.config.config import SECTIONS, Config
from evo.config.keys import KEYS
from evo.config.presets import PRESETS
from evo.config.resolve import read_config, resolve_config
from evo.config.task_names import task_name
from evo.config.values import parse_setting
from evo.envs import TASKS
from evo.errors import EvoError
from evo.learners import METHODS
from evo.version import __version__
from tests.support.places import ROOT


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
    assert config.training == {"healthy_reward": 0.0}
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


FILE = """evo = "{version}"
seed = 3

[task]
name = "rastrigin"
dim = 2
rotated = false
instance = 0

[method]
name = "random-search"
sigma = 0.5
population_size = 20

[evaluation]
episodes = 1
racing = true
selection_episodes = 1
selection_share = 0.1
report_episodes = 1

[budget]
steps = 40
until = -1e-08
"""


def test_a_file_is_written_byte_for_byte() -> None:
    sets = [("method.sigma", 0.5), ("method.population_size", 20), ("budget.until", -1e-8), ("budget.steps", 40)]
    flags = {"task.name": "rastrigin", "task.dim": 2, "method.name": "random-search", "seed": 3}
    config = resolve_config(settings=sets, flags=flags)
    assert config.toml() == FILE.format(version=__version__)
    assert resolve_config(read_config(config.toml(), "config.toml")) == config


@pytest.mark.parametrize(
    "file", sorted((ROOT / "runs" / "reference").glob("*/config.toml")), ids=lambda file: file.parent.name
)
def test_files_of_reference_runs_keep_their_meaning(file: Path) -> None:
    read = read_config(file.read_text(), str(file), trust=True)
    config = resolve_config(read)
    kept = {key: value for key, value in read.items() if key in config.keys and key != "evo"}
    assert len(kept) > 15
    assert {key: list(config[key]) if isinstance(config[key], tuple) else config[key] for key in kept} == kept
    again = resolve_config(read_config(config.toml(), "config.toml"))
    assert again == config and again.toml() == config.toml()


def test_a_configuration_is_one_typed_value() -> None:
    config = resolved(task__name="Hopper-v5", seed=3)
    assert (config.seed, config.task.name, config.method.name) == (3, "Hopper-v5", "ars")
    assert config.method.options["directions"] == config["method.directions"]
    assert config.budget.steps == config["budget.steps"] and config.budget.minutes is None
    assert {f"{name}.{field.name}" for name, section in SECTIONS.items() for field in fields(section)} <= {*KEYS}
    assert all(config[key] == value for key, value in config.values.items())
    with pytest.raises(FrozenInstanceError):
        config.seed = 4  # type: ignore[misc]
    with pytest.raises(KeyError):
        config["data.digest"]
    with pytest.raises(EvoError, match=r"evaluation.episodes must be a whole number, got 'a'"):
        config.changed({"evaluation.episodes": "a"})
    other = config.changed({"seed": 4})
    assert (other.seed, config.seed) == (4, 3) and other.task is config.task
    assert config.trained is not config.task and config.trained.options["healthy_reward"] == 0.0
    assert config.changed({"training.healthy_reward": None}).trained is not config.trained
    assert resolved(task__name="cartpole").trained.name == "evo/CartPole-v0"
