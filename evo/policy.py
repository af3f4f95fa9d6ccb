"""Policy: a champion as a function from what it observes to what it does."""

from typing import Any

import numpy as np

from evo.envs.gymnasium_task import GymnasiumTask
from evo.learners.learner import Candidate
from evo.networks.sequential import act
from evo.problems.walking import Walking


class Policy:
    """A champion as a function from an observation, (observation_size,), to an action, float64 (action_size,) or int.

    The same compiled network as in training, clipped to the action space: usable in anyone's Gymnasium loop. Of one of
    Gymnasium's environments it takes what that observes, as it is or flattened, and gives an action of its space, with
    the space's dtype and shape. Call `reset()` between episodes. parameters: its own copy of the champion's, float32
    (parameters,); what is written there holds from the next action on.
    """

    def __init__(self, problem: Walking, candidate: Candidate) -> None:
        network, task = problem.network, problem.task
        self.parameters, self._plan = np.array(candidate.params, np.float32), network.plan
        self._mean, self._scale = problem.normalisation(candidate.statistics)
        self._clip = network.clip_observation
        self._low, self._high, self._choices = task.action_low, task.action_high, task.choices
        self._environment = task if isinstance(task, GymnasiumTask) else None
        self._outputs = np.zeros(task.outputs)
        self._memory = np.zeros(network.memory_size, np.float32)
        self._scratch = np.zeros(network.scratch_size, np.float32)

    def reset(self) -> None:
        """Forget what the network remembers of the episode."""
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
            self._plan,
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
