"""Segments: equally long pieces of experience for truncated backprop through time.

A segment begins with what the network remembered there when it acted, as in Kapturowski et al. 2019, "Recurrent
experience replay in distributed reinforcement learning", section 3 (stored states), whatever it would remember with the
parameters it has by now; an episode that begins within one begins with an empty memory.
"""

from typing import Any, NamedTuple

import numpy as np

from evo.envs.engine.compile import njit
from evo.evaluation.collector import Experience
from evo.networks import Network
from evo.networks.program import walk
from evo.numerics.advantages import CUT_OFF, FAILED, GOING_ON

GOES_ON, WEIGHT, OBSERVATION = range(3)  # columns of a step: whether its episode began before it, its share in the loss


class Examples(NamedTuple):
    """What minibatches are made of: single steps, or segments of `steps` steps.

    table: float32 (examples, columns), of each the `width` columns of a step, step after step, then the states that
    networks begin with. gains: float64 (examples, steps), the advantages. counts: bool (examples, steps), which steps
    do. explained: the share of the variance of what values aim at that they explain.
    """

    table: np.ndarray
    steps: int
    width: int
    gains: np.ndarray
    counts: np.ndarray
    explained: float

    def column(self, index: int) -> np.ndarray:
        """A column of every step, (examples, steps), a view; -1 is a step's last."""
        return self.table[:, index % self.width : self.steps * self.width : self.width]


class Relived(NamedTuple):
    """What a critic says of experience as it happened.

    values: float32 (environments, rows), of all observations. memories: float32 (environments, segments, memory_size),
    before each segment. after: float32 (environments, memory_size), what it goes on with.
    """

    values: np.ndarray
    memories: np.ndarray
    after: np.ndarray


def relived(
    critic: Network,
    params: np.ndarray,
    memory: np.ndarray,
    observations: np.ndarray,
    marks: np.ndarray,
    lengths: np.ndarray,
    segment: int,
) -> Relived:
    """A critic (one output) beside those who acted, from its memory (environments, memory_size) on; see Experience."""
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


def counted(seen: Experience) -> np.ndarray:
    """The steps that were taken and did not fail, bool (environments, horizon)."""
    return (np.arange(seen.marks.shape[1]) < seen.lengths[:, np.newaxis]) & (seen.marks != FAILED)


def tabled(seen: Experience, counts: np.ndarray, spare: int) -> np.ndarray:
    """The columns of all steps, float32 (environments, horizon, width): GOES_ON, WEIGHT, observation, action, and
    `spare` of zeros. Steps that do not count have zeros."""
    (environments, horizon, taken), inputs = seen.actions.shape, seen.observations.shape[2]
    table = np.zeros((environments, horizon, OBSERVATION + inputs + taken + spare), np.float32)
    table[:, 0, GOES_ON], table[:, 1:, GOES_ON] = 1.0, seen.marks[:, :-1] == GOING_ON
    table[:, :, WEIGHT] = counts
    table[counts, OBSERVATION : OBSERVATION + inputs] = seen.observations[:, :horizon][counts]
    table[counts, OBSERVATION + inputs : OBSERVATION + inputs + taken] = seen.actions[counts]
    return table


def weighted(gains: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Advantages of minibatches, each with mean 0 and (unbiased) standard deviation 1 over the steps that count, and
    the weights of all steps, on average 1: float64 (minibatches, steps) each. counts: bool (minibatches, steps)."""
    number = counts.sum(axis=1, keepdims=True)
    centred = np.where(counts, gains - np.sum(gains * counts, axis=1, keepdims=True) / number, 0.0)
    deviation = np.sqrt(np.sum(np.square(centred), axis=1, keepdims=True) / np.maximum(number - 1, 1))
    return centred / (deviation + 1e-8), counts * (counts.shape[1] / number)
