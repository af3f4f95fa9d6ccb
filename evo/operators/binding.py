"""Operators by name: `tournament`, `tournament(size=4)`, `tournament:size=4`, `package.module:choose(size=4)`."""

import contextlib
import functools
import inspect
import numbers
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from numpy.typing import ArrayLike

from evo.envs.reference import UntrustedName, pass_on, resolve
from evo.errors import nearest, one_line
from evo.grammar import Call, parse_call, value_of

Operator = Callable[..., Any]


def operator_from_text(
    text: str | Operator, table: Mapping[str, str], known: Mapping[str, Any] | None = None
) -> Operator:
    """Resolve an operator, a name in `table` or a reference `module:function`, and bind its options.

    Options are written as in `evo.grammar`, by name or in their order, with values as in TOML: `sbx:eta=10`,
    `truncation(4)`, `polynomial(low=[0, -1], high=1)`. A value may be a call, `ga(select=truncation(4))`, of which the
    operator is given the text. Options that are not written are taken from `known`, if there. A callable is returned
    unchanged. Raises ValueError of one line for an unknown name or option, a value of the wrong type or a missing
    option.
    """
    if callable(text):
        return text
    if not isinstance(text, str):
        raise ValueError(f"{text!r}: must be a function, or a name as in tournament:size=4")
    call, reference = _parsed(text, table)
    try:
        operator: Operator = resolve(call.name, table)
    except UntrustedName:
        raise
    except (ImportError, ValueError) as error:
        raise ValueError(
            f"unknown operator {text!r}: {one_line(error)}{nearest(call.name.partition(':')[0], table)}"
        ) from error
    if not callable(operator):
        raise ValueError(f"{reference!r} is no function")
    parameters = inspect.signature(operator).parameters.values()
    has = {parameter.name: parameter for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY}
    given = {option: value for option, value in (known or {}).items() if option in has}
    options = _options(call, list(has))
    _check_options(call.name, has, options, given)
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
    reference = _parsed(text, table)[1] if isinstance(text, str) else _reference(text)
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


def _parsed(text: str, table: Mapping[str, str]) -> tuple[Call, str]:
    """Parse an operator's text into a call and the reference of its function."""
    call = parse_call(text.strip(), table)
    if call.name not in table and ":" not in call.name:
        raise ValueError(f"unknown operator {call.name!r}{nearest(call.name, table)}")
    return call, table.get(call.name, call.name)


def _options(call: Call, has: Sequence[str]) -> dict[str, Any]:
    """Return the values of the options that are written; `has`: all options, in their order."""
    try:
        alone, named = call.arguments()
        values = [value_of(written) for written in alone]
        options = {name: value_of(written) for name, written in named.items()}
    except ValueError as error:
        raise ValueError(f"{call.text!r}: options must read name=value,name=value with values as in TOML") from error
    if len(values) > len(has):
        most = f"{len(has)} option{'s' * (len(has) > 1)} in its order, not {len(values)}: {', '.join(has)}"
        raise ValueError(f"{call.text!r}: {call.name} takes {most if has else 'no options'}")
    if twice := [name for name in has[: len(values)] if name in options]:
        raise ValueError(f"{call.text!r}: {twice[0]!r} is given twice")
    options = {**dict(zip(has, values, strict=False)), **options}
    pass_on(call.text, options)
    return options


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
