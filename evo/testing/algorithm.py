"""check_algorithm: the contract of `evo.algorithms.Algorithm`, each promise a function."""

from collections.abc import Callable, Mapping
from typing import Any

from evo.algorithms import ALGORITHMS, Algorithm
from evo.envs.reference import of_module, resolve, trust
from evo.errors import EvoError, nearest, one_line
from evo.testing import exchange, reproduction, searching

PROMISES: tuple[Callable[..., None], ...] = (
    exchange.shapes,
    reproduction.global_generators,
    reproduction.seeds,
    exchange.asking,
    exchange.order,
    exchange.unfit_fitness,
    reproduction.state,
    reproduction.resuming,
    reproduction.going_back,
    reproduction.foreign_states,
    exchange.interruption,
    searching.options,
    searching.bounds,
    searching.flat_fitness,
    searching.ranks,
)


def check_algorithm(algorithm: Callable[..., Algorithm] | str, evaluations: int = 10_000) -> None:
    """Check a search algorithm: raise AssertionError, with a message, for the first requirement that fails.

    algorithm: a class, called as X(initial, seed, **options), or any such callable: options of your own are given by
    `functools.partial(MySearch, population_size=50)`. Or its name, in ALGORITHMS or as `package.module:attribute`;
    EvoError where that names none. evaluations: within how many it must solve the sphere in two dimensions.

    Populations, candidates and diagnostics have the right shapes; `ask` is pure; `tell` comes after `ask`; fitness of
    the wrong kind, and an interruption, change nothing; everything random follows from the seed; a search that is
    resumed from `state()` equals the uninterrupted one to the bit; options out of range are refused by name; with
    options `low` and `high` it stays between them; with a class attribute `rank_based`, only the order of fitness
    counts; and it solves the sphere.
    """
    make = named(algorithm, ALGORITHMS, "algorithm")
    if not callable(make):
        raise EvoError(
            f"check_algorithm takes a class, or what is called as one, and makes searches of it; got a "
            f"{type(make).__name__}, one search"
        )
    try:
        for promise in PROMISES:
            promise(make)
        searching.check_sphere(make, evaluations)
    except AssertionError:
        raise
    except Exception as error:
        raise AssertionError(f"it raised {type(error).__name__}: {one_line(error)}") from error


def named(given: Any, table: Mapping[str, str], what: str) -> Any:
    """Return what a name in a table, or `package.module:attribute`, stands for; all else as it is given.

    Raises EvoError where the name stands for nothing.
    """
    if not isinstance(given, str):
        return given
    if given not in table and ":" not in given:
        raise EvoError(f"unknown {what} {given!r}{of_module(given) or nearest(given, table)}")
    trust(given)
    try:
        return resolve(given, table)
    except (ImportError, ValueError) as error:
        raise EvoError(f"no {what} {given!r}: {error}") from error
