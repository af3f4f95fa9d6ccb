"""What Gymnasium's v5 walkers share: their model files, initial noise, observation and control cost, compiled."""

from collections.abc import Callable, Mapping
from typing import Any

import mujoco
from gymnasium.envs.mujoco.mujoco_env import expand_model_path
from numba import njit

from envs.numpy_order import sum_of_squares
from envs.physics import mj_forward, simulate
from envs.random import uniform
from envs.task import Task, record


def load(xml_file: str) -> mujoco.MjModel:
    """The model that Gymnasium's MujocoEnv loads for `xml_file`. Raises FileNotFoundError or ValueError (bad MJCF)."""
    try:
        path = expand_model_path(xml_file)
    except OSError as error:
        raise FileNotFoundError(f"xml_file: {error}") from error
    return mujoco.MjModel.from_xml_path(path)


def _check_ranges(options: Mapping[str, Any]) -> None:
    if options["frame_skip"] < 1:
        raise ValueError(f"frame_skip must be at least 1, got {options['frame_skip']}")
    if not options["reset_noise_scale"] >= 0:
        raise ValueError(f"reset_noise_scale must not be negative, got {options['reset_noise_scale']}")
    for name, value in options.items():
        if name.endswith("_range") and (len(value) != 2 or not value[0] <= value[1]):
            raise ValueError(f"{name} must be two numbers, the lower first, got {value}")


def build(
    gymnasium_id: str,
    kernels: tuple[Callable[..., None], Callable[..., None], Callable[..., None]],
    options: Mapping[str, Any],
    rendering: Mapping[str, Any],
    hidden_positions: int,
) -> Task:
    """The Task equal to `gymnasium_id` with these constructor options.

    kernels: reset, observe, advance. hidden_positions: how many leading positions the observation leaves out by
    default. Raises FileNotFoundError or ValueError naming the option that is wrong.
    """
    _check_ranges(options)
    model = load(options["xml_file"])
    hidden = hidden_positions * bool(options["exclude_current_positions_from_observation"])
    numbers = {name: value for name, value in options.items() if name != "xml_file"}
    reset, observe, advance = kernels
    return Task(
        name=gymnasium_id,
        gymnasium_id=gymnasium_id,
        model=model,
        reset=reset,
        observe=observe,
        advance=advance,
        record=record(hidden_positions=hidden, **numbers),
        observation_size=model.nq + model.nv - hidden,
        steps=1000,
        frame_skip=options["frame_skip"],
        options=options,
        rendering=rendering,
    )


@njit
def reset_uniform(model: Any, data: Any, rng: Any, scale: float) -> None:
    """Uniform noise of ±scale on every position, then on every velocity; the velocities of the model are zero."""
    for index in range(data.qpos.size):
        data.qpos[index] = model.qpos0[index] + uniform(rng, -scale, scale)
    for index in range(data.qvel.size):
        data.qvel[index] = uniform(rng, -scale, scale)
    mj_forward(model, data)


@njit
def observe_state(data: Any, obs: Any, hidden: int, limit: float) -> None:
    """Positions but for the first `hidden`, then velocities clipped to ±limit."""
    qpos, qvel = data.qpos, data.qvel
    count = qpos.size - hidden
    for index in range(count):
        obs[index] = qpos[hidden + index]
    for index in range(qvel.size):
        obs[count + index] = min(max(qvel[index], -limit), limit)


@njit
def advance_forward(model: Any, data: Any, action: Any, frame_skip: int) -> float:
    """Act for one control step; returns the mean forward speed over it, in m/s."""
    before = data.qpos[0]
    simulate(model, data, action, frame_skip)
    return (data.qpos[0] - before) / (model.opt.timestep * frame_skip)


@njit
def control_cost(weight: float, action: Any) -> float:
    return weight * sum_of_squares(action)
