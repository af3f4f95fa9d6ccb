"""Boxes: find the larger of two boxes in a field of vision; visual discrimination.

Stanley, D'Ambrosio & Gauci 2009, "A hypercube-based encoding for evolving large-scale neural networks", section 4. A
step is a trial. A network sees the field, one number for each place, 1 in a box and 0 elsewhere, and has an output for
each place: that of the highest is where it says that the middle of the larger box is. The small box is one unit wide,
the large one three. The small box stands at 25 places, evenly spread, and the large one five units to its right, below
it, and both: 75 trials. Where it would leave the field it comes in on the other side, and is moved until it is all
seen. An episode is every trial once; its seed says which is the first. The paper's field is 11 units wide. At a higher
resolution a unit is several numbers wide, and nothing else is different.
"""

import math
from typing import Any

import mujoco
import numpy as np

from evo.envs.engine.compile import njit
from evo.envs.engine.physics import mj_forward
from evo.envs.engine.random import uniform
from evo.envs.options import split_arguments
from evo.envs.task import Task, record

_PLACES = 5  # of the small box along each side
_UNITS, _SHIFT = 11, 5  # of the field's side, and from one box to the other, in the paper
_LARGEST = 99  # numbers along a side


def _model(resolution: int, unit: int, ratio: int) -> mujoco.MjModel:
    spec = mujoco.MjSpec()
    kind, slide = mujoco.mjtGeom, mujoco.mjtJoint.mjJNT_SLIDE
    spec.worldbody.add_geom(name="floor", type=kind.mjGEOM_PLANE, size=[0, 0, 1])
    parts = (("small", unit, [0.16, 0.55, 0.60, 1]), ("large", ratio * unit, [0.89, 0.45, 0.27, 1]))
    for name, side, colour in parts:
        body = spec.worldbody.add_body(name=name)
        for axis, direction in (("x", [1, 0, 0]), ("y", [0, -1, 0])):  # rows go down
            body.add_joint(name=f"{name}_{axis}", type=slide, axis=direction)
        half = side / resolution
        body.add_geom(type=kind.mjGEOM_BOX, size=[half, half, 0.02], pos=[0, 0, 0.02], rgba=colour, mass=1.0)
    body = spec.worldbody.add_body(name="chosen")
    for axis, direction in (("x", [1, 0, 0]), ("y", [0, -1, 0])):
        body.add_joint(name=f"chosen_{axis}", type=slide, axis=direction)
    dot = [0.13, 0.2, 0.23, 1]
    body.add_geom(type=kind.mjGEOM_SPHERE, size=[0.5 / resolution + 0.02, 0, 0], pos=[0, 0, 0.08], rgba=dot, mass=1.0)
    return spec.compile()


def _trials(units: int, ratio: int) -> np.ndarray:
    """Return the first column and row of the small and of the large box in each trial, in units, int64 (trials, 4)."""
    count = min(_PLACES, units)
    places = [int((place + 0.5) * units / count) for place in range(count)]
    shift = max(1, round(units * _SHIFT / _UNITS))
    trials = []
    for right, down in ((shift, 0), (0, shift), (shift, shift)):
        for y in places:
            for x in places:
                middle = ((x + right) % units, (y + down) % units)
                trials.append([x, y, *(min(max(at - ratio // 2, 0), units - ratio) for at in middle)])
    return np.array(trials)


@njit
def _show(data: Any, task: Any, trial: int) -> None:
    """Put the boxes where a picture of this trial shows them, the field being from -1 to 1."""
    half = 0.5 * task.resolution
    for axis in range(2):
        data.qpos[axis] = (task.trials[trial, axis] + 0.5) * task.unit / half - 1.0
        data.qpos[2 + axis] = (task.trials[trial, 2 + axis] + 0.5 * task.ratio) * task.unit / half - 1.0


def reset(model: Any, data: Any, task: Any, rng: Any) -> None:
    task.trial = int(uniform(rng, 0.0, len(task.trials)))
    _show(data, task, task.trial)
    mj_forward(model, data)


def observe(model: Any, data: Any, task: Any, obs: Any) -> None:
    trial, side = task.trials[task.trial], task.resolution
    obs[:] = 0.0
    for box in range(2):
        width = task.unit * (task.ratio if box else 1)
        left, top = task.unit * trial[2 * box], task.unit * trial[2 * box + 1]
        for row in range(top, top + width):
            for column in range(left, left + width):
                obs[row * side + column] = 1.0


def advance(model: Any, data: Any, task: Any, action: Any, out: Any) -> None:
    trial, side, unit, squared = task.trials[task.trial], task.resolution, task.unit, 0.0
    place = int(action[0])
    width = task.ratio * unit
    _show(data, task, task.trial)
    for axis in range(2):
        chosen = place // side if axis else place % side
        data.qpos[4 + axis] = (2 * chosen + 1) / side - 1.0
        halves = abs(2 * chosen - 2 * unit * trial[2 + axis] - width + 1)  # from the middle, in halves of a place
        off = max(halves - (1 - width % 2), 0) / (2.0 * unit)  # of an even width four places are the middle
        squared += off * off
    out.reward = -squared
    task.distance = math.sqrt(squared)
    task.trial = (task.trial + 1) % len(task.trials)
    out.terminated = False


def measure(model: Any, data: Any, task: Any, step: int, out: Any) -> None:
    out[0] += (task.distance - out[0]) / step


def boxes(*, resolution: int = 11, ratio: int = 3, **rendering: Any) -> Task:
    """Find the larger of two boxes. Observation (resolution²,): 1 in a box, row by row. Choices: the same places.

    resolution: numbers along a side of the field, 3 to 10, or 11 (the paper's) and multiples of it up to 99, on which a
    unit, the side of the small box, is several of them. ratio: units along a side of the large box, fewer than the
    field's. A trial earns minus the squared distance from the chosen place to the middle of the large box, in units².
    Measure: the mean distance, in units. Raises ValueError for a number out of its range.
    """
    options, rendering = split_arguments(locals())
    if not 3 <= resolution <= _LARGEST or (resolution > _UNITS and resolution % _UNITS):
        raise ValueError(f"resolution must be 3 to 11, or a multiple of 11 up to {_LARGEST}, got {resolution}")
    unit = max(1, resolution // _UNITS)
    if not 2 <= ratio < resolution // unit:
        raise ValueError(f"ratio must be from 2 to {resolution // unit - 1}, less than the field's side, got {ratio}")
    trials = _trials(resolution // unit, ratio)
    return Task(
        name="evo/Boxes-v0",
        model=_model(resolution, unit, ratio),
        reset=reset,
        observe=observe,
        advance=advance,
        record=record(**options, unit=unit, trials=trials, trial=0, distance=0.0),
        observation_size=resolution**2,
        choices=resolution**2,
        steps=len(trials),
        frame_skip=1,
        options=options,
        rendering=rendering,
        measure=measure,
        measures=("distance",),
        view={"distance": 3.0, "elevation": -60.0, "azimuth": 90.0},
    )
