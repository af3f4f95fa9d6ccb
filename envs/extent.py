"""How far a body reaches in its initial posture."""

import mujoco
import numpy as np


def extent(model: mujoco.MjModel, axis: int, touching: bool = False) -> tuple[float, float]:
    """Where what moves begins and ends along a world axis (0, 1, 2), in m, by the boxes around its geoms; NaN for none.

    touching: of geoms that can touch something only.
    """
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    chosen = model.body_weldid[model.geom_bodyid] != 0
    if touching:
        chosen &= (model.geom_contype | model.geom_conaffinity) != 0
    if not chosen.any():
        return float("nan"), float("nan")
    row = data.geom_xmat.reshape(-1, 3, 3)[chosen, axis]
    middle = data.geom_xpos[chosen, axis] + (row * model.geom_aabb[chosen, :3]).sum(axis=1)
    half = (np.abs(row) * model.geom_aabb[chosen, 3:]).sum(axis=1)
    return float((middle - half).min()), float((middle + half).max())
