"""Running mean and variance of observations, merged in a fixed order whatever the threads; standard errors."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from evo.envs.engine.compile import njit

# An observation with a smaller standard deviation is constant and is normalised to zero, as in ARS's authors' code.
_CONSTANT = 1e-7


@njit(cache=True)
def update_statistics(statistics: Any, obs: Any) -> None:
    """Update the running mean and sum of squared deviations (Welford 1962); statistics: (count, mean, M2) in a row."""
    size = obs.size
    statistics[0] += 1.0
    inverse = 1.0 / statistics[0]
    for index in range(size):
        difference = obs[index] - statistics[1 + index]
        statistics[1 + index] += difference * inverse
        statistics[1 + size + index] += difference * (obs[index] - statistics[1 + index])


@njit(inline="always")
def normalise(obs: Any, mean: Any, scale: Any, clip: float, out: Any) -> None:
    """Write (obs - mean) * scale, clipped to ±clip, into the start of out; NaN stays NaN, as in `numpy.clip`."""
    if clip == math.inf:  # a loop of its own, inlined: with comparisons, or as a call, it takes twice as long
        for index in range(obs.size):
            out[index] = (obs[index] - mean[index]) * scale[index]
        return
    for index in range(obs.size):
        value = (obs[index] - mean[index]) * scale[index]
        if value > clip:
            value = clip
        elif value < -clip:
            value = -clip
        out[index] = value


@dataclass(frozen=True, eq=False, repr=False)
class ObservationStatistics:
    """Observation statistics: the count, the mean and the sum of squared deviations M2, float64 (observation_size,)."""

    count: float
    mean: np.ndarray
    m2: np.ndarray

    def __repr__(self) -> str:
        return f"ObservationStatistics({self.count:,.0f} observations of {len(self.mean)} numbers)"

    @classmethod
    def empty(cls, size: int) -> "ObservationStatistics":
        return cls(0.0, np.zeros(size), np.zeros(size))

    def merged(self, rows: np.ndarray) -> "ObservationStatistics":
        """Return the statistics merged with others, one row after the other (Chan, Golub & LeVeque 1979).

        rows: (n, 1 + 2 size), each (count, mean, M2).
        """
        count, mean, m2 = self.count, self.mean.copy(), self.m2.copy()
        size = len(mean)
        for row in rows:
            if row[0] == 0:
                continue
            total = count + row[0]
            difference = row[1 : 1 + size] - mean
            mean += difference * (row[0] / total)
            m2 += row[1 + size :] + difference * difference * (count * row[0] / total)
            count = total
        return ObservationStatistics(count, mean, m2)

    @property
    def scale(self) -> np.ndarray:
        """Return 1 / standard deviation, float64 (size,): 1 before two observations, 0 for a constant observation."""
        if self.count < 2:
            return np.ones_like(self.mean)
        deviation = np.sqrt(self.m2 / self.count)
        return np.where(deviation > _CONSTANT, 1.0 / np.maximum(deviation, _CONSTANT), 0.0)

    def state(self) -> dict[str, np.ndarray]:
        return {"count": np.array(self.count), "mean": self.mean, "m2": self.m2}

    @classmethod
    def restored(cls, state: Mapping[str, np.ndarray]) -> "ObservationStatistics":
        return cls(float(state["count"]), state["mean"], state["m2"])


def standard_error(returns: np.ndarray) -> float:
    """Return the standard error of the mean of returns (episodes,); NaN for fewer than two, or where one is NaN."""
    if len(returns) < 2:
        return math.nan
    return float(np.std(returns, ddof=1)) / math.sqrt(len(returns))
