"""Operators by name: `tournament`, `tournament:size=4`, `mine:choose`, `package.module:choose:size=4`."""

import contextlib
import functools
import inspect
import numbers
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from numpy.typing import ArrayLike

from evo.envs.reference import UntrustedName, pass_on, resolve
from evo.errors import nearest, one_line
from evo.storage.files import parse_toml

Operator = Callable[..., Any]


def operator_from_text(
    text: str | Operator, table: Mapping[str, str], known: Mapping[str, Any] | None = None
) -> Operator:
    """Resolve an operator, a name in `table` or a reference `module:function`, and bind its options.

    Options follow a colon, separated by commas, each `name=value` with the value as in TOML: `sbx:eta=10`,
    `polynomial:low=[0, -1],high=1`. Options that are not written are taken from `known`, if there. A callable is
    returned unchanged. Raises ValueError of one line for an unknown name or option, a value of the wrong type or a
    missing option.
    """
    if callable(text):
        return text
    if not isinstance(text, str):
        raise ValueError(f"{text!r}: must be a function, or a name as in tournament:size=4")
    name, reference, written = _parts(text, table)
    try:
        operator: Operator = resolve(name if name in table else reference, table)
    except UntrustedName:
        raise
    except (ImportError, ValueError) as error:
        raise ValueError(f"unknown operator {text!r}: {one_line(error)}{nearest(name, table)}") from error
    if not callable(operator):
        raise ValueError(f"{reference!r} is no function")
    parameters = inspect.signature(operator).parameters.values()
    has = {parameter.name: parameter for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY}
    given = {option: value for option, value in (known or {}).items() if option in has}
    options = _parsed(text, written)
    _check_options(name, has, options, given)
    return functools.partial(operator, **{**given, **options}) if given or options else operator


def suitable_operator(
    text: str | Operator,
    table: Mapping[str, str],
    suitable: Sequence[str],
    purpose: str,
    known: Mapping[str, Any] | None = None,
) -> Operator:
    """Resolve as `operator_from_text`, refusing operators of the table that are not among the `suitable` names.

    `purpose` says what these suit. Operators outside the table are not checked. Raises ValueError.
    """
    reference = _parts(text, table)[1] if isinstance(text, str) else _reference(text)
    name = next((name for name, place in table.items() if place == reference), None)
    if name is not None and name not in suitable:
        raise ValueError(f"{name} does not suit {purpose}; one of {', '.join(suitable)}")
    return operator_from_text(text, table, known)


@contextlib.contextmanager
def concerning(option: str) -> Iterator[None]:
    """Prefix a ValueError raised inside with the option it is about."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{option}: {error}") from error


def _reference(operator: Operator) -> str:
    function = operator.func if isinstance(operator, functools.partial) else operator
    return f"{getattr(function, '__module__', '')}:{getattr(function, '__qualname__', '')}"


def _parts(text: str, table: Mapping[str, str]) -> tuple[str, str, str]:
    """Split an operator's text into name, reference and options.

    The reference of `tournament:size=4` is the table's, that of `mine:choose:size=4` is `mine:choose`.
    """
    name, _, rest = text.partition(":")
    if name in table:
        return name, table[name], rest
    function, _, rest = rest.partition(":")
    if not all(part.isidentifier() for part in (*name.split("."), function)):
        raise ValueError(f"unknown operator {name!r}{nearest(name, table)}")
    return f"{name}:{function}", f"{name}:{function}", rest


def _parsed(text: str, options: str) -> dict[str, Any]:
    try:
        parsed: dict[str, Any] = parse_toml(f"options = {{{options}}}")["options"]
    except ValueError as error:
        raise ValueError(f"{text!r}: options must read name=value,name=value with values as in TOML") from error
    pass_on(options, parsed)
    return parsed


def _check_options(
    name: str, has: Mapping[str, inspect.Parameter], options: Mapping[str, Any], given: Mapping[str, Any]
) -> None:
    """Check the written options against those the operator `has`; each without a default must be written or `given`."""
    for option, value in options.items():
        if option not in has:
            raise ValueError(f"{name} has no option {option!r}{nearest(option, has)}")
        # Other annotations are left to the operator to check.
        allowed, fits = _KINDS.get(has[option].annotation, ("anything", _is_anything))
        if not fits(value):
            raise ValueError(f"{name}: {option}={value!r}: must be {allowed}")
    without_default = [option for option in has if has[option].default is inspect.Parameter.empty]
    needed = [option for option in without_default if option not in options and option not in given]
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


# An option's annotation -> the values allowed for it, in words and as a test.
_KINDS: dict[Any, tuple[str, Callable[[object], bool]]] = {
    int: ("a whole number", _is_whole),
    float: ("a number", _is_number),
    float | None: ("a number", _is_number),
    int | None: ("a whole number", _is_whole),
    ArrayLike: ("a number or a list of numbers, one a gene", _is_array),
}
