"""Experience collection in a Gymnasium environment, with the interface of `evo.evaluation.collector`.

The state of such an environment cannot be copied. Its block holds the seed of its episode and the actions taken since.
To resume it elsewhere, in another run or in a process that replaces one that died, the actions are replayed.
"""

from collections import Counter
from typing import Any, NamedTuple

import numpy as np

from evo.envs.engine.compile import njit
from evo.envs.engine.physics import EngineError
from evo.envs.engine.random import random
from evo.envs.foreign import FAILURES, in_words
from evo.envs.gymnasium_bridge.gymnasium_task import Body, GymnasiumTask
from evo.envs.gymnasium_bridge.spaces import all_finite
from evo.evaluation.collector import Experience
from evo.evaluation.exploration import Exploration, for_collector
from evo.evaluation.gymnasium_host import Host, body_of, drop
from evo.evaluation.gymnasium_life import Life, Sent, received, sent
from evo.evaluation.life import BLIND, COMPLETED, ENVIRONMENT_ERROR, NOT_FINITE, REASONS, TERMINATED
from evo.evaluation.processes import Died
from evo.evaluation.workers import Workers
from evo.genomes.rows import rows_for
from evo.networks import Network
from evo.numerics.advantages import CUT_OFF, ENDED, FAILED


@njit(cache=True)  # otherwise every process would compile it again
def _uniform(stream: Any) -> float:
    return random(stream)


_NONE = -1  # seed of an environment that begins a new episode at its next step


class GymnasiumCollector:
    """Collects `horizon` steps a call from each of `environments` environments, in up to `workers.threads` processes.

    `blocks`, uint8 `shape`, is the whole state of the environments; `collect` returns new blocks and leaves the old
    ones unchanged.
    """

    def __init__(
        self,
        task: GymnasiumTask,
        network: Network,
        environments: int,
        horizon: int,
        workers: Workers,
        waits: bool = False,
        every: int = 0,
    ) -> None:
        self.task, self.network, self.environments, self.horizon = task, network, environments, horizon
        self.waits, self.every = waits, every
        self._host = Host(task, min(workers.threads, environments))
        self._block = _block_of(task, network)
        self._reached: np.ndarray | None = None  # of the environments in the processes, if any

    def prepare(self) -> None:
        """Start the processes."""
        self._host.start()

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the blocks: (environments, bytes of a block)."""
        return self.environments, self._block.itemsize

    def begin(self, streams: np.ndarray) -> np.ndarray:
        """Return blocks of environments at the beginning of their first episode.

        streams: uint64 (environments, 4), random streams for all resets.
        """
        blocks = np.zeros(self.environments, self._block)
        blocks["stream"], blocks["seed"] = streams, _NONE
        return blocks.view(np.uint8).reshape(self.shape)

    def collect(
        self,
        blocks: np.ndarray,
        params: np.ndarray,
        mean: np.ndarray,
        scale: np.ndarray,
        exploration: Exploration | None = None,
    ) -> tuple[np.ndarray, Experience]:
        """Take `horizon` steps in every environment; see `evo.evaluation.collector.Collector.collect`.

        Raises EngineError where replaying a block of another run does not lead to the state that it records.
        """
        count, network, task = self.environments, self.network, self.task
        size = np.shape(params)[-1] if network.own_length else network.size
        own = np.broadcast_to(np.asarray(params, np.float32), (count, size))
        if network.own_length:
            rows_for(network, np.atleast_2d(params))
        bounds = task.choices, task.action_low, task.action_high
        draw, streams, numbers = for_collector(exploration, count, *bounds, network.outputs)
        resumed, self._reached = self._reached is None or not np.array_equal(self._reached, blocks), None
        asked = [
            _Asked(
                task,
                sent(network),
                place,
                blocks[place],
                own[place],
                (mean, scale),
                Exploration(draw, streams[place], numbers),
                self.horizon,
                self.waits,
                self.every,
                resumed,
            )
            for place in range(count)
        ]
        found = self._host.map(_collect, asked, pinned=True, tries=2)
        for place, one in enumerate(found):
            if isinstance(one, Died):
                self._host.probe(0)
                found[place] = _record_loss(asked[place], one.how)
        self._reached = np.stack([one.block for one in found])
        return self._reached.copy(), Experience(
            observations=np.stack([one.observations for one in found]),
            actions=np.stack([one.actions for one in found]),
            rewards=np.stack([one.rewards for one in found]),
            following=np.stack([one.following for one in found]),
            marks=np.stack([one.marks for one in found]),
            returns=np.stack([one.returns for one in found]),
            lengths=np.array([one.length for one in found], np.int64),
            failures=dict(sum((Counter(one.failures) for one in found), Counter())),
            errors=tuple(dict.fromkeys(error for one in found for error in one.errors)),
            statistics=np.stack([one.statistics for one in found]),
            memories=np.stack([one.memories for one in found]),
        )


class _Asked(NamedTuple):
    """The work of one environment, as it is sent to a process: every field can be pickled."""

    task: GymnasiumTask
    network: Sent
    place: int
    block: np.ndarray
    params: np.ndarray
    normalisation: tuple[np.ndarray, np.ndarray]
    exploration: Exploration  # with the stream of this environment, (4,)
    horizon: int
    waits: bool
    every: int
    resumed: bool  # whether the block comes from another run; if not, a failed replay costs one episode


class _Collected:
    """The experience of one environment: its rows of an Experience."""

    def __init__(self, asked: _Asked, network: Network) -> None:
        task, horizon = asked.task, asked.horizon
        self.block = np.array(asked.block)
        self.observations = np.zeros((horizon, task.observation_size))
        self.following = np.zeros((horizon, task.observation_size))
        self.actions = np.zeros((horizon, task.action_size), np.float32)
        self.rewards, self.marks = np.zeros(horizon), np.zeros(horizon, np.int64)
        self.returns, self.length = np.full(horizon, np.nan), 0
        self.failures, self.errors = Counter[str](), list[str]()
        self.statistics = np.zeros(1 + 2 * task.observation_size)
        self.memories = np.zeros((horizon // asked.every if asked.every else 0, network.memory_size), np.float32)


class _Reached(NamedTuple):
    """State of a body: its block, and its observation."""

    block: bytes
    observation: np.ndarray

    def close(self) -> None:
        """Do nothing: there is nothing to close."""


def _block_of(task: GymnasiumTask, network: Network) -> np.dtype[Any]:
    return np.dtype(
        [
            ("stream", np.uint64, 4),  # random stream of all resets
            ("seed", np.int64),
            ("steps", np.int64),
            ("total", np.float64),
            ("memory", np.float32, network.memory_size),
            ("actions", np.float64, (task.steps, task.action_size)),
            ("observation", np.float64, task.observation_size),  # after the last of the actions
        ],
        align=True,
    )


def _record_loss(asked: _Asked, how: str) -> _Collected:
    """Return the result of an environment whose processes died: one failure; it begins another episode."""
    network = received(asked.task, asked.network)
    found = _Collected(asked, network)
    block = found.block.view(_block_of(asked.task, network))[0]
    if block["seed"] == _NONE:
        _uniform(block["stream"])  # the seed of the episode that was about to begin is skipped
    block["seed"] = _NONE
    block["observation"] = 0.0
    found.failures[REASONS[ENVIRONMENT_ERROR]] += 1
    found.errors.append(how)
    return found


def _collect(asked: _Asked, keeps: dict[Any, Any]) -> _Collected:
    """Take `horizon` steps of one environment, in whichever process this is."""
    task, place, network = asked.task, asked.place, received(asked.task, asked.network)
    found = _Collected(asked, network)
    block = found.block.view(_block_of(task, network))[0]
    life, lost = Life(task, network, asked.params, asked.normalisation, block["memory"], asked.exploration), None
    life.steps, life.total = int(block["steps"]), float(block["total"])
    try:
        life.observation = _take_up(asked, block, keeps)
    except EngineError as error:
        if asked.resumed:
            raise
        lost = error  # a process died, and its episode cannot be replayed: it counts as one failed episode
    for step in range(asked.horizon):
        if asked.waits and step and block["seed"] == _NONE:
            break
        found.length = step + 1
        try:
            if lost is not None:
                failure, lost = lost, None
                raise failure
            if block["seed"] == _NONE:
                block["seed"], block["actions"] = int(_uniform(block["stream"]) * 2**31), 0
                life.begin(body_of(task, keeps, place), int(block["seed"]))
            if asked.every and step % asked.every == 0:
                found.memories[step // asked.every] = life.memory
            how = life.choose(found.statistics)
            found.observations[step], found.actions[step] = life.observation, life.taken
            if how != BLIND and not (all_finite(life.outputs) and all_finite(life.action)):
                how = NOT_FINITE
            if how == COMPLETED:
                block["actions"][life.steps] = life.action
                how = life.advance(body_of(task, keeps, place))
        except FAILURES as error:  # an environment may fail in any way; it costs the episode, not the run
            drop(keeps, place)
            how = ENVIRONMENT_ERROR
            found.errors.append(in_words(error))
        if how not in (COMPLETED, TERMINATED):
            found.failures[REASONS[how]] += 1
            found.marks[step], block["seed"] = FAILED, _NONE
            continue
        found.rewards[step], found.following[step] = life.reward, life.observation
        if how == TERMINATED:
            found.marks[step] = ENDED
        elif life.cut or life.steps >= task.steps:
            found.marks[step] = CUT_OFF
        if found.marks[step]:
            found.returns[step], block["seed"] = life.total, _NONE
    block["steps"], block["total"], block["observation"] = life.steps, life.total, life.observation
    keeps[place, "reached"] = _Reached(found.block.tobytes(), life.observation)
    return found


def _take_up(asked: _Asked, block: Any, keeps: dict[Any, Any]) -> np.ndarray:
    """Bring the environment to the state that its block records; return its observation.

    Raises EngineError where a replay fails or does not lead to the recorded observation.
    """
    task, place = asked.task, asked.place
    reached = keeps.pop((place, "reached"), None)  # removed until this call has succeeded
    if reached is not None and reached.block == asked.block.tobytes():
        return np.array(reached.observation)
    observation = np.zeros(task.observation_size)
    if block["seed"] == _NONE:
        return observation
    try:
        body: Body = body_of(task, keeps, place)
        observation = body.reset(int(block["seed"]))
        for action in block["actions"][: block["steps"]]:
            observation = body.step(action)[0]
    except FAILURES as error:
        raise EngineError(f"{task.name} fails when the same actions are taken again: {in_words(error)}") from error
    if not np.array_equal(observation, block["observation"], equal_nan=True):
        raise EngineError(
            f"{task.name} ends elsewhere when the same actions are taken again from the same seed: "
            "nobody can go on with it where it was"
        )
    return observation
