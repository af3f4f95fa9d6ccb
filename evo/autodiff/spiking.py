"""Operations of spiking neurons, one time step each; see `evo.autodiff.operations`.

A spike's true derivative is zero wherever it exists. Its surrogate is that of Zenke & Ganguli 2018, "SuperSpike:
supervised learning in multilayer spiking neural networks": of the fast sigmoid u / (1 + |u|), u = steepness × (v - 1),
scaled to 1 at the threshold. As there, no gradient goes through the reset.
"""

from typing import Any

from evo.autodiff.operations import COLUMNS, FIRST, NEEDED, OUTPUT, ROWS, SECOND, THIRD, block, gradient_of
from evo.numerics import activations

STEEPNESS = 10  # per distance from rest to threshold


def spike(row: Any, values: Any, gradients: Any) -> None:
    out = block(row, values, OUTPUT)
    out[:] = block(row, values, FIRST)
    activations.spike(out)


@gradient_of(spike)
def spike_backward(row: Any, values: Any, gradients: Any) -> None:
    """Use the surrogate 1 / (1 + steepness |v - 1|)^2 in place of the derivative."""
    membrane, above, below = (
        block(row, values, FIRST),
        block(row, gradients, OUTPUT),
        block(row, gradients, FIRST),
    )
    one, steepness = values.dtype.type(1), values.dtype.type(STEEPNESS)
    for index in range(membrane.size):
        root = one + steepness * abs(membrane[index] - one)
        below[index] += above[index] / (root * root)


def leak(row: Any, values: Any, gradients: Any) -> None:
    """Compute membranes: second (1, n) × third (m, n) + first (m, n), less 1 where third was above the threshold."""
    n, one, zero = row[COLUMNS], values.dtype.type(1), values.dtype.type(0)
    out, current, before = block(row, values, OUTPUT), block(row, values, FIRST), block(row, values, THIRD)
    for i in range(row[ROWS]):
        for j in range(n):
            at = i * n + j
            reset = one if before[at] > one else zero
            out[at] = values[row[SECOND] + j] * before[at] + current[at] - reset


@gradient_of(leak)
def leak_backward(row: Any, values: Any, gradients: Any) -> None:
    n = row[COLUMNS]
    above, before = block(row, gradients, OUTPUT), block(row, values, THIRD)
    of_current, of_before = block(row, gradients, FIRST), block(row, gradients, THIRD)
    for i in range(row[ROWS]):
        for j in range(n):
            at, keeping = i * n + j, row[SECOND] + j
            if row[FIRST + NEEDED]:
                of_current[at] += above[at]
            if row[SECOND + NEEDED]:
                gradients[keeping] += above[at] * before[at]
            if row[THIRD + NEEDED]:
                of_before[at] += above[at] * values[keeping]


def trace(row: Any, values: Any, gradients: Any) -> None:
    """Low-pass filter spikes: target + second (1, n) × (third (m, n) - target).

    The target is 1 for a spike, first (m, n), else -1.
    """
    n, one = row[COLUMNS], values.dtype.type(1)
    out, spikes, before = block(row, values, OUTPUT), block(row, values, FIRST), block(row, values, THIRD)
    for i in range(row[ROWS]):
        for j in range(n):
            at = i * n + j
            target = spikes[at] + spikes[at] - one
            out[at] = target + values[row[SECOND] + j] * (before[at] - target)


@gradient_of(trace)
def trace_backward(row: Any, values: Any, gradients: Any) -> None:
    n, one = row[COLUMNS], values.dtype.type(1)
    above, spikes, before = block(row, gradients, OUTPUT), block(row, values, FIRST), block(row, values, THIRD)
    of_spikes, of_before = block(row, gradients, FIRST), block(row, gradients, THIRD)
    for i in range(row[ROWS]):
        for j in range(n):
            at, keeping = i * n + j, row[SECOND] + j
            error = above[at] * (one - values[keeping])
            if row[FIRST + NEEDED]:
                of_spikes[at] += error + error
            if row[SECOND + NEEDED]:
                gradients[keeping] += above[at] * (before[at] - spikes[at] - spikes[at] + one)
            if row[THIRD + NEEDED]:
                of_before[at] += above[at] * values[keeping]
