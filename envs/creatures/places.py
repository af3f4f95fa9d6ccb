"""Places on a body: where the sensors and actuators of a task are in its model's pose at rest.

An observation that is a joint's position or velocity, in motion, is sensed at the joint; any other, at the body's root.
An actuator is where the joint is that it moves. The two axes along which these places extend furthest are kept. A third
coordinate tells apart what is sensed at one place, such as the angle and the velocity of a joint.
"""

import mujoco
import numpy as np

from evo.envs.engine.physics import EngineError
from evo.envs.task import Task

Places = tuple[tuple[float, ...], ...]
_JOINTS = (mujoco.mjtTrn.mjTRN_JOINT, mujoco.mjtTrn.mjTRN_JOINTINPARENT)


def places_of(task: object) -> tuple[Places, Places]:
    """Return the places of a task's observations and of its actions, three coordinates each, in [-1, 1].

    Raises ValueError for a task that is not a body whose every action drives a joint.
    """
    name = getattr(task, "name", type(task).__name__)
    if not isinstance(task, Task) or task.choices or not task.model.nu or task.model.nu != task.outputs:
        raise ValueError(f"{name} has no body whose joints its actions drive: take line or grid instead of body")
    model = task.model
    if not np.isin(model.actuator_trntype, _JOINTS).all():
        raise ValueError(f"{name} has an actuator that drives no joint: take line or grid instead of body")
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    anchors = data.xanchor.copy()  # (joints, 3)
    sensors = np.array([anchors[joint] for joint in _sensed_joints(task)])
    actuators = anchors[model.actuator_trnid[:, 0]]
    low, high = (end(np.concatenate([sensors, actuators]), axis=0) for end in (np.min, np.max))
    kept = np.sort(np.argsort(low - high, kind="stable")[:2])
    scale = 0.5 * max(float((high - low).max()), 1e-9)
    return _places((sensors - (low + high) / 2)[:, kept] / scale), _places(
        (actuators - (low + high) / 2)[:, kept] / scale
    )


def _sensed_joints(task: Task) -> list[int]:
    """Return the joint of each observation: that whose position or velocity it equals in motion, else the first."""
    from evo.envs.gymnasium_bridge.task_env import TaskEnv  # which brings the renderer

    environment = TaskEnv(task)
    try:
        environment.reset(seed=0)
        # at a start that is not random joints may be at equal angles and rest: uneven actions tell them apart
        low, high = task.action_low, task.action_high
        assert low is not None and high is not None
        observed, *_ = environment.step(low + np.linspace(0.3, 0.6, len(low)) * (high - low))
        data = environment.data
    except EngineError as error:
        raise ValueError(str(error)) from error
    model, owner = task.model, dict[float, int]()
    positions = np.searchsorted(model.jnt_qposadr, np.arange(model.nq), side="right") - 1
    for value, joint in zip([*data.qpos, *data.qvel], [*positions, *model.dof_jntid], strict=True):
        owner[float(value)] = 0 if float(value) in owner else int(joint)  # of equal numbers nothing is known
    return [owner.get(float(value), 0) for value in observed]


def _places(points: np.ndarray) -> Places:
    """Return points (units, 2) with a third coordinate, which spreads those at one point over [-1, 1]."""
    _, index, counts = np.unique(points.round(9), axis=0, return_inverse=True, return_counts=True)
    index, seen, found = index.ravel(), np.zeros(len(counts)), list[tuple[float, ...]]()
    for (x, y), group in zip(points.tolist(), index, strict=True):
        found.append((x, y, float((2 * seen[group] + 1 - counts[group]) / counts[group])))
        seen[group] += 1
    return tuple(found)
