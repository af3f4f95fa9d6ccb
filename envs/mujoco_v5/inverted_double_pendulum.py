"""InvertedDoublePendulum-v5: two poles on a cart, rewarded for standing straight and still until the tip falls."""

import math
from typing import Any

from evo.envs.engine.numpy_order import square
from evo.envs.engine.physics import simulate
from evo.envs.mujoco_v5.construction import build
from evo.envs.mujoco_v5.shared_kernels import reset_uniform_normal
from evo.envs.options import split_arguments
from evo.envs.task import Task


def reset(model: Any, data: Any, task: Any, rng: Any) -> None:
    reset_uniform_normal(model, data, rng, task.reset_noise_scale)


def observe(model: Any, data: Any, task: Any, obs: Any) -> None:
    poles, velocities = data.qpos.size - 1, data.qvel.size
    obs[0] = data.qpos[0]
    for pole in range(poles):
        obs[1 + pole] = math.sin(data.qpos[1 + pole])
        obs[1 + poles + pole] = math.cos(data.qpos[1 + pole])
    for index in range(velocities):
        obs[1 + 2 * poles + index] = min(max(data.qvel[index], -10.0), 10.0)
    obs[1 + 2 * poles + velocities] = min(max(data.qfrc_constraint[0], -10.0), 10.0)


def advance(model: Any, data: Any, task: Any, action: Any, out: Any) -> None:
    simulate(model, data, action, task.frame_skip)
    x, y = data.site_xpos[0, 0], data.site_xpos[0, 2]  # of the tip
    # NumPy squares a number by libm's pow, whose last bit differs from the product's once in a thousand times
    distance = 0.01 * square(x, task.two) + square(y - 2.0, task.two)
    velocity = 1e-3 * square(data.qvel[1], task.two) + 5e-3 * square(data.qvel[2], task.two)
    out.terminated = y <= 1.0
    out.reward = (0.0 if out.terminated else task.healthy_reward) - distance - velocity


def inverted_double_pendulum(
    *,
    xml_file: str = "inverted_double_pendulum.xml",
    frame_skip: int = 5,
    healthy_reward: float = 10.0,
    reset_noise_scale: float = 0.1,
    **rendering: Any,
) -> Task:
    """Gymnasium's InvertedDoublePendulum-v5. Action (1,): force on the cart in [-1, 1].

    Observation (9,): the cart's place, sines and cosines of both angles, qvel and the first qfrc_constraint, clipped to
    ±10.
    """
    options, rendering = split_arguments(locals())
    kernels = reset, observe, advance
    sizes = {"nq": 3, "nv": 3, "nsite": 1}
    return build(
        "InvertedDoublePendulum-v5",
        kernels,
        options,
        rendering,
        lambda model: 9,
        lambda model: {"two": 2.0},
        sizes=sizes,
    )
