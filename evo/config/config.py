"""Config: a resolved configuration, as a typed value."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import tomli_w

from evo.config.keys import KEYS
from evo.config.sections import (
    BudgetSettings,
    DataSettings,
    EvaluationSettings,
    MethodSettings,
    NetworkSettings,
    StartSettings,
    with_values,
)
from evo.config.task_spec import TaskSource, TaskSpec
from evo.config.values import checked

SECTIONS: dict[str, type[Any]] = {
    "start": StartSettings,
    "data": DataSettings,
    "network": NetworkSettings,
    "evaluation": EvaluationSettings,
    "budget": BudgetSettings,
}


@dataclass(frozen=True, repr=False)
class Config:
    """A fully resolved configuration: `config.seed`, `config.method.options`, `config.budget.steps`.

    training: the task's options that differ in training. keys: the dotted names of all its values, in the order of a
    file: a kind of problem has not every key. `config["network.layers"]` reads a value by its dotted name.
    """

    evo: str
    seed: int
    start: StartSettings
    task: TaskSpec
    data: DataSettings
    network: NetworkSettings
    method: MethodSettings
    evaluation: EvaluationSettings
    budget: BudgetSettings
    training: Mapping[str, Any]
    keys: tuple[str, ...]

    @classmethod
    def from_values(cls, values: Mapping[str, Any], task: TaskSpec | None = None) -> "Config":
        """Return the configuration of dotted names and values. task: shared where it is this task.

        Raises EvoError for a value of another type than its key's.
        """
        values = {key: checked(key, value, KEYS[key]) if key in KEYS else value for key, value in values.items()}
        sections = {name: _inside(name, values) for name in (*SECTIONS, "task", "method", "training")}
        name, options = sections["task"].pop("name"), sections["task"]
        source = TaskSource(name, sections["evaluation"].get("step_timeout"))
        spec = TaskSpec(task.source if task is not None and task.source == source else source, options)
        return cls(
            evo=values["evo"],
            seed=values["seed"],
            task=task if task == spec else spec,
            method=MethodSettings(sections["method"].pop("name"), sections["method"]),
            training=sections["training"],
            keys=tuple(values),
            **{name: section(**sections[name]) for name, section in SECTIONS.items()},
        )

    def changed(self, values: Mapping[str, Any]) -> "Config":
        """Return it with other values for some dotted names; the task stays the same one where its values do."""
        return Config.from_values({**self.values, **values}, self.task)

    @cached_property
    def values(self) -> Mapping[str, Any]:
        """Every value by its dotted name, in the order of a file; None where there is none."""
        return {key: self[key] for key in self.keys}

    def __getitem__(self, key: str) -> Any:
        if key not in self.keys:
            raise KeyError(key)
        section, _, name = key.partition(".")
        found = getattr(self, section)
        if not name:
            return found
        if section == "training":
            return found[name]
        return getattr(found, name) if name == "name" or section in SECTIONS else found.options[name]

    def __repr__(self) -> str:
        return f"Config({self.task.name!r}, {self.method.name}, seed {self.seed})"

    @cached_property
    def trained(self) -> TaskSpec:
        """The task as it is in training: the same one where nothing is changed in training."""
        changes = with_values(self.training)
        return TaskSpec(self.task.source, {**self.task.options, **changes}) if changes else self.task

    def toml(self) -> str:
        """Return the configuration as TOML; keys without a value are left out."""
        return to_toml(self.values)


def _inside(section: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values whose dotted names begin with a section's, by the rest of their names."""
    prefix = f"{section}."
    return {key.removeprefix(prefix): value for key, value in values.items() if key.startswith(prefix)}


def to_toml(values: Mapping[str, Any]) -> str:
    """Return dotted names and values as TOML; those of None are left out."""
    tree: dict[str, Any] = {}
    for key, value in with_values(values).items():
        *path, name = key.split(".")
        place = tree
        for part in path:
            place = place.setdefault(part, {})
        place[name] = list(value) if isinstance(value, tuple) else value
    return tomli_w.dumps(tree)
