"""Experience collection: environments that persist between calls, with actions drawn inside the compiled step.

One simulation is one environment, and its life goes on from call to call. Its block of bytes is its whole state, the
engine's included: a checkpoint consists of the blocks.
"""

from typing import NamedTuple

import numpy as np
from numba import carray

from evo.envs.engine.physics import call, is_kept_whole, load_data, mj_reset_data, pointer, save_data
from evo.envs.engine.structs import data_at, model_at
from evo.envs.task import OUTCOME, Task
from evo.evaluation.exploration import Exploration, address_of, for_collector
from evo.evaluation.life import (
    ARGUMENT,
    ENDINGS,
    ENGINE_ERROR,
    REASONS,
    TERMINATED,
    UNSTABLE,
    Lives,
    block_of,
    kernel_address,
    observation_of,
    recorder_address,
    write,
)
from evo.evaluation.workers import Workers
from evo.genomes.rows import rows_for
from evo.networks.network import Network
from evo.numerics.advantages import CUT_OFF, ENDED, FAILED, GOING_ON
from evo.numerics.views import doubles, floats, integers


def _collect(model_address: int, data_address: int, simulation: int, argument: int) -> None:
    """Take up a life from its block, live on, and put it back."""
    given = carray(pointer(argument), (1,), ARGUMENT)[0]
    model, data, block = model_at(model_address), data_at(model_address, data_address), block_of(given, simulation)
    record, engine = block + given.record_at, block + given.engine_at
    integers(record, given.addresses)[:] = integers(given.template, given.addresses)
    mj_reset_data(model, data)
    if given.remodel and not integers(block + given.begin_at, 1)[0]:
        call(given.remodel, (model, data, record))
    load_data(data, engine)
    call(given.live, (model_address, data_address, simulation, argument))
    save_data(data, engine)


def _record_before(model_address: int, data_address: int, simulation: int, argument: int, step: int, how: int) -> None:
    """Record the observation that is acted upon and, every so many steps, the network's memory."""
    given = carray(pointer(argument), (1,), ARGUMENT)[0]
    write(given.observations, given.horizon * simulation + step, observation_of(given, simulation))
    if given.every and step % given.every == 0:
        row, size = (given.horizon // given.every) * simulation + step // given.every, given.memory_size
        memory = floats(block_of(given, simulation) + given.memory_at, size)
        floats(given.memories + 4 * size * row, size)[:] = memory


def _record_after(model_address: int, data_address: int, simulation: int, argument: int, step: int, how: int) -> None:
    """Record how a step went, and the observation that followed."""
    given = carray(pointer(argument), (1,), ARGUMENT)[0]
    block, row = block_of(given, simulation), given.horizon * simulation + step
    marks = integers(given.marks, row + 1)
    integers(given.lengths, simulation + 1)[simulation] = step + 1
    if how >= UNSTABLE:
        marks[row] = FAILED
        integers(given.failures, ENDINGS * simulation + how + 1)[ENDINGS * simulation + how] += 1
        return
    outcome = carray(pointer(given.scratch + given.scratch_size * simulation + given.outcome_at), (1,), OUTCOME)[0]
    doubles(given.rewards, row + 1)[row] = outcome.reward
    write(given.following, row, observation_of(given, simulation))
    if how == TERMINATED:
        marks[row] = ENDED
    elif integers(block + given.steps_at, 1)[0] >= given.steps:
        marks[row] = CUT_OFF
    if marks[row] != GOING_ON:
        doubles(given.returns, row + 1)[row] = doubles(block + given.total_at, 1)[0]


class Experience(NamedTuple):
    """The steps of every environment, in order; an environment in which the engine failed has fewer steps.

    A step is a transition: observation, action, reward, mark, and the observation that followed. Nothing is normalised.

    observations: float64 (environments, horizon, observation_size), those acted upon.
    actions: float32 (environments, horizon, action_size), as drawn (see `evo.evaluation.exploration`); without
    exploration the network's outputs before clipping, or the index of the best choice.
    rewards: float64 (environments, horizon).
    following: float64 (environments, horizon, observation_size), the observation after each step: where an episode
    ended or was cut off, its last one, not the first of the next. Zeros after a step that failed.
    marks: int64 (environments, horizon), GOING_ON, ENDED by the task, CUT_OFF at the episode's last step, or FAILED.
    returns: float64 (environments, horizon), the return of an episode that ended with this step, else NaN.
    lengths: int64 (environments,), steps taken; fewer than the horizon where the engine failed or the environment
    waits. What stands behind them is of no meaning.
    failures: reason → number of episodes that failed for it.
    errors: distinct messages of the engine.
    statistics: float64 (environments, 1 + 2 observation_size), count, mean and M2 of the observations acted upon.
    memories: float32 (environments, horizon // every, network.memory_size), the network's memory before every
    `every`-th step, from the first on; no rows where `every` is 0.
    """

    observations: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    following: np.ndarray
    marks: np.ndarray
    returns: np.ndarray
    lengths: np.ndarray
    failures: dict[str, int]
    errors: tuple[str, ...]
    statistics: np.ndarray
    memories: np.ndarray


class Collector:
    """Collects `horizon` steps a call from each of `environments` environments of a task, on the threads of `workers`.

    The network chooses the actions, or exploration draws them from its outputs.
    waits: whether an environment whose episode ended takes no more steps in that call, and is reset in the next.
    every: interval in steps at which the network's memory is recorded; it must divide the horizon; 0: never.
    `blocks`, uint8 `shape`, is the whole state of the environments; `collect` returns new blocks and leaves the old
    ones unchanged.
    Raises ValueError for a model whose state cannot be saved, KernelError for a task or layer that does not compile,
    EngineError where MuJoCo refuses the model.
    """

    def __init__(
        self,
        task: Task,
        network: Network,
        environments: int,
        horizon: int,
        workers: Workers,
        waits: bool = False,
        every: int = 0,
    ) -> None:
        if not is_kept_whole(task.model):
            raise ValueError(f"{task.name} has plugins or sleeping bodies, whose state cannot be kept between steps")
        self.task, self.network = task, network
        self.environments, self.horizon, self.waits, self.every = environments, horizon, waits, every
        self._lives = Lives(task, network, workers, kept=True)

    def prepare(self) -> None:
        """Compile the kernels, or load them from the cache."""
        self._lives.prepare()
        kernel_address(_collect)
        assert recorder_address(_record_before) and recorder_address(_record_after)

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the blocks: (environments, bytes of a block)."""
        return self.environments, self._lives.fixed["block_size"]

    def begin(self, streams: np.ndarray) -> np.ndarray:
        """Return blocks of environments at the beginning of their first episode.

        streams: uint64 (environments, 4), random streams for all resets.
        """
        return self._lives.begin(streams)

    def collect(
        self,
        blocks: np.ndarray,
        params: np.ndarray,
        mean: np.ndarray,
        scale: np.ndarray,
        exploration: Exploration | None = None,
    ) -> tuple[np.ndarray, Experience]:
        """Take `horizon` steps in every environment; return the new blocks and the experience.

        blocks: from `begin` or the last call.
        params: float32 (size,), or (environments, size), one row for each environment.
        mean, scale: float64 (observation_size,), the frozen normalisation of what the network receives.
        exploration: how actions are drawn; None: as in a scored episode.
        Raises ValueError for arrays of another shape, or an exploration that does not suit task and network.
        """
        task, count, horizon = self.task, self.environments, self.horizon
        params = np.ascontiguousarray(params, np.float32)
        size = params.shape[-1] if self.network.own_length else self.network.size
        if params.shape not in ((size,), (count, size)):
            raise ValueError(f"parameters of shape {params.shape}: {count} environments take {self.network.size} each")
        for name, array in (("mean", mean), ("scale", scale)):
            if array.shape != (task.observation_size,):
                raise ValueError(f"{name} of shape {array.shape}; it must be ({task.observation_size},)")
        rows = rows_for(self.network, np.atleast_2d(params))
        blocks = blocks.copy()
        marks, lengths = np.zeros((count, horizon), np.int64), np.zeros(count, np.int64)
        failures = np.zeros((count, ENDINGS), np.int64)
        observations, following = (np.zeros((count, horizon, task.observation_size)) for _ in range(2))
        rewards, returns = np.zeros((count, horizon)), np.full((count, horizon), np.nan)
        statistics = np.zeros((count, 1 + 2 * task.observation_size))
        actions = np.zeros((count, horizon, task.action_size), np.float32)
        remembered = horizon // self.every if self.every else 0
        memories = np.zeros((count, remembered, self._lives.fixed["memory_size"]), np.float32)
        arrays: dict[str, np.ndarray] = {
            "params": rows.values,
            "offsets": rows.offsets,
            "mean": np.ascontiguousarray(mean, np.float64),
            "scale": np.ascontiguousarray(scale, np.float64),
            "observations": observations,
            "taken": actions,
            "rewards": rewards,
            "following": following,
            "marks": marks,
            "returns": returns,
            "lengths": lengths,
            "failures": failures,
            "statistics": statistics,
            "memories": memories,
        }
        numbers = {
            "episodes": count if params.ndim == 1 else 1,  # as many environments share a row
            "horizon": horizon,
            "rows": horizon,
            "steps": task.steps,
            "waits": int(self.waits),
            "every": self.every,
        }
        assert task.action_low is not None and task.action_high is not None
        bounds = task.choices, task.action_low, task.action_high
        draw, arrays["noise"], arrays["numbers"] = for_collector(exploration, count, *bounds, self.network.outputs)
        numbers |= {"draw": address_of(draw), "parameters": arrays["numbers"].size}
        numbers |= {"before": recorder_address(_record_before), "after": recorder_address(_record_after)}
        _, errors = self._lives.live(blocks, numbers, arrays, _collect)
        for environment in errors:
            failures[environment, ENGINE_ERROR] += 1
        # addresses differ between processes; a block must not
        self._lives.part(blocks, "record", np.uint64, task.addresses)[:] = 0
        totals = failures.sum(axis=0)
        return blocks, Experience(
            observations=observations,
            actions=actions,
            rewards=rewards,
            following=following,
            marks=marks,
            returns=returns,
            lengths=lengths,
            failures={REASONS[how]: int(total) for how, total in enumerate(totals) if total and how in REASONS},
            errors=tuple(dict.fromkeys(errors.values())),
            statistics=statistics,
            memories=memories[:, :, : self.network.memory_size],
        )
