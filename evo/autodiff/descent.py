"""A compiled training step: gather a minibatch, run the tape forward and backward, clip, step the optimiser.

All minibatches run in one compiled call, without Python in between. A minibatch is cut into equal shards, one for each
replica of the program, and their gradients are averaged: with two replicas two threads work, and a single thread does
the same sums in the same order. BLAS is limited to one thread: the same bits on the same processor.

A population descends in one such call too: each individual takes the same steps on the same minibatches, alone, so
that its result depends neither on the others nor on the threads that individuals are divided among.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from evo.autodiff.operations import seed_of
from evo.autodiff.running import backward, forward
from evo.autodiff.tape import Node, Program
from evo.autodiff.team import Team, barrier
from evo.envs.engine.compile import njit
from evo.envs.engine.physics import is_stopped
from evo.envs.engine.random import mixed
from evo.numerics.blas_threads import one_thread
from evo.optimizers import Optimizer
from evo.optimizers.optimizer import shorten_part, step_part


class Feeds(NamedTuple):
    """Columns of the examples that feed a program's inputs; int64 (inputs,) each. rows: of every input."""

    column: np.ndarray
    columns: np.ndarray
    at: np.ndarray
    rows: int

    @classmethod
    def into(cls, *inputs: Node) -> "Feeds":
        """Feed inputs whose columns stand side by side in the examples, in this order."""
        widths = [node.columns for node in inputs]
        starts = np.cumsum([0, *widths[:-1]])
        return cls(starts, np.array(widths), np.array([node.at for node in inputs]), inputs[0].rows)


class Bounds(NamedTuple):
    """Parameters that are kept within bounds after each step: int64 indices, least and greatest float64, (bounded,).

    Where least and greatest are equal the parameter is constant, and no penalty applies to it.
    """

    places: np.ndarray
    least: np.ndarray
    greatest: np.ndarray


NO_BOUNDS = Bounds(np.zeros(0, np.int64), np.zeros(0), np.zeros(0))


class Settings(NamedTuple):
    """Settings of training. learning_rates: the optimiser's learning rate for each minibatch, float64 (minibatches,).

    l1, l2: the loss includes l1 |w| + ½ l2 w², summed over all parameters, and clipping includes its gradient.
    max_norm: longer gradients are shortened to it; 0 or inf: never. weight_decay: each step subtracts learning rate ×
    weight decay × parameters, apart from the gradient (Loshchilov & Hutter 2019). bounds: of parameters that have any.
    """

    learning_rates: np.ndarray
    max_norm: float = math.inf
    l1: float = 0.0
    l2: float = 0.0
    weight_decay: float = 0.0
    bounds: Bounds = NO_BOUNDS


def descend(
    programs: tuple[Program, ...],
    feeds: Feeds,
    examples: np.ndarray,
    order: np.ndarray,
    optimizer: Optimizer,
    settings: Settings,
    watched: tuple[Node, ...] = (),
    team: Team | None = None,
    seed: int = 0,
) -> np.ndarray | None:
    """Take one optimiser step down the loss for each minibatch, changing the optimiser and every replica's parameters.

    programs: replicas, each with as many rows as its shard of a minibatch; the loss is the mean of theirs, and they
    start from the first one's parameters. examples: float32 (count, columns). order: int64 (minibatches, size), the
    rows of each minibatch. optimizer: for as many parameters of the same dtype. team: of no more workers than replicas;
    without one this thread works alone. seed: random draws, as of dropout, depend only on it, on the steps that the
    optimiser has taken and on the replica.

    Returns the means of the `watched` single numbers over shards and minibatches, or None where a gradient was not
    finite: the optimiser is then unchanged, and the parameters are unusable. Raises ValueError for minibatches of
    another size than the replicas', and for an optimiser or learning rates that do not fit.
    """
    first, size = programs[0], len(programs) * feeds.rows
    if order.shape[1] != size:
        raise ValueError(f"minibatches of {order.shape[1]} examples: these programs take {size}")
    _check_optimizer(optimizer, first)
    learning_rates = np.asarray(settings.learning_rates, np.float64)
    if learning_rates.shape != (len(order),):
        raise ValueError(f"learning rates of shape {learning_rates.shape}: there are {len(order)} minibatches")
    for replica in programs[1:]:
        replica.parameters[:] = first.parameters
    places = np.array([node.at for node in watched], np.int64)
    rule = _rule_of(optimizer, learning_rates)
    penalties = float(settings.l1), float(settings.l2)
    decay = float(settings.weight_decay)
    given = Settings(learning_rates, float(settings.max_norm) or math.inf, *penalties, decay, settings.bounds)
    drawn = np.uint64(seed % 2**64)
    shared = _shared_of(programs, len(places))

    def run(worker: int, workers: int, place: int) -> None:
        _descend(programs, feeds, examples, order, rule, given, places, drawn, shared, 0, worker, workers, place)

    with one_thread():
        (team or Team(1)).work(run)
    if not shared.finite[0]:
        return None
    optimizer.memory, optimizer.steps = rule.memory, optimizer.steps + len(order)
    return shared.sums.mean(axis=0) / max(len(order), 1)


def assess(program: Program, feeds: Feeds, examples: np.ndarray, *nodes: Node) -> np.ndarray:
    """Compute one-column nodes for every example, float32 (count, nodes), without changing parameters.

    The nodes must have a row for each example of a minibatch, as the program's inputs have. Raises ValueError.
    """
    count, size = len(examples), nodes[0].rows
    if any(node.shape != (size, 1) for node in nodes):
        raise ValueError(f"nodes of shapes {[node.shape for node in nodes]}; each must have one column")
    # the last minibatch is filled up with the first examples again
    order = np.arange(-(-count // size) * size).reshape(-1, size) % count
    found = np.empty((count, len(nodes)), np.float32)
    with one_thread():
        _assess(program, feeds, examples, order, np.array([node.at for node in nodes]), found)
    return found


@njit(cache=True, nogil=True)
def _assess(program: Any, feeds: Any, examples: Any, order: Any, places: Any, found: Any) -> None:
    for minibatch in range(order.shape[0]):
        gather(feeds, examples, order[minibatch], program.values)
        forward(program.table, program.values, program.gradients)
        for row in range(order.shape[1]):
            for node in range(places.size):
                found[order[minibatch, row], node] = program.values[places[node] + row]


@njit(cache=True, nogil=True, error_model="numpy")
def gather(feeds: Any, examples: Any, rows: Any, values: Any) -> None:
    """Copy rows of the examples into a program's inputs."""
    for feed in range(feeds.at.size):
        start, width = feeds.column[feed], feeds.columns[feed]
        for place in range(rows.size):
            at = feeds.at[feed] + place * width
            values[at : at + width] = examples[rows[place], start : start + width]


@njit(cache=True, fastmath={"reassoc"})  # overlapping additions; like BLAS, the same bits only on the same processor
def squared_length(values: Any) -> float:
    """Return the sum of squares, in float64."""
    total = 0.0
    for index in range(values.size):
        value = np.float64(values[index])
        total += value * value
    return total


class _Rule(NamedTuple):
    """The optimiser's rule for compiled code.

    kernel: its address. numbers: float64 (minibatches, numbers); limits: (minibatches,), the greatest step lengths.
    memory: (vectors, parameters). steps: the number taken.
    """

    kernel: int
    numbers: np.ndarray
    limits: np.ndarray
    memory: np.ndarray
    steps: int


class _Shared(NamedTuple):
    """Buffers that the threads share.

    gradient, delta: (parameters,). squares: float64 (2, replicas), squared lengths of gradient and step by piece. sums:
    float64 (replicas, watched). finite: bool (1,), whether every gradient was.
    """

    gradient: np.ndarray
    delta: np.ndarray
    squares: np.ndarray
    sums: np.ndarray
    finite: np.ndarray


def _rule_of(optimizer: Optimizer, learning_rates: np.ndarray) -> _Rule:
    """Return the rule of an optimiser for steps at these rates, with a copy of its memory."""
    told = optimizer.numbers(learning_rates), optimizer.limits(learning_rates)
    return _Rule(optimizer.address, *told, optimizer.memory.copy(), optimizer.steps)


def _shared_of(programs: tuple[Program, ...], watched: int) -> _Shared:
    """Return the buffers for replicas of a program, of which so many nodes are watched."""
    size, dtype = programs[0].size, programs[0].values.dtype
    sums = np.zeros((2, len(programs))), np.zeros((len(programs), watched))
    return _Shared(np.empty(size, dtype), np.empty(size, dtype), *sums, np.ones(1, np.bool_))


def _check_optimizer(optimizer: Optimizer, program: Program) -> None:
    """Raise ValueError for an optimiser of other parameters than the program's."""
    memory, dtype = optimizer.memory, program.values.dtype
    if (memory.shape[1], memory.dtype) != (program.size, dtype):
        held = f"{memory.shape[1]} numbers of {memory.dtype}"
        raise ValueError(f"an optimiser of {held}: these programs have {program.size} parameters of {dtype}")


@njit
def _seed(drawn: Any, step: int, replica: int) -> Any:
    """Return the int64 seed of a replica in a step."""
    return np.int64(mixed(mixed(mixed(drawn) + np.uint64(step)) + np.uint64(replica)))


@njit(error_model="numpy")
def _average(programs: Any, settings: Any, gradient: Any, first: int, last: int) -> None:
    """Average the replicas' gradients from `first` to `last`, and add the penalties'."""
    replicas, real = len(programs), gradient.dtype.type
    share, mine = real(1.0 / replicas), programs[0].gradients[first:last]
    for index in range(gradient.size):
        gradient[index] = share * mine[index]
    for replica in range(1, replicas):
        other = programs[replica].gradients[first:last]
        for index in range(gradient.size):
            gradient[index] += share * other[index]
    l1, l2, parameters = real(settings.l1), real(settings.l2), programs[0].values[first:last]
    if l1 != 0:
        for index in range(gradient.size):
            gradient[index] += l1 * np.sign(parameters[index])
    if l2 != 0:
        for index in range(gradient.size):
            gradient[index] += l2 * parameters[index]
    bounds = settings.bounds
    for index in range(bounds.places.size):
        place = bounds.places[index]
        if first <= place < last and bounds.least[index] == bounds.greatest[index]:
            gradient[place - first] = 0


@njit(error_model="numpy")
def _move(programs: Any, keep: Any, delta: Any, first: int, last: int, bounds: Any) -> None:
    """Decay every replica's parameters from `first` to `last` by the factor `keep`, add the step, and bound them."""
    for replica in range(len(programs)):
        parameters, real = programs[replica].values[first:last], delta.dtype.type
        for index in range(delta.size):
            parameters[index] = keep * parameters[index] + delta[index]
        for index in range(bounds.places.size):
            place = bounds.places[index] - first
            if 0 <= place < delta.size:
                least, greatest = real(bounds.least[index]), real(bounds.greatest[index])
                parameters[place] = min(max(parameters[place], least), greatest)


@njit(cache=True, nogil=True, error_model="numpy")
def _descend(
    programs: Any,
    feeds: Any,
    examples: Any,
    order: Any,
    rule: Any,
    settings: Any,
    watched: Any,
    drawn: Any,
    shared: Any,
    stop: int,
    worker: int,
    workers: int,
    place: Any,
) -> None:
    real, replicas, size = shared.gradient.dtype.type, len(programs), programs[0].size
    shard = order.shape[1] // replicas
    for minibatch in range(order.shape[0]):
        if is_stopped(stop):
            return
        step = rule.steps + minibatch
        for replica in range(worker, replicas, workers):
            program = programs[replica]
            gather(feeds, examples, order[minibatch, replica * shard : (replica + 1) * shard], program.values)
            if program.seed >= 0:
                seed_of(program.values, program.seed)[0] = _seed(drawn, step, replica)
            forward(program.table, program.values, program.gradients)
            backward(program.table, program.values, program.gradients, program.loss)
            for index in range(watched.size):
                shared.sums[replica, index] += program.values[watched[index]]
        barrier(place, worker, workers)

        # from here on each worker updates pieces of the parameters, which do not depend on the number of workers
        for piece in range(worker, replicas, workers):
            first, last = size * piece // replicas, size * (piece + 1) // replicas
            _average(programs, settings, shared.gradient[first:last], first, last)
            shared.squares[0, piece] = squared_length(shared.gradient[first:last])
        barrier(place, worker, workers)

        length = math.sqrt(shared.squares[0].sum())
        if not math.isfinite(length):
            if worker == 0:  # all workers find the same
                shared.finite[0] = False
            return
        shorten = min(1.0, settings.max_norm / (length + 1e-6))  # as torch's clip_grad_norm_
        numbers, limit = rule.numbers[minibatch], rule.limits[minibatch]
        keep = real(1.0 - settings.learning_rates[minibatch] * settings.weight_decay)
        limited, downhill = math.isfinite(limit), -real(shorten)
        for piece in range(worker, replicas, workers):
            first, last = size * piece // replicas, size * (piece + 1) // replicas
            direction = shared.gradient[first:last]
            for index in range(direction.size):
                direction[index] *= downhill
            vectors = rule.memory, first, last, shared.gradient, shared.delta
            step_part(rule.kernel, numbers, step + 1, length * shorten, *vectors)
            if limited:
                shared.squares[1, piece] = squared_length(shared.delta[first:last])
            else:
                _move(programs, keep, shared.delta[first:last], first, last, settings.bounds)
        if limited:
            barrier(place, worker, workers)
            speed = math.sqrt(shared.squares[1].sum())
            for piece in range(worker, replicas, workers):
                first, last = size * piece // replicas, size * (piece + 1) // replicas
                if speed > limit:
                    shorten_part(rule.memory, first, last, shared.delta, limit / speed)
                _move(programs, keep, shared.delta[first:last], first, last, settings.bounds)
        barrier(place, worker, workers)


class Individuals(NamedTuple):
    """Parameters of several individuals, and the bounds of each number.

    values: float32 (numbers,). offsets: int64 (individuals + 1,): individual k has values[offsets[k]:offsets[k + 1]].
    least, greatest: float64 (numbers,); where they are equal the number is constant.
    """

    values: np.ndarray
    offsets: np.ndarray
    least: np.ndarray
    greatest: np.ndarray


def descend_each(
    program: Program,
    feeds: Feeds,
    examples: np.ndarray,
    order: np.ndarray,
    optimizer: Optimizer,
    individuals: Individuals,
    team: Team | None = None,
    seed: int = 0,
    stop: int = 0,
) -> np.ndarray:
    """Return the parameters of individuals after one step of the optimiser for each minibatch, float32 (numbers,).

    program: of as many parameters as the longest individual, of which it reads an individual's own alone. optimizer: as
    it is before the first step of each. examples, order, seed: as in `descend`. team: divides the individuals. stop:
    the address of a stop flag, 0 for none; what is returned once it was set is not to be used. One whose gradient was
    not finite, or whose parameters would not be, stays as it was. Raises ValueError for minibatches of another size
    than the program's, and for an optimiser that does not fit.
    """
    if order.shape[1] != feeds.rows:
        raise ValueError(f"minibatches of {order.shape[1]} examples: this program takes {feeds.rows}")
    _check_optimizer(optimizer, program)
    settings = Settings(np.full(len(order), float(optimizer.learning_rate)))
    found, drawn = individuals.values.copy(), np.uint64(seed % 2**64)

    def run(worker: int, workers: int, place: int) -> None:
        own = (program.replica(),)
        rule, shared = _rule_of(optimizer, settings.learning_rates), _shared_of(own, 0)
        given = own, feeds, examples, order, rule, settings, drawn, shared, individuals, found
        _descend_each(*given, stop, worker, workers)

    with one_thread():
        (team or Team(1)).work(run)
    return found


@njit(cache=True, nogil=True)
def _descend_each(
    programs: Any,
    feeds: Any,
    examples: Any,
    order: Any,
    rule: Any,
    settings: Any,
    drawn: Any,
    shared: Any,
    individuals: Any,
    found: Any,
    stop: int,
    worker: int,
    workers: int,
) -> None:
    program, begun, unwatched = programs[0], rule.memory.copy(), np.zeros(0, np.int64)
    for individual in range(worker, individuals.offsets.size - 1, workers):
        first, last = individuals.offsets[individual], individuals.offsets[individual + 1]
        program.values[: last - first] = found[first:last]
        program.values[last - first : program.size] = 0
        rule.memory[:] = begun
        shared.finite[0] = True
        bounds = Bounds(np.arange(last - first), individuals.least[first:last], individuals.greatest[first:last])
        rates, norm = settings.learning_rates, settings.max_norm
        own = Settings(rates, norm, settings.l1, settings.l2, settings.weight_decay, bounds)
        _descend(programs, feeds, examples, order, rule, own, unwatched, drawn, shared, stop, 0, 1, 0)
        if shared.finite[0] and np.isfinite(program.values[: last - first]).all():
            found[first:last] = program.values[: last - first]
