"""Pendulum: swing a rod up and balance it, with a torque too weak to lift it at once; nearly free.

The equations, the limits and the reward are those of Gymnasium's `Pendulum-v1`, from whose numbers these differ only in
that observations are float64, and a reward at most in its last digit. The model only stores the state for rendering:
MuJoCo takes no step.
"""

import math
from typing import Any

import mujoco
import numpy as np

from evo.envs.engine.physics import mj_forward
from evo.envs.engine.random import uniform
from evo.envs.options import check_positive, split_arguments
from evo.envs.task import Task, record


def _model(length: float) -> mujoco.MjModel:
    spec = mujoco.MjSpec()
    kind, hinge = mujoco.mjtGeom, mujoco.mjtJoint.mjJNT_HINGE
    spec.worldbody.add_geom(name="floor", type=kind.mjGEOM_PLANE, size=[0, 0, 1], pos=[0, 0, -1.2 * length])
    axle = [0, -0.06, 0, 0, 0.06, 0]
    spec.worldbody.add_geom(type=kind.mjGEOM_CAPSULE, fromto=axle, size=[0.04, 0, 0], rgba=[0.16, 0.55, 0.60, 1])
    rod = spec.worldbody.add_body(name="rod")
    rod.add_joint(name="hinge", type=hinge, axis=[0, -1, 0])
    upright = [0, 0, 0, 0, 0, length]
    rod.add_geom(type=kind.mjGEOM_CAPSULE, fromto=upright, size=[0.06, 0, 0], mass=1.0, rgba=[0.89, 0.45, 0.27, 1])
    return spec.compile()


def reset(model: Any, data: Any, task: Any, rng: Any) -> None:
    data.qpos[0] = uniform(rng, -math.pi, math.pi)
    data.qvel[0] = uniform(rng, -1.0, 1.0)
    mj_forward(model, data)


def observe(model: Any, data: Any, task: Any, obs: Any) -> None:
    obs[0], obs[1], obs[2] = math.cos(data.qpos[0]), math.sin(data.qpos[0]), data.qvel[0]


def advance(model: Any, data: Any, task: Any, action: Any, out: Any) -> None:
    angle, spin = data.qpos[0], data.qvel[0]
    torque = min(max(action[0], -task.max_torque), task.max_torque)
    off = (angle + math.pi) % (2.0 * math.pi) - math.pi  # from upright, within ±π
    out.reward = -(off * off + 0.1 * (spin * spin) + 0.001 * (torque * torque))
    # a uniform rod turns about its end: its moment of inertia is m l² / 3
    weight = 3.0 * task.gravity / (2.0 * task.length) * math.sin(angle)
    spin += (weight + 3.0 / (task.mass * (task.length * task.length)) * torque) * task.timestep
    spin = min(max(spin, -task.max_speed), task.max_speed)
    data.qvel[0] = spin
    data.qpos[0] = angle + spin * task.timestep
    out.terminated = False


def pendulum(
    *,
    gravity: float = 10.0,
    mass: float = 1.0,
    length: float = 1.0,
    max_speed: float = 8.0,
    max_torque: float = 2.0,
    timestep: float = 0.05,
    steps: int = 200,
    **rendering: Any,
) -> Task:
    """Swing a rod up. Observation (3,): cosine and sine of its angle, angular velocity. Action (1,): the torque.

    The angle is from upright. A step costs the squared angle, 0.1 times the squared speed and 0.001 times the squared
    torque; about -150 an episode is good. The rod begins at any angle, with up to ±1 rad/s.

    gravity: in m/s². mass: of the rod, in kg. length: of the rod, in m. max_speed: in rad/s, at which it is held.
    max_torque: in N m, the bound of the action. timestep: in s. steps: control steps of an episode. Raises ValueError
    for a number out of its range.
    """
    options, rendering = split_arguments(locals())
    check_positive(options)
    if not 1e-3 <= length <= 1e3:  # what can be drawn
        raise ValueError(f"length must be a number from 0.001 to 1000, got {length}")
    model = _model(length)
    model.opt.timestep = timestep
    return Task(
        name="evo/Pendulum-v0",
        model=model,
        reset=reset,
        observe=observe,
        advance=advance,
        record=record(**options),
        observation_size=3,
        observation_names=("cosine", "sine", "spin"),
        action_low=np.full(1, -max_torque),
        action_high=np.full(1, max_torque),
        steps=steps,
        frame_skip=1,
        options=options,
        rendering=rendering,
    )
