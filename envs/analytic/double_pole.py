"""DoublePole: keep two poles of different lengths upright on one cart, the benchmark of neuroevolution; nearly free.

The equations are those of Wieland (1991), "Evolving neural network controllers for unstable systems", integrated by the
classical Runge-Kutta method, two time steps to an action, as by Gomez & Miikkulainen (1999) and Stanley & Miikkulainen
(2002), "Evolving neural networks through augmenting topologies", whose constants these are. Without velocities the
fitness of Gruau, Whitley & Pyeatt (1996), "A comparison between cellular encoding and direct encoding for genetic
neural networks", keeps a cart from being shaken to and fro. The authors' code of NEAT begins at 0.07 rad and has no
friction of the cart. The model only stores the state for rendering: MuJoCo takes no step.
"""

import math
from typing import Any

import mujoco
import numpy as np

from evo.envs.engine.compile import njit
from evo.envs.engine.physics import mj_forward
from evo.envs.engine.random import uniform
from evo.envs.options import check_positive, split_arguments
from evo.envs.task import Task, record

_GRAVITY = 9.8  # m/s²
_UNITS = (4.8, 2.0, 0.52, 2.0, 0.52, 2.0)  # of the observations: position, its rate, angle, its rate, angle, its rate
_QUIET = 100  # steps over which Gruau's fitness adds up the motion
_LONGEST = 1000  # steps by which it divides the steps balanced
_STILL = 1e-6  # the least divisor: without it a cart at rest, with upright poles, would divide by zero


def _model(half_length: float, short_half_length: float) -> mujoco.MjModel:
    spec = mujoco.MjSpec()
    kind, slide, hinge = mujoco.mjtGeom, mujoco.mjtJoint.mjJNT_SLIDE, mujoco.mjtJoint.mjJNT_HINGE
    spec.worldbody.add_geom(name="floor", type=kind.mjGEOM_PLANE, size=[0, 0, 1], pos=[0, 0, -0.15])
    rail = [-4, 0, 0, 4, 0, 0]
    spec.worldbody.add_geom(type=kind.mjGEOM_CAPSULE, fromto=rail, size=[0.015, 0, 0], rgba=[0.5, 0.53, 0.58, 1])
    cart = spec.worldbody.add_body(name="cart")
    cart.add_joint(name="slider", type=slide, axis=[1, 0, 0])
    cart.add_geom(type=kind.mjGEOM_BOX, size=[0.2, 0.1, 0.08], mass=1.0, rgba=[0.16, 0.55, 0.60, 1])
    poles = (
        ("long", half_length, 0.05, [0.89, 0.45, 0.27, 1]),
        ("short", short_half_length, -0.05, [0.93, 0.76, 0.3, 1]),
    )
    for name, half, side, colour in poles:
        pole = cart.add_body(name=f"{name}_pole", pos=[0, side, 0.08])
        pole.add_joint(name=f"{name}_hinge", type=hinge, axis=[0, 1, 0])
        pole.add_geom(
            type=kind.mjGEOM_CAPSULE, fromto=[0, 0, 0, 0, 0, 2 * half], size=[0.03, 0, 0], mass=0.1, rgba=colour
        )
    return spec.compile()


def reset(model: Any, data: Any, task: Any, rng: Any) -> None:
    scale = task.reset_noise_scale
    data.qpos[0], data.qpos[1] = task.start_position, task.start_angle
    data.qvel[0], data.qvel[1] = task.start_velocity, task.start_spin
    for index in range(3):
        data.qpos[index] += uniform(rng, -scale, scale)
    for index in range(3):
        data.qvel[index] += uniform(rng, -scale, scale)
    mj_forward(model, data)


def observe(model: Any, data: Any, task: Any, obs: Any) -> None:
    if task.velocities:
        for index in range(3):
            obs[2 * index] = data.qpos[index] / _UNITS[2 * index]
            obs[2 * index + 1] = data.qvel[index] / _UNITS[2 * index + 1]
    else:
        for index in range(3):
            obs[index] = data.qpos[index] / _UNITS[2 * index]


@njit
def _pole(half_length: float, mass: float, friction: float, angle: float, spin: float) -> tuple[float, float, float]:
    """Return a pole's effective force and effective mass on the cart, and what turns it while the cart is still."""
    sine, cosine = math.sin(angle), math.cos(angle)
    turn = friction * spin / (mass * half_length) - _GRAVITY * sine
    force = mass * half_length * spin * spin * sine + 0.75 * mass * cosine * turn
    return force, mass * (1.0 - 0.75 * cosine * cosine), turn


@njit
def _rates(task: Any, force: float, state: Any) -> tuple[float, float, float, float, float, float]:
    """Return the derivative of the state (position, angle, short angle, and their rates) by time (Wieland 1991)."""
    angle, short_angle, velocity, spin, short_spin = state[1], state[2], state[3], state[4], state[5]
    rubbing = task.cart_friction * ((velocity > 0) - (velocity < 0))
    long = _pole(task.half_length, task.pole_mass, task.pole_friction, angle, spin)
    short = _pole(task.short_half_length, task.short_mass, task.pole_friction, short_angle, short_spin)
    pushing = (force - rubbing + long[0] + short[0]) / (task.cart_mass + long[1] + short[1])
    turning = -0.75 * (pushing * math.cos(angle) + long[2]) / task.half_length
    short_turning = -0.75 * (pushing * math.cos(short_angle) + short[2]) / task.short_half_length
    return velocity, spin, short_spin, pushing, turning, short_turning


@njit
def _along(state: Any, rates: Any, time: float) -> tuple[float, float, float, float, float, float]:
    """Return the state after moving for a time at constant rates."""
    return (
        state[0] + time * rates[0],
        state[1] + time * rates[1],
        state[2] + time * rates[2],
        state[3] + time * rates[3],
        state[4] + time * rates[4],
        state[5] + time * rates[5],
    )


@njit
def _runge_kutta(task: Any, force: float, state: Any) -> tuple[float, float, float, float, float, float]:
    """Return the state after a time step, by the classical method of fourth order."""
    time = task.timestep
    first = _rates(task, force, state)
    second = _rates(task, force, _along(state, first, 0.5 * time))
    third = _rates(task, force, _along(state, second, 0.5 * time))
    last = _rates(task, force, _along(state, third, time))
    state = _along(state, first, time / 6.0)
    state = _along(state, second, time / 3.0)
    state = _along(state, third, time / 3.0)
    return _along(state, last, time / 6.0)


@njit
def _damped_fitness(task: Any) -> float:
    """Return Gruau's fitness so far: 0.1 f1 + 0.9 f2 (Stanley & Miikkulainen 2002, section 4.3.2)."""
    fitness = 0.1 * task.balanced / _LONGEST
    if task.balanced >= _QUIET:
        motion = 0.0
        for index in range(_QUIET):
            motion += task.motion[index]
        fitness += 0.9 * 0.75 / max(motion, _STILL)
    return fitness


def advance(model: Any, data: Any, task: Any, action: Any, out: Any) -> None:
    share = 2.0 * action[0] - 1.0 if task.discrete else action[0]
    state = (data.qpos[0], data.qpos[1], data.qpos[2], data.qvel[0], data.qvel[1], data.qvel[2])
    for _ in range(2):
        state = _runge_kutta(task, task.force * share, state)
    for index in range(3):
        data.qpos[index] = state[index]
        data.qvel[index] = state[3 + index]
    tilted = max(abs(state[1]), abs(state[2])) > task.fall_angle
    out.terminated = abs(state[0]) > task.track or tilted
    out.reward = 1.0
    if task.gruau:
        task.motion[task.step % _QUIET] = abs(state[0]) + abs(state[1]) + abs(state[3]) + abs(state[4])
        task.step += 1
        task.balanced += not out.terminated
        fitness = _damped_fitness(task)
        out.reward = fitness - task.earned
        task.earned = fitness


def double_pole(
    *,
    velocities: bool = True,
    gruau: bool = False,
    discrete: bool = False,
    cart_mass: float = 1.0,
    pole_mass: float = 0.1,
    short_mass: float = 0.01,
    half_length: float = 0.5,
    short_half_length: float = 0.05,
    cart_friction: float = 0.0005,
    pole_friction: float = 0.000002,
    force: float = 10.0,
    track: float = 2.4,
    fall_angle: float = 0.6283185307179586,
    timestep: float = 0.01,
    start_position: float = 0.0,
    start_velocity: float = 0.0,
    start_angle: float = 0.07853981633974483,
    start_spin: float = 0.0,
    reset_noise_scale: float = 0.01,
    steps: int = 1000,
    **rendering: Any,
) -> Task:
    """Balance two poles on a cart. Observation (6,): position, its rate, each pole's angle and its rate. Action (1,).

    The observations are in units of 4.8 m, 2 m/s, 0.52 rad and 2 rad/s; the action is the share of the force, ±1, for
    two time steps. Every step upright earns 1; leaving the track or a pole past fall_angle ends the episode.

    velocities: whether the rates are observed; without them the observation is (3,). gruau: whether the return is
    Gruau's fitness, 0.1 × steps balanced / 1,000 + 0.9 × 0.75 / (sum of |x| + |x'| + |θ| + |θ'| over the last 100
    steps), the second part 0 before 100 steps. discrete: whether the action is a choice, 0 to push left and 1 right
    with all of the force. half_length, short_half_length: half the length of each pole, in m. pole_mass, short_mass:
    mass of each pole, in kg. cart_friction: coefficient of friction on the track. pole_friction: coefficient of
    friction of the hinges. start_position: where the cart begins, in m. start_velocity: how fast it begins, in m/s.
    start_angle, start_spin: angle and its rate at which the long pole begins, in rad and rad/s; the short pole begins
    upright. reset_noise_scale: largest deviation from the start, of each of the six numbers; the papers' is 0. steps:
    control steps at most in an episode; the papers' test with velocities has 100,000. Raises ValueError for a number
    out of its range.
    """
    options, rendering = split_arguments(locals())
    starts = {name: value for name, value in options.items() if name.startswith("start_")}
    for name, value in starts.items():
        if not math.isfinite(value):
            raise ValueError(f"{name} must be a finite number, got {value}")
    switches = ("velocities", "gruau", "discrete", "cart_friction", "pole_friction", "reset_noise_scale")
    check_positive({name: value for name, value in options.items() if name not in starts}, *switches)
    for name, value in (("half_length", half_length), ("short_half_length", short_half_length)):
        if not 1e-3 <= value <= 1e3:  # what can be drawn
            raise ValueError(f"{name} must be a number from 0.001 to 1000, got {value}")
    model = _model(half_length, short_half_length)
    model.opt.timestep = timestep
    return Task(
        name="evo/DoublePole-v0",
        model=model,
        reset=reset,
        observe=observe,
        advance=advance,
        record=record(**options, step=0, balanced=0, earned=0.0, motion=np.zeros(_QUIET)),
        observation_size=6 if velocities else 3,
        action_low=-np.ones(1),
        action_high=np.ones(1),
        choices=2 if discrete else 0,
        steps=steps,
        frame_skip=2,
        options=options,
        rendering=rendering,
    )
