"""InvertedPendulum-v5: a pole on a cart earns 1 for each step that it stays up."""

import math
from typing import Any

from evo.envs.engine.physics import simulate
from evo.envs.mujoco_v5.construction import build
from evo.envs.mujoco_v5.shared_kernels import observe_state, reset_uniform
from evo.envs.options import split_arguments
from evo.envs.task import Task


def reset(model: Any, data: Any, task: Any, rng: Any) -> None:
    reset_uniform(model, data, rng, task.reset_noise_scale)


def observe(model: Any, data: Any, task: Any, obs: Any) -> None:
    observe_state(data, obs, 0, math.inf)


def advance(model: Any, data: Any, task: Any, action: Any, out: Any) -> None:
    simulate(model, data, action, task.frame_skip)
    out.terminated = abs(data.qpos[1]) > 0.2
    out.reward = 0.0 if out.terminated else 1.0


def inverted_pendulum(
    *,
    xml_file: str = "inverted_pendulum.xml",
    frame_skip: int = 2,
    reset_noise_scale: float = 0.01,
    **rendering: Any,
) -> Task:
    """Gymnasium's InvertedPendulum-v5. Observation (4,): qpos, qvel. Action (1,): force on the cart in [-3, 3]."""
    options, rendering = split_arguments(locals())
    kernels = reset, observe, advance
    return build("InvertedPendulum-v5", kernels, options, rendering, lambda model: model.nq + model.nv)
