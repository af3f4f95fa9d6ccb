"""Tripod: a 9 kg machine on three tall legs is rewarded for going forward, less power spent and swaying."""

import math

import mujoco

from evo.envs.creatures.anatomy import (
    Servo,
    SprawlingLeg,
    ball,
    capsule,
    compile_body,
    ellipsoid,
    root,
    sprawling_leg,
    world,
)
from evo.envs.creatures.locomotion import creature
from evo.envs.creatures.terrains import Terrain

_STEEL, _DARK, _LIGHT = (0.62, 0.66, 0.70, 1), (0.22, 0.24, 0.28, 1), (0.98, 0.55, 0.15, 1)
_SERVO = Servo(stiffness=60.0, brake=6.0, torque=25.0, reach=0.4)
_LEG = SprawlingLeg(0.20, 0.42, 0.022, 0.35, 1.2, _STEEL, _DARK, _SERVO)


def _model(timestep: float, terrain: Terrain) -> mujoco.MjModel:
    spec = world(timestep, terrain)
    torso = root(spec, _LEG.height)
    ellipsoid(torso, _STEEL, (0, 0, 0.05), (0.15, 0.15, 0.085), density=700, name="trunk")
    ellipsoid(torso, _DARK, (0, 0, 0.115), (0.09, 0.09, 0.045), density=0)
    capsule(torso, _DARK, (0, 0, 0), (0, 0, -0.06), 0.05, name="belly")
    for turn in (-0.5, 0.0, 0.5):
        ball(torso, _LIGHT, (0.145 * math.cos(turn), 0.145 * math.sin(turn), 0.055), 0.022, density=0)
    for name, bearing in (("front", 0.0), ("left", 2 * math.pi / 3), ("right", -2 * math.pi / 3)):
        hip = (0.10 * math.cos(bearing), 0.10 * math.sin(bearing), 0)
        sprawling_leg(spec, torso, name, hip, bearing, _LEG)
    return compile_body(spec, torso, center=0.05, distance=2.2)


_DOC = """Tripod: a 9 kg machine on three tall legs, six joints; walk forward with little power and sway.

Observation, reward and options are those of `evo.envs.creatures.locomotion`.
Action (6,): swing and lift of the legs front, left, right. The episode ends when the body reaches the ground or
leans past 60 degrees.
"""
tripod = creature("evo/Tripod-v0", _model, _DOC, keep_off=["trunk", "belly"], least_upright=0.5)
