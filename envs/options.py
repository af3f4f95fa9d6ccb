"""Constructors with a signature made from a table of options, so that they can be inspected."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

_Made = TypeVar("_Made")


def constructor_with(
    make: Callable[[dict[str, Any], dict[str, Any]], _Made],
    defaults: Mapping[str, Any],
    made: type[_Made],
    doc: str,
    kinds: Mapping[str, Any] | None = None,
) -> Callable[..., _Made]:
    """Return a constructor with the keyword options of `defaults`, which calls make(options, other keywords).

    made: annotated as its return type. doc: its docstring. kinds: types of the options; by default those of the
    defaults.
    """

    def constructor(**given: Any) -> _Made:
        options = {option: given.pop(option, default) for option, default in defaults.items()}
        return make(options, given)

    kinds = {option: type(default) for option, default in defaults.items()} | dict(kinds or {})
    parameters = [
        inspect.Parameter(option, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kinds[option])
        for option, default in defaults.items()
    ]
    others = inspect.Parameter("others", inspect.Parameter.VAR_KEYWORD, annotation=Any)
    constructor.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [*parameters, others], return_annotation=made
    )
    constructor.__annotations__ = {one.name: one.annotation for one in parameters} | {"return": made}
    constructor.__doc__ = doc
    return constructor
