"""Spider: an 8 kg tarantula on eight legs is rewarded for going forward, less power spent and swaying."""

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

_BROWN, _DARK, _SHEEN = (0.36, 0.22, 0.15, 1), (0.13, 0.09, 0.08, 1), (0.75, 0.38, 0.16, 1)
_EYE = (0.02, 0.02, 0.02, 1)
_SERVO = Servo(stiffness=40.0, brake=4.0, torque=15.0, reach=0.35)
# knees above the back and feet far out, as a spider's
_LEG = SprawlingLeg(0.21, 0.30, 0.017, 0.75, 1.05, _BROWN, _DARK, _SERVO)
_EYES = (
    (0.185, 0.014, 0.070, 0.011),
    (0.178, 0.036, 0.066, 0.007),
    (0.165, 0.020, 0.088, 0.007),
    (0.152, 0.040, 0.083, 0.006),
)


def _model(timestep: float, terrain: Terrain) -> mujoco.MjModel:
    spec = world(timestep, terrain, iterations=3)
    torso = root(spec, _LEG.height)
    ellipsoid(torso, _BROWN, (0.08, 0, 0.03), (0.11, 0.085, 0.055), density=700, name="head")
    ellipsoid(torso, _DARK, (-0.17, 0, 0.075), (0.17, 0.125, 0.105), density=350, name="abdomen")
    capsule(torso, _BROWN, (-0.01, 0, 0.035), (-0.05, 0, 0.045), 0.025, density=0)
    for along, wide in ((-0.09, 0.035), (-0.17, 0.045), (-0.25, 0.030)):
        ellipsoid(torso, _SHEEN, (along, 0, 0.165), (0.022, wide, 0.016), density=0)
    capsule(torso, _DARK, (-0.33, 0, 0.06), (-0.365, 0, 0.05), 0.012, density=0)  # spinnerets
    for side, word in ((1, "left"), (-1, "right")):
        capsule(torso, _DARK, (0.18, side * 0.022, 0.02), (0.20, side * 0.018, -0.025), 0.014, density=0)  # fangs
        capsule(torso, _BROWN, (0.17, side * 0.05, 0.02), (0.26, side * 0.055, 0.03), 0.011, density=0)  # palps
        for x, y, z, radius in _EYES:
            ball(torso, _EYE, (x, side * y, z), radius, density=0)
        for number, (x, turn) in enumerate(((0.14, 0.9), (0.10, 0.3), (0.05, -0.3), (0.01, -0.9)), 1):
            bearing = side * (math.pi / 2 - turn)
            sprawling_leg(spec, torso, f"{word}_{number}", (x, side * 0.06, 0.02), bearing, _LEG)
    return compile_body(spec, torso, center=0.04, distance=1.9)


_DOC = """Spider: an 8 kg tarantula on eight legs, sixteen joints; walk forward with little power and sway.

Observation, reward and options are those of `evo.envs.creatures.locomotion`.
Action (16,): swing and lift of the left legs from front to back, then of the right legs. The episode ends when head
or abdomen reaches the ground, or the torso leans past 60 degrees.
"""
spider = creature("evo/Spider-v0", _model, _DOC, keep_off=["head", "abdomen"], least_upright=0.5, **MANY_LEGGED)
