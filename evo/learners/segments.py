"""Segments: equally long pieces of experience for truncated backprop through time.

A segment begins with the memory that the network had there when it acted, as in Kapturowski et al. 2019, "Recurrent
experience replay in distributed reinforcement learning", section 3 (stored states), even if the current parameters
would give another; an episode that begins within a segment begins with an empty memory.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from evo.envs.engine.compile import njit
from evo.evaluation.collector import Experience
from evo.networks import Network
from evo.networks.program import walk
from evo.numerics.advantages import CUT_OFF, FAILED, GOING_ON
from evo.numerics.running_statistics import ObservationStatistics
from evo.problems.control import Walking

GOES_ON, WEIGHT, OBSERVATION = range(3)  # columns of a step: whether its episode began earlier, its weight in the loss


class Examples(NamedTuple):
    """Examples that minibatches are drawn from: single steps, or segments of `steps` steps.

    table: float32 (examples, columns): the `width` columns of each step, step after step, then the networks' initial
    memory. gains: float64 (examples, steps), the advantages. counts: bool (examples, steps), which steps count.
    explained: the explained share of the variance of the values' targets.
    """

    table: np.ndarray
    steps: int
    width: int
    gains: np.ndarray
    counts: np.ndarray
    explained: float

    def column(self, index: int) -> np.ndarray:
        """Return a column of every step, (examples, steps), a view; -1 is a step's last."""
        return self.table[:, index % self.width : self.steps * self.width : self.width]


class Relived(NamedTuple):
    """A critic's values and memory over experience in the order of its steps.

    values: float32 (environments, rows), of all observations. memories: float32 (environments, segments, memory_size),
    before each segment. after: float32 (environments, memory_size), at the end.
    """

    values: np.ndarray
    memories: np.ndarray
    after: np.ndarray


def replay_critic(
    critic: Network,
    params: np.ndarray,
    memory: np.ndarray,
    observations: np.ndarray,
    marks: np.ndarray,
    lengths: np.ndarray,
    segment: int,
) -> Relived:
    """Run a critic (one output) over experience, from its memory (environments, memory_size) on.

    observations: `network_inputs`. marks, lengths: see Experience.
    """
    environments, horizon = marks.shape
    values = np.zeros(observations.shape[:2], np.float32)
    memories = np.zeros((environments, horizon // segment, critic.memory_size), np.float32)
    after, scratch = memory.copy(), np.zeros(critic.scratch_size, np.float32)
    _relive(critic.plan, params, scratch, observations, marks, lengths, segment, values, memories, after)
    return Relived(values, memories, after)


@njit
def _value(plan: Any, params: Any, memory: Any, scratch: Any, observation: Any) -> Any:
    scratch[: observation.size] = observation
    _, at = walk(plan, params, memory, scratch, observation.size)
    return scratch[at]


@njit(cache=True)
def _relive(
    plan: Any,
    params: Any,
    scratch: Any,
    observations: Any,
    marks: Any,
    lengths: Any,
    segment: int,
    values: Any,
    memories: Any,
    after: Any,
) -> None:
    environments, horizon = marks.shape
    for environment in range(environments):
        memory, seen, cut = after[environment], observations[environment], horizon + 1
        for step in range(lengths[environment]):
            if step % segment == 0:
                memories[environment, step // segment] = memory
            values[environment, step] = _value(plan, params, memory, scratch, seen[step])
            if marks[environment, step] == CUT_OFF:
                values[environment, cut] = _value(plan, params, memory, scratch, seen[cut])
                cut += 1
            if marks[environment, step] != GOING_ON:
                memory[:] = np.float32(0)
        length = lengths[environment]
        values[environment, length] = _value(plan, params, memory.copy(), scratch, seen[length])
        if length < horizon:  # the engine failed: a new episode begins
            memory[:] = np.float32(0)


def network_inputs(seen: Experience, problem: Walking, statistics: ObservationStatistics) -> np.ndarray:
    """Return observations as the network received them, float32 (environments, horizon + 1 + cuts, observation_size).

    They are those acted upon, then the one after the last step, then the last ones of truncated episodes, in order;
    rows that an environment does not have are zeros before they are normalised. A step with an observation that is not
    finite fails; as zeros it leaves the critic a value for the steps before it.
    """
    (mean, scale), clip = problem.normalisation(statistics), problem.network.clip_observation
    environments, horizon, size = seen.observations.shape
    cut = seen.marks == CUT_OFF
    rows = np.zeros((environments, horizon + 1 + int(cut.sum(axis=1).max()), size))
    rows[:, :horizon], rows[:, horizon] = seen.observations, seen.following[:, -1]
    for row, following, mine in zip(rows, seen.following, cut, strict=True):
        row[horizon + 1 : horizon + 1 + mine.sum()] = following[mine]
    with np.errstate(over="ignore", invalid="ignore"):  # those of a failing simulation
        inputs = np.clip((rows - mean) * scale, -clip, clip).astype(np.float32)
    return np.nan_to_num(inputs, copy=False, nan=0.0, posinf=0.0, neginf=0.0)


def mask_counted(seen: Experience) -> np.ndarray:
    """Return which steps were taken and did not fail, bool (environments, horizon)."""
    return (np.arange(seen.marks.shape[1]) < seen.lengths[:, np.newaxis]) & (seen.marks != FAILED)


def to_table(seen: Experience, inputs: np.ndarray, counts: np.ndarray, spare: int) -> np.ndarray:
    """Return the columns of all steps, float32 (environments, horizon, width), given `network_inputs`.

    They are GOES_ON, WEIGHT, observation, action, and `spare` of zeros. Steps that do not count have zeros, except in
    GOES_ON.
    """
    (environments, horizon, taken), size = seen.actions.shape, inputs.shape[2]
    table = np.zeros((environments, horizon, OBSERVATION + size + taken + spare), np.float32)
    table[:, 0, GOES_ON], table[:, 1:, GOES_ON] = 1.0, seen.marks[:, :-1] == GOING_ON
    table[:, :, WEIGHT] = counts
    table[counts, OBSERVATION : OBSERVATION + size] = inputs[:, :horizon][counts]
    table[counts, OBSERVATION + size : OBSERVATION + size + taken] = seen.actions[counts]
    return table


def weigh(gains: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standardise the advantages of minibatches over the steps that count; return them and the weights of all steps.

    Each minibatch has mean 0 and (unbiased) standard deviation 1; weights are 1 on average. Both are float64
    (minibatches, steps). counts: bool (minibatches, steps).
    """
    number = counts.sum(axis=1, keepdims=True)
    centred = np.where(counts, gains - np.sum(gains * counts, axis=1, keepdims=True) / number, 0.0)
    deviation = np.sqrt(np.sum(np.square(centred), axis=1, keepdims=True) / np.maximum(number - 1, 1))
    return centred / (deviation + 1e-8), counts * (counts.shape[1] / number)


def explained_share(errors: np.ndarray, targets: np.ndarray) -> float:
    """Return the explained share of the variance of the values' targets, NaN where that is zero."""
    spread = float(np.var(targets.astype(np.float64)))
    return 1.0 - float(np.var(errors)) / spread if spread > 0 else math.nan
