"""Resolution: dotted keys and values, merged from five layers and checked against what each part accepts.

Later layers win: default < preset < --config FILE < --set key=value < flag. Unknown keys are refused with the nearest
known one. `task.*`, `training.*` and `method.*` accept exactly the options of the task's and the method's constructors.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from evo.config.config import Config
from evo.config.default_methods import METHOD_OF
from evo.config.keys import BUDGET, KEYS
from evo.config.kinds.control import as_written
from evo.config.meanings import options_of
from evo.config.renamed import rename_settings
from evo.config.task_names import task_name
from evo.config.task_spec import TaskSpec
from evo.config.values import Key, checked
from evo.envs import reference
from evo.envs.reference import of_module
from evo.errors import EvoError, nearest, one_line
from evo.learners import METHODS, Method, find_method
from evo.storage.files import read_toml
from evo.version import __version__


def read_config(text: str, source: str, trust: bool = False) -> dict[str, Any]:
    """Return the dotted keys of a TOML file. Raises EvoError naming `source`.

    trust: whether modules that it names may be imported.
    """
    return _flat(read_toml(text, source, trust), "")


def _flat(tree: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        inside = isinstance(value, dict) and (value or not prefix)  # an empty table may be an option's value
        flat |= _flat(value, f"{prefix}{name}.") if inside else {f"{prefix}{name}": value}
    return flat


def resolve_config(
    file: Mapping[str, Any] | None = None,
    settings: Sequence[tuple[str, Any]] = (),
    flags: Mapping[str, Any] | None = None,
    task: TaskSpec | None = None,
) -> Config:
    """Return one configuration from the layers above the presets; a flag of None is absent.

    task: one that was found before, which is shared where the layers name it with the same options. Raises EvoError.
    """
    given = [
        dict(file or {}),
        dict(settings),
        {key: value for key, value in (flags or {}).items() if value is not None},
    ]
    reference.trust(*given[1].values(), *given[2].values())  # typed by the user
    named: dict[str, Any] = {}
    for layer in given:
        named |= {key: layer[key] for key in ("task.name", "method.name") if key in layer}
    if "task.name" not in named:
        raise EvoError("no task given; for example: evo run HalfCheetah-v5")
    name = task_name(str(named["task.name"]))
    found = task if task is not None and task.name == name else TaskSpec.find(name, {})
    method = str(named.get("method.name", METHOD_OF.get(name, found.kind.default_method)))
    chosen = find_method(method)
    if chosen is None:
        raise EvoError(f"unknown method {method!r}{of_module(method) or nearest(method, METHODS)}")
    known = _known_keys(found, chosen)
    given[0] = _without_others(given[0], name, method)
    given = [rename_settings(layer, chosen, quiet="evo" in layer) for layer in given]  # a run's file is not the user's
    if {"evo", "task.name"} <= given[0].keys():  # written by a run, perhaps of an older version
        written = {key.removeprefix("task."): value for key, value in given[0].items() if key.startswith("task.")}
        given[0] |= {f"task.{option}": value for option, value in as_written(name, written).items()}
    if any(key.startswith("task.") and layer[key] != given[0].get(key) for layer in given[1:] for key in layer):
        given[0].pop("data.digest", None)  # the options select other examples
    # a file that a run wrote is complete: presets of a later version must not change it
    base = {} if "evo" in given[0] else _preset(found, chosen, known, given) | dict(chosen.settings)
    layers = [{key: value for key, value in base.items() if key in known}, *given]
    values = _merged(layers, known, found) | {"evo": __version__, "task.name": name, "method.name": method}
    values |= found.kind.complete(name, values, given)
    if chosen.schedule and values[f"method.{chosen.schedule}"] is None:
        values[f"method.{chosen.schedule}"] = values["budget.steps"]
    if chosen.limit:
        values[f"method.{chosen.limit}"] = values["budget.steps"]
    if all(values[key] is None for key in BUDGET):
        raise EvoError("no budget: give generations, steps, minutes or until")
    return Config.from_values(values, found)


def _merged(layers: Sequence[Mapping[str, Any]], known: Mapping[str, Key], task: TaskSpec) -> dict[str, Any]:
    """Return the values of all known keys, by the highest layer that has one. layers: the preset's and those given."""
    values = {key: entry.default for key, entry in known.items() if not key.startswith("training.")}
    for layer in layers:
        if any(key in layer for key in BUDGET):
            values |= dict.fromkeys(BUDGET)  # a budget replaces the one below it as a whole
        tables = dict[str, Any]()  # tables that this layer gives entry by entry
        for key, value in layer.items():
            owner = key if key in known else _owner(key, known, task.source.takes_any)
            if owner is None:
                raise EvoError(_unknown(key, task, known))
            if owner != key:
                if owner not in tables:  # a file gives the whole table
                    tables[owner] = {} if layer is layers[1] else copy.deepcopy(values.get(owner) or {})
                value = _inserted(tables[owner], key, key.removeprefix(f"{owner}.").split("."), value)
            values[owner] = checked(owner, value, known[owner]) if owner in known else value
    return values


def _owner(key: str, known: Mapping[str, Key], takes_any: bool) -> str | None:
    """Return the table option that a key is an entry of, or the `**` option of a task's constructor; else None."""
    parts = key.split(".")
    for count in range(len(parts) - 1, 1, -1):
        owner = ".".join(parts[:count])
        if owner in known and known[owner].kind in (dict, Any):
            return owner
    return ".".join(parts[:2]) if takes_any and len(parts) > 1 and parts[0] in ("task", "training") else None


def _inserted(table: Any, key: str, path: list[str], value: Any) -> Any:
    """Return the table with the value at `path`. Raises EvoError where a value on the path is no table."""
    place: Any = table
    for name in path[:-1]:
        place = place.setdefault(name, {}) if isinstance(place, dict) else place
    if not isinstance(place, dict):
        raise EvoError(f"{key} is an entry of a table, and {place!r} is none")
    place[path[-1]] = value
    return table


def _unknown(key: str, task: TaskSpec, known: Mapping[str, Key]) -> str:
    if key == "evaluation.step_timeout":
        return f"{task.name} takes no {key}: its steps are compiled, or its own; only environments of Gymnasium's hang"
    if key in ("evaluation.batch", "data.digest"):
        return f"{task.name} is a {task.kind.name}, and no data set: it takes no {key}"
    if key in KEYS or (key.startswith("training.") and not task.kind.altered):
        return task.kind.refusal(task.name, key)
    if key == "method.measures":
        return "method.measures (--measures) span a map, and this method fills none: leave them out, or take map-elites"
    if key == "task.dim":
        return f"{task.name} has no {key}: how many numbers are searched is for its network to say"
    return f"unknown key {key!r}{nearest(key, known)} (`evo config` explains every setting)"


def _preset(
    task: TaskSpec, method: Method, known: Mapping[str, Key], given: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the preset of the method on the task, whose options may matter: the width of a function's domain."""
    options = {
        key.removeprefix("task."): next((layer[key] for layer in reversed(given) if key in layer), entry.default)
        for key, entry in known.items()
        if key.startswith("task.")
    }
    return task.kind.preset(task.name, method.family, options)


def _without_others(file: dict[str, Any], task: str, method: str) -> dict[str, Any]:
    """Return a file's values without the options of a task or method that a flag has replaced."""
    replaced = []
    if "task.name" in file and task_name(str(file["task.name"])) != task:
        replaced += ["task.", "training."]
    if file.get("method.name", method) != method:
        replaced += ["method."]
    return {key: value for key, value in file.items() if not key.startswith(tuple(replaced))}


def method_options(method: Method) -> dict[str, Key]:
    """Return the options of a method. Raises EvoError where its class cannot be loaded."""
    try:
        return options_of(method.constructor())
    except Exception as error:  # a user's module may fail in any way
        raise EvoError(f"unknown method {method.reference!r}: {one_line(error)}") from error


def _known_keys(task: TaskSpec, method: Method) -> dict[str, Key]:
    keys = task.kind.keys(task.source.returned, KEYS)
    if task.kind.exact(task.source.constructor):
        keys = {key: replace(entry, default=1) if key.endswith("_episodes") else entry for key, entry in keys.items()}
    altered = {name: key for name, key in task.source.options.items() if name != "digest" and task.kind.altered}
    return {
        **keys,
        **{f"task.{name}": key for name, key in task.source.options.items()},
        **{f"training.{name}": key for name, key in altered.items()},
        **{f"method.{name}": key for name, key in method_options(method).items()},
    }
