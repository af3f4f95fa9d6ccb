"""Inchworm: a 6 kg caterpillar that arches its back is rewarded for going forward, less power spent."""

import mujoco

from evo.envs.creatures.anatomy import Servo, ball, capsule, compile_body, joint, root, world
from evo.envs.creatures.locomotion import creature
from evo.envs.creatures.terrains import Terrain

_GREEN, _PALE, _EYE, _PAD = (0.45, 0.68, 0.20, 1), (0.70, 0.82, 0.42, 1), (0.05, 0.05, 0.05, 1), (0.30, 0.22, 0.12, 1)
_SERVO = Servo(stiffness=25.0, brake=2.5, torque=6.0, reach=0.8)
_LINK, _RADIUS, _SIDE = 0.11, 0.04, 3  # links on either side of the middle one, which has the sensors
_SLIPPERY = 0.25


def _model(timestep: float, terrain: Terrain) -> mujoco.MjModel:
    spec = world(timestep, terrain)
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC  # a slippery belly is unstable with pyramidal friction cones
    torso = root(spec, _RADIUS)
    half = (_LINK / 2, 0, 0)
    capsule(torso, _GREEN, (-_LINK / 2, 0, 0), half, _RADIUS, friction=_SLIPPERY, name="middle")
    for end, forward in (("front", 1), ("back", -1)):
        body = torso
        for number in range(1, _SIDE + 1):
            body = body.add_body(name=f"{end}_{number}", pos=[forward * _LINK * (0.5 if number == 1 else 1.0), 0, 0])
            colour = _PALE if number % 2 else _GREEN
            tip = (forward * _LINK, 0, 0)
            # the adjacent links collide at both ends of the first: its own contacts would duplicate theirs
            touching = number > 1
            capsule(
                body, colour, (0, 0, 0), tip, _RADIUS, friction=_SLIPPERY, touching=touching, name=f"{end}_{number}"
            )
            joint(spec, body, f"{end}_{number}", (0, -forward, 0), (-1.2, 1.2), _SERVO)
        # claws at either end hold where the body slides: tilting the last link lowers or lifts them
        for side in (1, -1):
            ball(body, _PAD, (forward * _LINK, side * 0.035, -0.030), 0.018, name=f"{end}_claw_{side}")
        if forward > 0:
            for side in (1, -1):
                ball(body, _EYE, (_LINK + 0.030, side * 0.022, 0.018), 0.010, density=0)
    return compile_body(spec, torso, center=0.0, distance=1.4)


_DOC = """Inchworm: a 6 kg caterpillar that arches its back, six joints; crawl forward with little power.

Observation, reward and options are those of `evo.envs.creatures.locomotion`.
Action (6,): the three joints from the middle to the head, then the three to the tail; they bend upwards. Its ends
have claws that grip, its belly is slippery. Nothing ends an episode before its time.
"""
inchworm = creature(
    "evo/Inchworm-v0",
    _model,
    _DOC,
    keep_off=[],
    least_upright=-1.0,
    top_speed=0.4,
    alive_reward=0.0,
    sway_cost_weight=0.0,
    stride_frequency=1.5,
)
