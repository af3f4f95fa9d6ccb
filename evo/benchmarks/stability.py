"""Stability of a model under random full torque."""

from typing import Any

import mujoco
import numpy as np

from evo.envs.task import Task
from evo.errors import EvoError
from evo.numerics.randomness import generator


def shaken(task: Task, steps: int) -> dict[str, Any]:
    """Take `steps` control steps in which every control is at one of its bounds, chosen at random; no episode ends.

    The record has unstable: how often MuJoCo warned (of a state that it had to reset, or of a full buffer). Raises
    EvoError for a task without motors.
    """
    model, draws = task.model, generator(0, f"stability, {task.name}")
    if not model.nu:
        raise EvoError(f"{task.name} has no motors of MuJoCo's that could shake it")
    bounds = np.array([task.action_low, task.action_high])  # (2, controls)
    data = mujoco.MjData(model)
    for _ in range(steps):
        data.ctrl[:] = np.where(draws.integers(2, size=model.nu), *bounds)
        mujoco.mj_step(model, data, task.frame_skip)
    return {"task": task.name, "steps": steps, "unstable": int(data.warning.number.sum())}
