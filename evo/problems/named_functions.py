"""Landscapes by name: classic functions, the BBOB suite, and users' functions."""

import functools
import re
from collections.abc import Callable
from typing import Any

from evo.envs.options import Constructor, Option, options_of
from evo.errors import EvoError
from evo.problems.classic_functions import FUNCTIONS
from evo.problems.function import ClassicLandscape, Landscape, OwnLandscape, takes_seed
from evo.problems.measured_functions import MEASURED_FUNCTIONS, MeasuredLandscape
from evo.problems.objective_functions import OBJECTIVE_FUNCTIONS, ObjectiveLandscape

# Options of every function of a user's.
_COMMON = {
    "dim": Option(int, 10),
    "low": Option(float, -1.0),
    "high": Option(float, 1.0),
    "on_error": Option(str, "stop"),
}
# Every function of ours, with its summary.
NAMED: dict[str, str] = {
    name: function.summary
    for table in (FUNCTIONS, MEASURED_FUNCTIONS, OBJECTIVE_FUNCTIONS)
    for name, function in table.items()
}
_BBOB = re.compile(r"bbob-f([1-9]|1[0-9]|2[0-4])")


def is_landscape(name: str) -> bool:
    """Return whether it names a function of ours or of BBOB: `rastrigin`, `projected-sphere`, `zdt1`, `bbob-f15`."""
    return name in NAMED or _BBOB.fullmatch(name) is not None


def best_is_zero(name: str) -> bool:
    """Return whether it names a function whose greatest fitness is known to be 0."""
    return is_landscape(name) and (name in FUNCTIONS or name not in NAMED)


def find_landscape(name: str) -> Callable[..., Landscape]:
    """Return the constructor of a function of ours or of BBOB; its options are its keyword-only arguments."""
    if name in MEASURED_FUNCTIONS:
        return _measured_function(name)
    if name in OBJECTIVE_FUNCTIONS:
        return _objective_function(name)
    if (found := _BBOB.fullmatch(name)) is not None:
        return _bbob_function(int(found[1]))
    function = FUNCTIONS[name]

    def constructor(*, dim: int = 10, rotated: bool = False, instance: int = 0) -> Landscape:
        return ClassicLandscape(name, function, dim, rotated, instance)

    constructor.__doc__ = f"{function.summary}; least value 0 at {function.optimum:.4g} in every coordinate."
    return constructor


def domain_of(name: str, low: Any, high: Any) -> tuple[float, float]:
    """Return a function's customary domain, (low, high); a user's function has options of these names."""
    ours = FUNCTIONS.get(name) or MEASURED_FUNCTIONS.get(name) or OBJECTIVE_FUNCTIONS.get(name)
    if ours is not None:
        return ours.low, ours.high
    given = [bound for bound in (low, high) if isinstance(bound, int | float) and not isinstance(bound, bool)]
    # invalid values are reported when they are used
    return (given[0], given[1]) if len(given) == 2 and given[0] < given[1] else (-5.0, 5.0)


def landscape_of(name: str, function: Callable[..., float]) -> Constructor[Landscape]:
    """Return the constructor of a user's function, `name(x)` or `name(x, seed)`, to be maximised.

    Its options are the function's keyword-only arguments and these: `dim` numbers, customarily between `low` and
    `high`, where the search begins; `on_error`, see `OwnLandscape`. Raises EvoError for arguments that cannot be
    options.
    """
    own = options_of(function)
    try:
        noisy = takes_seed(function)
    except ValueError as error:
        raise EvoError(f"{name} {error}") from error
    if taken := own.keys() & {*_COMMON, "name"}:
        raise EvoError(f"{name}: its option {sorted(taken)[0]!r} is one that evo gives every function; rename it")

    def made(options: dict[str, Any], _: dict[str, Any]) -> Landscape:
        size, low, high, on_error = (options.pop(name) for name in _COMMON)
        return OwnLandscape(name, functools.partial(function, **options), size, low, high, on_error)

    doc = function.__doc__ or f"{name}, a function of your own."
    return Constructor(made, {**_COMMON, **own}, Landscape, doc, noisy=noisy)


def _measured_function(name: str) -> Callable[..., Landscape]:
    function = MEASURED_FUNCTIONS[name]

    def constructor(*, dim: int = 100) -> Landscape:
        return MeasuredLandscape(name, function, dim)

    constructor.__doc__ = f"{function.summary}; measures: {', '.join(function.names)}."
    return constructor


def _objective_function(name: str) -> Callable[..., Landscape]:
    function = OBJECTIVE_FUNCTIONS[name]

    def of_two(*, dim: int = function.size) -> Landscape:
        return ObjectiveLandscape(name, function, dim, 2)

    def of_any(*, dim: int = function.size, objectives: int = 3) -> Landscape:
        return ObjectiveLandscape(name, function, dim, objectives)

    constructor: Callable[..., Landscape] = of_two if function.objectives == 2 else of_any
    constructor.__doc__ = f"{function.summary}. objectives: how many there are."
    return constructor


def _bbob_function(number: int) -> Callable[..., Landscape]:
    def constructor(*, dim: int = 10, instance: int = 1) -> Landscape:
        from evo.problems.bbob import BBOBLandscape

        return BBOBLandscape(number, dim, instance)

    constructor.__doc__ = f"function {number} of the BBOB suite; needs the package coco-experiment."
    return constructor
