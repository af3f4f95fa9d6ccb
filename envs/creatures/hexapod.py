"""Hexapod: a 7 kg ladybird on six legs is rewarded for going forward, less power spent and swaying."""

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
from evo.envs.creatures.locomotion import MANY_LEGGED, creature
from evo.envs.creatures.terrains import Terrain

_RED, _BLACK, _WHITE = (0.80, 0.13, 0.10, 1), (0.10, 0.09, 0.10, 1), (0.95, 0.94, 0.90, 1)
_SERVO = Servo(stiffness=40.0, brake=4.0, torque=15.0, reach=0.4)
_LEG = SprawlingLeg(0.12, 0.20, 0.018, 0.5, 1.15, _BLACK, _BLACK, _SERVO)
_SPOTS = ((0.02, 0.045), (-0.10, 0.06), (-0.05, 0.10), (-0.16, 0.03))


def _model(timestep: float, terrain: Terrain) -> mujoco.MjModel:
    spec = world(timestep, terrain, iterations=3)
    torso = root(spec, _LEG.height)
    ellipsoid(torso, _RED, (-0.04, 0, 0.035), (0.20, 0.14, 0.085), density=500, name="trunk")
    ellipsoid(torso, _BLACK, (0.17, 0, 0.02), (0.07, 0.075, 0.05), density=500, name="head")
    capsule(torso, _BLACK, (0.135, 0, 0.08), (-0.235, 0, 0.055), 0.012, density=0)  # where the wings meet
    for side in (1, -1):
        ball(torso, _WHITE, (0.205, side * 0.042, 0.045), 0.018, density=0)
        ball(torso, _BLACK, (0.219, side * 0.045, 0.049), 0.009, density=0)
        capsule(torso, _BLACK, (0.22, side * 0.02, 0.05), (0.29, side * 0.06, 0.10), 0.006, density=0)
        for x, y in _SPOTS:
            z = 0.037 + 0.085 * math.sqrt(1 - ((x + 0.04) / 0.20) ** 2 - (y / 0.14) ** 2)
            ellipsoid(torso, _BLACK, (x, side * y, z - 0.006), (0.026, 0.024, 0.012), density=0)
        for end, x, turn in (("front", 0.12, 0.5), ("middle", -0.02, 0.0), ("hind", -0.15, -0.5)):
            word = "left" if side > 0 else "right"
            bearing = side * (math.pi / 2 - turn)
            sprawling_leg(spec, torso, f"{end}_{word}", (x, side * 0.09, 0), bearing, _LEG)
    return compile_body(spec, torso, center=0.03, distance=1.5)


_DOC = """Hexapod: a 7 kg ladybird on six legs, twelve joints; walk forward with little power and sway.

Observation, reward and options are those of `evo.envs.creatures.locomotion`.
Action (12,): swing and lift of the legs front, middle, hind left, then front, middle, hind right. The episode ends
when the trunk or the head reaches the ground, or the torso leans past 60 degrees.
"""
hexapod = creature("evo/Hexapod-v0", _model, _DOC, keep_off=["trunk", "head"], least_upright=0.5, **MANY_LEGGED)
