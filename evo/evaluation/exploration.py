"""Exploration: how actions are drawn from a network's outputs while a learner collects experience.

Each way is a plain function, compiled once and called by its address, as a task's and a layer's are:

    draw(outputs, numbers, low, high, rng, taken, action)

It writes `taken`, float32 (action_size,), the action as the learner is told it, and `action`, float64 (action_size,),
as the task takes it: within its bounds, or the index of a choice as one number. outputs: the network's, float64.
numbers: its own, such as deviations, float64. low, high: the task's bounds, float64 (action_size,). rng: a stream of
`evo.envs.engine.random`.
"""

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import types

from evo.envs.engine.compile import compile_kernel, njit
from evo.envs.engine.random import random, standard_normal
from evo.networks.network import decide

# A squashed Gaussian's log deviation is clipped to these bounds, as in the authors' code.
LEAST_LOG_DEVIATION, GREATEST_LOG_DEVIATION = -20.0, 2.0

Draw = Callable[..., None]
_VECTOR, _STREAM = types.Array(types.float64, 1, "C"), types.Array(types.uint64, 1, "C")


@njit
def _take(index: int, drawn: float, low: Any, high: Any, taken: Any, action: Any) -> None:
    """Tell the learner what was drawn, rounded to float32, and the task the same, clipped to its bounds."""
    taken[index] = drawn
    action[index] = min(max(np.float64(taken[index]), low[index]), high[index])


def gaussian(outputs: Any, deviation: Any, low: Any, high: Any, rng: Any, taken: Any, action: Any) -> None:
    """Draw normally around the outputs, deviation float64 (action_size,); `taken` is not clipped."""
    for index in range(action.size):
        _take(index, outputs[index] + deviation[index] * standard_normal(rng), low, high, taken, action)


def squashed_gaussian(outputs: Any, none: Any, low: Any, high: Any, rng: Any, taken: Any, action: Any) -> None:
    """Draw from a squashed Gaussian (Haarnoja et al. 2018, appendix C): tanh(mean + deviation * normal), scaled.

    outputs: the means, then the logarithms of the deviations, of all actions. From ±1 it is scaled to the bounds.
    """
    for index in range(action.size):
        log_deviation = min(max(outputs[action.size + index], LEAST_LOG_DEVIATION), GREATEST_LOG_DEVIATION)
        squashed = math.tanh(outputs[index] + math.exp(log_deviation) * standard_normal(rng))
        centre, half = 0.5 * (high[index] + low[index]), 0.5 * (high[index] - low[index])
        _take(index, centre + half * squashed, low, high, taken, action)


def uniform(outputs: Any, none: Any, low: Any, high: Any, rng: Any, taken: Any, action: Any) -> None:
    """Draw uniformly between the bounds, whatever the outputs: the first steps of off-policy learners."""
    for index in range(action.size):
        _take(index, low[index] + (high[index] - low[index]) * random(rng), low, high, taken, action)


def softmax(outputs: Any, none: Any, low: Any, high: Any, rng: Any, taken: Any, action: Any) -> None:
    """Draw a choice from the softmax of the outputs, by inversion."""
    greatest, total = outputs.max(), 0.0
    for index in range(outputs.size):
        total += math.exp(outputs[index] - greatest)
    left, choice = random(rng) * total, outputs.size - 1
    for index in range(outputs.size - 1):
        left -= math.exp(outputs[index] - greatest)
        if left < 0.0:
            choice = index
            break
    action[0] = taken[0] = choice


def unexplored(outputs: Any, choices: Any, low: Any, high: Any, rng: Any, taken: Any, action: Any) -> None:
    """Act as in a scored episode; `taken` is not clipped. choices: the number of them, as one float64."""
    count = int(choices[0])
    decide(outputs, low, high, count, action)
    for index in range(action.size):
        taken[index] = action[index] if count else outputs[index]


class Exploration(NamedTuple):
    """A way of drawing actions, with its numbers and random streams.

    draw: `gaussian`, `squashed_gaussian`, `uniform` or `softmax`, or a function of your own in a module.
    streams: uint64 (environments, 4). numbers: float64, what `draw` is given as its own.
    """

    draw: Draw
    streams: np.ndarray
    numbers: np.ndarray


def for_collector(
    exploration: Exploration | None, environments: int, choices: int, low: np.ndarray, high: np.ndarray, outputs: int
) -> Exploration:
    """Return an exploration with copies of its arrays as compiled code takes them; `unexplored` for None.

    choices, low, high: the task's. outputs: how many the network has. Raises ValueError where they do not suit it.
    """
    if exploration is None:
        return Exploration(unexplored, np.zeros((environments, 4), np.uint64), np.array([choices], np.float64))
    draw, actions = exploration.draw, len(low)
    name, streams, numbers = draw.__name__, *(np.array(each, order="C") for each in exploration[1:])
    if streams.shape != (environments, 4):  # compiled code would read beyond them
        raise ValueError(f"streams of shape {streams.shape}; {environments} environments take ({environments}, 4)")
    if draw is softmax and not choices:
        raise ValueError(f"{name} draws a choice, and the task takes {actions} numbers")
    if draw in (gaussian, squashed_gaussian, uniform) and choices:
        raise ValueError(f"{name} draws numbers, and the task takes one of {choices} choices")
    if draw in (squashed_gaussian, uniform) and not np.isfinite([low, high]).all():
        raise ValueError(f"{name} draws between the bounds of actions, and the task has an action without")
    if draw is squashed_gaussian and outputs != 2 * actions:
        raise ValueError(f"{name} takes the means and deviations of {actions} actions, not {outputs} outputs")
    if draw is gaussian and numbers.shape != (actions,):
        raise ValueError(f"{name} takes {actions} deviations, got {numbers.shape}")
    return Exploration(draw, streams.astype(np.uint64), numbers.astype(np.float64))


@functools.cache
def address_of(draw: Draw) -> int:
    """Return the address of the compiled function. Raises KernelError."""
    arguments = (_VECTOR, _VECTOR, _VECTOR, _VECTOR, _STREAM, types.Array(types.float32, 1, "C"), _VECTOR)
    address: int = compile_kernel(draw, arguments, "outputs, numbers, low, high, rng, taken, action").address
    return address


@functools.cache
def callable_of(draw: Draw) -> Draw:
    """Return the compiled function, for Python to call; cached, otherwise every process would compile it again."""
    compiled: Draw = njit(cache=True)(draw)
    return compiled
