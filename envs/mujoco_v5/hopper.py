"""Hopper-v5: a one-legged planar body is rewarded for forward speed and for staying up; falling terminates."""

from typing import Any

from evo.envs.mujoco_v5.construction import build_walker
from evo.envs.mujoco_v5.gait import Gait
from evo.envs.mujoco_v5.shared_kernels import advance_forward, control_cost, observe_state, reset_uniform
from evo.envs.options import split_arguments
from evo.envs.task import Task

_GAIT = Gait(1, 4.0, {"foot": "foot_geom"})


def reset(model: Any, data: Any, task: Any, rng: Any) -> None:
    reset_uniform(model, data, rng, task.reset_noise_scale)


def observe(model: Any, data: Any, task: Any, obs: Any) -> None:
    observe_state(data, obs, task.hidden_positions, 10.0)


def advance(model: Any, data: Any, task: Any, action: Any, out: Any) -> None:
    x_velocity = advance_forward(model, data, action, task.frame_skip)
    z, angle = data.qpos[1], data.qpos[2]
    healthy = task.healthy_z_range[0] < z < task.healthy_z_range[1]
    healthy = healthy and task.healthy_angle_range[0] < angle < task.healthy_angle_range[1]
    low, high = task.healthy_state_range[0], task.healthy_state_range[1]
    for index in range(2, data.qpos.size):
        healthy = healthy and low < data.qpos[index] < high
    for index in range(data.qvel.size):
        healthy = healthy and low < data.qvel[index] < high
    rewards = task.forward_reward_weight * x_velocity + (task.healthy_reward if healthy else 0.0)
    out.reward = rewards - control_cost(task.ctrl_cost_weight, action)
    out.terminated = not healthy and task.terminate_when_unhealthy != 0


def hopper(
    *,
    xml_file: str = "hopper.xml",
    frame_skip: int = 4,
    forward_reward_weight: float = 1.0,
    ctrl_cost_weight: float = 1e-3,
    healthy_reward: float = 1.0,
    terminate_when_unhealthy: bool = True,
    healthy_state_range: tuple[float, float] = (-100.0, 100.0),
    healthy_z_range: tuple[float, float] = (0.7, float("inf")),
    healthy_angle_range: tuple[float, float] = (-0.2, 0.2),
    reset_noise_scale: float = 5e-3,
    exclude_current_positions_from_observation: bool = True,
    **rendering: Any,
) -> Task:
    """Gymnasium's Hopper-v5. Observation (11,): qpos[1:], qvel clipped to ±10. Action (3,): torques in [-1, 1]."""
    options, rendering = split_arguments(locals())
    return build_walker("Hopper-v5", (reset, observe, advance), options, rendering, hidden_positions=1, gait=_GAIT)
