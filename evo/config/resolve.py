"""Configuration: dotted keys and values, merged from five layers and checked against what each part accepts.

Later layers win: default < preset < --config FILE < --set key=value < flag. Unknown keys are refused with the nearest
known one. `task.*`, `training.*` and `method.*` accept exactly the options of the task's and the method's constructors.
"""

import copy
import math
import os
import re
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import tomli_w

from evo.config.keys import BUDGET, KEYS
from evo.config.meanings import explained, options_of
from evo.config.presets import DEFAULT_METHOD, DEFAULT_TRAINING, dataset_preset, landscape_preset, preset
from evo.config.renamed import rename_settings
from evo.config.values import Key, checked
from evo.datasets import DATASETS, Dataset, constructor_of, is_data_path
from evo.envs import TASKS, reference
from evo.envs.adversity import adversity
from evo.envs.creatures.from_file import ABSENT, brought
from evo.envs.creatures.model_file import digest_of, is_model_file
from evo.envs.gymnasium_bridge import gymnasium_task
from evo.envs.gymnasium_bridge.gymnasium_task import GymnasiumTask
from evo.envs.reference import UntrustedName, resolve
from evo.envs.task import Task
from evo.errors import EvoError, nearest, one_line
from evo.evaluation.gymnasium_host import look
from evo.learners import METHODS, Method, method_named
from evo.problems.classic_functions import FUNCTIONS
from evo.problems.function import Landscape
from evo.problems.named_functions import domain_of, is_landscape, landscape_named, landscape_of
from evo.problems.outcome import Outcome
from evo.storage.files import read_text, read_toml
from evo.storage.paths import command
from evo.version import __version__

WORLD, FUNCTION, DATASET = "world", "function", "data set"  # kinds of task
_STEP_UNITS = {WORLD: "env step", FUNCTION: "evaluation", DATASET: "example"}


@dataclass(frozen=True, repr=False)
class Config:
    """A fully resolved configuration: every key with its value. `config["network.layers"]`."""

    values: Mapping[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.values[key]

    def __repr__(self) -> str:
        return f"Config({self['task.name']!r}, {self['method.name']}, seed {self['seed']})"

    @property
    def layers(self) -> str:
        """The network, as in `mlp:64,64`; "" where the task is a function of the parameters themselves."""
        return str(self.values.get("network.layers", ""))

    @property
    def kind(self) -> str:
        """The kind of its task: WORLD, FUNCTION or DATASET."""
        if "evaluation.batch" in self.values:
            return DATASET
        return WORLD if self.layers else FUNCTION

    @property
    def step_unit(self) -> str:
        """The unit of its steps: `env step`, `evaluation` (of a function) or `example`."""
        return _STEP_UNITS[self.kind]

    @property
    def normalise(self) -> bool:
        """Whether observations are normalised."""
        return bool(self.values.get("network.normalise", False))

    @property
    def clip_observation(self) -> float:
        """The bound ±c to which normalised observations are clipped."""
        return float(self.values.get("network.clip_observation", math.inf))

    def section(self, name: str) -> dict[str, Any]:
        """Return the options of a constructor: the keys under `name` that have a value, except `name` itself."""
        prefix = f"{name}."
        given = {key: value for key, value in self.values.items() if value is not None}
        inside = {key.removeprefix(prefix): value for key, value in given.items() if key.startswith(prefix)}
        inside.pop("name", None)
        return inside

    def toml(self) -> str:
        """Return the configuration as TOML; keys without a value are left out."""
        tree: dict[str, Any] = {}
        for key, value in self.values.items():
            if value is not None:
                *path, name = key.split(".")
                place = tree
                for part in path:
                    place = place.setdefault(part, {})
                place[name] = list(value) if isinstance(value, tuple) else value
        return tomli_w.dumps(tree)


def task_name(text: str) -> str:
    """Return the full name of a task: a short name, `package.module:attribute`, a model file, a data file or folder."""
    if text in TASKS or text in DATASETS or is_landscape(text) or ":" in text:
        return text
    if is_model_file(text):
        return str(Path(text).absolute())
    if gymnasium_task.is_registered(text) and not text.startswith("evo/"):
        return text
    version = re.search(r"-v\d+$", text.lower())
    matches = [name for name in TASKS if _plain(name) == _plain(text) and name.endswith(version[0] if version else "")]
    if not matches and is_data_path(text):
        if os.path.exists(Path(text, "config.toml")):
            told = read_text(Path(text, "config.toml"))
            raise EvoError(
                f"{text} is a run, not a task: `{command('resume', text, config=told)}` goes on with it, "
                f"`{command('run', '--from', text, config=told)}` begins from its champion, "
                f"`{command('replay', text, config=told)}` shows it"
            )
        return str(Path(text).absolute())
    if len(matches) != 1:
        short = {_plain(name): name for name in TASKS}
        names = [*TASKS, *short, *FUNCTIONS, *DATASETS, *gymnasium_task.registered_names()]
        raise EvoError(f"unknown task {text!r}{nearest(text, names)}")
    return matches[0]


def _plain(name: str) -> str:
    stem = name.removeprefix("evo/").lower()
    stem, version, number = stem.rpartition("-v")
    return (stem if version and number.isdigit() else f"{stem}{version}{number}").replace("-", "").replace("_", "")


def task_constructor(name: str, step_timeout: float | None = None) -> Callable[..., Any]:
    """Return the constructor of a task by its full name. step_timeout: see `evo.evaluation.gymnasium_host.look`.

    Only functions annotated to return a Task or the like may be called: names come from files too. Raises EvoError.
    """
    try:
        if is_model_file(name):
            return brought(name)
        if is_landscape(name):
            return landscape_named(name)
        if name in DATASETS or is_data_path(name):
            return constructor_of(name)
        if name not in TASKS and gymnasium_task.is_registered(name):
            return gymnasium_task.constructor_of(name, partial(look, step_timeout=step_timeout))
        found: Callable[..., Any] = resolve(name, TASKS)
        returned = typing.get_type_hints(found).get("return") if callable(found) else None
    except UntrustedName as error:
        raise EvoError(f"task {error}") from error
    except Exception as error:  # a user's module may fail in any way
        raise EvoError(f"unknown task {name!r}: {one_line(error)}") from error
    if returned in (float, Outcome):
        return landscape_of(name, found)
    if returned not in (Task, Dataset):
        raise EvoError(
            f"{name} is not a constructor of tasks: write it as `def name(...) -> Task`, `-> Dataset`, or `def name(x) "
            "-> float` (or `-> evo.Outcome`) for a function to maximise"
        )
    return found


def kind_of(name: str) -> str:
    """Return the kind of the task of this full name: WORLD, FUNCTION or DATASET. Raises EvoError."""
    made = typing.get_type_hints(task_constructor(name)).get("return")
    return FUNCTION if made is Landscape else DATASET if made is Dataset else WORLD


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
) -> Config:
    """Return one configuration from the layers above the presets; a flag of None is absent. Raises EvoError."""
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
    task = task_name(str(named["task.name"]))
    kind = kind_of(task)
    method = str(named.get("method.name", DEFAULT_TRAINING if kind == DATASET else DEFAULT_METHOD))
    chosen = method_named(method)
    if chosen is None:
        raise EvoError(f"unknown method {method!r}{nearest(method, METHODS)}")
    known = _known_keys(task, kind, chosen)
    given[0] = _without_others(given[0], task, method)
    given = [rename_settings(layer, chosen, quiet="evo" in layer) for layer in given]  # a run's file is not the user's
    if {"evo", "task.name"} <= given[0].keys():  # written by a run, perhaps of an older version
        written = {key.removeprefix("task."): value for key, value in given[0].items() if key.startswith("task.")}
        given[0] |= {f"task.{name}": value for name, value in as_written(task, written).items()}
    takes_any = getattr(task_constructor(task), "takes_any", False)
    if any(key.startswith("task.") and layer[key] != given[0].get(key) for layer in given[1:] for key in layer):
        given[0].pop("data.digest", None)  # the options select other examples
    # a file that a run wrote is complete: presets of a later version must not change it
    base = {} if "evo" in given[0] else _preset(task, kind, chosen, known, given) | dict(chosen.settings)
    base = {key: value for key, value in base.items() if key in known}
    values = {key: entry.default for key, entry in known.items() if not key.startswith("training.")}
    for layer in (base, *given):
        if any(key in layer for key in BUDGET):
            values |= dict.fromkeys(BUDGET)  # a budget replaces the one below it as a whole
        tables = dict[str, Any]()  # tables that this layer gives entry by entry
        for key, value in layer.items():
            owner = key if key in known else _owner(key, known, takes_any)
            if owner is None:
                raise EvoError(_unknown(key, task, kind, known))
            if owner != key:
                if owner not in tables:  # a file gives the whole table
                    tables[owner] = {} if layer is given[0] else copy.deepcopy(values.get(owner) or {})
                value = _inserted(tables[owner], key, key.removeprefix(f"{owner}.").split("."), value)
            values[owner] = checked(owner, value, known[owner]) if owner in known else value
    values |= {"evo": __version__, "task.name": task, "method.name": method}
    if kind == DATASET:
        values |= _of_data(values, given)
    if chosen.schedule and values[f"method.{chosen.schedule}"] is None:
        values[f"method.{chosen.schedule}"] = values["budget.steps"]
    if chosen.limit:
        values[f"method.{chosen.limit}"] = values["budget.steps"]
    for root in ("task.model_root", "training.model_root"):
        if is_model_file(task) and values.get(root):
            values[root] = str(Path(values[root]).absolute())
    if is_model_file(task) and not values["task.digest"]:
        values["task.digest"] = _digest(task, values["task.model_root"])
    if all(values[key] is None for key in BUDGET):
        raise EvoError("no budget: give generations, steps, minutes or until")
    return Config(values)


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


def _of_data(values: Mapping[str, Any], given: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what a data set changes: absolute paths; no schedule without a budget of steps. Raises EvoError."""
    files = {key: values[key] for key in ("task.file", "task.folder") if values.get(key)}
    changed = {key: str(Path(name).absolute()) for key, name in files.items()}
    unbounded = values["budget.steps"] is None and values.get("method.anneal_steps", 0) is None
    if unbounded and values.get("method.schedule") not in (None, "constant"):
        if any("method.schedule" in layer for layer in given):
            schedule = values["method.schedule"]
            raise EvoError(f"method.schedule={schedule} stretches over a budget of examples: give epochs or steps")
        changed["method.schedule"] = "constant"
    return changed


def _unknown(key: str, task: str, kind: str, known: Mapping[str, Key]) -> str:
    if key == "evaluation.step_timeout":
        return f"{task} takes no {key}: its steps are compiled, or its own; only environments of Gymnasium's hang"
    if key in ("evaluation.batch", "data.digest"):
        return f"{task} is a {kind}, and no data set: it takes no {key}"
    if key in KEYS or (key.startswith("training.") and kind != WORLD):
        is_one = "a function of its own numbers" if kind == FUNCTION else "a data set, which is prepared as it is made"
        return f"{task} is {is_one}: it takes no {key.replace('.layers', '')}"
    if key == "task.dim":
        return f"{task} has no {key}: how many numbers are searched is for its network to say"
    return f"unknown key {key!r}{nearest(key, known)}"


def _preset(
    task: str, kind: str, method: Method, known: Mapping[str, Key], given: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the preset of the method on the task, or on a function with the width of its domain."""
    if kind == WORLD:
        return preset(task, method.family)
    if kind == DATASET:
        return dataset_preset(task, method.family)
    bounds = {
        key: next((layer[key] for layer in reversed(given) if key in layer), entry.default)
        for key, entry in known.items()
        if key in ("task.low", "task.high")
    }
    low, high = domain_of(task, bounds.get("task.low"), bounds.get("task.high"))
    return landscape_preset(method.family, high - low, known_best=is_landscape(task))


def as_written(task: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return a task's options as a run's file means them: absent ones mean what the older version did."""
    if is_model_file(task):
        return {**ABSENT, **options}
    of_gymnasium = task not in TASKS and gymnasium_task.is_registered(task)
    return {**(gymnasium_task.ABSENT if of_gymnasium else {}), **options}


def _digest(file: str, model_root: str) -> str:
    try:
        return digest_of(file, model_root)
    except (ValueError, OSError) as error:
        raise EvoError(f"task {file}: {one_line(error)}") from error


def _without_others(file: dict[str, Any], task: str, method: str) -> dict[str, Any]:
    """Return a file's values without the options of a task or method that a flag has replaced."""
    replaced = []
    if "task.name" in file and task_name(str(file["task.name"])) != task:
        replaced += ["task.", "training."]
    if file.get("method.name", method) != method:
        replaced += ["method."]
    return {key: value for key, value in file.items() if not key.startswith(tuple(replaced))}


def task_options(task: str) -> dict[str, Key]:
    """Return the options of the task of this full name, its own and those of adversity. Raises EvoError."""
    constructor = task_constructor(task)
    options = options_of(constructor)
    if typing.get_type_hints(constructor).get("return") is not Task:
        return options
    added = {name: Key(kind, None) for name, kind in adversity.OPTION_TYPES.items()}
    return explained(added, [adversity.DESCRIPTION]) | options  # a task's own options take precedence


def method_options(method: Method) -> dict[str, Key]:
    """Return the options of a method. Raises EvoError where its class cannot be loaded."""
    try:
        return options_of(method.constructor())
    except Exception as error:  # a user's module may fail in any way
        raise EvoError(f"unknown method {method.reference!r}: {one_line(error)}") from error


def _known_keys(task: str, kind: str, method: Method) -> dict[str, Key]:
    constructor = task_constructor(task)
    hints, options = typing.get_type_hints(constructor), task_options(task)
    without = {
        WORLD: ("evaluation.batch", "data.digest"),
        FUNCTION: (
            "evaluation.batch",
            "data.digest",
            "network.layers",
            "network.normalise",
            "network.clip_observation",
        ),
        DATASET: ("network.normalise", "network.clip_observation"),
    }
    keys = {key: entry for key, entry in KEYS.items() if key not in without[kind]}
    if hints.get("return") is not GymnasiumTask:
        del keys["evaluation.step_timeout"]
    if kind == DATASET or (kind == FUNCTION and not getattr(constructor, "noisy", False)):
        # one evaluation is exact, of a point or of a network on all held-out examples
        keys = {key: replace(entry, default=1) if key.endswith("_episodes") else entry for key, entry in keys.items()}
    return {
        **keys,
        **{f"task.{name}": key for name, key in options.items()},
        **{f"training.{name}": key for name, key in options.items() if name != "digest" and kind == WORLD},
        **{f"method.{name}": key for name, key in method_options(method).items()},
    }
