"""Fitness of a champion over episodes, and verification of a recorded score."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from evo.numerics.formatting import RETURN, format_score, number, spread
from evo.numerics.running_statistics import standard_error

UNITS = {"x": "m", "y": "m", "height": "m", "power": "W", "speed": "m/s"}  # of measures
_NEAR = 0.25  # metres


@dataclass(frozen=True, eq=False)
class Fitness:
    """Returns of some episodes: float64 (episodes,), NaN where one failed.

    metric: their kind, `return` or what a data set reports. steps: env steps of all episodes together, evaluations of
    a function, or examples; None where they were not counted. measures: name → mean over the episodes, of a task that
    says how it was done.
    """

    returns: np.ndarray
    metric: str = RETURN
    steps: int | None = None
    measures: Mapping[str, float] = field(default_factory=dict)

    @property
    def mean(self) -> float:
        return float(np.mean(self.returns))

    @property
    def std(self) -> float:
        return float(np.std(self.returns))

    @property
    def standard_error(self) -> float:
        """Standard error of the mean; NaN of one episode alone, and where one failed."""
        return standard_error(self.returns)

    @property
    def worst(self) -> float:
        """Lowest return of the episodes that did not fail; NaN where all did."""
        return float(np.nanmin(self.returns)) if self.failed < len(self.returns) else math.nan

    @property
    def best(self) -> float:
        """Highest return of the episodes that did not fail; NaN where all did."""
        return float(np.nanmax(self.returns)) if self.failed < len(self.returns) else math.nan

    @property
    def failed(self) -> int:
        """Number of episodes that failed."""
        return int(np.isnan(self.returns).sum())

    @property
    def length(self) -> float:
        """Mean number of steps of an episode; NaN where they were not counted."""
        return math.nan if self.steps is None else self.steps / len(self.returns)

    def record(self) -> dict[str, Any]:
        """Return its numbers as JSON takes them, None for NaN."""
        numbers = {
            "mean": self.mean,
            "standard_error": self.standard_error,
            "std": self.std,
            "worst": self.worst,
            "best": self.best,
            "length": self.length,
        }
        return {
            "metric": self.metric,
            "episodes": len(self.returns),
            "failed": self.failed,
            **{name: _or_none(value) for name, value in numbers.items()},
            **({"measures": {name: _or_none(value) for name, value in self.measures.items()}} if self.measures else {}),
            "returns": [_or_none(value) for value in self.returns],
        }

    def lines(self) -> list[tuple[str, str]]:
        """Return its numbers for people, as pairs of label and text."""
        if self.metric != RETURN:
            return [("score", format_score(self.metric, self.mean))]
        if len(self.returns) == 1:
            return [("value" if self.steps == 1 else self.metric, str(self))]
        mean = str(self) if self.failed else f"{spread(self.mean, self.standard_error)} (mean ± standard error)"
        failed = f", of which {self.failed} failed" if self.failed else ""
        lines = [
            (self.metric, mean),
            ("worst", number(self.worst)),
            ("best", number(self.best)),
            ("episodes", f"{len(self.returns)}{failed}"),
        ]
        lines += [] if self.steps is None else [("length", f"{self.length:,.1f} steps on average")]
        return lines + [(name, measure_text(name, value)) for name, value in self.measures.items()]

    def whereabouts(self) -> str:
        """Return where its episodes end on average, in words; "" where the task does not say."""
        x, y = self.measures.get("x", math.nan), self.measures.get("y", 0.0)
        if not math.isfinite(x):
            return ""
        places = ", ".join(f"{name} = {self.measures[name]:.2f} m" for name in ("x", "y") if name in self.measures)
        still = ", about where it began" if math.hypot(x, y) < _NEAR else ""
        return f"it ends at {places} on average{still}"

    def __str__(self) -> str:
        if self.metric != RETURN:
            return format_score(self.metric, self.mean)
        if self.failed:
            return f"no return: {self.failed} of {len(self.returns)} episodes failed"
        if len(self.returns) == 1:
            return f"{self.mean:.6g}"
        return f"{spread(self.mean, self.std)} over {len(self.returns)} episodes"


def measure_text(name: str, value: float) -> str:
    """Format a measure for people, with the unit where its name has one: `8.38 m`."""
    return f"{number(value)} {UNITS.get(name, '')}".rstrip()


def _or_none(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


@dataclass(frozen=True)
class Verification:
    """Result of scoring a champion again: whether it reproduces its recorded selection score.

    differences: platform fact → (recorded, here). failures: why episodes failed here.
    """

    recorded: float
    reproduced: float
    exact: bool
    differences: Mapping[str, tuple[str, str]]
    failures: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.exact:
            return f"reproduces its score exactly: {self.recorded:.8g}"
        difference = self.reproduced - self.recorded
        lines = [f"recorded score {self.recorded!r}, here {self.reproduced!r}: differs by {difference:g}"]
        if self.failures:
            lines = [f"recorded score {self.recorded!r}, here episodes failed: {'; '.join(self.failures)}"]
        lines += [f"  made with {name} {recorded}; here {here}" for name, (recorded, here) in self.differences.items()]
        return "\n".join(lines)
