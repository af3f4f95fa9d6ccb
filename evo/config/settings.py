"""Enumeration of settings: what can be set in a configuration, with the type, default, range and meaning of each."""

import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evo.config.keys import KEYS
from evo.config.resolve import method_options
from evo.config.task_names import task_name
from evo.config.task_spec import TaskSource
from evo.config.values import Key
from evo.envs.reference import of_module
from evo.errors import EvoError, nearest
from evo.learners import METHODS, find_method

_WORDS = {type(None): "none", bool: "true or false", int: "integer", float: "number", str: "text"}
_WORDS |= {list: "list", tuple: "list", dict: "table", Any: "any"}


@dataclass(frozen=True)
class Setting:
    """One setting: `evaluation.episodes`, `task.frame_skip`, `method.sigma`.

    kind: its type in words, such as `integer or none`. least, most: its range, where it is known. help: its meaning in
    one line; "" where its constructor's docstring says nothing.
    """

    key: str
    kind: str
    default: Any
    least: float | None
    most: float | None
    help: str


def list_settings(task: str | None = None, method: str | None = None) -> tuple[Setting, ...]:
    """Return the settings of every run; then those of a task, `task.*`, and of a method, `method.*`, where given.

    A task's settings are also there under `training.*`, for the task as it is in training. Raises EvoError for names
    that are unknown.
    """
    found = _settings("", KEYS)
    if task is not None:
        found += _settings("task.", TaskSource(task_name(task)).options)
    if method is not None:
        chosen = find_method(method)
        if chosen is None:
            raise EvoError(f"unknown method {method!r}{of_module(method) or nearest(method, METHODS)}")
        found += _settings("method.", method_options(chosen))
    return tuple(found)


def _settings(prefix: str, keys: Mapping[str, Key]) -> list[Setting]:
    return [
        Setting(f"{prefix}{name}", type_in_words(key.kind), key.default, key.least, key.most, key.help)
        for name, key in keys.items()
    ]


def type_in_words(kind: Any) -> str:
    """Return a type in words: `integer or none`, `2 numbers`, `one of "a", "b"`."""
    if kind in _WORDS:
        return _WORDS[kind]
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        words = dict.fromkeys(type_in_words(part) for part in parts if part is not type(None))
        return " or ".join([*words, *(["none"] if type(None) in parts else [])])
    if origin is typing.Literal:
        return f"one of {', '.join(repr(part) for part in parts)}"
    if origin is tuple:
        return f"{len(parts)} numbers"
    return _WORDS.get(origin, getattr(kind, "__name__", str(kind)))
