"""Kernels that several v5 tasks share: initial noise, observations, a control step, costs."""

from typing import Any

from evo.envs.engine.compile import njit
from evo.envs.engine.numpy_order import sum_of_squares
from evo.envs.engine.physics import mj_forward, simulate
from evo.envs.engine.random import standard_normal, uniform


@njit
def reset_uniform(model: Any, data: Any, rng: Any, scale: float) -> None:
    """Add uniform noise of ±scale to every initial position; set every velocity to such noise."""
    for index in range(data.qpos.size):
        data.qpos[index] = model.qpos0[index] + uniform(rng, -scale, scale)
    for index in range(data.qvel.size):
        data.qvel[index] = uniform(rng, -scale, scale)
    mj_forward(model, data)


@njit
def reset_uniform_normal(model: Any, data: Any, rng: Any, scale: float) -> None:
    """Add uniform noise of ±scale to every initial position; set every velocity to normal noise of that deviation."""
    for index in range(data.qpos.size):
        data.qpos[index] = model.qpos0[index] + uniform(rng, -scale, scale)
    for index in range(data.qvel.size):
        data.qvel[index] = scale * standard_normal(rng)
    mj_forward(model, data)


@njit
def observe_state(data: Any, obs: Any, hidden: int, limit: float) -> int:
    """Write positions without the first `hidden`, then velocities clipped to ±limit.

    Return how many numbers these are.
    """
    qpos, qvel = data.qpos, data.qvel
    count = qpos.size - hidden
    for index in range(count):
        obs[index] = qpos[hidden + index]
    for index in range(qvel.size):
        obs[count + index] = min(max(qvel[index], -limit), limit)
    return count + qvel.size


@njit
def append(obs: Any, at: int, values: Any, skipped: int) -> int:
    """Write values without the first `skipped` into obs from `at` on; return where they end."""
    flat = values.reshape(values.size)
    for index in range(skipped, flat.size):
        obs[at + index - skipped] = flat[index]
    return at + flat.size - skipped


@njit
def advance_forward(model: Any, data: Any, action: Any, frame_skip: int) -> float:
    """Act for one control step; return the mean forward speed over it, in m/s."""
    before = data.qpos[0]
    simulate(model, data, action, frame_skip)
    return (data.qpos[0] - before) / (model.opt.timestep * frame_skip)


@njit
def control_cost(weight: float, action: Any) -> float:
    return weight * sum_of_squares(action)


@njit
def clip_into(out: Any, values: Any, bounds: Any) -> None:
    """Write values, clipped to bounds and flattened, into `out` (size,)."""
    flat = values.reshape(values.size)
    for index in range(flat.size):
        out[index] = min(max(flat[index], bounds[0]), bounds[1])
