"""Reward scaling, generalised advantage estimation and value targets."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from evo.envs.engine.compile import njit

# How a step ended: the episode continues, is terminated by the task, is truncated by the time limit, or the simulation
# failed, which says nothing about the action and is left out.
GOING_ON, ENDED, CUT_OFF, FAILED = range(4)
_LARGEST_REWARD = 10.0  # after scaling, as in Gymnasium's and stable-baselines3's wrappers
_EPSILON = 1e-8


@dataclass(frozen=True, eq=False)
class RewardScale:
    """Reward scaling by the standard deviation of the discounted return so far (Engstrom et al. 2020, section 3).

    discounted: float64 (environments,), each environment's discounted return. count, mean, variance: of all these
    returns.
    """

    discounted: np.ndarray
    count: float = 1e-4
    mean: float = 0.0
    variance: float = 1.0

    def scale(
        self, rewards: np.ndarray, marks: np.ndarray, lengths: np.ndarray, discount: float
    ) -> tuple[np.ndarray, "RewardScale"]:
        """Return the scaled rewards, float64 (environments, horizon), and the scale after these steps.

        rewards, marks: (environments, horizon). lengths: (environments,), the number of steps taken; later entries stay
        zero.
        """
        discounted, moments = self.discounted.copy(), np.array([self.count, self.mean, self.variance])
        scaled = np.zeros_like(rewards)
        _scale(rewards, marks, lengths, discount, discounted, moments, scaled)
        return scaled, RewardScale(discounted, *(float(number) for number in moments))

    def state(self) -> dict[str, np.ndarray]:
        return {"discounted": self.discounted, "moments": np.array([self.count, self.mean, self.variance])}

    @classmethod
    def restored(cls, state: Mapping[str, np.ndarray]) -> "RewardScale":
        return cls(state["discounted"], *(float(number) for number in state["moments"]))


@njit(cache=True)
def _scale(rewards: Any, marks: Any, lengths: Any, discount: float, discounted: Any, moments: Any, scaled: Any) -> None:
    environments, horizon = rewards.shape
    for step in range(horizon):
        # mean and variance of this step's returns, then merged with all earlier ones (Chan, Golub & LeVeque 1979)
        count, mean, square = 0.0, 0.0, 0.0
        for environment in range(environments):
            if step < lengths[environment] and marks[environment, step] != FAILED:
                discounted[environment] = discounted[environment] * discount + rewards[environment, step]
                count += 1.0
                mean += discounted[environment]
        mean /= max(count, 1.0)
        for environment in range(environments):
            if step < lengths[environment] and marks[environment, step] != FAILED:
                square += (discounted[environment] - mean) ** 2
        total, difference = moments[0] + count, mean - moments[1]
        square += moments[2] * moments[0] + difference * difference * moments[0] * count / total
        moments[0], moments[1], moments[2] = total, moments[1] + difference * count / total, square / total
        deviation = math.sqrt(moments[2] + _EPSILON)
        for environment in range(environments):
            if step < lengths[environment] and marks[environment, step] != FAILED:
                reward = rewards[environment, step] / deviation
                scaled[environment, step] = min(max(reward, -_LARGEST_REWARD), _LARGEST_REWARD)
            if marks[environment, step] != GOING_ON:
                discounted[environment] = 0.0
    for environment in range(environments):
        if lengths[environment] < horizon:  # the engine failed: a new episode begins
            discounted[environment] = 0.0


@njit(cache=True)
def advantages(rewards: Any, values: Any, marks: Any, lengths: Any, discount: float, gae_lambda: float) -> Any:
    """Compute generalised advantages, float64 (environments, horizon): Schulman et al. 2016, equations 11, 12 and 16.

    rewards, marks: (environments, horizon). lengths: (environments,), the number of steps taken. values: (environments,
    horizon + 1 + cuts): the values of the states acted in, then of the state after them, then of the last states of
    truncated episodes, in order. A truncated episode bootstraps from the value of its last state, a terminated one from
    zero.
    """
    environments, horizon = rewards.shape
    result = np.zeros((environments, horizon))
    for environment in range(environments):
        cut = horizon + 1
        for step in range(lengths[environment]):
            cut += marks[environment, step] == CUT_OFF
        following = 0.0
        for step in range(lengths[environment] - 1, -1, -1):
            mark = marks[environment, step]
            if mark == FAILED:
                following = 0.0
                continue
            worth, trace = float(values[environment, step + 1]), discount * gae_lambda
            if mark != GOING_ON:
                worth, trace = 0.0, 0.0
            if mark == CUT_OFF:
                cut -= 1
                worth = float(values[environment, cut])
            error = rewards[environment, step] + discount * worth - values[environment, step]
            following = error + trace * following
            result[environment, step] = following
    return result


def standardise(values: np.ndarray) -> np.ndarray:
    """Standardise each row to mean 0 and (unbiased) standard deviation 1; values: (rows, at least 2 columns)."""
    deviation = values.std(axis=1, ddof=1, keepdims=True)
    return (values - values.mean(axis=1, keepdims=True)) / (deviation + _EPSILON)
