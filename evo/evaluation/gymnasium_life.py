"""A life in a Gymnasium environment, one step a call: the twin of `evo.evaluation.life` for such environments."""

import math
from typing import Any

import numpy as np

from evo.envs.engine.compile import njit
from evo.envs.gymnasium_bridge.gymnasium_task import Body, GymnasiumTask
from evo.envs.gymnasium_bridge.spaces import all_finite
from evo.evaluation.exploration import Exploration, callable_of
from evo.evaluation.life import BLIND, COMPLETED, NOT_FINITE, OVERFLOWN, TERMINATED
from evo.networks import Network, network_from_text
from evo.networks.network import act, propagate
from evo.numerics.formatting import LARGEST
from evo.numerics.running_statistics import update_statistics

Sent = tuple[str, int, bool, float]  # a network as it is sent to a process


def sent(network: Network) -> Sent:
    """Return what `received` makes a network of again."""
    return network.text, network.outputs, network.normalise, network.clip_observation


def received(task: GymnasiumTask, network: Sent) -> Network:
    """Return the network that was `sent`."""
    text, outputs, normalise, clip = network
    sizes, bounds = (task.observation_size, outputs), None if task.choices else (task.action_low, task.action_high)
    return network_from_text(text, *sizes, normalise, clip_observation=clip, bounds=bounds)


@njit(cache=True)  # otherwise every process would compile it again
def _propagate(
    plan: Any, params: Any, memory: Any, scratch: Any, obs: Any, mean: Any, scale: Any, clip: float, outputs: Any
) -> None:
    propagate(plan, params, memory, scratch, obs, mean, scale, clip, outputs)


class Life:
    """A network's life in an environment: its memory, float32, its observation, and how far it has come.

    memory: where the memory is kept. exploration: how a learner draws actions, with one stream, (4,).
    action: float64 (action_size,), the next or last one; taken: float32, as a learner is told it.
    reward: of the last step. steps, total: how many steps were taken and the sum of their rewards. cut: whether the
    environment's time limit ended it.
    """

    def __init__(
        self,
        task: GymnasiumTask,
        network: Network,
        params: np.ndarray,
        normalisation: tuple[np.ndarray, np.ndarray],
        memory: np.ndarray | None = None,
        exploration: Exploration | None = None,
    ) -> None:
        self.memory = np.zeros(network.memory_size, np.float32) if memory is None else memory
        self._mind = network.plan, params, self.memory, np.zeros(network.scratch_size, np.float32)
        self._normalisation, self._exploration = (*normalisation, network.clip_observation), exploration
        self.observation, self.outputs = np.zeros(task.observation_size), np.zeros(network.outputs)
        self.action, self.taken = np.zeros(task.action_size), np.zeros(task.action_size, np.float32)
        self._bounds = task.action_low, task.action_high
        self._deciding = (*self._normalisation, *self._bounds, task.choices, self.outputs, self.action)
        self.steps, self.total, self.reward, self.cut = 0, 0.0, 0.0, False

    def begin(self, body: Body, seed: int) -> None:
        """Begin anew."""
        self.steps, self.total, self.cut = 0, 0.0, False
        self.memory[:] = 0
        self.observation = body.reset(seed)

    def choose(self, statistics: np.ndarray | None) -> int:
        """Choose an action; return BLIND where the observation is not finite, and not counted, else COMPLETED."""
        how = COMPLETED if all_finite(self.observation) else BLIND
        if statistics is not None and how != BLIND:
            update_statistics(statistics, self.observation)
        if self._exploration is None:
            act(*self._mind, self.observation, *self._deciding)
        else:
            _propagate(*self._mind, self.observation, *self._normalisation, self.outputs)
            draw, stream, numbers = self._exploration
            callable_of(draw)(self.outputs, numbers, *self._bounds, stream, self.taken, self.action)
        return how

    def advance(self, body: Body) -> int:
        """Take the chosen action; return how the life ended, COMPLETED where it may go on, unless it was `cut`."""
        self.observation, self.reward, terminated, self.cut = body.step(self.action)
        self.steps += 1
        if not math.isfinite(self.reward):
            return NOT_FINITE
        self.total += self.reward
        if not abs(self.total) <= LARGEST:
            return OVERFLOWN
        return TERMINATED if terminated else COMPLETED
