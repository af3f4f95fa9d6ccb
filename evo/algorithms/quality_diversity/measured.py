"""Measured: which of a problem's measures span the archive, and their ranges."""

import math
from collections.abc import Sequence
from typing import final

import numpy as np
from numpy.typing import NDArray

from evo.errors import EvoError, nearest
from evo.grammar import split

Floats = NDArray[np.float64]
# Name, least and greatest of each measure that a problem has; NaN where nobody knows.
Known = Sequence[tuple[str, float, float]]

FEET = "feet"  # the word for all measures whose last word is this:
_FOOT = "foot"


@final
class Measured:
    """The measures that span an archive: `names`, `ranges` float64 (measures, 2), and `choose`.

    known: what the problem says of its measures; empty where it does not say. measures: names separated by commas;
    `feet` stands for every foot; "" is the feet where there are two or more, else the first two. ranges: a range for
    each, as in `0:1,-5:5`; "" are the known ones. Raises ValueError naming what does not fit.
    """

    def __init__(self, known: Known, measures: str = "", ranges: str = "") -> None:
        given = _ranges(ranges)
        names = [name for name, _, _ in known]
        if names:
            self.columns = _columns(names, measures)
        elif measures:
            raise ValueError(f"measures={measures!r}: must be empty, as nobody knows the names of what is measured")
        elif not given:
            raise ValueError(
                "ranges='': must be given, as this task names no measures: take a task with measures, or a function "
                "that returns evo.Outcome(fitness, measures=...) and ranges such as '0:1,-5:5'"
            )
        else:
            self.columns = [*range(len(given))]
            names = [f"measure {column}" for column in self.columns]
        self.told = len(names)  # how many measures a population is told
        self.names = tuple(names[column] for column in self.columns)
        if given and len(given) != len(self.columns):
            raise ValueError(
                f"ranges={ranges!r}: must be {len(self.columns)} ranges, one for each of {', '.join(self.names)}"
            )
        bounds = given or [known[column][1:] for column in self.columns]
        for name, (low, high) in zip(self.names, bounds, strict=True):
            if not (low < high and math.isfinite(high - low)):
                raise ValueError(f"ranges={ranges!r}: must be given, as nobody knows that of {name}: as in '0:1,-5:5'")
        self.ranges = np.array(bounds, np.float64)

    def choose(self, told: Floats) -> Floats:
        """Return the columns of the measures that were told, (individuals, all) → (individuals, measures)."""
        if told.shape[1] != self.told:
            raise EvoError(
                f"an individual has {told.shape[1]} measures, and the archive was made for {self.told}: give "
                "method.ranges one range for each"
            )
        return np.ascontiguousarray(told[:, self.columns])


def _columns(names: Sequence[str], measures: str) -> list[int]:
    feet = [column for column, name in enumerate(names) if name.rpartition("_")[2] == _FOOT]
    if not measures.strip():
        return feet if len(feet) > 1 else [*range(len(names))][:2]
    columns = list[int]()
    for word in split(measures, ","):
        if word == FEET and feet:
            columns += feet
        elif word in names:
            columns.append(names.index(word))
        else:
            words = [*names, FEET] if feet else [*names]
            raise ValueError(
                f"measures={measures!r}: must be names of measures, and {word!r} is none{nearest(word, words)}"
            )
    if len(set(columns)) < len(columns):
        raise ValueError(f"measures={measures!r}: must be different ones")
    return columns


def _ranges(text: str) -> list[tuple[float, float]]:
    found = list[tuple[float, float]]()
    for part in split(text, ",") if text.strip() else []:
        try:
            low, high = (float(number) for number in part.split(":"))
            if not (low < high and math.isfinite(high - low)):
                raise ValueError
        except ValueError:
            raise ValueError(f"ranges={text!r}: must be low:high for each measure, as in '0:1,-5:5'") from None
        found.append((low, high))
    return found
