"""The root body of a creature in a model, whether and how far it can travel, and its size in the initial posture."""

import math

import mujoco
import numpy as np

_JOINTS = (int(mujoco.mjtTrn.mjTRN_JOINT), int(mujoco.mjtTrn.mjTRN_JOINTINPARENT))
_SITES = (int(mujoco.mjtTrn.mjTRN_SITE), int(mujoco.mjtTrn.mjTRN_SLIDERCRANK))
_BODY, _TENDON = int(mujoco.mjtTrn.mjTRN_BODY), int(mujoco.mjtTrn.mjTRN_TENDON)
_FREE, _SLIDE = int(mujoco.mjtJoint.mjJNT_FREE), int(mujoco.mjtJoint.mjJNT_SLIDE)


def extent(model: mujoco.MjModel, axis: int, touching: bool = False) -> tuple[float, float]:
    """Return the bounds of moving geoms along a world axis (0, 1, 2), in m, by their bounding boxes; NaN for none.

    touching: only of geoms that can collide.
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


def creature_root(model: mujoco.MjModel) -> int:
    """Return the root body of a creature: the first body of the heaviest kinematic tree that actuators move.

    A ball, a crate or a load without actuators may be heavier. Without any actuators it is the heaviest tree; 0 where
    nothing can move. Where the first body cannot move along x and has a single child, as a rail with a cart, it is the
    first descendant that can.
    """
    if not model.ntree:
        return 0
    driven = {int(model.body_treeid[body]) for body in _driven_bodies(model)} - {-1}
    trees = sorted(driven) or range(model.ntree)
    roots = [int(model.tree_bodyadr[tree]) for tree in trees]
    root = max(roots, key=lambda body: float(model.body_subtreemass[body]))
    body = root
    while not travel(model, body):
        carried = np.flatnonzero(model.body_parentid == body)
        if len(carried) != 1:
            return root
        body = int(carried[0])
    return body


def travel(model: mujoco.MjModel, body: int) -> float:
    """Return how far along the world's x axis a body's own joints let it move from its initial posture, m.

    It is infinite for a free joint.
    """
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    most = 0.0
    for joint in range(model.body_jntadr[body], model.body_jntadr[body] + model.body_jntnum[body]):
        along = abs(float(data.xaxis[joint, 0]))
        if model.jnt_type[joint] == _FREE:
            most = math.inf
        elif model.jnt_type[joint] == _SLIDE and along > 1e-3:
            most = max(most, along * float(np.ptp(model.jnt_range[joint])) if model.jnt_limited[joint] else math.inf)
    return most


def _driven_bodies(model: mujoco.MjModel) -> set[int]:
    """Return the bodies on which actuators act."""
    found: set[int] = set()
    for actuator in range(model.nu):
        kind, target = int(model.actuator_trntype[actuator]), int(model.actuator_trnid[actuator, 0])
        if kind in _JOINTS:
            found.add(int(model.jnt_bodyid[target]))
        elif kind in _SITES:
            found.add(int(model.site_bodyid[target]))
        elif kind == _BODY:
            found.add(target)
        elif kind == _TENDON:
            for wrap in range(model.tendon_adr[target], model.tendon_adr[target] + model.tendon_num[target]):
                what, which = int(model.wrap_type[wrap]), int(model.wrap_objid[wrap])
                if what == int(mujoco.mjtWrap.mjWRAP_JOINT):
                    found.add(int(model.jnt_bodyid[which]))
                elif what == int(mujoco.mjtWrap.mjWRAP_SITE):
                    found.add(int(model.site_bodyid[which]))
    return found
