"""Building blocks of our creatures: ground, body segments, servo joints, feet with touch sensors, sensors.

Lengths are in metres, masses in kg, angles in rad. Limbs collide only with the ground: collisions between legs would
cost time and teach nothing.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import mujoco

from evo.envs.creatures.terrains import Terrain, add_terrain

FLESH = 1050.0  # kg/m³
_GRIP = 1.2  # coefficient of friction
Colour = tuple[float, float, float, float]
_shape = mujoco.mjtGeom


class Servo(NamedTuple):
    """A position servo: stiffness (N·m/rad), damping (N·m·s/rad), at most `torque` N·m.

    Action 1 asks for `reach` rad.
    """

    stiffness: float
    brake: float
    torque: float
    reach: float


def world(timestep: float, terrain: Terrain, iterations: int = 4) -> mujoco.MjSpec:
    """Return a spec with ground and light; integration is stable at long time steps. iterations: solver's maximum."""
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    spec.option.timestep = timestep
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.iterations, spec.option.ls_iterations = iterations, 2 * iterations
    spec.option.disableflags |= mujoco.mjtDisableBit.mjDSBL_EULERDAMP
    spec.worldbody.add_light(pos=[0, 0, 4], dir=[0.2, 0.3, -1], type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL)
    add_terrain(spec, terrain)
    return spec


def root(spec: mujoco.MjSpec, height: float) -> Any:
    """Return the root body, free to move; it is body 1, and speed and posture are measured on it."""
    torso = spec.worldbody.add_body(name="torso", pos=[0, 0, height])
    torso.add_freejoint(name="root")
    return torso


def part(
    body: Any,
    shape: Any,
    colour: Colour,
    density: float = FLESH,
    friction: float | None = None,
    touching: bool = True,
    **geometry: Any,
) -> None:
    """Add a geom that collides with the ground; without density it is only visible.

    friction: in place of the ground's. touching: whether it collides with the ground.
    """
    geom = body.add_geom(
        type=shape, rgba=colour, density=density, contype=0, conaffinity=int(touching and density > 0), **geometry
    )
    if friction is not None:
        geom.friction[0], geom.priority = friction, 1


def capsule(
    body: Any, colour: Colour, start: Sequence[float], end: Sequence[float], radius: float, **more: Any
) -> None:
    part(body, _shape.mjGEOM_CAPSULE, colour, fromto=[*start, *end], size=[radius, 0, 0], **more)


def ball(body: Any, colour: Colour, at: Sequence[float], radius: float, **more: Any) -> None:
    part(body, _shape.mjGEOM_SPHERE, colour, pos=at, size=[radius, 0, 0], **more)


def ellipsoid(body: Any, colour: Colour, at: Sequence[float], radii: Sequence[float], **more: Any) -> None:
    part(body, _shape.mjGEOM_ELLIPSOID, colour, pos=at, size=radii, **more)


def joint(
    spec: mujoco.MjSpec, body: Any, name: str, axis: Sequence[float], limits: Sequence[float], servo: Servo
) -> None:
    """Add a hinge between a body and its parent, with its servo."""
    body.add_joint(name=name, axis=axis, range=limits, limited=True, armature=0.05, damping=0.2)
    actuator = spec.add_actuator(name=name, target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
    actuator.gaintype, actuator.biastype = mujoco.mjtGain.mjGAIN_FIXED, mujoco.mjtBias.mjBIAS_AFFINE
    actuator.gainprm[0], actuator.biasprm[:3] = (
        servo.stiffness * servo.reach,
        [0, -servo.stiffness, -servo.brake],
    )
    actuator.ctrllimited, actuator.ctrlrange = True, [-1, 1]
    actuator.forcelimited, actuator.forcerange = True, [-servo.torque, servo.torque]


def foot(body: Any, name: str, colour: Colour, at: Sequence[float], radius: float) -> None:
    """Add a ball at the end of a limb, and a site around it for `touch`."""
    ball(body, colour, at, radius, name=name)
    body.add_site(name=name, pos=at, size=[radius * 1.3] * 3, rgba=[0, 0, 0, 0])


def touch(spec: mujoco.MjSpec, name: str) -> None:
    """Add a sensor of the force (N) on a foot."""
    kind, site = mujoco.mjtSensor.mjSENS_TOUCH, mujoco.mjtObj.mjOBJ_SITE
    spec.add_sensor(name=name, type=kind, objtype=site, objname=name)


def sprawling_leg(
    spec: mujoco.MjSpec, body: Any, name: str, hip: Sequence[float], bearing: float, leg: "SprawlingLeg"
) -> None:
    """Add a leg that reaches out sideways, up to its knee and down to its foot, with `swing` and `lift` at its hip.

    bearing: its direction from above, from +x towards +y (rad). Positive actions swing it forward (a leg that points
    straight ahead: to the left) and lift it.
    """
    ahead, aside = math.cos(bearing), math.sin(bearing)
    out = leg.femur * math.cos(leg.rise)
    knee = [out * ahead, out * aside, leg.femur * math.sin(leg.rise)]
    out += leg.tibia * math.cos(leg.fall)
    tip = [out * ahead, out * aside, knee[2] - leg.tibia * math.sin(leg.fall)]
    limb = body.add_body(name=name, pos=hip)
    # with many legs every collision shape costs time; only their feet collide
    capsule(limb, leg.colour, (0, 0, 0), knee, leg.radius, name=f"{name}_femur", touching=False)
    capsule(limb, leg.colour, knee, tip, 0.7 * leg.radius, name=f"{name}_tibia", touching=False)
    foot(limb, f"{name}_foot", leg.foot_colour, tip, 0.9 * leg.radius)
    joint(spec, limb, f"{name}_swing", (0, 0, -1 if aside > 0.01 else 1), (-0.8, 0.8), leg.servo)
    joint(spec, limb, f"{name}_lift", (aside, -ahead, 0), (-0.8, 0.8), leg.servo)
    touch(spec, f"{name}_foot")


class SprawlingLeg(NamedTuple):
    """Dimensions of a sprawling leg.

    femur, tibia, radius in m; rise, fall: slopes above and below the horizontal (rad).
    """

    femur: float
    tibia: float
    radius: float
    rise: float
    fall: float
    colour: Colour
    foot_colour: Colour
    servo: Servo

    @property
    def height(self) -> float:
        """Height (m) of the hip above the ground on which the foot stands."""
        return self.tibia * math.sin(self.fall) - self.femur * math.sin(self.rise) + 0.9 * self.radius


def compile_body(spec: mujoco.MjSpec, torso: Any, center: float, distance: float) -> mujoco.MjModel:
    """Compile the finished body, with sensors in its torso, friction, and cameras that follow it from `distance`."""
    torso.add_site(name="torso", pos=[0, 0, center], rgba=[0, 0, 0, 0])
    sense, site = mujoco.mjtSensor, mujoco.mjtObj.mjOBJ_SITE
    for name, quantity in (
        ("torso_position", sense.mjSENS_FRAMEPOS),
        ("velocimeter", sense.mjSENS_VELOCIMETER),
        ("gyro", sense.mjSENS_GYRO),
    ):
        spec.add_sensor(name=name, type=quantity, objtype=site, objname="torso")
    for geom in spec.geoms:
        geom.friction = [geom.friction[0] if geom.priority else _GRIP, 0.005, 0.0001]
        geom.condim = 3
    track, far = mujoco.mjtCamLight.mjCAMLIGHT_TRACK, distance / 1.7
    torso.add_camera(name="side", mode=track, pos=[0, -1.7 * far, 0.35 * far], xyaxes=[1, 0, 0, 0, 0.2, 1])
    quarter = [1.2 * far, -1.2 * far, 0.5 * far]
    torso.add_camera(name="quarter", mode=track, pos=quarter, xyaxes=[1, 1, 0, -0.3, 0.3, 1])
    return spec.compile()
