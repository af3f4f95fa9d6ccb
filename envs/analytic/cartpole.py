"""CartPole: keep a pole upright on a cart; nearly free, so the tests use it.

The equations are those of Barto, Sutton & Anderson (1983), "Neuronlike adaptive elements that can solve difficult
learning control problems", without friction, integrated by Euler's method as there; the force is continuous, or to the
left or right as in the paper. The model only stores the state for rendering: MuJoCo takes no step.
"""

import math
from typing import Any

import mujoco
import numpy as np

from evo.envs.engine.physics import mj_forward
from evo.envs.engine.random import uniform
from evo.envs.options import check_positive, split_arguments
from evo.envs.task import Task, record

_GRAVITY = 9.8  # m/s², as in the paper


def _model(half_length: float) -> mujoco.MjModel:
    spec = mujoco.MjSpec()
    kind, slide, hinge = mujoco.mjtGeom, mujoco.mjtJoint.mjJNT_SLIDE, mujoco.mjtJoint.mjJNT_HINGE
    spec.worldbody.add_geom(name="floor", type=kind.mjGEOM_PLANE, size=[0, 0, 1], pos=[0, 0, -0.15])
    rail = [-4, 0, 0, 4, 0, 0]
    spec.worldbody.add_geom(type=kind.mjGEOM_CAPSULE, fromto=rail, size=[0.015, 0, 0], rgba=[0.5, 0.53, 0.58, 1])
    cart = spec.worldbody.add_body(name="cart")
    cart.add_joint(name="slider", type=slide, axis=[1, 0, 0])
    cart.add_geom(type=kind.mjGEOM_BOX, size=[0.2, 0.1, 0.08], mass=1.0, rgba=[0.16, 0.55, 0.60, 1])
    pole = cart.add_body(name="pole")
    pole.add_joint(name="hinge", type=hinge, axis=[0, 1, 0])
    upright = [0, 0, 0, 0, 0, 2 * half_length]
    pole.add_geom(type=kind.mjGEOM_CAPSULE, fromto=upright, size=[0.035, 0, 0], mass=0.1, rgba=[0.89, 0.45, 0.27, 1])
    return spec.compile()


def reset(model: Any, data: Any, task: Any, rng: Any) -> None:
    scale = task.reset_noise_scale
    for index in range(2):
        data.qpos[index] = uniform(rng, -scale, scale)
    for index in range(2):
        data.qvel[index] = uniform(rng, -scale, scale)
    mj_forward(model, data)


def observe(model: Any, data: Any, task: Any, obs: Any) -> None:
    obs[0], obs[1], obs[2], obs[3] = data.qpos[0], data.qpos[1], data.qvel[0], data.qvel[1]


def advance(model: Any, data: Any, task: Any, action: Any, out: Any) -> None:
    angle, velocity, spin = data.qpos[1], data.qvel[0], data.qvel[1]
    total = task.cart_mass + task.pole_mass
    sine, cosine = math.sin(angle), math.cos(angle)
    push = 2.0 * action[0] - 1.0 if task.discrete else action[0]
    pushed = (task.force * push + task.pole_mass * task.half_length * spin * spin * sine) / total
    turning = (_GRAVITY * sine - cosine * pushed) / (
        task.half_length * (4.0 / 3.0 - task.pole_mass * cosine * cosine / total)
    )
    pushing = pushed - task.pole_mass * task.half_length * turning * cosine / total
    data.qpos[0] += task.timestep * velocity
    data.qpos[1] += task.timestep * spin
    data.qvel[0] += task.timestep * pushing
    data.qvel[1] += task.timestep * turning
    out.reward = 1.0
    out.terminated = abs(data.qpos[0]) > task.track or abs(data.qpos[1]) > task.fall_angle


def cartpole(
    *,
    discrete: bool = False,
    cart_mass: float = 1.0,
    pole_mass: float = 0.1,
    half_length: float = 0.5,
    force: float = 10.0,
    track: float = 2.4,
    fall_angle: float = 0.20943951023931953,
    timestep: float = 0.02,
    reset_noise_scale: float = 0.05,
    steps: int = 500,
    **rendering: Any,
) -> Task:
    """Balance a pole on a cart. Observation (4,): position, angle, their rates. Action (1,): share of the force, ±1.

    discrete: the action is a choice instead, 0 pushes left and 1 right, with all of the force. Lengths in m, masses in
    kg, force in N, angles in rad. Every step upright earns 1; leaving the track or leaning past fall_angle ends the
    episode. Raises ValueError for a number out of its range.
    """
    options, rendering = split_arguments(locals())
    check_positive(options, "discrete", "reset_noise_scale")
    if not 1e-3 <= half_length <= 1e3:  # what can be drawn
        raise ValueError(f"half_length must be a number from 0.001 to 1000, got {half_length}")
    model = _model(half_length)
    model.opt.timestep = timestep
    return Task(
        name="evo/CartPole-v0",
        model=model,
        reset=reset,
        observe=observe,
        advance=advance,
        record=record(**options),
        observation_size=4,
        observation_names=("position", "angle", "velocity", "spin"),
        action_low=-np.ones(1),
        action_high=np.ones(1),
        choices=2 if discrete else 0,
        steps=steps,
        frame_skip=1,
        options=options,
        rendering=rendering,
    )
