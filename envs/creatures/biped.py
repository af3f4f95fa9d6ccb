"""Biped: a 10 kg bird on two long-toed legs is rewarded for going forward, less power spent and swaying."""

import math

import mujoco

from evo.envs.creatures.anatomy import Servo, ball, capsule, compile_body, ellipsoid, foot, joint, root, touch, world
from evo.envs.creatures.locomotion import creature
from evo.envs.creatures.terrains import Terrain

_BLUE, _WHITE, _BEAK, _EYE = (0.20, 0.42, 0.62, 1), (0.95, 0.94, 0.90, 1), (0.96, 0.66, 0.15, 1), (0.05, 0.05, 0.05, 1)
_HIP = Servo(stiffness=80.0, brake=8.0, torque=30.0, reach=0.5)
_ANKLE = Servo(stiffness=60.0, brake=6.0, torque=25.0, reach=0.2)
_THIGH, _SHANK, _BEND, _TOE = 0.13, 0.14, 0.5, 0.018
_HIP_HEIGHT = (_THIGH + _SHANK) * math.cos(_BEND) + _TOE


def _model(timestep: float, terrain: Terrain) -> mujoco.MjModel:
    spec = world(timestep, terrain)
    torso = root(spec, _HIP_HEIGHT)
    ellipsoid(torso, _BLUE, (0.0, 0, 0.05), (0.17, 0.11, 0.11), density=800, name="trunk")
    ellipsoid(torso, _WHITE, (0.05, 0, 0.03), (0.12, 0.085, 0.10), density=0)
    capsule(torso, _BLUE, (0.10, 0, 0.10), (0.17, 0, 0.22), 0.045, density=400, name="neck")
    ball(torso, _BLUE, (0.19, 0, 0.26), 0.062, density=400, name="head")
    capsule(torso, _BEAK, (0.245, 0, 0.255), (0.30, 0, 0.240), 0.018, density=0)
    capsule(torso, _BLUE, (-0.14, 0, 0.07), (-0.28, 0, 0.12), 0.035, name="tail")
    for side, word in ((1, "left"), (-1, "right")):
        ball(torso, _EYE, (0.225, side * 0.042, 0.28), 0.012, density=0)
        ellipsoid(torso, _BLUE, (-0.04, side * 0.105, 0.06), (0.13, 0.022, 0.07), density=0)  # wing
        knee = [_THIGH * math.sin(_BEND), 0, -_THIGH * math.cos(_BEND)]
        ankle = [-_SHANK * math.sin(_BEND), 0, -_SHANK * math.cos(_BEND)]
        thigh = torso.add_body(name=f"{word}_thigh", pos=[0.0, side * 0.075, 0])
        capsule(thigh, _BLUE, (0, 0, 0), knee, 0.032, name=f"{word}_thigh")
        shank = thigh.add_body(name=f"{word}_shank", pos=knee)
        capsule(shank, _BEAK, (0, 0, 0), ankle, 0.018, name=f"{word}_shank")
        sole = shank.add_body(name=f"{word}_sole", pos=ankle)
        for number, (x, y) in enumerate(((0.14, 0.0), (0.11, 0.06), (0.11, -0.06), (-0.09, 0.0)), 1):
            capsule(sole, _BEAK, (0, 0, 0), (x, y, 0), 0.012, density=0)
            foot(sole, f"{word}_toe_{number}", _BEAK, (x, y, 0), _TOE)
        joint(spec, thigh, f"{word}_roll", (1, 0, 0), (-0.4, 0.4), _HIP)
        joint(spec, thigh, f"{word}_hip", (0, -1, 0), (-0.9, 0.9), _HIP)
        joint(spec, shank, f"{word}_knee", (0, 1, 0), (-0.8, 0.8), _HIP)
        joint(spec, sole, f"{word}_ankle", (0, -1, 0), (-0.8, 0.8), _ANKLE)
        for number in range(1, 5):
            touch(spec, f"{word}_toe_{number}")
    return compile_body(spec, torso, center=0.05, distance=1.7)


_DOC = """Biped: a 10 kg bird on two legs, eight joints; walk forward with little power and sway.

Observation, reward and options are those of `evo.envs.creatures.locomotion`.
Action (8,): roll, hip, knee, ankle of the left leg, then of the right. The episode ends when anything but a foot or
a lower leg reaches the ground, or the torso leans past 60 degrees.
"""
biped = creature(
    "evo/Biped-v0",
    _model,
    _DOC,
    keep_off=["trunk", "neck", "head", "tail", "left_thigh", "right_thigh"],
    least_upright=0.5,
    top_speed=0.5,
    stride_frequency=3.0,
)
