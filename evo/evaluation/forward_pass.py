"""Batched inference of a population on a data set, compiled.

MuJoCo's batch engine runs it on its thread pool, as it runs episodes, with an empty model: a simulation is one
individual on some of the examples. The losses of examples are stored separately and summed in the examples' order
afterwards, so that the result does not depend on how the examples were divided. It uses no BLAS but the layers' own
step functions, as rollouts do.
"""

import functools
import math
from typing import Any, NamedTuple

import mujoco
import numpy as np
from numba import carray, types

from evo.datasets import CROSS_ENTROPY
from evo.envs.engine.compile import ADDRESS, compile_kernel, njit
from evo.envs.engine.physics import Batch, StopFlag, apply_interruptibly, is_set, pointer
from evo.evaluation.workers import Workers
from evo.genomes.rows import Rows, rows_for
from evo.networks.network import Network
from evo.networks.program import walk
from evo.numerics.views import argument_of, doubles, floats, integers

SCRATCH_BYTES = 256 * 2**20
_BRIEF = 2**22  # numbers read, at most, by work that a signal waits for: some milliseconds
_LEAST = 32  # least number of examples of a simulation, where an individual's examples are divided
_POINTERS = "stop params offsets plan inputs targets rows scratch losses hits answers".split()
_NUMBERS = (
    "individuals layers columns memory_size network_scratch scratch_size examples share shares steps "
    "features predictions width outputs classes answering remembers"
).split()
_ARGUMENT = np.dtype([(name, np.int64) for name in _POINTERS + _NUMBERS])


@njit(error_model="numpy")
def cross_entropy(outputs: Any, target: int) -> tuple[float, float]:
    """Return -log softmax(outputs)[target], in nats, and 1 where the target has the greatest output, else 0.

    Of equal outputs the first is the greatest.
    """
    best, total = 0, 0.0
    for index in range(outputs.size):
        if outputs[index] > outputs[best]:
            best = index
    for index in range(outputs.size):
        total += math.exp(np.float64(outputs[index]) - np.float64(outputs[best]))
    return math.log(total) + np.float64(outputs[best]) - np.float64(outputs[target]), 1.0 if best == target else 0.0


@njit
def squared_error(outputs: Any, targets: Any) -> float:
    """Return the squared error, averaged over the outputs."""
    total = 0.0
    for index in range(outputs.size):
        difference = np.float64(outputs[index]) - np.float64(targets[index])
        total += difference * difference
    return total / outputs.size


def _forward(model_address: int, data_address: int, simulation: int, argument: int) -> None:
    given = carray(pointer(argument), (1,), _ARGUMENT)[0]
    individual, share = simulation // given.shares, simulation % given.shares
    offsets = integers(given.offsets, individual + 2)
    params = floats(given.params + 4 * offsets[individual], offsets[individual + 1] - offsets[individual])
    plan = carray(pointer(given.plan), (given.layers, given.columns), np.int64)
    at = given.scratch + given.scratch_size * simulation
    memory, scratch = floats(at, given.memory_size), floats(at + 4 * given.memory_size, given.network_scratch)
    rows = integers(given.rows, given.examples)
    first = share * given.share
    for example in range(first, min(first + given.share, given.examples)):
        if is_set(given.stop):
            return
        inputs_at = given.inputs + 4 * given.steps * given.features * rows[example]
        targets_at = given.targets + 4 * given.predictions * given.width * rows[example]
        loss, hits = 0.0, 0.0
        if given.remembers or example == first:  # else it is working space, and what is in it does not count
            memory[:] = np.float32(0)
        for step in range(given.steps):
            scratch[: given.features] = floats(inputs_at + 4 * step * given.features, given.features)
            count, start = walk(plan, params, memory, scratch, given.features)
            prediction = step - (given.steps - given.predictions)
            if prediction < 0:
                continue
            outputs = scratch[start : start + count]
            target = floats(targets_at + 4 * prediction * given.width, given.width)
            if given.classes:
                of_step, hit = cross_entropy(outputs, int(target[0]))
                loss += of_step
                hits += hit
            else:
                loss += squared_error(outputs, target)
            if given.answering:
                place = ((individual * given.examples + example) * given.predictions + prediction) * count
                floats(given.answers + 4 * place, count)[:] = outputs
        place = individual * given.examples + example
        doubles(given.losses, place + 1)[place] = loss / given.predictions
        doubles(given.hits, place + 1)[place] = hits / given.predictions


@functools.cache
def _kernel() -> Any:
    arguments = (ADDRESS, ADDRESS, types.int32, ADDRESS)
    return compile_kernel(_forward, arguments, "model_address, data_address, simulation, argument")


@functools.cache
def _nowhere() -> mujoco.MjModel:
    """An empty model."""
    return mujoco.MjSpec().compile()


class Answers(NamedTuple):
    """Results of every example.

    losses: float64 (individuals, examples), NaN where an output was not finite.
    hits: float64 (individuals, examples), the share of the example's predictions that were right.
    outputs: float32 (individuals, examples, predictions, outputs), None unless requested.
    """

    losses: np.ndarray
    hits: np.ndarray
    outputs: np.ndarray | None


class Examiner:
    """Runs a network with the parameters of many individuals on examples, on the threads of `workers`.

    loss: the data set's; with CROSS_ENTROPY targets are indices of classes. Raises KernelError for a layer that does
    not compile.
    """

    def __init__(self, network: Network, loss: str, workers: Workers) -> None:
        self.network, self.loss, self.workers = network, loss, workers
        self._stop = StopFlag()
        self._batch: Batch | None = None
        self._scratch = np.zeros(0, np.uint8)

    @functools.cached_property
    def _plan(self) -> np.ndarray:
        return self.network.plan_until(self._stop.address)

    @functools.cached_property
    def _fixed(self) -> dict[str, int]:
        """The fields of the kernel argument that are the same in every call."""
        network = self.network
        memory = network.memory_size + network.memory_size % 2
        return {
            "stop": self._stop.address,
            "plan": self._plan.ctypes.data,
            "layers": len(network.layers),
            "columns": self._plan.shape[1],
            "memory_size": memory,
            "network_scratch": network.scratch_size,
            # rounded up to a cache line, so that simulations do not share one
            "scratch_size": -(-4 * (memory + network.scratch_size) // 64) * 64,
            "outputs": network.outputs,
            "classes": self.loss == CROSS_ENTROPY,
            "remembers": network.remembers,
        }

    def prepare(self) -> None:
        """Compile the kernel, or load it from the cache."""
        _kernel()
        assert self._fixed

    def capacity(self, examples: int) -> int:
        """Return how many individuals fit the memory for scratch at once (at least one)."""
        shares = self._shares(1, examples)[1]
        each = shares * self._fixed["scratch_size"] + 16 * examples + 4 * self.network.size
        return max(1, SCRATCH_BYTES // each)

    def run(
        self,
        params: Rows | np.ndarray,
        inputs: np.ndarray,
        targets: np.ndarray,
        rows: np.ndarray,
        answering: bool = False,
    ) -> Answers:
        """Run every individual on the examples in `rows`, in this order.

        params: float32 (individuals, size), or rows of their own length.
        inputs: float32 (examples, steps, features), targets: float32 (examples, predictions, width), both C-contiguous,
        as in `evo.datasets`; the predictions are those after the last steps.
        answering: whether to return the outputs too.
        """
        each = rows_for(self.network, params)
        individuals, count = len(each), len(rows)
        share, shares = self._shares(individuals, count)
        rows = np.ascontiguousarray(rows, np.int64)
        losses, hits = np.full((individuals, count), np.nan), np.zeros((individuals, count))
        outputs = None
        if answering:
            outputs = np.zeros((individuals, count, targets.shape[1], self.network.outputs), np.float32)
        simulations = individuals * shares
        if self._batch is None or self._batch.simulations < simulations:
            self._batch = Batch(_nowhere(), simulations, self.workers.threads)
            self._scratch = np.zeros(simulations * self._fixed["scratch_size"], np.uint8)
        arrays: dict[str, np.ndarray] = {
            "params": each.values,
            "offsets": each.offsets,
            "inputs": inputs,
            "targets": targets,
            "rows": rows,
        }
        arrays |= {"scratch": self._scratch, "losses": losses, "hits": hits} | (
            {} if outputs is None else {"answers": outputs}
        )
        numbers = self._fixed | {
            "individuals": individuals,
            "examples": count,
            "share": share,
            "shares": shares,
            "steps": inputs.shape[1],
            "features": inputs.shape[2],
            "predictions": targets.shape[1],
            "width": targets.shape[2],
            "answering": answering,
        }
        argument = argument_of(_ARGUMENT, numbers, arrays)
        # a number that a network computes is made of parameters and memory, each read once at most; those of
        # interruptible layers take longer
        read = (len(each.values) + individuals * self.network.memory_size) * self.network.scratch_size
        brief = not self.network.interruptible and read * count * inputs.shape[1] <= _BRIEF
        apply_interruptibly(self._batch, _kernel().address, argument.ctypes.data, simulations, self._stop, brief)
        losses[~np.isfinite(losses)] = np.nan
        return Answers(losses, hits, outputs)

    def _shares(self, individuals: int, examples: int) -> tuple[int, int]:
        """Return the number of examples of a simulation, and the number of simulations of an individual.

        There are enough simulations to keep all threads busy until the end.
        """
        wanted = -(-8 * self.workers.threads // individuals)
        share = max(min(_LEAST, examples), -(-examples // wanted), 1)
        return share, -(-examples // share)
