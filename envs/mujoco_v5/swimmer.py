"""Swimmer-v5: a three-link planar swimmer is rewarded for forward speed, charged for control; it never terminates."""

import math
from typing import Any

from evo.envs.mujoco_v5.construction import build_walker
from evo.envs.mujoco_v5.gait import Gait
from evo.envs.mujoco_v5.shared_kernels import advance_forward, control_cost, observe_state, reset_uniform
from evo.envs.options import split_arguments
from evo.envs.task import Task


def reset(model: Any, data: Any, task: Any, rng: Any) -> None:
    reset_uniform(model, data, rng, task.reset_noise_scale)


def observe(model: Any, data: Any, task: Any, obs: Any) -> None:
    observe_state(data, obs, task.hidden_positions, math.inf)


def advance(model: Any, data: Any, task: Any, action: Any, out: Any) -> None:
    x_velocity = advance_forward(model, data, action, task.frame_skip)
    out.reward = task.forward_reward_weight * x_velocity - control_cost(task.ctrl_cost_weight, action)
    out.terminated = False


def swimmer(
    *,
    xml_file: str = "swimmer.xml",
    frame_skip: int = 4,
    forward_reward_weight: float = 1.0,
    ctrl_cost_weight: float = 1e-4,
    reset_noise_scale: float = 0.1,
    exclude_current_positions_from_observation: bool = True,
    **rendering: Any,
) -> Task:
    """Gymnasium's Swimmer-v5. Observation (8,): qpos[2:], qvel. Action (2,): joint torques in [-1, 1]."""
    options, rendering = split_arguments(locals())
    kernels = (reset, observe, advance)
    return build_walker("Swimmer-v5", kernels, options, rendering, hidden_positions=2, gait=Gait(2, 0.5))
