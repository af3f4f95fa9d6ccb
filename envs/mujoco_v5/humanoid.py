"""Humanoid-v5: rewarded for its forward speed and for staying up, charged for control and contact; falling ends it."""

import math
from typing import Any

from evo.envs.engine.compile import njit
from evo.envs.engine.numpy_order import add_weighted
from evo.envs.engine.physics import mj_rne_post_constraint, simulate
from evo.envs.mujoco_v5.humanoid_observation import build_humanoid, contact_cost, observe_humanoid
from evo.envs.mujoco_v5.shared_kernels import control_cost, reset_uniform
from evo.envs.options import split_arguments
from evo.envs.task import Task


def reset(model: Any, data: Any, task: Any, rng: Any) -> None:
    reset_uniform(model, data, rng, task.reset_noise_scale)


def observe(model: Any, data: Any, task: Any, obs: Any) -> None:
    observe_humanoid(data, task, obs)


@njit
def _center_of_mass(model: Any, data: Any, task: Any) -> float:
    """Return its x coordinate, in the order in which NumPy's einsum adds."""
    moment = 0.0
    for body in range(model.body_mass.size):
        moment = add_weighted(moment, model.body_mass[body], data.xipos[body, 0])
    # NumPy's sum of the model's masses, times the factor of adversity: exactly 1 without it
    return moment / (task.mass * (model.body_subtreemass[0] / task.subtree_mass))


def advance(model: Any, data: Any, task: Any, action: Any, out: Any) -> None:
    before = _center_of_mass(model, data, task)
    simulate(model, data, action, task.frame_skip)
    mj_rne_post_constraint(model, data)
    x_velocity = (_center_of_mass(model, data, task) - before) / (model.opt.timestep * task.frame_skip)
    healthy = task.healthy_z_range[0] < data.qpos[2] < task.healthy_z_range[1]
    rewards = task.forward_reward_weight * x_velocity + (task.healthy_reward if healthy else 0.0)
    costs = control_cost(task.ctrl_cost_weight, action)
    costs += contact_cost(data, task.contact_cost_weight, task.contact_cost_range)
    out.reward = rewards - costs
    out.terminated = not healthy and task.terminate_when_unhealthy != 0


def humanoid(
    *,
    xml_file: str = "humanoid.xml",
    frame_skip: int = 5,
    forward_reward_weight: float = 1.25,
    ctrl_cost_weight: float = 0.1,
    contact_cost_weight: float = 5e-7,
    contact_cost_range: tuple[float, float] = (-math.inf, 10.0),
    healthy_reward: float = 5.0,
    terminate_when_unhealthy: bool = True,
    healthy_z_range: tuple[float, float] = (1.0, 2.0),
    reset_noise_scale: float = 1e-2,
    exclude_current_positions_from_observation: bool = True,
    include_cinert_in_observation: bool = True,
    include_cvel_in_observation: bool = True,
    include_qfrc_actuator_in_observation: bool = True,
    include_cfrc_ext_in_observation: bool = True,
    **rendering: Any,
) -> Task:
    """Gymnasium's Humanoid-v5. Observation (348,): see `observe_humanoid`. Action (17,): torques in [-0.4, 0.4]."""
    options, rendering = split_arguments(locals())
    return build_humanoid("Humanoid-v5", (reset, observe, advance), options, rendering)
