"""Attention operation: all heads of all sequences at once; see `evo.autodiff.operations`.

Queries are processed in blocks of the window's length. A block attends to itself and the block before it at most, so
its scores are one small matrix, and time grows linearly with the steps, not with their square. Queries, keys and values
are read, and their gradients added, in place. They may begin with a past: earlier steps that have keys and values but
no queries.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from evo.autodiff.blas import add_part_product, add_part_product_turned_first, add_part_product_turned_second
from evo.autodiff.operations import BY_ROW, COLUMNS, FIRST, NUMBERS, OUTPUT, ROWS, SECOND, THIRD, gradient_of
from evo.envs.engine.compile import njit
from evo.numerics import activations


def weights_shape(heads: int, window: int, batch: int, steps: int, past: int) -> tuple[int, int]:
    """Return the shape of the node that keeps attention weights for the backward pass."""
    return batch * heads * steps, min(past + steps, 2 * window - 1)


class _Block(NamedTuple):
    """A block of query steps of one head in one sequence, and the steps it attends to, as offsets and counts.

    asking, asked, told: offsets of queries, keys and values; out: of the output; weights: of the weights (rows, seen).
    rows: queries. seen: keys. before: the keys before the first query's own.
    """

    asking: int
    asked: int
    told: int
    out: int
    weights: int
    rows: int
    seen: int
    before: int


@njit
def _block(row: Any, sequence: int, head: int, first: int) -> _Block:
    heads, window, batch, past = row[NUMBERS], row[NUMBERS + 1], row[NUMBERS + 2], row[NUMBERS + 4]
    width, steps = row[COLUMNS], row[ROWS] // batch
    count, before = min(window, steps - first), min(window - 1, past + first)
    column, step = head * (width // heads), 3 * width * batch
    query = row[FIRST] + 3 * width * sequence + column + past * step
    kept = ((sequence * heads + head) * steps + first) * min(past + steps, 2 * window - 1)
    return _Block(
        query + first * step,
        query + width + (first - before) * step,
        query + 2 * width + (first - before) * step,
        row[OUTPUT] + width * (first * batch + sequence) + column,
        row[SECOND] + kept,
        count,
        before + count,
        before,
    )


@njit
def _weigh(scores: Any, now: int, reach: int, slope: Any, scale: Any) -> None:
    """Turn the products of a query with keys into attention weights, in place.

    now: the index of the latest key it may see; reach: how many steps further back it may look. Other weights become 0.
    """
    first, zero = max(0, now - reach), scores.dtype.type(0)
    for index in range(first):
        scores[index] = zero
    for index in range(first, now + 1):
        scores[index] = scores[index] * scale - slope * scores.dtype.type(now - index)
    for index in range(now + 1, scores.size):
        scores[index] = zero
    activations.softmax(scores[first : now + 1])


def attention(row: Any, values: Any, gradients: Any) -> None:
    """Causal self-attention of all heads: softmax(q kᵀ / sqrt(head width) - slope × distance) v.

    Vaswani et al. 2017, equation 1, with the linear biases of Press et al. 2022. first (past × batch + m, 3 n):
    queries, keys and values side by side. second: keeps the weights. third (m, 1), or (1, 1) for all: how many steps
    back each query may look, within the window. Numbers: heads, window, batch, the bits of the float64 ratio of
    successive heads' slopes, and past, the earlier steps that have keys and values but no queries.
    """
    heads, window, batch, real = row[NUMBERS], row[NUMBERS + 1], row[NUMBERS + 2], values.dtype.type
    width, each = row[COLUMNS], row[COLUMNS] // heads
    ratio, scale = real(row[NUMBERS + 3 : NUMBERS + 4].view(np.float64)[0]), real(1.0 / math.sqrt(each))
    apart, out_apart = 3 * width * batch, width * batch  # from one step to the next
    values[row[OUTPUT] : row[OUTPUT] + row[ROWS] * width] = real(0)
    for sequence in range(batch):
        slope = real(1)
        for head in range(heads):
            slope *= ratio
            for first in range(0, row[ROWS] // batch, window):
                at = _block(row, sequence, head, first)
                count, seen = at.rows, at.seen
                weights = values[at.weights : at.weights + count * seen]
                weights[:] = real(0)
                add_part_product_turned_second(
                    values[at.asking :], apart, values[at.asked :], apart, weights, seen, count, each, seen
                )
                for index in range(count):
                    asking = (first + index) * batch + sequence
                    reach = min(window - 1, int(values[row[THIRD] + asking * row[THIRD + BY_ROW]]))
                    _weigh(weights[index * seen : (index + 1) * seen], at.before + index, reach, slope, scale)
                add_part_product(
                    weights, seen, values[at.told :], apart, values[at.out :], out_apart, count, seen, each
                )


@gradient_of(attention)
def attention_backward(row: Any, values: Any, gradients: Any) -> None:
    heads, window, batch, real = row[NUMBERS], row[NUMBERS + 1], row[NUMBERS + 2], values.dtype.type
    width, each = row[COLUMNS], row[COLUMNS] // heads
    scale, apart, out_apart = real(1.0 / math.sqrt(each)), 3 * width * batch, width * batch
    for sequence in range(batch):
        for head in range(heads):
            for first in range(0, row[ROWS] // batch, window):
                at = _block(row, sequence, head, first)
                count, seen = at.rows, at.seen
                above, out = gradients[at.out :], at.weights + count * seen
                weights, errors = values[at.weights : out], gradients[at.weights : out]
                add_part_product_turned_first(
                    weights, seen, above, out_apart, gradients[at.told :], apart, seen, count, each
                )
                add_part_product_turned_second(
                    above, out_apart, values[at.told :], apart, errors, seen, count, each, seen
                )
                for index in range(count):
                    _unweigh(
                        weights[index * seen : (index + 1) * seen], errors[index * seen : (index + 1) * seen], scale
                    )
                add_part_product(
                    errors, seen, values[at.asked :], apart, gradients[at.asking :], apart, count, seen, each
                )
                add_part_product_turned_first(
                    errors, seen, values[at.asking :], apart, gradients[at.asked :], apart, seen, count, each
                )


@njit
def _unweigh(weights: Any, errors: Any, scale: Any) -> None:
    """Turn the gradients of weights into those of products, in place."""
    total = weights.dtype.type(0)
    for index in range(weights.size):
        total += weights[index] * errors[index]
    for index in range(weights.size):
        errors[index] = weights[index] * (errors[index] - total) * scale


def remembered(row: Any, values: Any, gradients: Any) -> None:
    """Unroll an attention layer's ring buffer, (past × batch, 3 n), the oldest step first; queries are left unchanged.

    first (batch, 2 + 2 window n): the ring's next index, the number of filled entries, keys (n, window) and values
    (heads, window, n / heads). Numbers: heads, window, batch; past is window - 1.
    """
    heads, window, batch = row[NUMBERS], row[NUMBERS + 1], row[NUMBERS + 2]
    width, past = row[COLUMNS] // 3, window - 1
    each, size = width // heads, 2 + 2 * width * window
    for sequence in range(batch):
        state = values[row[FIRST] + sequence * size : row[FIRST] + (sequence + 1) * size]
        keys, told = state[2 : 2 + width * window], state[2 + width * window :]
        for age in range(1, window):
            place = (int(state[0]) - age + window) % window
            at = row[OUTPUT] + 3 * width * ((past - age) * batch + sequence) + width
            for number in range(width):
                head = number // each
                values[at + number] = keys[number * window + place]
                values[at + width + number] = told[(head * window + place) * each + number - head * each]


@gradient_of(remembered)
def remembered_backward(row: Any, values: Any, gradients: Any) -> None:
    """Do nothing: the ring buffer's contents get no gradient."""


def reach(row: Any, values: Any, gradients: Any) -> None:
    """Compute how many steps back each step may look, (steps × batch, 1): those of its episode that are known.

    first (steps × batch, 1): 0 in a step that begins an episode, else 1. second (batch, numbers): a ring buffer, whose
    second number is the count of steps it holds.
    """
    batch, size = row[NUMBERS], row[SECOND + BY_ROW]
    for sequence in range(batch):
        behind = values[row[SECOND] + sequence * size + 1]
        for at in range(sequence, row[ROWS], batch):
            behind *= values[row[FIRST] + at]
            values[row[OUTPUT] + at] = behind
            behind += values.dtype.type(1)


@gradient_of(reach)
def reach_backward(row: Any, values: Any, gradients: Any) -> None:
    """Do nothing: whole numbers have no gradient."""
