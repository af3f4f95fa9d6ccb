"""Several losses in one compiled update, each with its own parameters and optimiser, one after the other.

An update gathers a minibatch and runs its stages in order. A stage runs its part of the tape forward and backward and
moves its parameters, so that the next stage sees them moved: an actor is improved by the critic of this update. After
its parameters, a stage may move a slow copy of them, a target network (Polyak averaging; Lillicrap et al. 2016).

As in `evo.autodiff.descent`, a minibatch is cut into equal shards, one for each replica of the program, and the sums
are the same for any number of threads. The parameters are updated in blocks that stay in the cache: gradients,
optimiser, parameters and target pass through it once.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from evo.autodiff.descent import Feeds, gather, squared_length
from evo.autodiff.operations import seed_of
from evo.autodiff.running import Section, forward, run_backward
from evo.autodiff.tape import Node, Program
from evo.autodiff.team import Team, barrier
from evo.envs.engine.compile import njit
from evo.envs.engine.random import mixed
from evo.numerics.blas_threads import one_thread
from evo.optimizers import Optimizer
from evo.optimizers.optimizer import step_part

_BLOCK = 2048  # parameters updated at once: seven vectors of them stay in the first-level cache


class Stage(NamedTuple):
    """A loss, and the parameters from `start` to `stop` that move down it.

    section: of the tape. every: it is run in updates whose number, from 1 on, is divisible by this. target: where the
    slow copy of its parameters begins, -1 without one; it moves a share `rate` of the way towards them in updates
    divisible by `target_every`.
    """

    section: Section
    start: int
    stop: int
    every: int = 1
    target: int = -1
    rate: float = 0.0
    target_every: int = 1


class _Rule(NamedTuple):
    """An optimiser's rule for compiled code; numbers: float64. See `evo.optimizers.optimizer.Optimizer`."""

    kernel: int
    numbers: np.ndarray
    memory: np.ndarray
    steps: int


class _Shared(NamedTuple):
    """Buffers that the threads share: gradient and step (parameters,), sums (replicas, watched), finite (replicas,)."""

    gradient: np.ndarray
    delta: np.ndarray
    sums: np.ndarray
    finite: np.ndarray


def update(
    programs: tuple[Program, ...],
    feeds: Feeds,
    examples: np.ndarray,
    order: np.ndarray,
    stages: tuple[Stage, ...],
    optimizers: tuple[Optimizer, ...],
    done: int = 0,
    watched: tuple[Node, ...] = (),
    team: Team | None = None,
    seed: int = 0,
) -> np.ndarray | None:
    """Run one update for each minibatch, changing the optimisers and every replica's parameters.

    programs: replicas, each with as many rows as its shard of a minibatch; each loss is the mean of theirs, and they
    start from the first one's parameters. examples: float32 (count, columns). order: int64 (minibatches, size).
    optimizers: one for each stage, of as many parameters. done: the number of updates before these. seed: random draws
    depend only on it, on the update's number and on the replica.

    Returns of the `watched` single numbers, means over shards, the sums over those updates in which their stage ran,
    and how many these were: (2, watched). Or None where a gradient was not finite: the optimisers are then unchanged,
    and the parameters are unusable. Raises ValueError for minibatches of another size than the replicas', and for
    optimisers that do not fit.
    """
    first, size = programs[0], len(programs) * feeds.rows
    if order.shape[1] != size:
        raise ValueError(f"minibatches of {order.shape[1]} examples: these programs take {size}")
    for stage, optimizer in zip(stages, optimizers, strict=True):
        moved = stage.stop - stage.start
        if optimizer.memory.shape[1] != moved or optimizer.memory.dtype != first.values.dtype:
            raise ValueError(f"an optimiser of {optimizer.memory.shape[1]} numbers for {moved} parameters")
        if math.isfinite(optimizer.max_speed):
            raise ValueError("an optimiser with a greatest speed needs the length of whole steps")
    for replica in programs[1:]:
        replica.parameters[:] = first.parameters
    memories = [optimizer.memory.copy() for optimizer in optimizers]
    rules = tuple(
        _Rule(one.address, one.numbers(np.array([one.learning_rate]))[0], memory, one.steps)
        for one, memory in zip(optimizers, memories, strict=True)
    )
    # a number belongs to the first stage whose part of the tape ends after it
    owners = [next(index for index, stage in enumerate(stages) if node.at < stage.section.end) for node in watched]
    places, most = np.array([node.at for node in watched], np.int64), max(stage.stop - stage.start for stage in stages)
    shared = _Shared(
        np.empty(most, first.values.dtype),
        np.empty(most, first.values.dtype),
        np.zeros((len(programs), len(places))),
        np.ones(len(programs), np.bool_),
    )
    drawn = np.uint64(seed % 2**64)

    def run(worker: int, workers: int, place: int) -> None:
        given = programs, feeds, examples, order, stages, rules, done, places, np.array(owners, np.int64)
        _update(*given, drawn, shared, worker, workers, place)

    with one_thread():
        (team or Team(1)).work(run)
    if not shared.finite.all():
        return None
    runs = [(done + len(order)) // stage.every - done // stage.every for stage in stages]
    for optimizer, memory, count in zip(optimizers, memories, runs, strict=True):
        optimizer.memory, optimizer.steps = memory, optimizer.steps + count
    return np.array([shared.sums.mean(axis=0), [runs[owner] for owner in owners]])


@njit(error_model="numpy")
def _move(programs: Any, stage: Any, rule: Any, steps: int, follow: bool, shared: Any, piece: int) -> None:
    """Average the replicas' gradients and move one of as many pieces of the stage's parameters, block by block."""
    replicas, real, size = len(programs), shared.gradient.dtype.type, stage.stop - stage.start
    share, rate, squares = real(-1.0 / replicas), real(stage.rate), 0.0
    for first in range(size * piece // replicas, size * (piece + 1) // replicas, _BLOCK):
        last = min(first + _BLOCK, size * (piece + 1) // replicas)
        start, stop, count = stage.start + first, stage.start + last, last - first
        downhill, delta = shared.gradient[first:last], shared.delta[first:last]
        one = programs[0].gradients[start:stop]
        for index in range(count):
            downhill[index] = share * one[index]
        for replica in range(1, replicas):
            other = programs[replica].gradients[start:stop]
            for index in range(count):
                downhill[index] += share * other[index]
        squares += squared_length(downhill)
        step_part(rule.kernel, rule.numbers, steps, 0.0, rule.memory, first, last, shared.gradient, shared.delta)
        for replica in range(replicas):
            values = programs[replica].values
            parameters = values[start:stop]
            for index in range(count):
                parameters[index] += delta[index]
            if follow:
                target = values[stage.target + first : stage.target + last]
                for index in range(count):
                    target[index] += rate * (parameters[index] - target[index])
    if not math.isfinite(squares):
        shared.finite[piece] = False


@njit(cache=True, nogil=True, error_model="numpy")
def _update(
    programs: Any,
    feeds: Any,
    examples: Any,
    order: Any,
    stages: Any,
    rules: Any,
    done: int,
    watched: Any,
    owners: Any,
    drawn: Any,
    shared: Any,
    worker: int,
    workers: int,
    place: Any,
) -> None:
    replicas = len(programs)
    shard = order.shape[1] // replicas
    for minibatch in range(order.shape[0]):
        number = done + minibatch + 1
        for replica in range(worker, replicas, workers):
            program = programs[replica]
            gather(feeds, examples, order[minibatch, replica * shard : (replica + 1) * shard], program.values)
            if program.seed >= 0:
                word = mixed(mixed(mixed(drawn) + np.uint64(number)) + np.uint64(replica))
                seed_of(program.values, program.seed)[0] = np.int64(word)
        for index in range(len(stages)):
            stage, rule = stages[index], rules[index]
            if number % stage.every:
                continue
            for replica in range(worker, replicas, workers):
                program, part = programs[replica], stage.section
                table = program.table[part.first : part.last]
                forward(table, program.values, program.gradients)
                program.gradients[stage.start : stage.stop] = 0
                for span in range(part.spans.shape[0]):
                    program.gradients[part.spans[span, 0] : part.spans[span, 1]] = 0
                program.gradients[part.loss] = 1
                run_backward(table, program.values, program.gradients)
                for one in range(watched.size):
                    if owners[one] == index:
                        shared.sums[replica, one] += program.values[watched[one]]
            barrier(place, worker, workers)

            # from here on each worker updates pieces of the parameters, which do not depend on the number of workers
            steps = rule.steps + number // stage.every - done // stage.every
            follow = stage.target >= 0 and number % stage.target_every == 0
            for piece in range(worker, replicas, workers):
                _move(programs, stage, rule, steps, follow, shared, piece)
            barrier(place, worker, workers)
            if not shared.finite.all():
                return  # all workers find the same
