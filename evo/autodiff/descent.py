"""Descent: gather a minibatch, run the tape forward and backward, clip the gradient, take a step of Adam.

Compiled as a whole, so that no Python runs between minibatches. A minibatch is cut into equal shards, one for each
replica of the program, and their gradients are averaged: with two replicas two threads work, and one thread does the
same sums in the same order. BLAS is pinned to one thread: the same bits on the same processor.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from envs.kernels import njit
from evo.autodiff.blas import one_thread
from evo.autodiff.tape import Node, Program, backward, forward
from evo.autodiff.team import Team, barrier
from evo.optimizers import adam


class Moments(NamedTuple):
    """What Adam remembers: first and second moment, float32 (parameters,), and the steps taken, int64 (1,)."""

    first: np.ndarray
    second: np.ndarray
    steps: np.ndarray

    @classmethod
    def zero(cls, size: int) -> "Moments":
        return cls(np.zeros(size, np.float32), np.zeros(size, np.float32), np.zeros(1, np.int64))

    def copy(self) -> "Moments":
        return Moments(*(array.copy() for array in self))


class Feeds(NamedTuple):
    """Which columns of the examples go into which inputs of a program; int64 (inputs,) each. rows: of every input."""

    column: np.ndarray
    columns: np.ndarray
    at: np.ndarray
    rows: int

    @classmethod
    def into(cls, *inputs: Node) -> "Feeds":
        """The inputs' columns stand side by side in the examples, in this order."""
        widths = [node.columns for node in inputs]
        starts = np.cumsum([0, *widths[:-1]])
        return cls(starts, np.array(widths), np.array([node.at for node in inputs]), inputs[0].rows)


class AdamSettings(NamedTuple):
    """step_size and epsilon of Kingma & Ba 2015; max_norm: gradients longer than this are shortened to it."""

    step_size: float
    max_norm: float
    epsilon: float = 1e-5
    beta1: float = 0.9
    beta2: float = 0.999


def descend(
    programs: tuple[Program, ...],
    feeds: Feeds,
    examples: np.ndarray,
    order: np.ndarray,
    moments: Moments,
    settings: AdamSettings,
    watched: tuple[Node, ...] = (),
    team: Team | None = None,
) -> np.ndarray | None:
    """One step of Adam down the loss for each minibatch; changes the moments and every replica's parameters.

    programs: replicas, each for as many rows as its shard of a minibatch; the loss is the mean of theirs, and they
    start from the parameters of the first. examples: float32 (count, columns). order: int64 (minibatches, size), the
    rows that each minibatch takes. team: of no more workers than there are replicas; without one this thread works
    alone. Returns the means of the `watched` single numbers over shards and minibatches, or None where a gradient was
    not finite: what is left then is of no use. Raises ValueError for minibatches of another size than the replicas'.
    """
    first, size = programs[0], len(programs) * feeds.rows
    if order.shape[1] != size:
        raise ValueError(f"minibatches of {order.shape[1]} examples: these programs take {size}")
    for replica in programs[1:]:
        replica.parameters[:] = first.parameters
    places = np.array([node.at for node in watched], np.int64)
    shared = _Shared(
        np.empty(first.size, np.float32),
        np.empty(first.size, np.float32),
        np.zeros(len(programs)),
        np.zeros((len(programs), len(places))),
        np.ones(1, np.bool_),
    )

    def run(worker: int, workers: int, place: int) -> None:
        _descend(programs, feeds, examples, order, moments, settings, places, shared, worker, workers, place)

    with one_thread():
        (team or Team(1)).work(run)
    return shared.sums.mean(axis=0) / max(len(order), 1) if shared.finite[0] else None


def assess(program: Program, feeds: Feeds, examples: np.ndarray, *nodes: Node) -> np.ndarray:
    """The values of nodes of one column for every example, float32 (count, nodes), without changing anything.

    The nodes must have a row for each example of a minibatch, as the program's inputs have.
    """
    count, size = len(examples), nodes[0].rows
    if any(node.shape != (size, 1) for node in nodes):
        raise ValueError(f"nodes of shapes {[node.shape for node in nodes]}; each must have one column")
    # the last minibatch is filled up with examples that have had their turn
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
            for column in range(width):
                values[at + column] = examples[rows[place], start + column]


@njit(cache=True, fastmath={"reassoc"})  # additions that overlap; like BLAS, the same bits on the same processor
def squared_length(values: Any) -> float:
    """The sum of squares, in float64."""
    total = 0.0
    for index in range(values.size):
        value = np.float64(values[index])
        total += value * value
    return total


class _Shared(NamedTuple):
    """What the threads share.

    gradient, delta: float32 (parameters,). squares: float64 (replicas,), of the gradient's pieces. sums: float64
    (replicas, watched). finite: bool (1,), whether every gradient was.
    """

    gradient: np.ndarray
    delta: np.ndarray
    squares: np.ndarray
    sums: np.ndarray
    finite: np.ndarray


@njit(cache=True, nogil=True, error_model="numpy")
def _descend(
    programs: Any,
    feeds: Any,
    examples: Any,
    order: Any,
    moments: Any,
    settings: Any,
    watched: Any,
    shared: Any,
    worker: int,
    workers: int,
    place: Any,
) -> None:
    real, replicas, size = np.float32, len(programs), programs[0].size
    shard, steps = order.shape[1] // replicas, moments.steps[0]
    for minibatch in range(order.shape[0]):
        for replica in range(worker, replicas, workers):
            program = programs[replica]
            gather(feeds, examples, order[minibatch, replica * shard : (replica + 1) * shard], program.values)
            forward(program.table, program.values, program.gradients)
            backward(program.table, program.values, program.gradients, program.loss)
            for index in range(watched.size):
                shared.sums[replica, index] += program.values[watched[index]]
        barrier(place, worker, workers)

        # from here on every worker has pieces of the parameters, the same for any number of workers
        for piece in range(worker, replicas, workers):
            first, last = size * piece // replicas, size * (piece + 1) // replicas
            gradient = shared.gradient[first:last]
            gradient[:] = programs[0].gradients[first:last]
            for replica in range(1, replicas):
                other = programs[replica].gradients[first:last]
                for index in range(gradient.size):
                    gradient[index] += other[index]
            for index in range(gradient.size):
                gradient[index] *= real(1.0 / replicas)
            shared.squares[piece] = squared_length(gradient)
        barrier(place, worker, workers)

        length = math.sqrt(shared.squares.sum())
        if not math.isfinite(length):
            if worker == 0:  # they all come to the same
                shared.finite[0] = False
            return
        # as torch's clip_grad_norm_
        shorten = real(min(1.0, settings.max_norm / (length + 1e-6)))
        steps += 1
        for piece in range(worker, replicas, workers):
            first, last = size * piece // replicas, size * (piece + 1) // replicas
            gradient, delta = shared.gradient[first:last], shared.delta[first:last]
            for index in range(gradient.size):
                gradient[index] *= -shorten
            adam(
                gradient,
                moments.first[first:last],
                moments.second[first:last],
                delta,
                real(settings.step_size),
                real(settings.beta1),
                real(settings.beta2),
                real(settings.epsilon),
                real(1.0 - settings.beta1**steps),
                real(1.0 - settings.beta2**steps),
            )
            for replica in range(replicas):
                parameters = programs[replica].values[first:last]
                for index in range(delta.size):
                    parameters[index] += delta[index]
        barrier(place, worker, workers)
    if worker == 0:
        moments.steps[0] = steps
