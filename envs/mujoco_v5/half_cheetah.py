"""HalfCheetah-v5: a planar cheetah is rewarded for forward speed, charged for control; it never terminates."""

import math
from typing import Any

from evo.envs.mujoco_v5.construction import build_walker
from evo.envs.mujoco_v5.gait import Gait
from evo.envs.mujoco_v5.shared_kernels import advance_forward, control_cost, observe_state, reset_uniform_normal
from evo.envs.options import split_arguments
from evo.envs.task import Task

_GAIT = Gait(1, 10.0, {"back_foot": "bfoot", "front_foot": "ffoot"})


def reset(model: Any, data: Any, task: Any, rng: Any) -> None:
    reset_uniform_normal(model, data, rng, task.reset_noise_scale)


def observe(model: Any, data: Any, task: Any, obs: Any) -> None:
    observe_state(data, obs, task.hidden_positions, math.inf)


def advance(model: Any, data: Any, task: Any, action: Any, out: Any) -> None:
    x_velocity = advance_forward(model, data, action, task.frame_skip)
    out.reward = task.forward_reward_weight * x_velocity - control_cost(task.ctrl_cost_weight, action)
    out.terminated = False


def half_cheetah(
    *,
    xml_file: str = "half_cheetah.xml",
    frame_skip: int = 5,
    forward_reward_weight: float = 1.0,
    ctrl_cost_weight: float = 0.1,
    reset_noise_scale: float = 0.1,
    exclude_current_positions_from_observation: bool = True,
    **rendering: Any,
) -> Task:
    """Gymnasium's HalfCheetah-v5. Observation (17,): qpos[1:], qvel. Action (6,): joint torques in [-1, 1]."""
    options, rendering = split_arguments(locals())
    return build_walker("HalfCheetah-v5", (reset, observe, advance), options, rendering, hidden_positions=1, gait=_GAIT)
