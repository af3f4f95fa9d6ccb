"""Outcome: what a function of one's own may return besides a number."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.numerics.formatting import LARGEST


@dataclass(frozen=True)
class Outcome:
    """The fitness of an individual, and what else is to be said of it.

    fitness: maximised. measures: how it was done, (measures,), as quality diversity asks. objectives: several numbers
    to be maximised, (objectives,), as multi-objective search asks.
    """

    fitness: float
    measures: ArrayLike = ()
    objectives: ArrayLike = ()


class UnusableOutcome(ValueError):  # noqa: N818
    """What a function returned cannot be searched by; the message says why, subject first."""


class Found(NamedTuple):
    """What is known of one evaluation; NaN, and rows of NaN or None, where it failed."""

    fitness: float
    measures: NDArray[np.float64] | None
    objectives: NDArray[np.float64] | None


NOTHING = Found(math.nan, None, None)
_NO_NUMBERS = np.zeros(0)


def read_outcome(returned: Any) -> Found:
    """Return what a function returned. Raises UnusableOutcome, and TypeError for neither a number nor an Outcome."""
    outcome = returned if isinstance(returned, Outcome) else None
    fitness = float(returned if outcome is None else outcome.fitness)
    if not math.isfinite(fitness):
        raise UnusableOutcome(f"its fitness is {fitness}, not a finite number")
    if abs(fitness) > LARGEST:
        raise UnusableOutcome(f"its fitness is {fitness:g}, larger than can be computed with ({LARGEST:g})")
    if outcome is None:
        return Found(fitness, _NO_NUMBERS, _NO_NUMBERS)
    return Found(fitness, _numbers("measures", outcome.measures), _numbers("objectives", outcome.objectives))


def _numbers(name: str, given: ArrayLike) -> NDArray[np.float64]:
    numbers = np.array(given, np.float64)
    if numbers.ndim != 1 or not (np.abs(numbers) <= LARGEST).all():
        raise UnusableOutcome(f"its {name} are no row of finite numbers: {given!r}"[:200])
    return numbers


def stack(name: str, rows: Sequence[NDArray[np.float64] | None]) -> NDArray[np.float64]:
    """Return rows as an array (rows, numbers), NaN where there is None. Raises UnusableOutcome for other lengths."""
    lengths = {len(row) for row in rows if row is not None}
    if len(lengths) > 1:
        raise UnusableOutcome(f"its {name} are {min(lengths)} numbers at one time, {max(lengths)} at another")
    stacked = np.full((len(rows), lengths.pop() if lengths else 0), np.nan)
    for place, row in enumerate(rows):
        if row is not None:
            stacked[place] = row
    return stacked
