"""Operators by name: `tournament`, `tournament:size=4`, `mine:choose`, `package.module:choose:size=4`."""

import functools
import inspect
import numbers
import tomllib
from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import ArrayLike

from envs.reference import resolve
from evo.errors import nearest, one_line

Operator = Callable[..., Any]


def operator_from_text(text: str | Operator, table: Mapping[str, str]) -> Operator:
    """The operator of a name in `table`, or of a reference `module:function`, its options bound to it.

    Options follow a colon, separated by commas, each `name=value` with the value as in TOML: `sbx:eta=10`,
    `polynomial:low=[0, -1],high=1`. A callable is its own operator. An unknown name or option, a value of the wrong
    type or a missing option is a ValueError of one line.
    """
    if not isinstance(text, str):
        return text
    name, reference, written = _parts(text, table)
    try:
        operator: Operator = resolve(reference)
    except (ImportError, ValueError) as error:
        raise ValueError(f"unknown operator {text!r}: {one_line(error)}{nearest(name, table)}") from error
    if not callable(operator):
        raise ValueError(f"{reference!r} is no function")
    options = _parsed(text, written)
    _check_options(name, operator, options)
    return functools.partial(operator, **options) if options else operator


def _parts(text: str, table: Mapping[str, str]) -> tuple[str, str, str]:
    """Name, reference and options: `tournament:size=4` has the reference of the table, `mine:choose:size=4` its own."""
    name, _, rest = text.partition(":")
    if name in table:
        return name, table[name], rest
    function, _, rest = rest.partition(":")
    if not all(part.isidentifier() for part in (*name.split("."), function)):
        raise ValueError(f"unknown operator {name!r}{nearest(name, table)}")
    return f"{name}:{function}", f"{name}:{function}", rest


def _parsed(text: str, options: str) -> dict[str, Any]:
    try:
        parsed: dict[str, Any] = tomllib.loads(f"options = {{{options}}}")["options"]
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{text!r}: options must read name=value,name=value with values as in TOML") from error
    return parsed


def _check_options(name: str, operator: Operator, options: Mapping[str, Any]) -> None:
    parameters = inspect.signature(operator).parameters.values()
    known = {parameter.name: parameter for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY}
    for option, value in options.items():
        if option not in known:
            raise ValueError(f"{name} has no option {option!r}{nearest(option, known)}")
        # What another annotation allows is for the operator itself to say.
        allowed, fits = _KINDS.get(known[option].annotation, ("anything", _is_anything))
        if not fits(value):
            raise ValueError(f"{name}: {option}={value!r}: must be {allowed}")
    needed = [option for option in known if known[option].default is inspect.Parameter.empty and option not in options]
    if needed:
        raise ValueError(f"{name} needs {' and '.join(needed)}: {name}:{','.join(f'{option}=…' for option in needed)}")


def _is_whole(value: object) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _is_array(value: object) -> bool:
    return all(map(_is_number, value)) if isinstance(value, list) else _is_number(value)


def _is_anything(value: object) -> bool:
    return True


# An option's annotation -> what may be written for it, in words and as a test.
_KINDS: dict[Any, tuple[str, Callable[[object], bool]]] = {
    int: ("a whole number", _is_whole),
    float: ("a number", _is_number),
    float | None: ("a number", _is_number),
    ArrayLike: ("a number or a list of numbers, one a gene", _is_array),
}
