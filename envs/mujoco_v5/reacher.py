"""Reacher-v5: a planar arm of two links is charged for the distance of its fingertip from a target, and for control."""

import math
from typing import Any

from evo.envs.engine.numpy_order import norm3
from evo.envs.engine.physics import mj_forward, simulate
from evo.envs.engine.random import uniform
from evo.envs.mujoco_v5.construction import build, find_body
from evo.envs.mujoco_v5.shared_kernels import control_cost
from evo.envs.options import split_arguments
from evo.envs.task import Task


def reset(model: Any, data: Any, task: Any, rng: Any) -> None:
    qpos, qvel, joints = data.qpos, data.qvel, data.qpos.size - 2
    for index in range(qpos.size):
        qpos[index] = uniform(rng, -0.1, 0.1) + model.qpos0[index]
    far = True
    while far:  # the target is uniform on a disc
        qpos[joints] = uniform(rng, -0.2, 0.2)
        qpos[joints + 1] = uniform(rng, -0.2, 0.2)
        far = norm3(qpos[joints], qpos[joints + 1], 0.0) >= 0.2
    for index in range(qvel.size):
        qvel[index] = uniform(rng, -0.005, 0.005)
    qvel[qvel.size - 2 :] = 0.0
    mj_forward(model, data)


def observe(model: Any, data: Any, task: Any, obs: Any) -> None:
    for joint in range(2):
        obs[joint] = math.cos(data.qpos[joint])
        obs[2 + joint] = math.sin(data.qpos[joint])
        obs[4 + joint] = data.qpos[2 + joint]
        obs[6 + joint] = data.qvel[joint]
        obs[8 + joint] = data.xpos[task.fingertip, joint] - data.xpos[task.target, joint]


def advance(model: Any, data: Any, task: Any, action: Any, out: Any) -> None:
    simulate(model, data, action, task.frame_skip)
    tip, target = data.xpos[task.fingertip], data.xpos[task.target]
    distance = norm3(tip[0] - target[0], tip[1] - target[1], tip[2] - target[2])
    out.reward = -distance * task.reward_dist_weight - control_cost(task.reward_control_weight, action)
    out.terminated = False


def reacher(
    *,
    xml_file: str = "reacher.xml",
    frame_skip: int = 2,
    reward_dist_weight: float = 1.0,
    reward_control_weight: float = 1.0,
    **rendering: Any,
) -> Task:
    """Gymnasium's Reacher-v5. Action (2,): torques in [-1, 1].

    Observation (10,): cosines and sines of the arm's two angles, the target's place, the arm's angular velocities, and
    the vector from the target to the fingertip.
    """
    options, rendering = split_arguments(locals())
    return build(
        "Reacher-v5",
        (reset, observe, advance),
        options,
        rendering,
        lambda model: 10,
        lambda model: {name: find_body(model, name) for name in ("fingertip", "target")},
        steps=50,
        sizes={"nq": 4, "nv": 4},
    )
