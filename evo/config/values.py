"""Values of configuration keys: their types, their ranges, and how they are written."""

import math
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evo.errors import EvoError, commands
from evo.grammar import parse_toml
from evo.numerics.validation import plain

_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
_WORDS |= {list: "a list", tuple: "a list", dict: "a table such as {a = 1}"}


@dataclass(frozen=True)
class Key:
    """A configuration key: its type, default, the range of its values, and its meaning in one line."""

    kind: Any
    default: Any
    least: float | None = None
    most: float | None = None
    help: str = ""


# Dotted keys and values: a mapping, `key=value`, or several of these texts.
Settings = Mapping[str, Any] | Sequence[str] | str


def pairs_of(settings: Settings) -> list[tuple[str, Any]]:
    """Return dotted keys and their values. Raises EvoError for a text that is no `key=value`."""
    if isinstance(settings, Mapping):
        return [*settings.items()]
    return [parse_setting(text) for text in ([settings] if isinstance(settings, str) else settings)]


def parse_setting(text: str) -> tuple[str, Any]:
    """Parse `key=value` of --set; the value is read as TOML, or taken as text where it is not TOML."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise EvoError(f"a setting is key=value, as in task.frame_skip=5; got {text!r}")
    try:
        return key.strip(), parse_toml(f"value = {value}")["value"]
    except ValueError:
        return key.strip(), value.strip()


def checked(key: str, value: Any, entry: Key) -> Any:
    """Return the value in the key's type, NumPy numbers as Python's. Raises EvoError naming the key."""
    value = plain(value)
    _check_bits(key, value)
    kinds = typing.get_args(entry.kind) if isinstance(entry.kind, types.UnionType) else (entry.kind,)
    if value is None and type(None) in kinds:
        return None
    for kind in kinds:
        fitting = _as_kind(value, kind)
        if fitting is not None:
            _check_bits(key, fitting)  # 1e308 converts to an integer too
            if entry.least is not None and fitting < entry.least:
                raise EvoError(f"{key} must be at least {entry.least:g}, got {value}")
            if entry.most is not None and fitting > entry.most:
                raise EvoError(f"{key} must be at most {entry.most:g}, got {value}")
            if isinstance(fitting, str) and commands(fitting.replace("\n", "").replace("\t", "")):
                raise EvoError(f"{key} holds a control character, got {fitting!r}")
            return fitting
    written = [kind for kind in kinds if kind in _WORDS or typing.get_origin(kind) is tuple]
    words = " or ".join(dict.fromkeys(_words(kind) for kind in written or kinds if kind is not type(None)))
    if isinstance(value, float) and math.isnan(value):
        raise EvoError(f"{key} is nan, which is no number: it must be {words}")
    raise EvoError(f"{key} must be {words}, got {value!r}")


def _check_bits(key: str, value: Any) -> None:
    if key != "seed" and any(not -(2**63) <= number < 2**63 for number in _numbers(value)):
        raise EvoError(f"{key} must be of 64 bits, as all whole numbers but the seed, got {value}")


def _numbers(value: Any) -> Iterator[int]:
    """Yield the integers in a value, at any depth."""
    if isinstance(value, list | tuple | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _numbers(each)
    elif isinstance(value, int):
        yield value


def _words(kind: Any) -> str:
    parts = typing.get_args(kind)
    return (
        f"{len(parts)} numbers, as in [0.0, 1.0]" if typing.get_origin(kind) is tuple else _WORDS.get(kind, str(kind))
    )


def _as_kind(value: Any, kind: Any) -> Any:
    """Return the value in the type, or None where it does not fit; an integer is a float, a bool is neither."""
    if kind is Any:
        return value
    if typing.get_origin(kind) is Callable:  # only Python passes a callable; a file names it, as text
        return None
    if typing.get_origin(kind) is tuple:
        parts = typing.get_args(kind)
        if not isinstance(value, list | tuple) or len(value) != len(parts):
            return None
        items = tuple(_as_kind(item, part) for item, part in zip(value, parts, strict=True))
        return None if None in items else items
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind is int and isinstance(value, float) and value.is_integer():
        return int(value)
    if kind is float and isinstance(value, float) and value != value:
        return None
    origin = typing.get_origin(kind)
    if origin is typing.Literal:
        return value if value in typing.get_args(kind) else None
    if not isinstance(origin or kind, type):
        return value  # a type of the user's
    kind = origin or kind
    return value if isinstance(value, kind) and not (kind in (int, float) and isinstance(value, bool)) else None
