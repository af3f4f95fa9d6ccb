"""Collecting experience in a Gymnasium environment, with `evo.collection`'s results and promises.

Nobody can copy such an environment. What it must remember is how it came to where it is: the seed of its episode and
the actions taken since. Whoever takes it up again elsewhere plays them once more.
"""

from collections import Counter

import numpy as np

from evo.advantages import CUT_OFF, ENDED, FAILED
from evo.collection import Experience, sample_choice
from evo.envs import interruption
from evo.envs.gymnasium_task import Body, GymnasiumTask
from evo.envs.physics import EngineError
from evo.envs.random import random, standard_normal
from evo.episode import ENGINE_ERROR, NOT_FINITE, REASONS
from evo.networks.sequential import Network, decide, propagate
from evo.statistics import normalise, update_statistics

_NONE = -1  # the seed of an environment that is to begin a new episode


class GymnasiumCollector:
    """`environments` environments that a network acts in for `horizon` steps a call, one after the other.

    `blocks`, uint8 `shape`, is all that they remember; `collect` returns new ones and leaves the old as they were.
    """

    def __init__(
        self,
        task: GymnasiumTask,
        network: Network,
        environments: int,
        horizon: int,
        waits: bool = False,
        every: int = 0,
    ) -> None:
        self.task, self.network, self.environments, self.horizon = task, network, environments, horizon
        self.waits, self.every = waits, every
        self._bodies: list[Body] = []
        self._current: list[np.ndarray] = []  # each environment's observation
        self._reached: np.ndarray | None = None  # the blocks of where the bodies are
        self._block = np.dtype(
            [
                ("stream", np.uint64, 4),  # of all resets
                ("seed", np.int64),
                ("steps", np.int64),
                ("total", np.float64),
                ("memory", np.float32, network.memory_size),
                ("actions", np.float64, (task.steps, task.action_size)),
                ("observation", np.float64, task.observation_size),  # where that led
            ],
            align=True,
        )

    def prepare(self) -> None:
        """Make the environments."""
        while len(self._bodies) < self.environments:
            self._bodies.append(Body(self.task))

    @property
    def shape(self) -> tuple[int, int]:
        """Of the blocks."""
        return self.environments, self._block.itemsize

    def begin(self, streams: np.ndarray) -> np.ndarray:
        """Blocks of environments that begin their first episode; streams: uint64 (environments, 4), for all resets."""
        blocks = np.zeros(self.environments, self._block)
        blocks["stream"], blocks["seed"] = streams, _NONE
        return blocks.view(np.uint8).reshape(self.shape)

    def collect(
        self,
        blocks: np.ndarray,
        params: np.ndarray,
        deviation: np.ndarray,
        noise: np.ndarray | None,
        mean: np.ndarray,
        scale: np.ndarray,
    ) -> tuple[np.ndarray, Experience]:
        """`horizon` steps of every environment; see `evo.collection.Collector.collect`."""
        self.prepare()
        if self._reached is None or not np.array_equal(self._reached, blocks):
            self._take_up(blocks)
        self._reached = None  # until this call is through
        task, count, horizon = self.task, self.environments, self.horizon
        own, streams = np.broadcast_to(params, (count, self.network.size)), None
        if noise is not None:
            streams = np.array(noise, np.uint64)
        after = np.array(blocks).view(self._block).ravel()
        width = 1 if task.choices else task.outputs
        seen = Experience(
            observations=np.zeros((count, horizon + 1, task.observation_size), np.float32),
            actions=np.zeros((count, horizon, width), np.float32),
            rewards=np.zeros((count, horizon)),
            marks=np.zeros((count, horizon), np.int64),
            returns=np.full((count, horizon), np.nan),
            lengths=np.zeros(count, np.int64),
            failures={},
            errors=(),
            statistics=np.zeros((count, 1 + 2 * task.observation_size)),
            memories=np.zeros(
                (count, horizon // self.every if self.every else 0, self.network.memory_size), np.float32
            ),
        )
        network, failures, errors = self.network, Counter[str](), dict[str, None]()
        clip = network.clip_observation
        scratch, outputs = np.zeros(network.scratch_size, np.float32), np.zeros(task.outputs)
        cuts: list[list[np.ndarray]] = [[] for _ in range(count)]
        for place, (body, block, cut) in enumerate(zip(self._bodies, after, cuts, strict=True)):
            for step in range(horizon):
                interruption.check()
                if self.waits and step and block["seed"] == _NONE:
                    break
                seen.lengths[place] = step + 1
                try:
                    if block["seed"] == _NONE:
                        block["seed"], block["steps"], block["total"] = int(random(block["stream"]) * 2**31), 0, 0.0
                        block["memory"], block["actions"] = 0, 0
                        self._current[place] = body.reset(int(block["seed"]))
                    if self.every and step % self.every == 0:
                        seen.memories[place, step // self.every] = block["memory"]
                    observation = self._current[place]
                    fine = bool(np.isfinite(observation).all())
                    if fine:
                        update_statistics(seen.statistics[place], observation)
                    normalise(observation, mean, scale, clip, seen.observations[place, step])
                    propagate(
                        network.plan, own[place], block["memory"], scratch, observation, mean, scale, clip, outputs
                    )
                    taken = seen.actions[place, step]
                    if streams is None:
                        action = self._decided(outputs, taken)
                    else:
                        action = self._sample(outputs, deviation, streams[place], taken)
                    how = None if fine and np.isfinite(outputs).all() else NOT_FINITE
                    if how is None:
                        block["actions"][block["steps"]] = action
                        block["steps"] += 1
                        self._current[place], reward, terminated, truncated = body.step(action)
                        how = None if np.isfinite(reward) else NOT_FINITE
                except Exception as error:  # an environment may fail in any way; it costs the episode, not the run
                    how = ENGINE_ERROR
                    errors[f"{type(error).__name__}: {error}"] = None
                if how is not None:
                    failures[REASONS[how]] += 1
                    seen.marks[place, step], block["seed"] = FAILED, _NONE
                    continue
                seen.rewards[place, step] = reward
                block["total"] += reward
                if terminated:
                    seen.marks[place, step] = ENDED
                elif truncated or block["steps"] >= task.steps:
                    seen.marks[place, step] = CUT_OFF
                    last = np.zeros(task.observation_size, np.float32)
                    normalise(self._current[place], mean, scale, clip, last)
                    cut.append(last)
                if seen.marks[place, step]:
                    seen.returns[place, step], block["seed"] = block["total"], _NONE
            block["observation"] = self._current[place]
            normalise(self._current[place], mean, scale, clip, seen.observations[place, horizon])
        most = max(map(len, cuts))
        ends = np.zeros((count, most, task.observation_size), np.float32)
        for place, cut in enumerate(cuts):
            ends[place, : len(cut)] = np.reshape(cut, (len(cut), task.observation_size))
        observations = np.concatenate([seen.observations, ends], axis=1)
        found = after.view(np.uint8).reshape(self.shape)
        self._reached = found.copy()
        return found, seen._replace(observations=observations, failures=dict(failures), errors=tuple(errors))

    def _take_up(self, blocks: np.ndarray) -> None:
        """Bring every environment to where a block says it is. Raises EngineError where one does not get there."""
        self._current = []
        for body, block in zip(self._bodies, np.array(blocks).view(self._block).ravel(), strict=True):
            observation = np.zeros(self.task.observation_size)
            if block["seed"] != _NONE:
                observation = body.reset(int(block["seed"]))
                for action in block["actions"][: block["steps"]]:
                    observation = body.step(action)[0]
                if not np.array_equal(observation, block["observation"], equal_nan=True):
                    raise EngineError(
                        f"{self.task.name} ends elsewhere when the same actions are taken again from the same seed: "
                        "nobody can go on with it where it was"
                    )
            self._current.append(observation)

    def _decided(self, outputs: np.ndarray, taken: np.ndarray) -> np.ndarray:
        """The action of an episode that is scored."""
        task, action = self.task, np.zeros(self.task.action_size)
        decide(outputs, task.action_low, task.action_high, task.choices, action)
        taken[:] = action if task.choices else outputs
        return action

    def _sample(self, outputs: np.ndarray, deviation: np.ndarray, noise: np.ndarray, taken: np.ndarray) -> np.ndarray:
        """The action for the environment; `taken` is what the learner will see, unclipped."""
        if self.task.choices:
            taken[0] = sample_choice(outputs, noise)
            return taken.astype(np.float64)
        taken[:] = [output + spread * standard_normal(noise) for output, spread in zip(outputs, deviation, strict=True)]
        return np.clip(taken.astype(np.float64), self.task.action_low, self.task.action_high)
