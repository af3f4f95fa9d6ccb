"""Names of a model's positions, velocities and actuators, for pictures of what observes and moves them."""

from collections.abc import Sequence
from typing import Any

import mujoco

_FREE, _BALL = int(mujoco.mjtJoint.mjJNT_FREE), int(mujoco.mjtJoint.mjJNT_BALL)
_POSITIONS = {_FREE: (" x", " y", " z", " qw", " qx", " qy", " qz"), _BALL: (" qw", " qx", " qy", " qz")}
_VELOCITIES = {_FREE: (" vx", " vy", " vz", " wx", " wy", " wz"), _BALL: (" wx", " wy", " wz")}


def state_names(model: mujoco.MjModel, positions: Sequence[int]) -> tuple[str, ...]:
    """Return names of some positions, indices into qpos, and then of all velocities: by their joints."""
    joints = [(model.joint(index), int(model.jnt_type[index])) for index in range(model.njnt)]
    places = [f"{_named(joint)}{part}" for joint, kind in joints for part in _POSITIONS.get(kind, ("",))]
    rates = [f"{_named(joint)}{part}" for joint, kind in joints for part in _VELOCITIES.get(kind, (" rate",))]
    return (*(places[index] for index in positions), *rates)


def actuator_names(model: mujoco.MjModel) -> tuple[str, ...]:
    """Return the names of actuators; of one without a name, that of the joint it drives."""
    found = []
    for index in range(model.nu):
        name = model.actuator(index).name
        if not name and model.actuator_trntype[index] == mujoco.mjtTrn.mjTRN_JOINT:
            name = _named(model.joint(int(model.actuator_trnid[index, 0])))
        found.append(name or str(index))
    return tuple(found)


def _named(joint: Any) -> str:
    name: str = joint.name
    return name or f"joint {joint.id}"
