"""Stopping criteria: flat fitness, and a search distribution too narrow or too wide.

Hansen 2016, "The CMA Evolution Strategy: A Tutorial", appendix B.3 (termination criteria), whose thresholds these are,
but for stagnation: where episodes are random, the medians of a few hundred generations stagnate by chance long before a
walker has stopped improving. It is judged over as many generations as in pycma's `tolstagnation`. And where the
tutorial's tolerance is absolute, on the scale of its test functions (TolHistFun, 1e-12), ours is relative to the values
that the search has met, so that other units of fitness or parameters change nothing.
"""

import math
from collections.abc import Mapping
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float64]
_LONGEST = 2_000  # the most generations that stagnation looks back
PATIENCE = 10  # generations in a row with equal fitness, or with equal individuals
_TOLERANCE = 1e-12  # of a step-size, relative to the first one
# Of fitness, relative to the greatest difference met: at the tutorial's condition of 1e6 and more, it leaves 1e-8.
_NOTHING = 1e-15

AT_REST = "the fitness has converged"
FLAT = "every individual is equally fit"
STAGNATION = "stagnation: no better for many generations"
COLLAPSED = "the step-size collapsed"
DIVERGED = "the step-size grew ten-thousandfold: the first was far too small, or the fitness has no top"
TOO_SMALL = "the first steps are too small for the numbers' precision: they change nothing"
CONDITION = "the condition number of the covariance exceeds 1e14"
NO_EFFECT = "steps have become too small for the numbers' precision"
ALIKE = "the population has lost its diversity: all individuals are the same"


@final
class FitnessHistory:
    """The best and the median fitness of recent generations, and stopping criteria on them."""

    def __init__(self, size: int, population_size: int) -> None:
        self.window = min(10 + math.ceil(30 * size / population_size), _LONGEST)
        self.shortest = min(
            100 + math.ceil(100 * size**1.5 / population_size), _LONGEST
        )  # stagnation's least look-back
        self.values = np.zeros((2, _LONGEST))  # best and median, those of generation g in column g modulo _LONGEST
        self.count = self.flat = 0
        self.spread = math.inf  # of the last generation

    def add(self, fitness: _Floats) -> None:
        """Record one more generation, whose fitness is (individuals,), in any order."""
        ordered, individuals = np.sort(fitness), len(fitness)
        median = ordered[(individuals - 1) // 2] / 2 + ordered[individuals // 2] / 2
        self.values[:, self.count % _LONGEST] = ordered[-1], median
        self.count, self.spread = self.count + 1, float(ordered[-1] - ordered[0])
        self.flat = self.flat + 1 if self.spread == 0 else 0

    def _recent(self, generations: int) -> _Floats:
        """Return the best and the median, (2, generations), the newest last."""
        return self.values[:, np.arange(self.count - generations, self.count) % _LONGEST]

    def level(self) -> float:
        """Return the level reached: the median of the last generations' median fitness; -inf before the first.

        No single lucky individual or generation decides it.
        """
        count = min(self.count, PATIENCE)
        return float(np.median(self._recent(count)[1])) if count else -math.inf

    def _at_rest(self) -> bool:
        """Return whether the last generations differ by nothing that matters.

        Differences are compared with those between best and median in the generations remembered, and with the fitness
        itself, which is no more precise.
        """
        if self.count < self.window:
            return False
        best = self._recent(self.window)[0]
        met = np.max(self.values[0] - self.values[1])  # between the best and the median, which no outlier moves
        tolerance = _NOTHING * max(float(met), abs(float(best[-1])))
        return self.spread <= tolerance and float(np.ptp(best)) <= tolerance

    def reason(self) -> str | None:
        """Return why the search should stop, or None."""
        if self.flat >= PATIENCE:
            return FLAT
        if self._at_rest():
            return AT_REST
        length = min(max(self.count // 5, self.shortest), _LONGEST)
        if self.count >= length and self.count % 10 == 0:  # only sometimes, as medians take time
            part = max(1, 3 * length // 10)
            recent = self._recent(length)
            before, now = recent[:, :part], recent[:, -part:]
            if np.all(np.median(now, axis=1) <= np.median(before, axis=1)):
                return STAGNATION
        return None

    def state(self) -> dict[str, NDArray[Any]]:
        """Return everything that changes, as copies."""
        counts, spread = np.array([self.count, self.flat], dtype=np.int64), np.array(self.spread)
        return {"values": self.values.copy(), "counts": counts, "spread": spread}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Restore a `state()` exactly."""
        self.values, self.spread = np.array(state["values"]), float(state["spread"])
        self.count, self.flat = (int(count) for count in state["counts"])


def stop_reason(
    history: FitnessHistory,
    mean: _Floats,
    deviations: _Floats,
    initial: float,
    lengths: _Floats | None = None,
    path: _Floats | None = None,
) -> str | None:
    """Return why a strategy that samples a normal distribution should stop, or None.

    mean (n,); deviations (n,): of each coordinate; initial: the first one; lengths: of the axes, where they differ from
    the coordinates. path (n,): the recent direction of the mean, where known.
    """
    axes = deviations if lengths is None else lengths
    widest = float(np.max(deviations)) if path is None else float(max(np.max(deviations), np.max(np.abs(path))))
    if widest < _TOLERANCE * initial:
        return COLLAPSED
    if float(np.max(axes)) > 1e4 * initial:
        return DIVERGED
    if float(np.max(axes)) > 1e7 * float(np.min(axes)):
        return CONDITION
    if np.any(mean == mean + 0.2 * deviations):
        return TOO_SMALL if float(np.min(deviations)) >= initial else NO_EFFECT
    return history.reason()


def find_exhaustion(point: _Floats, steps: _Floats, initial: float) -> str | None:
    """Return why steps from a point have no effect, or None; for searches with a step for each parameter.

    point (n,); steps (n,): the present step of each parameter; initial: the first one. The search continues while one
    parameter still moves.
    """
    if float(np.max(steps)) < _TOLERANCE * initial:
        return COLLAPSED
    if np.any(point != point + 0.2 * steps):
        return None
    return TOO_SMALL if float(np.min(steps)) >= initial else NO_EFFECT


def all_same(individuals: _Floats) -> bool:
    """Return whether individuals, (individuals, parameters), are the same to numerical precision."""
    spread = float(np.sum(np.var(individuals, axis=0)))
    return spread <= _TOLERANCE**2 * float(np.sum(np.mean(np.square(individuals), axis=0)))
