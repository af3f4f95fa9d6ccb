"""Centipede: a 3 kg chain of segments, as many as asked for, with legs on each; rewarded for going forward cheaply."""

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

_SHELL, _EDGE, _LIMB, _EYE = (0.55, 0.20, 0.10, 1), (0.38, 0.13, 0.08, 1), (0.90, 0.62, 0.22, 1), (0.05, 0.05, 0.05, 1)
_SERVO = Servo(stiffness=30.0, brake=3.0, torque=12.0, reach=0.4)
_LEG = SprawlingLeg(0.09, 0.13, 0.012, 0.45, 1.0, _LIMB, _LIMB, _SERVO)
_LINK, _MOST = 0.13, 40
_SPINE = {"stiffness": 20.0, "damping": 2.0}  # N·m/rad, N·m·s/rad: the back is passive


def _model(timestep: float, terrain: Terrain, segments: int) -> mujoco.MjModel:
    if not 2 <= segments <= _MOST:
        raise ValueError(f"segments must be between 2 and {_MOST}, got {segments}")
    spec = world(timestep, terrain, iterations=3)
    torso = body = root(spec, _LEG.height)
    for number in range(segments):
        if number:
            body = body.add_body(name=f"segment_{number}", pos=[-_LINK, 0, 0])
            limits = {"range": (-0.5, 0.5), "limited": True}
            body.add_joint(name=f"bend_{number}", axis=(0, 0, 1), armature=0.02, **limits, **_SPINE)
        colour = _EDGE if number % 2 else _SHELL
        ellipsoid(body, colour, (0, 0, 0.012), (0.085, 0.062, 0.038), density=600, name=f"shell_{number}")
        for side, word in ((1, "left"), (-1, "right")):
            sprawling_leg(spec, body, f"{word}_{number}", (0, side * 0.045, 0), side * math.pi / 2, _LEG)
    for side in (1, -1):
        ball(torso, _EYE, (0.068, side * 0.030, 0.032), 0.010, density=0)
        capsule(torso, _LIMB, (0.07, side * 0.02, 0.02), (0.17, side * 0.07, 0.06), 0.005, density=0)
        capsule(body, _LIMB, (-0.07, side * 0.02, 0.01), (-0.16, side * 0.05, 0.03), 0.006, density=0)
    return compile_body(spec, torso, center=0.02, distance=1.2 + 0.1 * segments)


_DOC = """Centipede: a 3 kg chain of segments, each with two legs; walk forward with little power and sway.

Observation, reward and options are those of `evo.envs.creatures.locomotion`.
segments: 2 to 40, each with two legs. Action (4 segments,): swing and lift of the left leg, then of the right, from
the head backwards. The episode ends when the head's shell reaches the ground or leans past 60 degrees.
"""
centipede = creature(
    "evo/Centipede-v0", _model, _DOC, keep_off=["shell_0"], least_upright=0.5, segments=4, **MANY_LEGGED
)
