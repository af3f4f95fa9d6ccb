"""Options of constructors: read from a function's signature, or carried by a constructor as a table."""

import functools
import inspect
import math
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

_Made = TypeVar("_Made")


@dataclass(frozen=True)
class Option:
    """A keyword option of a constructor: its type, and its default; None leaves it to the constructor."""

    kind: Any
    default: Any


class Constructor(Generic[_Made]):
    """A constructor whose options are only known when it is made: it carries them as a table.

    make: called with the value of each option, and with the other keywords. options: name → Option. returned: what it
    makes. doc: describes it. others: whether it accepts other keywords; takes_any: whether these are options too, of
    unknown types. noisy: whether chance is in the fitness of what it makes.
    """

    def __init__(
        self,
        make: Callable[[dict[str, Any], dict[str, Any]], _Made],
        options: Mapping[str, Option],
        returned: type[Any],
        doc: str,
        others: bool = False,
        takes_any: bool = False,
        noisy: bool = False,
    ) -> None:
        self._make, self.options, self.returned, self.__doc__ = make, options, returned, doc
        self.others, self.takes_any, self.noisy = others, takes_any, noisy

    def __call__(self, **given: Any) -> _Made:
        options = {name: given.pop(name, option.default) for name, option in self.options.items()}
        if given and not self.others:
            raise TypeError(f"it has no option {next(iter(given))!r}")
        return self._make(options, given)


def options_of(constructor: Callable[..., Any]) -> dict[str, Option]:
    """Return the options of a constructor, a function or a class: those it carries, or its keyword-only arguments.

    An option without a default has that of `inspect.Parameter.empty`.
    """
    if isinstance(constructor, Constructor):
        return dict(constructor.options)
    hints = typing.get_type_hints(_annotated(constructor))
    return {
        name: Option(hints.get(name, Any), parameter.default)
        for name, parameter in inspect.signature(constructor).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }


def split_arguments(arguments: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the options of a constructor, and apart from them its other keywords, those of `**rendering`.

    arguments: the `locals()` of the constructor, which calls this before it has any other variable. An option is then
    written once, in the signature; a list of them all beside it could lack one, which would be missing from the record.
    """
    return {name: value for name, value in arguments.items() if name != "rendering"}, arguments["rendering"]


def _annotated(constructor: Any) -> Any:
    """Return the function whose annotations are those of a call: also of a class, an object or a partial."""
    if isinstance(constructor, functools.partial):
        return _annotated(constructor.func)
    if inspect.isclass(constructor):
        return constructor.__init__
    return constructor if inspect.isroutine(constructor) else type(constructor).__call__


def takes_others(constructor: Callable[..., Any]) -> bool:
    """Return whether it accepts keywords that are none of its options."""
    if isinstance(constructor, Constructor):
        return constructor.others
    return any(each.kind is each.VAR_KEYWORD for each in inspect.signature(constructor).parameters.values())


def returned_by(constructor: object) -> object:
    """Return the type that a constructor is annotated to return; None where it says nothing."""
    if isinstance(constructor, Constructor):
        return constructor.returned
    return typing.get_type_hints(constructor).get("return") if callable(constructor) else None


def check_positive(options: Mapping[str, float], *or_zero: str) -> None:
    """Raise ValueError for a number that is not positive and finite; those of the names `or_zero` may be 0."""
    for name, value in options.items():
        if not (value > 0 or (value == 0 and name in or_zero)) or not math.isfinite(value):
            raise ValueError(f"{name} must be a positive number, got {value}")
