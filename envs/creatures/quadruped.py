"""Quadruped: a 14 kg fox-coloured dog is rewarded for going forward at an easy pace, less power spent and swaying."""

import math
from typing import Any

import mujoco
from numba import njit

from envs.physics import mj_forward, mj_kinematics, mj_step
from envs.random import standard_normal, uniform
from envs.rewards import capped_speed, mechanical_power, sway, upright
from envs.task import Task, record

_FUR, _CREAM, _SOCK, _NOSE = (0.80, 0.42, 0.18, 1), (0.96, 0.87, 0.72, 1), (0.30, 0.17, 0.12, 1), (0.12, 0.09, 0.09, 1)
_REAR_FUR = (0.70, 0.34, 0.15, 1)
_FLESH = 1050.0  # kg/m³
_THIGH, _SHANK, _BEND = 0.17, 0.17, 0.5  # m, m, rad from the vertical at rest
_FOOT = 0.026
_CAPSULE = int(mujoco.mjtGeom.mjGEOM_CAPSULE)
_TORSO, _HIP_HEIGHT = 1, (_THIGH + _SHANK) * math.cos(_BEND) + _FOOT


def _model(timestep: float) -> mujoco.MjModel:
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    spec.option.timestep = timestep
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.iterations, spec.option.ls_iterations = 4, 8
    spec.option.disableflags |= mujoco.mjtDisableBit.mjDSBL_EULERDAMP
    kind = mujoco.mjtGeom
    spec.worldbody.add_light(pos=[0, 0, 4], dir=[0.2, 0.3, -1], type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL)
    spec.worldbody.add_geom(
        name="floor", type=kind.mjGEOM_PLANE, size=[0, 0, 0.5], rgba=[0.62, 0.66, 0.60, 1], contype=1, conaffinity=0
    )

    torso = spec.worldbody.add_body(name="torso", pos=[0, 0, _HIP_HEIGHT])
    torso.add_freejoint(name="root")

    def part(body: Any, shape: Any, colour: Any, density: float = _FLESH, **geometry: Any) -> None:
        # limbs meet the floor only: a leg that brushes another costs time and teaches nothing
        solid = int(density > 0)
        body.add_geom(type=shape, rgba=colour, density=density, contype=0, conaffinity=solid, **geometry)

    part(torso, kind.mjGEOM_CAPSULE, _FUR, fromto=[-0.17, 0, 0.02, 0.17, 0, 0.03], size=[0.075, 0, 0], name="trunk")
    part(torso, kind.mjGEOM_ELLIPSOID, _CREAM, 0, pos=[0.13, 0, 0.005], size=[0.10, 0.066, 0.072])
    part(torso, kind.mjGEOM_CAPSULE, _FUR, fromto=[0.20, 0, 0.06, 0.27, 0, 0.14], size=[0.045, 0, 0], name="neck")
    part(torso, kind.mjGEOM_ELLIPSOID, _FUR, pos=[0.30, 0, 0.165], size=[0.07, 0.05, 0.05], name="head")
    part(torso, kind.mjGEOM_CAPSULE, _CREAM, 0, fromto=[0.34, 0, 0.150, 0.385, 0, 0.143], size=[0.024, 0, 0])
    part(torso, kind.mjGEOM_SPHERE, _NOSE, 0, pos=[0.408, 0, 0.148], size=[0.011, 0, 0])
    part(torso, kind.mjGEOM_CAPSULE, _REAR_FUR, 0, fromto=[-0.24, 0, 0.05, -0.37, 0, 0.15], size=[0.020, 0, 0])
    part(torso, kind.mjGEOM_CAPSULE, _CREAM, 0, fromto=[-0.37, 0, 0.15, -0.40, 0, 0.19], size=[0.016, 0, 0])
    for side in (1, -1):
        part(torso, kind.mjGEOM_SPHERE, _NOSE, 0, pos=[0.352, side * 0.027, 0.185], size=[0.008, 0, 0])
        ear = [0.275, side * 0.033, 0.20, 0.265, side * 0.042, 0.245]
        part(torso, kind.mjGEOM_CAPSULE, _REAR_FUR, 0, fromto=ear, size=[0.013, 0, 0])

    for name, x, y, colour, lean in (
        ("front_left", 0.17, 0.12, _FUR, -1),
        ("front_right", 0.17, -0.12, _FUR, -1),
        ("hind_left", -0.17, 0.12, _REAR_FUR, 1),
        ("hind_right", -0.17, -0.12, _REAR_FUR, 1),
    ):
        # a dog's elbow points backward, its knee forward; the paw stands under the hip
        knee = [lean * _THIGH * math.sin(_BEND), 0, -_THIGH * math.cos(_BEND)]
        foot = [-lean * _SHANK * math.sin(_BEND), 0, -_SHANK * math.cos(_BEND)]
        thigh = torso.add_body(name=f"{name}_thigh", pos=[x, y, 0])
        part(thigh, kind.mjGEOM_CAPSULE, colour, fromto=[0, 0, 0, *knee], size=[0.032, 0, 0], name=f"{name}_thigh")
        shank = thigh.add_body(name=f"{name}_shank", pos=knee)
        part(
            shank,
            kind.mjGEOM_CAPSULE,
            colour,
            fromto=[0, 0, 0, *(0.85 * along for along in foot)],
            size=[0.019, 0, 0],
            name=f"{name}_shank",
        )
        part(shank, kind.mjGEOM_SPHERE, _SOCK, pos=foot, size=[_FOOT, 0, 0], name=f"{name}_foot")
        shank.add_site(name=f"{name}_foot", pos=foot, size=[_FOOT * 1.3] * 3, rgba=[0, 0, 0, 0])
        # (joint, body, range, peak torque N·m, reach rad of an action of 1)
        for joint, body, limits, torque, reach in (
            (f"{name}_hip", thigh, [-0.9, 0.9], 25.0, 0.4),
            (f"{name}_knee", shank, [-0.8, 0.8], 25.0, 0.4),
        ):
            body.add_joint(name=joint, axis=[0, 1, 0], range=limits, limited=True, armature=0.05, damping=0.2)
            servo = spec.add_actuator(name=joint, target=joint, trntype=mujoco.mjtTrn.mjTRN_JOINT)
            stiffness, brake = 60.0, 6.0
            servo.gaintype, servo.biastype = mujoco.mjtGain.mjGAIN_FIXED, mujoco.mjtBias.mjBIAS_AFFINE
            servo.gainprm[0], servo.biasprm[:3] = stiffness * reach, [0, -stiffness, -brake]
            servo.ctrllimited, servo.ctrlrange = True, [-1, 1]
            servo.forcelimited, servo.forcerange = True, [-torque, torque]
        spec.add_sensor(
            name=f"{name}_foot",
            type=mujoco.mjtSensor.mjSENS_TOUCH,
            objtype=mujoco.mjtObj.mjOBJ_SITE,
            objname=f"{name}_foot",
        )
    torso.add_site(name="torso", pos=[0, 0, 0.025], rgba=[0, 0, 0, 0])
    sense, site = mujoco.mjtSensor, mujoco.mjtObj.mjOBJ_SITE
    for name, quantity in (
        ("torso_position", sense.mjSENS_FRAMEPOS),
        ("velocimeter", sense.mjSENS_VELOCIMETER),
        ("gyro", sense.mjSENS_GYRO),
    ):
        spec.add_sensor(name=name, type=quantity, objtype=site, objname="torso")
    for geom in spec.geoms:
        geom.friction = [1.2, 0.005, 0.0001]
        geom.condim = 3
    track = mujoco.mjtCamLight.mjCAMLIGHT_TRACK
    torso.add_camera(name="side", mode=track, pos=[0, -1.7, 0.35], xyaxes=[1, 0, 0, 0, 0.2, 1])
    torso.add_camera(name="quarter", mode=track, pos=[1.2, -1.2, 0.5], xyaxes=[1, 1, 0, -0.3, 0.3, 1])
    return spec.compile()


@njit
def _lowest(model: Any, data: Any, geom: int) -> float:
    """Height (m) above the floor of the lowest point of a capsule or an ellipsoid."""
    size, matrix = model.geom_size[geom], data.geom_xmat[geom]
    if model.geom_type[geom] == _CAPSULE:
        return float(data.geom_xpos[geom, 2] - size[0] - size[1] * math.fabs(matrix[8]))
    reach = (size[0] * matrix[6]) ** 2 + (size[1] * matrix[7]) ** 2 + (size[2] * matrix[8]) ** 2
    return float(data.geom_xpos[geom, 2] - math.sqrt(reach))


def reset(model: Any, data: Any, task: Any, rng: Any) -> None:
    scale = task.reset_noise_scale
    for index in range(data.qpos.size):
        data.qpos[index] = model.qpos0[index] + uniform(rng, -scale, scale) * (index >= 7)
    for index in range(data.qvel.size):
        data.qvel[index] = scale * standard_normal(rng)
    mj_forward(model, data)


def observe(model: Any, data: Any, task: Any, obs: Any) -> None:
    rotation = data.xmat[_TORSO]
    obs[0], obs[1] = -rotation[6], -rotation[7]
    obs[2:5] = data.qvel[3:6]
    obs[5] = rotation[3]
    phase = 2.0 * math.pi * task.stride_frequency * data.time
    obs[6], obs[7] = math.sin(phase), math.cos(phase)


def advance(model: Any, data: Any, task: Any, action: Any, out: Any) -> None:
    before, power = data.qpos[0], 0.0
    data.ctrl[:] = action
    for _ in range(task.frame_skip):
        mj_step(model, data)
        power += mechanical_power(data)
    mj_kinematics(model, data)  # mj_step leaves the poses of one time step ago
    power /= task.frame_skip
    speed = (data.qpos[0] - before) / (model.opt.timestep * task.frame_skip)
    fallen = upright(data, _TORSO) < 0.5
    for index in range(task.keep_off.size):
        fallen |= _lowest(model, data, task.keep_off[index]) < 0.0
    out.reward = (
        task.alive_reward
        + task.forward_reward_weight * capped_speed(speed, task.top_speed)
        - task.power_cost_weight * power
        - task.sway_cost_weight * sway(data)
    )
    out.terminated = fallen


def quadruped(
    *,
    timestep: float = 0.008,
    frame_skip: int = 5,
    forward_reward_weight: float = 2.0,
    top_speed: float = 0.75,
    alive_reward: float = 0.5,
    power_cost_weight: float = 0.002,
    sway_cost_weight: float = 0.1,
    stride_frequency: float = 2.3,
    reset_noise_scale: float = 0.02,
    **rendering: Any,
) -> Task:
    """Our Quadruped: eight joints, a sense of balance and a metronome.

    Observation (8,), of the torso and the clock; servos see to the joints:

        0  gravity's direction along its x axis: sine of the pitch (1 = nose straight down)
        1  gravity's direction along its y axis (1 = lying on its left side)
        2  3  4  angular velocity about its x, y, z axes (roll, pitch, yaw), rad/s
        5  heading: y component of its x axis in the world (positive = turned left)
        6  7  sin and cos of 2 pi stride_frequency t

    Action (8,): targets in ±1 of the servos hip, knee of front left, front right, hind left, hind right; 1 is 0.4 rad
    from the rest pose, where 0 stands. A servo is a spring of 60 N·m/rad with a brake, limited to 25 N·m.

    Reward: alive_reward + forward_reward_weight × forward speed (m/s, no more than top_speed)
    - power_cost_weight × power (W) - sway_cost_weight × (bouncing² + rolling² + pitching²).

    The episode ends when anything but a foot or a lower leg reaches the ground, or the torso leans past 60 degrees;
    else after 10 s. timestep is in s, stride_frequency in Hz; reset_noise_scale is the half width of the noise on joint
    angles (rad) and the deviation of that on velocities. Raises ValueError for a number out of its range.
    """
    options = {name: value for name, value in locals().items() if name != "rendering"}
    for name, value in options.items():
        positive = name in ("timestep", "frame_skip", "stride_frequency")
        if not (0 < value < math.inf if positive else 0 <= value < math.inf):
            raise ValueError(f"{name} must be {'positive' if positive else 'not negative'} and finite, got {value}")
    model = _model(timestep)
    names = ["trunk", "neck", "head"] + [
        f"{end}_{side}_thigh" for end in ("front", "hind") for side in ("left", "right")
    ]
    return Task(
        name="evo/Quadruped-v0",
        model=model,
        reset=reset,
        observe=observe,
        advance=advance,
        record=record(keep_off=[model.geom(name).id for name in names], **options),
        observation_size=8,
        steps=round(10 / (timestep * frame_skip)),
        frame_skip=frame_skip,
        options=options,
        rendering=rendering,
    )
