"""HumanoidStandup-v5: a humanoid that lies on the ground is rewarded for its height, charged for control and impact."""

import math
from typing import Any

from evo.envs.engine.physics import mj_rne_post_constraint, simulate
from evo.envs.mujoco_v5.humanoid_observation import build_humanoid, contact_cost, observe_humanoid
from evo.envs.mujoco_v5.shared_kernels import control_cost, reset_uniform
from evo.envs.options import split_arguments
from evo.envs.task import Task


def reset(model: Any, data: Any, task: Any, rng: Any) -> None:
    reset_uniform(model, data, rng, task.reset_noise_scale)


def observe(model: Any, data: Any, task: Any, obs: Any) -> None:
    observe_humanoid(data, task, obs)


def advance(model: Any, data: Any, task: Any, action: Any, out: Any) -> None:
    simulate(model, data, action, task.frame_skip)
    mj_rne_post_constraint(model, data)
    # uph_cost_weight is an option that Gymnasium takes and does not use
    height = data.qpos[2] / model.opt.timestep
    impact = contact_cost(data, task.impact_cost_weight, task.impact_cost_range)
    out.reward = height - control_cost(task.ctrl_cost_weight, action) - impact + 1.0
    out.terminated = False


def humanoid_standup(
    *,
    xml_file: str = "humanoidstandup.xml",
    frame_skip: int = 5,
    uph_cost_weight: float = 1.0,
    ctrl_cost_weight: float = 0.1,
    impact_cost_weight: float = 0.5e-6,
    impact_cost_range: tuple[float, float] = (-math.inf, 10.0),
    reset_noise_scale: float = 1e-2,
    exclude_current_positions_from_observation: bool = True,
    include_cinert_in_observation: bool = True,
    include_cvel_in_observation: bool = True,
    include_qfrc_actuator_in_observation: bool = True,
    include_cfrc_ext_in_observation: bool = True,
    **rendering: Any,
) -> Task:
    """Gymnasium's HumanoidStandup-v5. Observation (348,): see `observe_humanoid`. Action (17,): in [-0.4, 0.4]."""
    options, rendering = split_arguments(locals())
    return build_humanoid("HumanoidStandup-v5", (reset, observe, advance), options, rendering)
