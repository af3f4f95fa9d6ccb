"""Policy: a champion as a function from observation to action."""

from typing import Any

import numpy as np

from evo.envs.gymnasium_bridge.gymnasium_task import GymnasiumTask
from evo.learners.learner import Candidate
from evo.networks.network import act, act_each
from evo.numerics.validation import whole_number
from evo.problems.control import Walking


class Policy:
    """A champion as a function from an observation, (observation_size,), to an action, float64 (action_size,) or int.

    The same compiled network as in training, clipped to the action space: usable in any Gymnasium loop. For a Gymnasium
    environment it takes that environment's observations, structured or flattened, and returns an action of its space,
    with the space's dtype and shape. Call `reset()` between episodes. parameters: a copy of the champion's, float32
    (parameters,); changes take effect with the next action.
    """

    def __init__(self, problem: Walking, candidate: Candidate) -> None:
        network, task = problem.network, problem.task
        self.parameters, self._network = np.array(candidate.params, np.float32), network
        self._mean, self._scale = problem.normalisation(candidate.statistics)
        self._clip = network.clip_observation
        self._low, self._high, self._choices = task.action_low, task.action_high, task.choices
        self._environment = task if isinstance(task, GymnasiumTask) else None
        self._outputs = np.zeros(task.outputs)
        self._memory = np.zeros(network.memory_size, np.float32)
        self._scratch = np.zeros(network.scratch_size, np.float32)

    def reset(self) -> None:
        """Reset the network's memory, for a new episode."""
        self._memory[:] = 0

    def __call__(self, observation: Any) -> Any:
        if self._environment is not None:
            observation = self._environment.vector(observation)
        obs = np.ascontiguousarray(observation, np.float64)
        if obs.shape != self._mean.shape:
            raise ValueError(f"an observation of shape {obs.shape}; this champion sees {self._mean.shape}")
        assert self._low is not None and self._high is not None
        action = np.empty(len(self._low))
        act(
            self._network.plan,
            self.parameters,
            self._memory,
            self._scratch,
            obs,
            self._mean,
            self._scale,
            self._clip,
            self._low,
            self._high,
            self._choices,
            self._outputs,
            action,
        )
        taken = action if self._environment is None else self._environment.actions.of(action)
        return int(np.ravel(taken)[0]) if self._choices else taken


class BatchPolicy:
    """A champion as a function from a batch of observations, (rows, observation_size), to actions.

    Actions are float64 (rows, action_size), or int64 (rows,) where they are choices; for a Gymnasium environment,
    `rows` actions of its space.

    Row i gets what a separate `Policy` would give it, to the bit, its memory included: rows are parallel environments.
    `reset()` clears the memory of all rows, `reset(ended)` that of rows where `ended`, bool (rows,), is true.
    """

    def __init__(self, problem: Walking, candidate: Candidate, rows: int) -> None:
        network, task = problem.network, problem.task
        self.rows, self._network, self._task = whole_number("rows", rows, 1), network, task
        self.parameters = np.array(candidate.params, np.float32)
        self._mean, self._scale = problem.normalisation(candidate.statistics)
        self._outputs = np.zeros(task.outputs)
        self._memories = np.zeros((self.rows, network.memory_size), np.float32)
        self._scratch = np.zeros(network.scratch_size, np.float32)

    def reset(self, ended: np.ndarray | None = None) -> None:
        """Reset the network's memory of all rows, or of those where `ended` is true."""
        self._memories[slice(None) if ended is None else np.asarray(ended, bool)] = 0

    def __call__(self, observations: np.ndarray) -> np.ndarray:
        task = self._task
        rows = map(task.vector, observations) if isinstance(task, GymnasiumTask) else observations
        seen = np.array([*rows], np.float64)
        if seen.shape != (self.rows, len(self._mean)):
            raise ValueError(f"observations of shape {seen.shape}; this policy sees ({self.rows}, {len(self._mean)})")
        assert task.action_low is not None and task.action_high is not None
        actions = np.empty((self.rows, task.action_size))
        act_each(
            self._network.plan,
            self.parameters,
            self._memories,
            self._scratch,
            seen,
            self._mean,
            self._scale,
            self._network.clip_observation,
            task.action_low,
            task.action_high,
            task.choices,
            self._outputs,
            actions,
        )
        if isinstance(task, GymnasiumTask):
            return np.stack([task.actions.of(action) for action in actions])
        return actions[:, 0].astype(np.int64) if task.choices else actions
