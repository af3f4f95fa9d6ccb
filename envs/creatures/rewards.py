"""Compiled reward terms of locomotion: capped speed, uprightness, sway, mechanical power."""

import math
from typing import Any

from evo.envs.engine.compile import njit
from evo.envs.engine.physics import mj_kinematics, mj_step


@njit
def capped_speed(speed: float, top_speed: float) -> float:
    """Return the forward speed (m/s), capped at `top_speed`: a steady stride then earns more than bounds and pauses."""
    return min(speed, top_speed)


@njit
def mechanical_power(data: Any) -> float:
    """Return the current power (W) through the actuators, driving or braking: the sum of |force × velocity|."""
    power = 0.0
    for index in range(data.actuator_force.size):
        power += math.fabs(data.actuator_force[index] * data.actuator_velocity[index])
    return power


@njit
def simulate_measured(model: Any, data: Any, action: Any, frame_skip: int) -> float:
    """Hold `action` (nu,) as the control for `frame_skip` time steps; return the mean mechanical power (W).

    Poses are then those of the new state; mj_step alone leaves those of the previous time step.
    """
    power = 0.0
    data.ctrl[:] = action
    for _ in range(frame_skip):
        mj_step(model, data)
        power += mechanical_power(data)
    mj_kinematics(model, data)
    return power / frame_skip


@njit
def upright(data: Any, body: int) -> float:
    """Return the cosine of the angle between a body's z axis and the vertical: 1 upright, 0 on its side."""
    return float(data.xmat[body, 8])


@njit
def sway(data: Any) -> float:
    """Return the sway of a free root body: the sum of its squared velocities along z, about x and about y."""
    return float(data.qvel[2] ** 2 + data.qvel[3] ** 2 + data.qvel[4] ** 2)
