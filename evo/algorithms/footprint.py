"""Memory that an algorithm will hold, estimated before it is constructed.

For n parameters: a number of matrices (n, n), of arrays with a row of n for every individual, and of an archive's
rows, all float64.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from evo.algorithms.strategies.cma_parameters import default_population_size
from evo.envs.reference import load
from evo.storage.memory import check_bytes

_NUMBER, _INDIVIDUAL = 8, 256  # bytes: of a float64, and of an individual's other data
_COUNTS = (
    ("population_size", 1),
    ("pairs", 2),
    ("directions", 2),
)  # options, and how many individuals each unit stands for
_LEAN = "sep-cma-es, lm-ma-es or openai-es need far less, as do fewer individuals"


def bytes_needed(made: Callable[..., Any], parameters: int, options: Mapping[str, Any]) -> float:
    """Return the bytes that an algorithm needs with all its options: by its `held`, without it the least."""
    if restarts := getattr(made, "restarts", None):  # it holds the strategy that it restarts
        made = load(restarts.get(str(options.get("algorithm")), restarts["snes"]))
    matrices, rows = getattr(made, "held", (0, 0))
    individuals = _individuals(parameters, options)
    kept = made.numbers_kept(parameters, options) if hasattr(made, "numbers_kept") else 0  # an archive's
    held = matrices * float(parameters) ** 2 + rows * float(parameters) * individuals + kept + 8.0 * parameters
    return _NUMBER * held + _INDIVIDUAL * individuals


def _individuals(parameters: int, options: Mapping[str, Any]) -> float:
    for option, times in _COUNTS:
        if option in options:
            given = options[option]
            if given is not None and (isinstance(given, bool) or not isinstance(given, int | float)):
                raise TypeError(f"{option} is no number")
            return float(times * (default_population_size(parameters) if given is None else given))
    return 1.0


def check_footprint(constructor: Callable[..., Any], parameters: int, options: Mapping[str, Any]) -> None:
    """Raise EvoError for a search that does not fit into memory. Options of wrong types are left to the constructor."""
    if isinstance(constructor, functools.partial):
        options, constructor = {**constructor.keywords, **options}, constructor.func
    known = inspect.signature(constructor).parameters
    defaults = {name: one.default for name, one in known.items() if one.kind is inspect.Parameter.KEYWORD_ONLY}
    name = getattr(constructor, "__name__", "")
    try:
        needed = bytes_needed(constructor, parameters, {**defaults, **options})
    except (TypeError, ValueError):
        return
    given = "".join(f", {option} {options[option]:,}" for option, _ in _COUNTS if options.get(option) is not None)
    lean = "take fewer cells or individuals" if hasattr(constructor, "numbers_kept") else _LEAN
    check_bytes(f"{name} on {parameters:,} parameters{given}", needed, lean)
