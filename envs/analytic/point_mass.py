"""PointMass: drive a damped point in the plane to a target; nearly free, so the tests use it.

Over a time step with constant force the damped motion x'' = a u - d x' has a closed form, which `advance` uses: the
dynamics are exact. The model only stores the state for rendering: MuJoCo takes no step.
"""

import math
from typing import Any

import mujoco
import numpy as np

from evo.envs.engine.physics import mj_forward
from evo.envs.engine.random import uniform
from evo.envs.options import check_positive, split_arguments
from evo.envs.task import Task, record


def _model() -> mujoco.MjModel:
    spec = mujoco.MjSpec()
    kind, slide = mujoco.mjtGeom, mujoco.mjtJoint.mjJNT_SLIDE
    spec.worldbody.add_geom(name="floor", type=kind.mjGEOM_PLANE, size=[0, 0, 1])
    for name, colour in (("point", [0.89, 0.45, 0.27, 1]), ("target", [0.16, 0.55, 0.60, 1])):
        body = spec.worldbody.add_body(name=name, pos=[0, 0, 0.06])
        for axis, direction in (("x", [1, 0, 0]), ("y", [0, 1, 0])):
            body.add_joint(name=f"{name}_{axis}", type=slide, axis=direction)
        shape = kind.mjGEOM_SPHERE if name == "point" else kind.mjGEOM_CYLINDER
        size = [0.06, 0, 0] if name == "point" else [0.1, 0.005, 0]
        body.add_geom(type=shape, size=size, rgba=colour, mass=1.0, pos=[0, 0, 0 if name == "point" else -0.054])
    return spec.compile()


def reset(model: Any, data: Any, task: Any, rng: Any) -> None:
    for index in range(2, 4):
        data.qpos[index] = uniform(rng, -1.0, 1.0)
    mj_forward(model, data)


def observe(model: Any, data: Any, task: Any, obs: Any) -> None:
    for axis in range(2):
        obs[axis] = data.qpos[2 + axis] - data.qpos[axis]
        obs[2 + axis] = data.qvel[axis]


def advance(model: Any, data: Any, task: Any, action: Any, out: Any) -> None:
    time, damping = task.timestep, task.damping
    kept = math.exp(-damping * time)
    squared = 0.0
    for axis in range(2):
        final_speed = task.acceleration * action[axis] / damping
        excess = data.qvel[axis] - final_speed
        data.qpos[axis] += final_speed * time + excess * (1.0 - kept) / damping
        data.qvel[axis] = final_speed + excess * kept
        squared += (data.qpos[2 + axis] - data.qpos[axis]) ** 2
    out.reward = -math.sqrt(squared)
    out.terminated = False


def measure(model: Any, data: Any, task: Any, step: int, out: Any) -> None:
    out[0], out[1] = data.qpos[0], data.qpos[1]


def point_mass(
    *, acceleration: float = 4.0, damping: float = 2.0, timestep: float = 0.05, steps: int = 100, **rendering: Any
) -> Task:
    """Drive a point to a target. Observation (4,): way to the target, velocity. Action (2,): share of the force, ±1.

    acceleration in m/s², damping in 1/s, timestep in s. A step earns minus the distance left, in m. The target is drawn
    from the square of ±1 m around the start. Measures: the last x and y, in m. Raises
    ValueError for a number out of its range.
    """
    options, rendering = split_arguments(locals())
    check_positive(options)
    model = _model()
    model.opt.timestep = timestep
    return Task(
        name="evo/PointMass-v0",
        model=model,
        reset=reset,
        observe=observe,
        advance=advance,
        record=record(**options),
        observation_size=4,
        observation_names=("way x", "way y", "velocity x", "velocity y"),
        action_low=-np.ones(2),
        action_high=np.ones(2),
        steps=steps,
        frame_skip=1,
        options=options,
        rendering=rendering,
        measure=measure,
        measures=("x", "y"),
        ranges={"x": (-2.0, 2.0), "y": (-2.0, 2.0)},
    )
