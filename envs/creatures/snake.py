"""Snake: a 5 kg snake without legs is rewarded for going forward, less power spent."""

import mujoco

from evo.envs.creatures.anatomy import Servo, ball, capsule, compile_body, ellipsoid, joint, root, world
from evo.envs.creatures.locomotion import creature
from evo.envs.creatures.terrains import Terrain

_SCALE, _BAND, _EYE, _TONGUE = (0.25, 0.50, 0.22, 1), (0.86, 0.74, 0.25, 1), (0.05, 0.05, 0.05, 1), (0.85, 0.15, 0.2, 1)
_SERVO = Servo(stiffness=25.0, brake=2.5, torque=10.0, reach=0.7)
_LINK, _RADIUS, _SIDE = 0.11, 0.035, 5  # links on either side of the middle one, which has the sensors


def _model(timestep: float, terrain: Terrain) -> mujoco.MjModel:
    spec = world(timestep, terrain)
    torso = root(spec, _RADIUS)
    capsule(torso, _SCALE, (-_LINK / 2, 0, 0), (_LINK / 2, 0, 0), _RADIUS, name="middle")
    for end, forward in (("front", 1), ("back", -1)):
        body = torso
        for number in range(1, _SIDE + 1):
            body = body.add_body(name=f"{end}_{number}", pos=[forward * _LINK * (0.5 if number == 1 else 1.0), 0, 0])
            radius = _RADIUS * (1 if forward > 0 else 1 - 0.11 * number)
            colour = _BAND if number % 2 else _SCALE
            capsule(body, colour, (0, 0, 0), (forward * _LINK, 0, 0), radius, name=f"{end}_{number}")
            # joints bend it sideways and upwards alternately
            axis = (0, 0, forward) if number % 2 else (0, -forward, 0)
            joint(spec, body, f"{end}_{number}", axis, (-1.0, 1.0), _SERVO)
        if forward > 0:
            ellipsoid(body, _SCALE, (0.14, 0, 0.008), (0.065, 0.045, 0.034), density=0)
            capsule(body, _TONGUE, (0.20, 0, 0.0), (0.24, 0, 0.0), 0.004, density=0)
            for side in (1, -1):
                ball(body, _EYE, (0.165, side * 0.033, 0.028), 0.009, density=0)
    return compile_body(spec, torso, center=0.0, distance=2.0)


_DOC = """Snake: a 5 kg snake without legs, ten joints; slither forward with little power.

Observation, reward and options are those of `evo.envs.creatures.locomotion`.
Action (10,): the five joints from the middle to the head, then the five to the tail: they bend it to the left and
upwards in turn. Nothing ends an episode before its time.
"""
snake = creature(
    "evo/Snake-v0",
    _model,
    _DOC,
    keep_off=[],
    least_upright=-1.0,
    top_speed=0.5,
    alive_reward=0.0,
    sway_cost_weight=0.0,
    stride_frequency=1.5,
)
