"""Episodes: a life for each individual and episode, from its beginning to its end.

Simulation i is episode i % episodes of individual i // episodes.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numba import carray

from evo.envs.engine.compile import njit
from evo.envs.engine.physics import call, pointer
from evo.envs.engine.random import streams
from evo.envs.engine.structs import data_at, model_at
from evo.envs.task import OUTCOME, Task
from evo.evaluation.life import (
    ARGUMENT,
    OVERFLOWN,
    UNSTABLE,
    Lives,
    block_of,
    observation_of,
    recorder_address,
    write,
)
from evo.evaluation.workers import Workers
from evo.genomes.rows import Rows, rows_for
from evo.networks.network import Network
from evo.numerics.views import doubles, integers

SCRATCH_BYTES = 256 * 2**20


def _record_before(model_address: int, data_address: int, simulation: int, argument: int, step: int, how: int) -> None:
    """Record the state before a step."""
    given = carray(pointer(argument), (1,), ARGUMENT)[0]
    _record_state(given, simulation, data_at(model_address, data_address), step)


def _record_after(model_address: int, data_address: int, simulation: int, argument: int, step: int, how: int) -> None:
    """Record what a step did, and the state after it; where it failed, what is observed nevertheless."""
    given = carray(pointer(argument), (1,), ARGUMENT)[0]
    model, data = model_at(model_address), data_at(model_address, data_address)
    block, at = block_of(given, simulation), given.scratch + given.scratch_size * simulation
    if how >= UNSTABLE:
        call(given.observe, (model, data, block + given.record_at, observation_of(given, simulation)))
    else:
        outcome = carray(pointer(at + given.outcome_at), (1,), OUTCOME)[0]
        doubles(given.rewards + 8 * (given.rows * simulation + step), 1)[0] = outcome.reward
    row = given.rows * simulation + step
    write(given.actions, row, doubles(at + given.action_at, given.action_size))
    write(given.forces, row, data.actuator_force)
    write(given.speeds, row, data.actuator_velocity)
    write(given.traced, row, doubles(given.measured + 8 * given.measures * simulation, given.measures))
    _record_state(given, simulation, data, integers(block + given.steps_at, 1)[0])


@njit
def _record_state(given: Any, simulation: int, data: Any, steps: int) -> None:
    """Record the state of a life after so many steps."""
    row = given.rows * simulation + steps
    write(given.qpos, row, data.qpos)
    write(given.qvel, row, data.qvel)
    write(given.observations, row, observation_of(given, simulation))


class Trajectories(NamedTuple):
    """Recorded trajectories of every simulation: row t holds the state before step t, the last row the final state."""

    qpos: np.ndarray  # (simulations, steps + 1, nq)
    qvel: np.ndarray  # (simulations, steps + 1, nv)
    observations: np.ndarray  # (simulations, steps + 1, observation_size)
    actions: np.ndarray  # (simulations, steps + 1, action_size)
    rewards: np.ndarray  # (simulations, steps + 1)
    forces: np.ndarray  # (simulations, steps + 1, nu), of the actuators at the end of step t
    speeds: np.ndarray  # (simulations, steps + 1, nu), the actuators' velocities there
    traced: (
        np.ndarray
    )  # (simulations, steps + 1, measures), what `measure` had written after step t; 0 unless asked for


@dataclass(frozen=True)
class Episodes:
    """Results of a batch of episodes; the arrays have shape (individuals, episodes)."""

    returns: np.ndarray  # float64; the sum of rewards up to the end, whatever the ending
    lengths: np.ndarray  # int64, control steps
    endings: np.ndarray  # int64, COMPLETED … ENVIRONMENT_ERROR
    statistics: np.ndarray | None  # float64 (individuals, episodes, 1 + 2 observation_size): count, mean, M2
    trajectories: Trajectories | None
    errors: tuple[str, ...]  # distinct messages of the engine
    measures: np.ndarray | None = None  # float64 (individuals, episodes, measures)

    @property
    def failed(self) -> np.ndarray:
        """Mask of the episodes that failed, bool (individuals, episodes)."""
        return self.endings >= UNSTABLE


class Evaluator:
    """Runs episodes of a task with a network's parameters, on the threads of `workers`.

    Raises KernelError for a task or layer that does not compile, EngineError where MuJoCo refuses the model.
    """

    def __init__(self, task: Task, network: Network, workers: Workers) -> None:
        if network.inputs != task.observation_size or network.outputs != task.outputs:
            raise ValueError(
                f"the network maps {network.inputs} to {network.outputs} numbers; {task.name} has "
                f"{task.observation_size} observations and takes {task.outputs}"
            )
        self.task, self.network = task, network
        self._lives = Lives(task, network, workers, kept=False)

    def prepare(self) -> None:
        """Compile the kernels, or load them from the cache."""
        self._lives.prepare()

    def starts(self, seeds: np.ndarray) -> np.ndarray:
        """Return the random streams for the episodes of `seeds`, as `run` takes them: uint64 (episodes, 4)."""
        return streams(seeds)

    def capacity(self, episodes: int) -> int:
        """Return how many individuals of `episodes` episodes each fit the memory for scratch at once (at least one)."""
        statistics = 8 * (1 + 2 * self.task.observation_size)
        model = self.task.model.nbuffer if self.task.remodel is not None else 0
        fixed = self._lives.fixed
        per_episode = fixed["block_size"] + fixed["scratch_size"] + statistics + 24 + model
        return max(1, SCRATCH_BYTES // (episodes * per_episode + 4 * self.network.size))

    def run(
        self,
        params: Rows | np.ndarray,
        streams: np.ndarray,
        mean: np.ndarray,
        scale: np.ndarray,
        steps: int | None = None,
        statistics: bool = False,
        recording: bool = False,
        measures: bool = False,
    ) -> Episodes:
        """Run every individual on every stream.

        params: float32 (individuals, size), or rows of their own length.
        streams: uint64 (episodes, 4), see `evo.envs.engine.random.streams`.
        mean, scale: float64 (observation_size,), the frozen normalisation.
        steps: maximum number of control steps; default: the task's.
        measures: whether to return the task's measures.
        Raises ValueError for an array of another shape, KernelError where the task's measure does not compile.
        """
        task, lives = self.task, self._lives
        rows = rows_for(self.network, params)
        shape = len(rows), len(streams)
        count = len(rows) * len(streams)
        for name, array in (("mean", mean), ("scale", scale)):
            if array.shape != (task.observation_size,):
                raise ValueError(f"{name} of shape {array.shape}; it must be ({task.observation_size},)")
        steps = task.steps if steps is None else steps
        arrays: dict[str, np.ndarray] = {
            "params": rows.values,
            "offsets": rows.offsets,
            "mean": np.ascontiguousarray(mean, np.float64),
            "scale": np.ascontiguousarray(scale, np.float64),
        }
        numbers = {"episodes": len(streams), "horizon": steps, "rows": steps + 1, "steps": steps, "waits": 1}
        if statistics:
            arrays["statistics"] = np.zeros((count, 1 + 2 * task.observation_size))
        recorded = None
        if recording:
            model, traced = task.model, len(task.measures) if measures else 0
            state: list[tuple[int, ...]] = [(model.nq,), (model.nv,), (task.observation_size,)]
            shapes = [*state, (task.action_size,), (), (model.nu,), (model.nu,), (traced,)]
            recorded = Trajectories(*(np.zeros((count, steps + 1, *each)) for each in shapes))
            arrays |= recorded._asdict()
            numbers["before"], numbers["after"] = recorder_address(_record_before), recorder_address(_record_after)
        if measures:
            arrays["measured"] = np.zeros((count, len(task.measures)))
            numbers["measures"] = len(task.measures)
            numbers["measure"], numbers["measured_record"] = task.measuring
        blocks = lives.begin(np.tile(np.asarray(streams, np.uint64), (len(rows), 1)))
        endings, errors = lives.live(blocks, numbers, arrays)
        blocks[[*errors]] = 0  # nothing counts of an episode that the engine broke off
        returns = lives.part(blocks, "total", np.float64).reshape(shape).copy()
        endings[(endings < UNSTABLE) & ~np.isfinite(returns.ravel())] = OVERFLOWN
        return Episodes(
            returns=returns,
            lengths=lives.part(blocks, "steps", np.int64).reshape(shape).copy(),
            endings=endings.reshape(shape),
            statistics=arrays["statistics"].reshape(*shape, -1) if statistics else None,
            trajectories=recorded,
            errors=tuple(dict.fromkeys(errors.values())),
            measures=arrays["measured"].reshape(*shape, -1) if measures else None,
        )
