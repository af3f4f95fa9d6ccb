"""Quadruped: a 14 kg fox-coloured dog is rewarded for going forward at an easy pace, less power spent and swaying."""

import math

import mujoco

from evo.envs.creatures.anatomy import Servo, ball, capsule, compile_body, ellipsoid, foot, joint, root, touch, world
from evo.envs.creatures.locomotion import creature
from evo.envs.creatures.terrains import Terrain

_FUR, _CREAM, _SOCK, _NOSE = (0.80, 0.42, 0.18, 1), (0.96, 0.87, 0.72, 1), (0.30, 0.17, 0.12, 1), (0.12, 0.09, 0.09, 1)
_REAR_FUR = (0.70, 0.34, 0.15, 1)
_THIGH, _SHANK, _BEND = 0.17, 0.17, 0.5  # m, m, rad from the vertical at rest
_FOOT = 0.026
_HIP_HEIGHT = (_THIGH + _SHANK) * math.cos(_BEND) + _FOOT
_SERVO = Servo(stiffness=60.0, brake=6.0, torque=25.0, reach=0.4)


def _model(timestep: float, terrain: Terrain) -> mujoco.MjModel:
    spec = world(timestep, terrain)
    torso = root(spec, _HIP_HEIGHT)
    capsule(torso, _FUR, (-0.17, 0, 0.02), (0.17, 0, 0.03), 0.075, name="trunk")
    ellipsoid(torso, _CREAM, (0.13, 0, 0.005), (0.10, 0.066, 0.072), density=0)
    capsule(torso, _FUR, (0.20, 0, 0.06), (0.27, 0, 0.14), 0.045, name="neck")
    ellipsoid(torso, _FUR, (0.30, 0, 0.165), (0.07, 0.05, 0.05), name="head")
    capsule(torso, _CREAM, (0.34, 0, 0.150), (0.385, 0, 0.143), 0.024, density=0)
    ball(torso, _NOSE, (0.408, 0, 0.148), 0.011, density=0)
    capsule(torso, _REAR_FUR, (-0.24, 0, 0.05), (-0.37, 0, 0.15), 0.020, density=0)
    capsule(torso, _CREAM, (-0.37, 0, 0.15), (-0.40, 0, 0.19), 0.016, density=0)
    for side in (1, -1):
        ball(torso, _NOSE, (0.352, side * 0.027, 0.185), 0.008, density=0)
        capsule(torso, _REAR_FUR, (0.275, side * 0.033, 0.20), (0.265, side * 0.042, 0.245), 0.013, density=0)

    for name, x, y, colour, lean in (
        ("front_left", 0.17, 0.12, _FUR, -1),
        ("front_right", 0.17, -0.12, _FUR, -1),
        ("hind_left", -0.17, 0.12, _REAR_FUR, 1),
        ("hind_right", -0.17, -0.12, _REAR_FUR, 1),
    ):
        # a dog's elbow points backward, its knee forward; the paw stands under the hip
        knee = [lean * _THIGH * math.sin(_BEND), 0, -_THIGH * math.cos(_BEND)]
        paw = [-lean * _SHANK * math.sin(_BEND), 0, -_SHANK * math.cos(_BEND)]
        thigh = torso.add_body(name=f"{name}_thigh", pos=[x, y, 0])
        capsule(thigh, colour, (0, 0, 0), knee, 0.032, name=f"{name}_thigh")
        shank = thigh.add_body(name=f"{name}_shank", pos=knee)
        capsule(shank, colour, (0, 0, 0), [0.85 * along for along in paw], 0.019, name=f"{name}_shank")
        foot(shank, f"{name}_foot", _SOCK, paw, _FOOT)
        joint(spec, thigh, f"{name}_hip", (0, 1, 0), (-0.9, 0.9), _SERVO)
        joint(spec, shank, f"{name}_knee", (0, 1, 0), (-0.8, 0.8), _SERVO)
        touch(spec, f"{name}_foot")
    return compile_body(spec, torso, center=0.025, distance=1.7)


_KEEP_OFF = ["trunk", "neck", "head"]
_KEEP_OFF += [f"{end}_{side}_thigh" for end in ("front", "hind") for side in ("left", "right")]
_DOC = """Quadruped: a 14 kg dog, eight joints; walk forward at an easy pace with little power and sway.

Observation, reward and options are those of `evo.envs.creatures.locomotion`.
Action (8,): hip, knee of front left, front right, hind left, hind right; 1 is 0.4 rad from the pose that stands. A
servo is a spring of 60 N·m/rad with a brake, limited to 25 N·m. The episode ends when anything but a foot or a
lower leg reaches the ground, or the torso leans past 60 degrees.
"""
quadruped = creature(
    "evo/Quadruped-v0",
    _model,
    _DOC,
    keep_off=_KEEP_OFF,
    least_upright=0.5,
    top_speed=0.75,
    stride_frequency=2.3,
)
