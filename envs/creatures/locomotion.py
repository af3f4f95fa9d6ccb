"""The locomotion task that all our creatures share: reset, observation, reward, termination.

A creature observes its balance and a clock; servos control its joints. Observation (8,), of torso and clock:

    0  gravity's direction along its x axis: sine of the pitch (1 = nose straight down)
    1  gravity's direction along its y axis (1 = lying on its left side)
    2  3  4  angular velocity about its x, y, z axes (roll, pitch, yaw), rad/s
    5  heading: y component of its x axis in the world (positive = turned left)
    6  7  sin and cos of 2 pi stride_frequency t

Action: a target in ±1 for each servo; 0 is the pose at rest.

Reward: alive_reward + forward_reward_weight × forward speed (m/s, no more than top_speed)
- power_cost_weight × power (W) - sway_cost_weight × (bouncing² + rolling² + pitching²).

Measures: x and y at the end (m), mean height of the torso (m), mean power (W), and for each foot, by the name of its
touch sensor, the share of control steps that it is on the ground: its duty factor, as in Cully, Clune, Tarapore &
Mouret 2015, "Robots that can adapt like animals".

The episode ends when a part that must keep off the ground touches it, or the cosine of the torso's lean falls below
`least_upright`; else after 10 s.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import mujoco
import numpy as np

from evo.envs.creatures.rewards import capped_speed, mechanical_power, simulate_measured, sway, upright
from evo.envs.creatures.terrains import Terrain
from evo.envs.engine.physics import mj_forward
from evo.envs.engine.random import standard_normal, uniform
from evo.envs.engine.structs import contact_geom
from evo.envs.options import Constructor, Option
from evo.envs.task import Task, record

_TORSO, _SECONDS = 1, 10.0
_OBSERVED = ("pitch", "roll", "roll rate", "pitch rate", "yaw rate", "heading", "clock sine", "clock cosine")
_POWER = 10.0  # W/kg, more than an animal of this size spends at a gallop


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
    before = data.qpos[0]
    power = simulate_measured(model, data, action, task.frame_skip)
    speed = (data.qpos[0] - before) / (model.opt.timestep * task.frame_skip)
    fallen = upright(data, _TORSO) < task.least_upright
    for contact in range(data.ncon):
        for index in range(task.keep_off.size):
            geom = task.keep_off[index]
            fallen |= contact_geom(data, contact, 0) == geom or contact_geom(data, contact, 1) == geom
    out.reward = (
        task.alive_reward
        + task.forward_reward_weight * capped_speed(speed, task.top_speed)
        - task.power_cost_weight * power
        - task.sway_cost_weight * sway(data)
    )
    out.terminated = fallen and task.terminate_when_fallen != 0


def measure(model: Any, data: Any, task: Any, step: int, out: Any) -> None:
    """Write the last x and y (m), mean height (m) and power (W), and each foot's share of steps on the ground."""
    out[0], out[1] = data.qpos[0], data.qpos[1]
    out[2] += (data.qpos[2] - out[2]) / step
    out[3] += (mechanical_power(data) - out[3]) / step
    for foot in range(out.size - 4):
        touches = 1.0 if data.sensordata[foot] > 0.0 else 0.0
        out[4 + foot] += (touches - out[4 + foot]) / step


MANY_LEGGED: Mapping[str, Any] = {"timestep": 1 / 60, "frame_skip": 3}  # longest stable ones: their steps cost more

# Options of every creature and their defaults; a creature may have further options, and other defaults.
_OPTIONS: Mapping[str, Any] = {
    "terrain": "flat",
    "terrain_seed": 0,
    "terrain_scale": 1.0,
    "timestep": 0.0125,
    "frame_skip": 4,
    "forward_reward_weight": 2.0,
    "top_speed": 0.6,
    "alive_reward": 0.5,
    "power_cost_weight": 0.002,
    "sway_cost_weight": 0.1,
    "stride_frequency": 2.0,
    "reset_noise_scale": 0.02,
    "terminate_when_fallen": True,
}


def creature(
    name: str,
    build: Callable[..., mujoco.MjModel],
    doc: str,
    keep_off: Sequence[str],
    least_upright: float,
    **defaults: Any,
) -> Callable[..., Task]:
    """Return the constructor of a creature's task.

    build: makes the model from a timestep (s), a terrain, and the creature's own options. doc: the constructor's
    docstring. keep_off: geoms that must not touch the ground. least_upright: the least cosine between the torso's z
    axis and the vertical; -1 lets it tumble. defaults: of options that differ from the common ones, and of the
    creature's own.
    """
    known = {**_OPTIONS, **defaults}
    own = known.keys() - _OPTIONS.keys()

    def made(options: dict[str, Any], rendering: dict[str, Any]) -> Task:
        terrain = Terrain(options["terrain"], options["terrain_seed"], options["terrain_scale"])
        model = build(options["timestep"], terrain, **{option: options[option] for option in own})
        return walking(name, model, keep_off, least_upright, options, rendering)

    options = {option: Option(type(default), default) for option, default in known.items()}
    return Constructor(made, options, Task, doc, others=True)


def walking(
    name: str,
    model: mujoco.MjModel,
    keep_off: Sequence[str],
    least_upright: float,
    options: Mapping[str, Any],
    rendering: Mapping[str, Any],
) -> Task:
    """Return the task of a body whose root is free to move; see `creature`.

    options: timestep (s), frame_skip, forward_reward_weight, top_speed (m/s), alive_reward, power_cost_weight,
    sway_cost_weight, stride_frequency (Hz), and reset_noise_scale, the half width of the noise on joint angles (rad)
    and the standard deviation of that on velocities; terminate_when_fallen; terrain, terrain_seed and terrain_scale as
    in `evo.envs.creatures.terrains`.
    Raises ValueError for one out of its range.
    """
    numbers = {option: options[option] for option in _OPTIONS if not option.startswith("terrain")}
    for option, value in numbers.items():
        positive = option in ("timestep", "frame_skip", "stride_frequency")
        if not (0 < value < math.inf if positive else 0 <= value < math.inf):
            raise ValueError(f"{option} must be {'positive' if positive else 'not negative'} and finite, got {value}")
    # touch sensors of the feet come first: see `anatomy`
    feet = [model.sensor(index).name for index in np.flatnonzero(model.sensor_type == mujoco.mjtSensor.mjSENS_TOUCH)]
    geoms = [model.geom(geom).id for geom in keep_off] or [-1]  # a record has no empty arrays
    reach, height, mass = _SECONDS * options["top_speed"], float(model.qpos0[2]), float(model.body_mass.sum())
    ranges = {"x": (-reach / 2, 1.5 * reach), "y": (-reach, reach), "height": (0.0, 2 * height)}
    ranges |= {"power": (0.0, _POWER * mass), **dict.fromkeys(feet, (0.0, 1.0))}
    return Task(
        name=name,
        model=model,
        reset=reset,
        observe=observe,
        advance=advance,
        record=record(keep_off=geoms, least_upright=least_upright, **numbers),
        observation_size=len(_OBSERVED),
        observation_names=_OBSERVED,
        # bounded, because very short time steps give more steps than an integer can count
        steps=round(min(_SECONDS / (options["timestep"] * options["frame_skip"]), 1e18)),
        frame_skip=options["frame_skip"],
        options=options,
        rendering=rendering,
        measure=measure,
        measures=("x", "y", "height", "power", *feet),
        feet=tuple(feet),
        ranges=ranges if 0 < reach < math.inf else {},
    )
