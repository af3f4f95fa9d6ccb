"""A life, compiled once: begin, then observe, decide and advance, until it ends or the horizon is reached.

An episode is one life, from its beginning to its end. A learner's environment goes on with its life where the last call
left it, and begins another where one ends. Both are the same kernel, for all tasks and networks: these are given as
addresses, and so are the functions that are called before and after each step, where something is to be recorded.

MuJoCo's batch engine runs the kernel once per simulation. The result depends neither on the thread nor on the other
simulations. Memory is allocated outside the kernel, because an engine error leaves it by longjmp.
"""

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any, final

import numpy as np
from numba import carray, types

from evo.envs.engine.compile import ADDRESS, compile_kernel, njit
from evo.envs.engine.physics import (
    Batch,
    StopFlag,
    apply_interruptibly,
    call,
    is_set,
    mj_reset_data,
    pointer,
    snapshot_size,
)
from evo.envs.engine.structs import data_at, model_at, warning_count
from evo.envs.task import OUTCOME, Task
from evo.evaluation.workers import Workers
from evo.networks.network import Network, decide, propagate
from evo.numerics.running_statistics import update_statistics
from evo.numerics.views import argument_of, doubles, floats, integers, lay_out, words

# Ways in which a life can end.
COMPLETED, TERMINATED, UNSTABLE, NOT_FINITE, STOPPED, ENGINE_ERROR, OVERFLOWN, BLIND, ENVIRONMENT_ERROR = range(9)
ENDINGS = ENVIRONMENT_ERROR + 1  # how many
REASONS = {
    UNSTABLE: "the simulation became unstable",
    NOT_FINITE: "an action or a reward was not finite",
    ENGINE_ERROR: "the engine raised an error",
    OVERFLOWN: "the rewards sum to infinity",
    # only in Gymnasium environments
    BLIND: "an observation was not finite",
    ENVIRONMENT_ERROR: "the environment failed",
}

_BLOCK = "begin steps total stream record obs memory engine".split()  # what is kept of a life between two calls
_SCRATCH = "outcome action outputs workspace".split()
_GIVEN = "stop params offsets mean scale clip numbers noise template plan low high blocks scratch".split()
_CALLED = "live reset observe advance remodel measure draw before after".split()
_RESULTS = "endings statistics measured qpos qvel actions observations rewards forces speeds traced".split()
_RESULTS += "following taken marks returns lengths failures memories".split()  # for a learner
_NUMBERS = (
    "episodes horizon rows steps waits every obs_size action_size choices outputs parameters record_size addresses "
    "layers columns memory_size network_scratch nq nv measures measured_record block_size scratch_size"
).split() + [f"{part}_at" for part in _BLOCK + _SCRATCH]
ARGUMENT = np.dtype([(name, np.int64) for name in _GIVEN + _CALLED + _RESULTS + _NUMBERS])


@njit
def all_finite(values: Any) -> bool:
    for index in range(values.size):
        if not math.isfinite(values[index]):
            return False
    return True


@njit
def write(address: int, row: int, values: Any) -> None:
    """Write a row of the float64 array at an address; a loop compiles faster than an assignment to a slice."""
    out = doubles(address + 8 * values.size * row, values.size)
    for index in range(values.size):
        out[index] = values[index]


@njit
def block_of(given: Any, simulation: int) -> int:
    """Return the address of a life's block."""
    block: int = given.blocks + given.block_size * simulation
    return block


@njit
def observation_of(given: Any, simulation: int) -> Any:
    """Return the last observation of a life."""
    return doubles(block_of(given, simulation) + given.obs_at, given.obs_size)


@njit
def _advance(model: Any, data: Any, record: Any, action: Any, outcome: Any, advance: int) -> int:
    """Take one control step; return how the life ended, COMPLETED where it may go on."""
    outcome.terminated = 0
    call(advance, (model, data, record, action, outcome))
    # MuJoCo resets a state that diverges and continues; only the warning counters show it
    if warning_count(data) > 0:
        return UNSTABLE
    if not math.isfinite(outcome.reward):
        return NOT_FINITE
    return TERMINATED if outcome.terminated else COMPLETED


def _live(model_address: int, data_address: int, simulation: int, argument: int) -> None:
    given = carray(pointer(argument), (1,), ARGUMENT)[0]
    model, data = model_at(model_address), data_at(model_address, data_address)
    # what acts, and the bounds of its actions
    individual = simulation // given.episodes
    offsets = integers(given.offsets, individual + 2)
    params = floats(given.params + 4 * offsets[individual], offsets[individual + 1] - offsets[individual])
    plan = carray(pointer(given.plan), (given.layers, given.columns), np.int64)
    mean, scale = doubles(given.mean, given.obs_size), doubles(given.scale, given.obs_size)
    clip = doubles(given.clip, 1)[0]
    low, high = doubles(given.low, given.action_size), doubles(given.high, given.action_size)
    learning = given.draw != 0  # a learner draws actions from the outputs
    # the life, and working memory, as `Lives.fixed` lays them out
    block, at = block_of(given, simulation), given.scratch + given.scratch_size * simulation
    begin, steps = integers(block + given.begin_at, 1), integers(block + given.steps_at, 1)
    total, rng = doubles(block + given.total_at, 1), words(block + given.stream_at, 4)
    record, obs = block + given.record_at, doubles(block + given.obs_at, given.obs_size)
    memory = floats(block + given.memory_at, given.memory_size)
    outcome = carray(pointer(at + given.outcome_at), (1,), OUTCOME)[0]
    action, outputs = doubles(at + given.action_at, given.action_size), doubles(at + given.outputs_at, given.outputs)
    workspace = floats(at + given.workspace_at, given.network_scratch)
    # what is reported of it
    ending = integers(given.endings + 8 * simulation, 1)
    statistics_size = 1 + 2 * given.obs_size if given.statistics else 0
    statistics = doubles(given.statistics + 8 * statistics_size * simulation, statistics_size)
    measured = doubles(given.measured + 8 * given.measures * simulation, given.measures)

    anew, how = begin[0] != 0, COMPLETED
    begin[0], ending[0] = 1, ENGINE_ERROR  # both hold if the engine leaves by longjmp
    for step in range(given.horizon):
        if is_set(given.stop):
            how = STOPPED
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
        if given.before:
            call(given.before, (model_address, data_address, simulation, argument, step, how))
        seen = not learning or all_finite(obs)
        if statistics_size and seen:
            update_statistics(statistics, obs)
        propagate(plan, params, memory, workspace, obs, mean, scale, clip, outputs)
        if learning:
            numbers, noise = doubles(given.numbers, given.parameters), words(given.noise + 32 * simulation, 4)
            taken = floats(given.taken + 4 * given.action_size * (simulation * given.rows + step), given.action_size)
            call(given.draw, (outputs, numbers, low, high, noise, taken, action))
        else:
            decide(outputs, low, high, given.choices, action)
        how = NOT_FINITE
        # an output that is not finite may still be clipped to an action, but a learner computes with the output
        if seen and all_finite(action) and (not learning or all_finite(outputs)):
            how = _advance(model, data, record, action, outcome, given.advance)
            steps[0] += 1
        if how < UNSTABLE:
            total[0] += outcome.reward
            if given.measures:
                call(given.measure, (model, data, record + given.measured_record, steps[0], measured))
            call(given.observe, (model, data, record, obs))
        anew = how != COMPLETED or steps[0] >= given.steps
        if given.after:
            call(given.after, (model_address, data_address, simulation, argument, step, how))
    begin[0], ending[0] = 1 if anew else 0, how


_WHERE, _WHERE_NAMES = (ADDRESS, ADDRESS, types.int32, ADDRESS), "model_address, data_address, simulation, argument"


@functools.cache
def kernel_address(kernel: Callable[..., None] = _live) -> int:
    """Return the address of a compiled function of (model_address, data_address, simulation, argument)."""
    address: int = compile_kernel(kernel, _WHERE, _WHERE_NAMES).address
    return address


@functools.cache
def recorder_address(recorder: Callable[..., None]) -> int:
    """Return the address of a compiled function that is called before or after each step.

    It takes what a kernel does, then the number of the step in this call, and how the life goes, one of the endings.
    """
    arguments = (*_WHERE, types.int64, types.int64)
    address: int = compile_kernel(recorder, arguments, f"{_WHERE_NAMES}, step, how").address
    return address


@final
class Lives:
    """The lives of simulations of a task whose actions a network chooses, on the threads of `workers`.

    kept: whether a life is taken up again, so that its block holds the engine's state too.
    A block is the whole state of a life, between two calls.
    Raises KernelError for a task or layer that does not compile, EngineError where MuJoCo refuses the model.
    """

    def __init__(self, task: Task, network: Network, workers: Workers, kept: bool) -> None:
        self.task, self.network, self.workers, self.kept = task, network, workers, kept
        # the initial record as bytes, padded to whole words
        self._template = np.zeros(-(-task.record.nbytes // 8) * 8, np.uint8)
        self._template[: task.record.nbytes] = np.frombuffer(task.record.tobytes(), np.uint8)
        self._stop = StopFlag()
        self._batch: Batch | None = None
        self._scratch = np.zeros(0, np.uint8)

    @functools.cached_property
    def _plan(self) -> np.ndarray:
        return self.network.plan_until(self._stop.address)

    @functools.cached_property
    def fixed(self) -> dict[str, int]:
        """The fields of the kernel's argument that are the same in every call."""
        task, network = self.task, self.network
        reset, observe, advance, remodel = task.kernels
        assert task.action_low is not None and task.action_high is not None
        memory_size = network.memory_size + network.memory_size % 2  # so that what follows is aligned
        block = lay_out(
            begin=8,  # whether to begin a new life
            steps=8,  # control steps of this one
            total=8,  # its return
            stream=32,  # of the resets
            record=len(self._template),
            obs=8 * task.observation_size,
            memory=4 * memory_size,
            engine=snapshot_size(task.model) if self.kept else 0,
        )
        scratch = lay_out(
            outcome=OUTCOME.itemsize,
            action=8 * task.action_size,
            outputs=8 * network.outputs,
            workspace=4 * network.scratch_size,
        )
        return {
            "block_size": block.pop("end"),
            "scratch_size": scratch.pop("end"),
            **block,
            **scratch,
            "stop": self._stop.address,
            "reset": reset,
            "observe": observe,
            "advance": advance,
            "remodel": remodel,
            "template": self._template.ctypes.data,
            "plan": self._plan.ctypes.data,
            "low": task.action_low.ctypes.data,
            "high": task.action_high.ctypes.data,
            "obs_size": task.observation_size,
            "action_size": task.action_size,
            "choices": task.choices,
            "outputs": network.outputs,
            "record_size": len(self._template),
            "addresses": task.addresses,
            "layers": len(network.layers),
            "columns": self._plan.shape[1],
            "memory_size": memory_size,
            "network_scratch": network.scratch_size,
            "nq": task.model.nq,
            "nv": task.model.nv,
        }

    def prepare(self) -> None:
        """Compile the kernels, or load them from the cache."""
        kernel_address()
        assert self.fixed

    def begin(self, streams: np.ndarray) -> np.ndarray:
        """Return blocks of lives that are about to begin, uint8 (lives, bytes of a block).

        streams: uint64 (lives, 4), the random streams of their resets.
        """
        blocks = np.zeros((len(streams), self.fixed["block_size"]), np.uint8)
        self.part(blocks, "begin", np.int64)[:] = 1
        self.part(blocks, "stream", np.uint64, 4)[:] = streams
        return blocks

    def part(self, blocks: np.ndarray, name: str, kind: Any, count: int = 1) -> np.ndarray:
        """Return a view of a part of all blocks, of `count` numbers of 8 bytes each: (lives, count)."""
        at = self.fixed[f"{name}_at"]
        return blocks[:, at : at + 8 * count].view(kind)

    def live(
        self,
        blocks: np.ndarray,
        numbers: Mapping[str, int],
        arrays: Mapping[str, np.ndarray],
        kernel: Callable[..., None] = _live,
    ) -> tuple[np.ndarray, dict[int, str]]:
        """Live on for up to `horizon` steps; `blocks` and the arrays that are wanted are changed in place.

        numbers, arrays: the other fields of the kernel's argument. kernel: what is run; it calls `live`.
        Returns how each life ended last, int64 (lives,), and the engine's messages by life.
        """
        count, task = len(blocks), self.task
        if self._batch is None or self._batch.simulations < count:
            self._batch = Batch(task.model, count, self.workers.threads, own_models=task.remodel is not None)
            self._scratch = np.zeros(count * self.fixed["scratch_size"], np.uint8)
        endings, clip = np.full(count, STOPPED), np.array([self.network.clip_observation])
        own = {"blocks": blocks, "scratch": self._scratch, "endings": endings, "clip": clip}
        argument = argument_of(ARGUMENT, {**self.fixed, "live": kernel_address(), **numbers}, {**arrays, **own})
        run = kernel_address(kernel)
        return endings, apply_interruptibly(self._batch, run, argument.ctypes.data, count, self._stop)
