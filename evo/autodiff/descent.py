"""Descent: gather a minibatch, run the tape forward and backward, clip the gradient, take a step of Adam.

Compiled as a whole, so that no Python runs between minibatches. A minibatch is cut into equal shares, one for each twin
of the program, and their gradients are averaged: with two twins two threads work, and one thread does the same sums in
the same order. BLAS is pinned to one thread: the same bits on the same processor.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from evo.autodiff.blas import one_thread
from evo.autodiff.crew import Crew, meet
from evo.autodiff.tape import Node, Program, backward, forward
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
    """Which columns of the examples go into which inputs of a program; int64 (inputs,) each."""

    column: np.ndarray
    columns: np.ndarray
    at: np.ndarray

    @classmethod
    def into(cls, *inputs: Node) -> "Feeds":
        """The inputs' columns stand side by side in the examples, in this order."""
        widths = [node.columns for node in inputs]
        starts = np.cumsum([0, *widths[:-1]])
        return cls(starts, np.array(widths), np.array([node.at for node in inputs]))


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
    crew: Crew | None = None,
) -> np.ndarray | None:
    """One step of Adam down the loss for each minibatch; changes the moments and every twin's parameters.

    programs: twins, each with as many rows as its share of a minibatch; the loss is the mean of theirs, and they start
    from the parameters of the first. examples: float32 (count, columns). order: int64 (minibatches, size), the rows
    that each minibatch takes. crew: of no more workers than there are twins; without one this thread works alone.
    Returns the mean values of the `watched` single numbers over the minibatches, or None where a gradient was not
    finite: what is left then is of no use.
    """
    first = programs[0]
    for twin in programs[1:]:
        twin.parameters[:] = first.parameters
    places = np.array([node.at for node in watched], np.int64)
    room = _Room(
        np.empty(first.size, np.float32),
        np.empty(first.size, np.float32),
        np.zeros(len(programs)),
        np.zeros((len(programs), len(places))),
        np.ones(len(programs), np.bool_),
    )

    def run(worker: int, workers: int, place: int) -> None:
        _descend(programs, feeds, examples, order, moments, settings, places, room, worker, workers, place)

    with one_thread():
        (crew or Crew(1)).work(run)
    return room.sums.mean(axis=0) / max(len(order), 1) if room.finite.all() else None


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


@njit(cache=True)
def squared_length(values: Any) -> float:
    """The sum of squares, in float64; eight partial sums, so that additions overlap."""
    sums = np.zeros(8)
    whole = values.size - values.size % 8
    for start in range(0, whole, 8):
        for lane in range(8):
            value = np.float64(values[start + lane])
            sums[lane] += value * value
    for index in range(whole, values.size):
        sums[0] += np.float64(values[index]) ** 2
    return sums.sum()


class _Room(NamedTuple):
    """What the threads share.

    gradient, delta: float32 (parameters,). squares: float64 (twins,), squared lengths of the gradient's pieces. sums:
    float64 (twins, watched). finite: bool (twins,), whether each worker found that the gradient was.
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
    room: Any,
    worker: int,
    workers: int,
    place: Any,
) -> None:
    real, twins, size = np.float32, len(programs), programs[0].size
    share, steps = order.shape[1] // twins, moments.steps[0]
    for minibatch in range(order.shape[0]):
        for twin in range(worker, twins, workers):
            program = programs[twin]
            gather(feeds, examples, order[minibatch, twin * share : (twin + 1) * share], program.values)
            forward(program.table, program.values, program.gradients)
            backward(program.table, program.values, program.gradients, program.loss)
            for index in range(watched.size):
                room.sums[twin, index] += program.values[watched[index]]
        meet(place, worker, workers)

        # from here on every worker has pieces of the parameters, the same for any number of workers
        for piece in range(worker, twins, workers):
            first, last = size * piece // twins, size * (piece + 1) // twins
            gradient = room.gradient[first:last]
            gradient[:] = programs[0].gradients[first:last]
            for twin in range(1, twins):
                other = programs[twin].gradients[first:last]
                for index in range(gradient.size):
                    gradient[index] += other[index]
            for index in range(gradient.size):
                gradient[index] *= real(1.0 / twins)
            room.squares[piece] = squared_length(gradient)
        meet(place, worker, workers)

        length = math.sqrt(room.squares.sum())
        if not math.isfinite(length):
            room.finite[worker] = False
            return
        # as torch's clip_grad_norm_
        shorten = real(min(1.0, settings.max_norm / (length + 1e-6)))
        steps += 1
        for piece in range(worker, twins, workers):
            first, last = size * piece // twins, size * (piece + 1) // twins
            gradient, delta = room.gradient[first:last], room.delta[first:last]
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
            for twin in range(twins):
                parameters = programs[twin].values[first:last]
                for index in range(delta.size):
                    parameters[index] += delta[index]
        meet(place, worker, workers)
    if worker == 0:
        moments.steps[0] = steps
