"""Walker2d-v5: a two-legged planar body is rewarded for forward speed and for staying up; falling terminates."""

from typing import Any

from evo.envs.mujoco_v5.construction import build_walker
from evo.envs.mujoco_v5.gait import Gait
from evo.envs.mujoco_v5.shared_kernels import advance_forward, control_cost, observe_state, reset_uniform
from evo.envs.options import split_arguments
from evo.envs.task import Task

_GAIT = Gait(1, 6.0, {"right_foot": "foot_geom", "left_foot": "foot_left_geom"})


def reset(model: Any, data: Any, task: Any, rng: Any) -> None:
    reset_uniform(model, data, rng, task.reset_noise_scale)


def observe(model: Any, data: Any, task: Any, obs: Any) -> None:
    observe_state(data, obs, task.hidden_positions, 10.0)


def advance(model: Any, data: Any, task: Any, action: Any, out: Any) -> None:
    x_velocity = advance_forward(model, data, action, task.frame_skip)
    z, angle = data.qpos[1], data.qpos[2]
    healthy = task.healthy_z_range[0] < z < task.healthy_z_range[1]
    healthy = healthy and task.healthy_angle_range[0] < angle < task.healthy_angle_range[1]
    rewards = task.forward_reward_weight * x_velocity + (task.healthy_reward if healthy else 0.0)
    out.reward = rewards - control_cost(task.ctrl_cost_weight, action)
    out.terminated = not healthy and task.terminate_when_unhealthy != 0


def walker2d(
    *,
    xml_file: str = "walker2d_v5.xml",
    frame_skip: int = 4,
    forward_reward_weight: float = 1.0,
    ctrl_cost_weight: float = 1e-3,
    healthy_reward: float = 1.0,
    terminate_when_unhealthy: bool = True,
    healthy_z_range: tuple[float, float] = (0.8, 2.0),
    healthy_angle_range: tuple[float, float] = (-1.0, 1.0),
    reset_noise_scale: float = 5e-3,
    exclude_current_positions_from_observation: bool = True,
    **rendering: Any,
) -> Task:
    """Gymnasium's Walker2d-v5. Observation (17,): qpos[1:], qvel clipped to ±10. Action (6,): torques in [-1, 1]."""
    options, rendering = split_arguments(locals())
    return build_walker("Walker2d-v5", (reset, observe, advance), options, rendering, hidden_positions=1, gait=_GAIT)
