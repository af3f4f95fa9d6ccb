"""The compiled episode: reset, then observe, decide and advance until the end; one kernel for all tasks and networks.

MuJoCo's batch engine runs it once per simulation; simulation i is episode i % episodes of individual i // episodes.
Tasks and networks are passed as addresses, so the kernel is compiled once. Scratch memory is allocated outside the
kernel because an engine error leaves it by longjmp. The result depends neither on the thread nor on the other
simulations.
"""

import functools
import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numba import carray, types

from evo.envs.engine.compile import ADDRESS, compile_kernel, njit
from evo.envs.engine.physics import Batch, StopFlag, apply_interruptibly, call, is_set, mj_reset_data, pointer
from evo.envs.engine.random import streams
from evo.envs.engine.structs import data_at, model_at, warning_count
from evo.envs.task import OUTCOME, Task
from evo.evaluation.workers import Workers
from evo.genomes.rows import Rows, rows_for
from evo.networks.network import Network, act
from evo.numerics.running_statistics import update_statistics
from evo.numerics.views import argument_of, doubles, floats, integers, lay_out, words

# Ways in which an episode can end.
COMPLETED, TERMINATED, UNSTABLE, NOT_FINITE, STOPPED, ENGINE_ERROR, OVERFLOWN, BLIND, ENVIRONMENT_ERROR = range(9)
REASONS = {
    UNSTABLE: "the simulation became unstable",
    NOT_FINITE: "an action or a reward was not finite",
    ENGINE_ERROR: "the engine raised an error",
    OVERFLOWN: "the rewards sum to infinity",
    # only in Gymnasium environments
    BLIND: "an observation was not finite",
    ENVIRONMENT_ERROR: "the environment failed",
}
SCRATCH_BYTES = 256 * 2**20

_POINTERS = (
    "stop params offsets mean scale clip streams reset observe advance remodel template plan low high rewards lengths "
    "endings statistics scratch qpos qvel observations actions step_rewards measure measured"
).split()
_NUMBERS = (
    "first episodes obs_size action_size choices outputs steps record_size addresses layers columns "
    "memory_size network_scratch scratch_size recording nq nv measures measured_record"
).split() + [f"{part}_at" for part in "stream outcome record obs action outputs memory workspace".split()]
ARGUMENT = np.dtype([(name, np.int64) for name in _POINTERS + _NUMBERS])


@njit
def all_finite(values: Any) -> bool:
    for index in range(values.size):
        if not math.isfinite(values[index]):
            return False
    return True


@njit
def advance_once(model: Any, data: Any, record: Any, action: Any, outcome: Any, advance: int) -> int:
    """Take one control step; return how the episode ended, COMPLETED where it may go on."""
    call(advance, (model, data, record, action, outcome))
    # MuJoCo resets a state that diverges and continues; only the warning counters show it
    if warning_count(data) > 0:
        return UNSTABLE
    if not math.isfinite(outcome.reward):
        return NOT_FINITE
    return TERMINATED if outcome.terminated else COMPLETED


def _episode(model_address: int, data_address: int, simulation: int, argument: int) -> None:
    given = carray(pointer(argument), (1,), ARGUMENT)[0]
    if is_set(given.stop):
        return
    model, data = model_at(model_address), data_at(model_address, data_address)
    individual, number = simulation // given.episodes, simulation % given.episodes
    offsets = integers(given.offsets, individual + 2)
    params = floats(given.params + 4 * offsets[individual], offsets[individual + 1] - offsets[individual])
    mean, scale = doubles(given.mean, given.obs_size), doubles(given.scale, given.obs_size)
    low, high = doubles(given.low, given.action_size), doubles(given.high, given.action_size)
    clip = doubles(given.clip, 1)[0]
    plan = carray(pointer(given.plan), (given.layers, given.columns), np.int64)
    total, length = doubles(given.rewards, simulation + 1), integers(given.lengths, simulation + 1)
    ending = integers(given.endings, simulation + 1)
    statistics_size = 1 + 2 * given.obs_size if given.statistics else 0
    statistics = doubles(given.statistics + 8 * statistics_size * simulation, statistics_size)
    measured = doubles(given.measured + 8 * given.measures * simulation, given.measures)

    at = given.scratch + given.scratch_size * simulation  # laid out by `Evaluator._fixed`
    rng, outcome = words(at + given.stream_at, 4), carray(pointer(at + given.outcome_at), (1,), OUTCOME)[0]
    record, obs = at + given.record_at, doubles(at + given.obs_at, given.obs_size)
    action, outputs = doubles(at + given.action_at, given.action_size), doubles(at + given.outputs_at, given.outputs)
    memory = floats(at + given.memory_at, given.memory_size)
    scratch = floats(at + given.workspace_at, given.network_scratch)

    ending[simulation] = ENGINE_ERROR  # holds if the engine leaves by longjmp
    rng[:] = words(given.streams + 32 * number, 4)
    integers(record, given.record_size // 8)[:] = integers(given.template, given.record_size // 8)
    memory[:] = np.float32(0)
    outcome.terminated = 0
    reward, steps, how = 0.0, 0, COMPLETED

    mj_reset_data(model, data)
    call(given.reset, (model, data, record, rng))
    for step in range(given.steps):
        if is_set(given.stop):
            how = STOPPED
            break
        call(given.observe, (model, data, record, obs))
        if statistics_size:
            update_statistics(statistics, obs)
        act(plan, params, memory, scratch, obs, mean, scale, clip, low, high, given.choices, outputs, action)
        if given.recording:
            row = simulation * (given.steps + 1) + step
            doubles(given.qpos + 8 * given.nq * row, given.nq)[:] = data.qpos
            doubles(given.qvel + 8 * given.nv * row, given.nv)[:] = data.qvel
            doubles(given.observations + 8 * given.obs_size * row, given.obs_size)[:] = obs
            doubles(given.actions + 8 * given.action_size * row, given.action_size)[:] = action
        if not all_finite(action):
            how = NOT_FINITE
            break
        how = advance_once(model, data, record, action, outcome, given.advance)
        steps += 1
        if how >= UNSTABLE:
            break
        reward += outcome.reward
        if given.measures:
            call(given.measure, (model, data, record + given.measured_record, steps, measured))
        if given.recording:
            doubles(given.step_rewards, simulation * (given.steps + 1) + step + 1)[-1] = outcome.reward
        if how == TERMINATED:
            break
    if how < UNSTABLE and not math.isfinite(reward):
        how = OVERFLOWN
    if given.recording:
        row = simulation * (given.steps + 1) + steps
        call(given.observe, (model, data, record, obs))
        doubles(given.qpos + 8 * given.nq * row, given.nq)[:] = data.qpos
        doubles(given.qvel + 8 * given.nv * row, given.nv)[:] = data.qvel
        doubles(given.observations + 8 * given.obs_size * row, given.obs_size)[:] = obs
    total[simulation], length[simulation], ending[simulation] = reward, steps, how


@functools.cache
def _kernel() -> Any:
    arguments = (ADDRESS, ADDRESS, types.int32, ADDRESS)
    return compile_kernel(_episode, arguments, "model_address, data_address, simulation, argument")


def template_of(task: Task) -> np.ndarray:
    """Return the initial record of an episode as bytes, padded to whole words; keep it alive while kernels use it."""
    template = np.zeros(-(-task.record.nbytes // 8) * 8, np.uint8)
    template[: task.record.nbytes] = np.frombuffer(task.record.tobytes(), np.uint8)
    return template


def plug(task: Task, network: Network, template: np.ndarray) -> dict[str, int]:
    """Return the addresses and sizes of a task and a network for compiled code. Raises KernelError."""
    reset, observe, advance, remodel = task.kernels
    assert task.action_low is not None and task.action_high is not None
    return {
        "reset": reset,
        "observe": observe,
        "advance": advance,
        "remodel": remodel,
        "template": template.ctypes.data,
        "plan": network.plan.ctypes.data,
        "low": task.action_low.ctypes.data,
        "high": task.action_high.ctypes.data,
        "obs_size": task.observation_size,
        "action_size": task.action_size,
        "choices": task.choices,
        "outputs": task.outputs,
        "record_size": len(template),
        "addresses": task.addresses,
        "layers": len(network.layers),
        "columns": network.plan.shape[1],
        "memory_size": network.memory_size + network.memory_size % 2,
        "network_scratch": network.scratch_size,
    }


class Trajectories(NamedTuple):
    """Recorded trajectories of every simulation: row t holds the state before step t, the last row the final state."""

    qpos: np.ndarray  # (simulations, steps + 1, nq)
    qvel: np.ndarray  # (simulations, steps + 1, nv)
    observations: np.ndarray  # (simulations, steps + 1, observation_size)
    actions: np.ndarray  # (simulations, steps + 1, action_size)
    rewards: np.ndarray  # (simulations, steps + 1)


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
        self.task, self.network, self.workers, self._template = task, network, workers, template_of(task)
        self._stop = StopFlag()
        self._batch: Batch | None = None
        self._scratch = np.zeros(0, np.uint8)

    @functools.cached_property
    def _fixed(self) -> dict[str, int]:
        """The fields of the episode's argument that are the same in every call."""
        plugged = plug(self.task, self.network, self._template) | {"stop": self._stop.address}
        scratch = lay_out(
            stream=32,
            outcome=OUTCOME.itemsize,
            record=plugged["record_size"],
            obs=8 * plugged["obs_size"],
            action=8 * plugged["action_size"],
            outputs=8 * plugged["outputs"],
            memory=4 * plugged["memory_size"],
            workspace=4 * plugged["network_scratch"],
        )
        model = self.task.model
        sizes = {"scratch_size": scratch.pop("end"), "nq": model.nq, "nv": model.nv}
        return plugged | scratch | sizes

    def prepare(self) -> None:
        """Compile the kernels, or load them from the cache."""
        _kernel()
        assert self._fixed

    def starts(self, seeds: np.ndarray) -> np.ndarray:
        """Return the random streams for the episodes of `seeds`, as `run` takes them: uint64 (episodes, 4)."""
        return streams(seeds)

    def capacity(self, episodes: int) -> int:
        """Return how many individuals of `episodes` episodes each fit the memory for scratch at once (at least one)."""
        statistics = 8 * (1 + 2 * self.task.observation_size)
        model = self.task.model.nbuffer if self.task.remodel is not None else 0
        per_individual = episodes * (self._fixed["scratch_size"] + statistics + 24 + model) + 4 * self.network.size
        return max(1, SCRATCH_BYTES // per_individual)

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
        task, fixed = self.task, self._fixed
        rows = rows_for(self.network, params)
        individuals, episodes = len(rows), len(streams)
        count = individuals * episodes
        for name, array in (("mean", mean), ("scale", scale)):
            if array.shape != (task.observation_size,):
                raise ValueError(f"{name} of shape {array.shape}; it must be ({task.observation_size},)")
        steps = task.steps if steps is None else steps
        streams = np.ascontiguousarray(streams, np.uint64)
        mean, scale = np.ascontiguousarray(mean, np.float64), np.ascontiguousarray(scale, np.float64)
        rewards, lengths, endings = np.zeros(count), np.zeros(count, np.int64), np.full(count, STOPPED)
        seen = np.zeros((count, 1 + 2 * task.observation_size)) if statistics else None
        recorded = None
        if recording:
            shapes = (fixed["nq"],), (fixed["nv"],), (task.observation_size,), (task.action_size,), ()
            recorded = Trajectories(*(np.zeros((count, steps + 1, *shape)) for shape in shapes))
        self._reserve(count)
        arrays: dict[str, np.ndarray] = {
            "params": rows.values,
            "offsets": rows.offsets,
            "streams": streams,
            "mean": mean,
            "scale": scale,
        }
        arrays |= {"clip": np.array([self.network.clip_observation]), "rewards": rewards}
        arrays |= {"lengths": lengths, "endings": endings, "scratch": self._scratch}
        if seen is not None:
            arrays["statistics"] = seen
        if recorded is not None:
            arrays |= {"qpos": recorded.qpos, "qvel": recorded.qvel, "observations": recorded.observations}
            arrays |= {"actions": recorded.actions, "step_rewards": recorded.rewards}
        numbers = fixed | {"episodes": episodes, "steps": steps, "recording": recording}
        measured = None
        if measures:
            measured = np.zeros((count, len(task.measures)))
            arrays["measured"] = measured
            numbers["measures"] = len(task.measures)
            numbers["measure"], numbers["measured_record"] = task.measuring
        argument = argument_of(ARGUMENT, numbers, arrays)
        assert self._batch is not None
        errors = apply_interruptibly(self._batch, _kernel().address, argument.ctypes.data, count, self._stop)
        shape = (individuals, episodes)
        return Episodes(
            returns=rewards.reshape(shape),
            lengths=lengths.reshape(shape),
            endings=endings.reshape(shape),
            statistics=None if seen is None else seen.reshape(*shape, -1),
            trajectories=recorded,
            errors=tuple(dict.fromkeys(errors.values())),
            measures=None if measured is None else measured.reshape(*shape, -1),
        )

    def _reserve(self, count: int) -> None:
        """Allocate a batch and scratch for at least `count` simulations, unless those at hand are large enough."""
        if self._batch is None or self._batch.simulations < count:
            self._batch = Batch(self.task.model, count, self.workers.threads, own_models=self.task.remodel is not None)
            self._scratch = np.zeros(count * self._fixed["scratch_size"], np.uint8)
