"""Ant-v5: four legs around a sphere; rewarded for forward speed and survival, charged for forces; falling ends it."""

import math
from typing import Any

import numpy as np

from evo.envs.engine.numpy_order import sum_of_squares
from evo.envs.engine.physics import mj_rne_post_constraint, simulate
from evo.envs.mujoco_v5.construction import build_walker, find_body
from evo.envs.mujoco_v5.gait import Gait
from evo.envs.mujoco_v5.shared_kernels import append, clip_into, control_cost, observe_state, reset_uniform_normal
from evo.envs.options import split_arguments
from evo.envs.task import Task

_GAIT = Gait(
    2,
    6.0,
    {
        "front_left_foot": "left_ankle_geom",
        "front_right_foot": "right_ankle_geom",
        "back_left_foot": "third_ankle_geom",
        "back_right_foot": "fourth_ankle_geom",
    },
)


def reset(model: Any, data: Any, task: Any, rng: Any) -> None:
    reset_uniform_normal(model, data, rng, task.reset_noise_scale)


def observe(model: Any, data: Any, task: Any, obs: Any) -> None:
    end = observe_state(data, obs, task.hidden_positions, math.inf)
    if task.include_cfrc_ext_in_observation:
        clip_into(task.contact_forces, data.cfrc_ext, task.contact_force_range)
        append(obs, end, task.contact_forces, 6)  # no forces act on the world


def advance(model: Any, data: Any, task: Any, action: Any, out: Any) -> None:
    before = data.xpos[task.main_body, 0]
    simulate(model, data, action, task.frame_skip)
    mj_rne_post_constraint(model, data)
    x_velocity = (data.xpos[task.main_body, 0] - before) / (model.opt.timestep * task.frame_skip)
    healthy = task.healthy_z_range[0] <= data.qpos[2] <= task.healthy_z_range[1]
    clip_into(task.contact_forces, data.cfrc_ext, task.contact_force_range)
    contact_cost = task.contact_cost_weight * sum_of_squares(task.contact_forces)
    rewards = x_velocity * task.forward_reward_weight + (task.healthy_reward if healthy else 0.0)
    out.reward = rewards - (control_cost(task.ctrl_cost_weight, action) + contact_cost)
    out.terminated = not healthy and task.terminate_when_unhealthy != 0


def ant(
    *,
    xml_file: str = "ant.xml",
    frame_skip: int = 5,
    forward_reward_weight: float = 1.0,
    ctrl_cost_weight: float = 0.5,
    contact_cost_weight: float = 5e-4,
    healthy_reward: float = 1.0,
    main_body: int | str = 1,
    terminate_when_unhealthy: bool = True,
    healthy_z_range: tuple[float, float] = (0.2, 1.0),
    contact_force_range: tuple[float, float] = (-1.0, 1.0),
    reset_noise_scale: float = 0.1,
    exclude_current_positions_from_observation: bool = True,
    include_cfrc_ext_in_observation: bool = True,
    **rendering: Any,
) -> Task:
    """Gymnasium's Ant-v5. Observation (105,): qpos[2:], qvel, cfrc_ext[1:] clipped. Action (8,): torques in [-1, 1]."""
    options, rendering = split_arguments(locals())
    return build_walker(
        "Ant-v5",
        (reset, observe, advance),
        options,
        rendering,
        hidden_positions=2,
        gait=_GAIT,
        extra_size=lambda model: 6 * (model.nbody - 1) * bool(include_cfrc_ext_in_observation),
        numbers=lambda model: {
            "main_body": find_body(model, main_body, "main_body"),
            "contact_forces": np.zeros(6 * model.nbody),
        },
    )
