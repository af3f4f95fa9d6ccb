"""Experience collection: environments that persist between calls, with actions sampled inside the compiled step.

One simulation is one environment. Its state is a block of bytes, the engine's state included. So the result depends
neither on threads nor on the other environments, and a checkpoint consists of the blocks.
"""

import functools
import math
from typing import Any, NamedTuple

import numpy as np
from numba import carray, types

from evo.envs.engine.compile import ADDRESS, compile_kernel, njit
from evo.envs.engine.physics import (
    Batch,
    StopFlag,
    apply_interruptibly,
    call,
    is_kept_whole,
    is_set,
    load_data,
    mj_reset_data,
    pointer,
    save_data,
    snapshot_size,
)
from evo.envs.engine.random import random, standard_normal
from evo.envs.engine.structs import data_at, model_at
from evo.envs.task import OUTCOME, Task
from evo.evaluation.episode import (
    ENGINE_ERROR,
    ENVIRONMENT_ERROR,
    NOT_FINITE,
    REASONS,
    TERMINATED,
    UNSTABLE,
    advance_once,
    all_finite,
    plug,
    template_of,
)
from evo.evaluation.workers import Workers
from evo.genomes.rows import rows_for
from evo.networks.network import Network, decide, propagate
from evo.numerics.advantages import CUT_OFF, ENDED, FAILED, GOING_ON
from evo.numerics.running_statistics import normalise, update_statistics
from evo.numerics.views import argument_of, doubles, floats, integers, lay_out, words

_ENDINGS = ENVIRONMENT_ERROR + 1  # number of ways in which an episode can end

_POINTERS = (
    "stop params mean scale clip deviation noise reset observe advance remodel template plan low high blocks scratch "
    "observations actions rewards marks returns lengths failures statistics memories"
).split()
_NUMBERS = (
    "params_size params_step obs_size action_size choices outputs steps record_size addresses layers columns "
    "memory_size network_scratch block_size scratch_size horizon rows waits every"
).split()
_BLOCK = "begin steps total stream record obs memory engine".split()
_SCRATCH = "outcome action outputs workspace".split()
_NUMBERS += [f"{part}_at" for part in _BLOCK + _SCRATCH]
_ARGUMENT = np.dtype([(name, np.int64) for name in _POINTERS + _NUMBERS])


class Experience(NamedTuple):
    """The steps of every environment, in order; an environment in which the engine failed has fewer steps.

    observations: float32 (environments, horizon + 1 + cuts, observation_size), normalised: those acted upon, then the
    one after the last step, then the last ones of truncated episodes, in order.
    actions: float32 (environments, horizon, outputs) before clipping, or (environments, horizon, 1), the index of a
    choice.
    rewards: float64 (environments, horizon).
    marks: int64 (environments, horizon), GOING_ON, ENDED by the task, CUT_OFF at the episode's last step, or FAILED.
    returns: float64 (environments, horizon), the return of an episode that ended with this step, else NaN.
    lengths: int64 (environments,), steps taken; fewer than the horizon where the engine failed or the environment
    waits.
    failures: reason → number of episodes that failed for it.
    errors: distinct messages of the engine.
    statistics: float64 (environments, 1 + 2 observation_size), count, mean and M2 of the observations acted upon.
    memories: float32 (environments, horizon // every, network.memory_size), the network's memory before every
    `every`-th step, from the first on; no rows where `every` is 0.
    """

    observations: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    marks: np.ndarray
    returns: np.ndarray
    lengths: np.ndarray
    failures: dict[str, int]
    errors: tuple[str, ...]
    statistics: np.ndarray
    memories: np.ndarray


@njit
def sample_choice(outputs: Any, noise: Any) -> int:
    """Sample a choice from the softmax of the outputs, by inversion."""
    greatest, total = outputs.max(), 0.0
    for index in range(outputs.size):
        total += math.exp(outputs[index] - greatest)
    left = random(noise) * total
    for index in range(outputs.size - 1):
        left -= math.exp(outputs[index] - greatest)
        if left < 0.0:
            return index
    return outputs.size - 1


def _collect(model_address: int, data_address: int, simulation: int, argument: int) -> None:
    given = carray(pointer(argument), (1,), _ARGUMENT)[0]
    model, data = model_at(model_address), data_at(model_address, data_address)
    params = floats(given.params + 4 * given.params_step * simulation, given.params_size)
    plan = carray(pointer(given.plan), (given.layers, given.columns), np.int64)
    mean, scale = doubles(given.mean, given.obs_size), doubles(given.scale, given.obs_size)
    low, high = doubles(given.low, given.action_size), doubles(given.high, given.action_size)
    clip = doubles(given.clip, 1)[0]
    noisy, deviation = given.noise != 0, doubles(given.deviation, given.outputs)
    noise = words(given.noise + 32 * simulation, 4)
    first = simulation * given.horizon
    rewards, marks = doubles(given.rewards + 8 * first, given.horizon), integers(given.marks + 8 * first, given.horizon)
    returns, length = doubles(given.returns + 8 * first, given.horizon), integers(given.lengths + 8 * simulation, 1)
    failures = integers(given.failures + 8 * simulation * _ENDINGS, _ENDINGS)
    statistics = doubles(given.statistics + 8 * (1 + 2 * given.obs_size) * simulation, 1 + 2 * given.obs_size)
    taken_size = 1 if given.choices else given.outputs
    taken = floats(given.actions + 4 * taken_size * first, taken_size * given.horizon)
    seen = floats(given.observations + 4 * given.obs_size * given.rows * simulation, given.obs_size * given.rows)

    block = given.blocks + given.block_size * simulation  # laid out, as is the scratch, by `Collector._fixed`
    begin, steps = integers(block + given.begin_at, 1), integers(block + given.steps_at, 1)
    total, rng = doubles(block + given.total_at, 1), words(block + given.stream_at, 4)
    record, obs = block + given.record_at, doubles(block + given.obs_at, given.obs_size)
    memory, engine_at = floats(block + given.memory_at, given.memory_size), block + given.engine_at
    at = given.scratch + given.scratch_size * simulation
    outcome = carray(pointer(at + given.outcome_at), (1,), OUTCOME)[0]
    action, outputs = doubles(at + given.action_at, given.action_size), doubles(at + given.outputs_at, given.outputs)
    scratch = floats(at + given.workspace_at, given.network_scratch)

    anew, cuts = begin[0] != 0, 0
    integers(record, given.addresses)[:] = integers(given.template, given.addresses)
    mj_reset_data(model, data)
    if given.remodel and not anew:
        call(given.remodel, (model, data, record))
    load_data(data, engine_at)
    begin[0] = 1  # holds if the engine leaves by longjmp
    for step in range(given.horizon):
        if is_set(given.stop):
            break
        if anew and step and given.waits:
            break
        if anew:
            integers(record, given.record_size // 8)[:] = integers(given.template, given.record_size // 8)
            memory[:] = np.float32(0)
            steps[0], total[0], anew = 0, 0.0, False
            mj_reset_data(model, data)
            call(given.reset, (model, data, record, rng))
            call(given.observe, (model, data, record, obs))
        if given.every and step % given.every == 0:
            stored = simulation * (given.horizon // given.every) + step // given.every
            floats(given.memories + 4 * given.memory_size * stored, given.memory_size)[:] = memory
        fine = all_finite(obs)
        if fine:
            update_statistics(statistics, obs)
        _write(seen, step, obs, mean, scale, clip)
        propagate(plan, params, memory, scratch, obs, mean, scale, clip, outputs)
        if not noisy:
            decide(outputs, low, high, given.choices, action)
            for index in range(taken_size):
                taken[step * taken_size + index] = action[0] if given.choices else outputs[index]
        elif given.choices:
            action[0] = taken[step] = sample_choice(outputs, noise)
        else:
            for index in range(given.outputs):
                # rounded to float32, which the learner sees, before it is clipped for the task
                sampled = np.float32(outputs[index] + deviation[index] * standard_normal(noise))
                taken[step * taken_size + index] = sampled
                action[index] = min(max(np.float64(sampled), low[index]), high[index])
        outcome.terminated = 0
        how = NOT_FINITE
        if fine and all_finite(outputs) and all_finite(action):
            how = advance_once(model, data, record, action, outcome, given.advance)
        steps[0] += 1
        length[0] = step + 1
        if how >= UNSTABLE:
            failures[how] += 1
            marks[step], anew = FAILED, True
            continue
        rewards[step] = outcome.reward
        total[0] += outcome.reward
        call(given.observe, (model, data, record, obs))
        if how == TERMINATED:
            marks[step] = ENDED
        elif steps[0] >= given.steps:
            marks[step] = CUT_OFF
            _write(seen, given.horizon + 1 + cuts, obs, mean, scale, clip)
            cuts += 1
        if marks[step] != GOING_ON:
            returns[step], anew = total[0], True
    _write(seen, given.horizon, obs, mean, scale, clip)
    save_data(data, engine_at)
    begin[0] = 1 if anew else 0


@njit
def _write(seen: Any, row: int, obs: Any, mean: Any, scale: Any, clip: float) -> None:
    """Write an observation, normalised as the network receives it, to row `row` of `seen`."""
    normalise(obs, mean, scale, clip, seen[row * obs.size : (row + 1) * obs.size])


@functools.cache
def _kernel() -> Any:
    arguments = (ADDRESS, ADDRESS, types.int32, ADDRESS)
    return compile_kernel(_collect, arguments, "model_address, data_address, simulation, argument")


class Collector:
    """Collects `horizon` steps a call from each of `environments` environments of a task, on the threads of `workers`.

    The network chooses the actions.
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
        self.task, self.network, self._template = task, network, template_of(task)
        self.environments, self.horizon, self.workers, self.waits = environments, horizon, workers, waits
        self.every = every
        # an episode is truncated at most once in task.steps steps
        self.cuts = -(-horizon // task.steps)
        self._stop = StopFlag()
        self._batch: Batch | None = None

    @functools.cached_property
    def _fixed(self) -> dict[str, int]:
        """The fields of the kernel argument that are the same in every call."""
        plugged = plug(self.task, self.network, self._template) | {"stop": self._stop.address}
        plugged["params_size"] = self.network.size
        block = lay_out(
            begin=8,  # whether to begin a new episode
            steps=8,  # control steps of this one
            total=8,  # its return
            stream=32,  # of the resets
            record=plugged["record_size"],
            obs=8 * plugged["obs_size"],
            memory=4 * plugged["memory_size"],
            engine=snapshot_size(self.task.model),
        )
        scratch = lay_out(
            outcome=OUTCOME.itemsize,
            action=8 * plugged["action_size"],
            outputs=8 * plugged["outputs"],
            workspace=4 * plugged["network_scratch"],
        )
        sizes = {"block_size": block.pop("end"), "scratch_size": scratch.pop("end")}
        return (
            plugged
            | block
            | scratch
            | sizes
            | {
                "steps": self.task.steps,
                "horizon": self.horizon,
                "rows": self.horizon + 1 + self.cuts,
                "waits": int(self.waits),
                "every": self.every,
            }
        )

    def prepare(self) -> None:
        """Compile the kernels, or load them from the cache."""
        _kernel()
        assert self._fixed

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the blocks: (environments, bytes of a block)."""
        return self.environments, self._fixed["block_size"]

    def begin(self, streams: np.ndarray) -> np.ndarray:
        """Return blocks of environments at the beginning of their first episode.

        streams: uint64 (environments, 4), random streams for all resets.
        """
        blocks = np.zeros(self.shape, np.uint8)
        begin, stream = self._fixed["begin_at"], self._fixed["stream_at"]
        blocks[:, begin : begin + 8].view(np.int64)[:] = 1
        blocks[:, stream : stream + 32].view(np.uint64)[:] = streams
        return blocks

    def collect(
        self,
        blocks: np.ndarray,
        params: np.ndarray,
        deviation: np.ndarray,
        noise: np.ndarray | None,
        mean: np.ndarray,
        scale: np.ndarray,
    ) -> tuple[np.ndarray, Experience]:
        """Take `horizon` steps in every environment; return the new blocks and the experience.

        blocks: from `begin` or the last call.
        params: float32 (size,), or (environments, size), one row for each environment.
        deviation: float64 (outputs,), the standard deviation of the actions around the network's outputs.
        noise: uint64 (environments, 4), random streams for the actions; None: actions without noise, as in a scored
        episode.
        mean, scale: float64 (observation_size,), the frozen normalisation.
        Raises ValueError for parameters of another shape.
        """
        task, fixed, count = self.task, self._fixed, self.environments
        blocks = blocks.copy()
        params, deviation = np.ascontiguousarray(params, np.float32), np.ascontiguousarray(deviation, np.float64)
        mean, scale = np.ascontiguousarray(mean, np.float64), np.ascontiguousarray(scale, np.float64)
        observations = np.zeros((count, fixed["rows"], task.observation_size), np.float32)
        actions = np.zeros((count, self.horizon, 1 if task.choices else task.outputs), np.float32)
        rewards, returns = np.zeros((count, self.horizon)), np.full((count, self.horizon), np.nan)
        marks, lengths = np.zeros((count, self.horizon), np.int64), np.zeros(count, np.int64)
        failures = np.zeros((count, _ENDINGS), np.int64)
        statistics = np.zeros((count, 1 + 2 * task.observation_size))
        rows = self.horizon // self.every if self.every else 0
        memories = np.zeros((count, rows, fixed["memory_size"]), np.float32)
        scratch = np.zeros((count, fixed["scratch_size"]), np.uint8)
        arrays = {"params": params, "mean": mean, "scale": scale, "deviation": deviation}
        arrays["clip"] = np.array([self.network.clip_observation])
        if noise is not None:
            arrays["noise"] = np.array(noise, np.uint64)
        arrays |= {"blocks": blocks, "scratch": scratch, "observations": observations, "actions": actions}
        arrays |= {"rewards": rewards, "marks": marks, "returns": returns, "lengths": lengths}
        arrays |= {"failures": failures, "statistics": statistics, "memories": memories}
        if params.shape not in ((self.network.size,), (count, self.network.size)):
            raise ValueError(f"parameters of shape {params.shape}: {count} environments take {self.network.size} each")
        if self.network.own_length:
            rows_for(self.network, np.atleast_2d(params))  # not every row of this length need be such as it takes
        each = {"params_step": self.network.size if params.ndim == 2 else 0}
        argument = argument_of(_ARGUMENT, fixed | each, arrays)
        if self._batch is None:
            self._batch = Batch(task.model, count, self.workers.threads, own_models=task.remodel is not None)
        errors = apply_interruptibly(self._batch, _kernel().address, argument.ctypes.data, count, self._stop)
        for environment in errors:
            failures[environment, ENGINE_ERROR] += 1
            if lengths[environment] == self.horizon:  # an error after the last step, which the length does not show
                marks[environment, -1] = FAILED
        record = fixed["record_at"]
        blocks[:, record : record + 8 * task.addresses] = 0  # addresses differ between processes; a block must not
        totals = failures.sum(axis=0)
        return blocks, Experience(
            observations=observations,
            actions=actions,
            rewards=rewards,
            marks=marks,
            returns=returns,
            lengths=lengths,
            failures={REASONS[how]: int(total) for how, total in enumerate(totals) if total and how in REASONS},
            errors=tuple(dict.fromkeys(errors.values())),
            statistics=statistics,
            memories=memories[:, :, : self.network.memory_size],
        )
