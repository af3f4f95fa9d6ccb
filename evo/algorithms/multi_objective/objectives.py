"""Objectives: which of a problem's objectives are searched by, and the reference point of the hypervolume."""

import math
from collections.abc import Sequence
from typing import final

import numpy as np
from numpy.typing import NDArray

from evo.errors import EvoError, nearest
from evo.grammar import split

Floats = NDArray[np.float64]
# Name of each objective that a problem has, and a value that is worse than its front; NaN where nobody knows.
Known = Sequence[tuple[str, float]]


@final
class Objectives:
    """The objectives that are searched by: `choose` and `name` them.

    known: what the problem says of its objectives; empty where it does not say. objectives: names separated by commas;
    "" is all whose reference is known, else the first two, else all that an individual has. reference: a number for
    each, separated by commas; "" are the known ones. Raises ValueError naming what does not fit.
    """

    def __init__(self, known: Known, objectives: str = "", reference: str = "") -> None:
        self._known = [name for name, _ in known]
        columns = _columns(known, objectives)
        self.count = None if columns is None else len(columns)
        self._columns = columns
        point = _numbers(reference)
        if point and self.count not in (None, len(point)):
            raise ValueError(f"reference={reference!r}: must be {self.count} numbers, one for each objective")
        if point and len(point) < 2:
            raise ValueError(f"reference={reference!r}: must be two numbers or more, one for each objective")
        if not point and columns is not None:
            point = [known[column][1] for column in columns]
        # float64 (objectives,), or None where it is the worst of the first population
        self.reference = np.array(point) if point and not any(map(math.isnan, point)) else None

    def name(self, count: int) -> tuple[str, ...]:
        """Return the names of `count` objectives that were chosen."""
        if self._columns is None:
            return tuple(f"objective_{1 + place}" for place in range(count))
        return tuple(self._known[column] for column in self._columns)

    def choose(self, told: Floats) -> Floats:
        """Return the objectives chosen of those told, (individuals, all) → (individuals, objectives).

        -inf in all for an individual that failed, whose row is NaN. Raises EvoError where there are too few.
        """
        if self._columns is not None and told.shape[1] == len(self._known):
            told = told[:, self._columns]
        elif self._columns is not None:
            raise EvoError(f"an individual has {told.shape[1]} objectives, and the search is by {len(self._known)}")
        if told.shape[1] < 2:
            raise EvoError("an individual has one objective only: this method needs two or more; for one, take cma-es")
        if self.reference is not None and len(self.reference) != told.shape[1]:
            raise EvoError(
                f"method.reference has {len(self.reference)} numbers, and an individual {told.shape[1]} objectives"
            )
        return np.where(np.isnan(told), -np.inf, told)


def _columns(known: Known, objectives: str) -> list[int] | None:
    names = [name for name, _ in known]
    words = split(objectives, ",") if objectives.strip() else []
    if not names:
        if words:
            raise ValueError(f"objectives={objectives!r}: must be empty, as nobody knows the names of the objectives")
        return None
    columns = list[int]()
    for word in words:
        if word not in names:
            raise ValueError(
                f"objectives={objectives!r}: must be names of objectives, and {word!r} is none{nearest(word, names)}"
            )
        columns.append(names.index(word))
    if not words:
        complete = not any(math.isnan(worst) for _, worst in known)
        columns = [*range(len(names))] if complete else [*range(len(names))][:2]
    if len(set(columns)) < len(columns):
        raise ValueError(f"objectives={objectives!r}: must be different ones")
    if len(columns) < 2:
        rest = f"; there are {', '.join(names)}" if len(names) > 1 else ", and this task has one only: take cma-es"
        raise ValueError(f"objectives={objectives!r}: must be two or more{rest}")
    return columns


def _numbers(text: str) -> list[float]:
    try:
        numbers = [float(part) for part in split(text, ",")] if text.strip() else []
    except ValueError:
        numbers = [math.nan]
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"reference={text!r}: must be numbers with commas between, as in '-1.1,-1.1'")
    return numbers
