"""Pusher-v5: an arm pushes a cylinder to a goal, charged for its distances from arm and goal, and for control."""

from typing import Any

from evo.envs.engine.compile import njit
from evo.envs.engine.numpy_order import norm3
from evo.envs.engine.physics import mj_forward, simulate
from evo.envs.engine.random import uniform
from evo.envs.mujoco_v5.construction import build, find_body
from evo.envs.mujoco_v5.shared_kernels import control_cost
from evo.envs.options import split_arguments
from evo.envs.task import Task


def reset(model: Any, data: Any, task: Any, rng: Any) -> None:
    qpos, qvel = data.qpos, data.qvel
    qpos[:] = model.qpos0
    cylinder, goal, near = qpos.size - 4, qpos.size - 2, True
    while near:
        qpos[cylinder] = uniform(rng, -0.3, 0.0)
        qpos[cylinder + 1] = uniform(rng, -0.2, 0.2)
        near = norm3(qpos[cylinder], qpos[cylinder + 1], 0.0) <= 0.17
    qpos[goal:] = 0.0
    for index in range(qvel.size):
        qvel[index] = uniform(rng, -0.005, 0.005)
    qvel[qvel.size - 4 :] = 0.0
    mj_forward(model, data)


def observe(model: Any, data: Any, task: Any, obs: Any) -> None:
    for joint in range(7):
        obs[joint] = data.qpos[joint]
        obs[7 + joint] = data.qvel[joint]
    for axis in range(3):
        obs[14 + axis] = data.xpos[task.tips_arm, axis]
        obs[17 + axis] = data.xpos[task.object, axis]
        obs[20 + axis] = data.xpos[task.goal, axis]


@njit
def _distance(data: Any, body: int, other: int) -> float:
    first, second = data.xpos[body], data.xpos[other]
    return norm3(first[0] - second[0], first[1] - second[1], first[2] - second[2])


def advance(model: Any, data: Any, task: Any, action: Any, out: Any) -> None:
    # distances are those before the last time step: Gymnasium computes body positions at the start of a time step
    simulate(model, data, action, task.frame_skip)
    near = -_distance(data, task.object, task.tips_arm) * task.reward_near_weight
    there = -_distance(data, task.object, task.goal) * task.reward_dist_weight
    out.reward = there - control_cost(task.reward_control_weight, action) + near
    out.terminated = False


def pusher(
    *,
    xml_file: str = "pusher_v5.xml",
    frame_skip: int = 5,
    reward_near_weight: float = 0.5,
    reward_dist_weight: float = 1.0,
    reward_control_weight: float = 0.1,
    **rendering: Any,
) -> Task:
    """Gymnasium's Pusher-v5. Action (7,): torques in [-2, 2].

    Observation (23,): the arm's seven angles and velocities, then where its tip, the cylinder and the goal are.
    """
    options, rendering = split_arguments(locals())
    return build(
        "Pusher-v5",
        (reset, observe, advance),
        options,
        rendering,
        lambda model: 23,
        lambda model: {name: find_body(model, name) for name in ("object", "tips_arm", "goal")},
        steps=100,
        sizes={"nq": 11, "nv": 11},
    )
