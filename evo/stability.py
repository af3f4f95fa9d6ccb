"""Does a model stand full torque? Random extremes of every control, for as long as one likes; plain records."""

from typing import Any

import mujoco
import numpy as np

from envs.task import Task
from evo.randomness import generator


def shaken(task: Task, steps: int, servos: bool = True) -> dict[str, Any]:
    """`steps` control steps in which every control is at one of its bounds, chosen at random; no episode ends.

    servos: as its actuators are; without them their forces are the bounds of what they can give, whatever the posture.
    A record: unstable, how often MuJoCo warned (of a state that it had to reset, or of a full buffer).
    """
    model, draws = task.model.__copy__(), generator(0, f"stability, {task.name}, {servos}")
    if not servos:
        strongest = np.where(model.actuator_forcelimited, model.actuator_forcerange[:, 1], model.actuator_gainprm[:, 0])
        model.actuator_biasprm[:] = 0
        model.actuator_gainprm[:, 0] = strongest
    assert task.action_low is not None and task.action_high is not None
    data = mujoco.MjData(model)
    for _ in range(steps):
        data.ctrl[:] = np.where(draws.integers(2, size=model.nu), task.action_low, task.action_high)
        mujoco.mj_step(model, data, task.frame_skip)
    return {
        "task": task.name,
        "controls": "servos" if servos else "bare torque",
        "steps": steps,
        "unstable": int(data.warning.number.sum()),
    }
