"""Fitness of a champion over episodes, and verification of a recorded score."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from evo.numerics.formatting import RETURN, spread, told


@dataclass(frozen=True, eq=False)
class Fitness:
    """Returns of some episodes: float64 (episodes,), NaN where one failed.

    measure: their kind, `return` or what a data set reports.
    """

    returns: np.ndarray
    measure: str = RETURN

    @property
    def mean(self) -> float:
        return float(np.mean(self.returns))

    @property
    def std(self) -> float:
        return float(np.std(self.returns))

    def __str__(self) -> str:
        if self.measure != RETURN:
            return told(self.measure, self.mean)
        failed = int(np.isnan(self.returns).sum())
        if failed:
            return f"no return: {failed} of {len(self.returns)} episodes failed"
        if len(self.returns) == 1:
            return f"{self.mean:.6g}"
        return f"{spread(self.mean, self.std)} over {len(self.returns)} episodes"


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
