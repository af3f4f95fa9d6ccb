"""Injured variants of a model (locked joints, removed limbs), and switching between them within an episode.

A simulation with its own copy of the model loses a limb by copying the bytes in which the two models differ.
"""

import copy
import ctypes
import itertools
from collections.abc import Sequence
from typing import Any

import mujoco
import numpy as np
from numba import carray

from evo.envs.engine.compile import njit
from evo.envs.engine.physics import pointer
from evo.envs.engine.structs import MODEL, address_of

# Inertia and damping of a locked joint, kg·m² and N·m·s: no motor moves it, and the solver needs no constraint.
_RUST = 1e4, 5e5
_GHOST = 1e-3  # remaining share of the mass of a removed limb
_BUFFER = MODEL.offsets["buffer"]  # one block that holds every array of an mjModel


def models_with_losses(model: mujoco.MjModel, locked: str, removed: str) -> list[mujoco.MjModel]:
    """Return a model for every combination of injuries; derived constants are not yet recomputed.

    locked, removed: names of joints and of bodies, separated by commas; alternatives separated by |. Raises ValueError
    naming one that does not exist.
    """
    choices = [(_lock, names) for names in _names(locked)] + [(_remove, names) for names in _names(removed)]
    models = []
    for chosen in itertools.product(*(names for _, names in choices)):
        models.append(copy.copy(model))
        for (lose, _), name in zip(choices, chosen, strict=True):
            lose(models[-1], name)
    return models


def limbs(model: mujoco.MjModel) -> list[str]:
    """Return the names of the movable children of root bodies; none in a model without motors."""
    if not model.nu:
        return []
    roots = np.flatnonzero(model.body_parentid == 0)
    hung = np.isin(model.body_parentid, roots[roots > 0]) & (model.body_dofnum > 0)
    return [
        name for name in (model.body(body).name for body in np.flatnonzero(hung)) if name and not {",", "|"} & set(name)
    ]


def differences(models: Sequence[mujoco.MjModel]) -> tuple[np.ndarray, np.ndarray]:
    """Return where models of one creature differ in memory, int64 (places,), and the bytes, uint8 (models, places).

    (Fields outside that block, gravity and the statistics of mj_setConst, are not compared.)
    """
    memories = np.stack([_memory(model) for model in models])
    places = np.flatnonzero((memories != memories[0]).any(axis=0))
    return places, np.ascontiguousarray(memories[:, places])


def _memory(model: mujoco.MjModel) -> np.ndarray:
    start = ctypes.c_int64.from_address(model._address + _BUFFER).value
    return np.frombuffer((ctypes.c_uint8 * model.nbuffer).from_address(start), np.uint8).copy()


@njit
def become(model: Any, places: Any, values: Any) -> None:
    """Write uint8 values (places,) at the places, int64, of a model's memory."""
    start = carray(pointer(address_of(model) + _BUFFER), (1,), np.int64)[0]
    for index in range(places.size):
        carray(pointer(start + places[index]), (1,), np.uint8)[0] = values[index]


def _names(text: str) -> list[list[str]]:
    """Parse `a|b, c` into [[a, b], [c]]."""
    groups = ([name.strip() for name in group.split("|") if name.strip()] for group in text.split(","))
    return [group for group in groups if group]


def _lock(model: mujoco.MjModel, name: str) -> None:
    joint = _find(model, "locked", "joint", name, model.njnt)
    stiff = model.dof_jntid == joint
    model.dof_armature[stiff], model.dof_damping[stiff] = _RUST


def _remove(model: mujoco.MjModel, name: str) -> None:
    """Give a body and its children almost no mass, no contacts, no forces and no colour; array sizes stay."""
    body = _find(model, "removed", "body", name, model.nbody)
    if model.body_parentid[body] == 0:
        raise ValueError(f"removed: {name!r} is a whole creature; name one of its limbs")
    gone = np.zeros(model.nbody, bool)
    gone[body] = True
    for other in range(body + 1, model.nbody):  # parents come before children
        gone[other] |= gone[model.body_parentid[other]]
    model.body_mass[gone] *= _GHOST
    model.body_inertia[gone] *= _GHOST
    geoms = gone[model.geom_bodyid]
    model.geom_contype[geoms] = model.geom_conaffinity[geoms] = 0
    model.geom_matid[geoms], model.geom_rgba[geoms, 3] = -1, 0.0
    for pair in range(model.npair):
        if geoms[model.pair_geom1[pair]] or geoms[model.pair_geom2[pair]]:
            model.pair_margin[pair] = -1e9  # never near enough
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    for actuator in range(model.nu):  # actuators on any joint or tendon
        first = data.moment_rowadr[actuator]
        dofs = data.moment_colind[first : first + data.moment_rownnz[actuator]]
        if gone[model.dof_bodyid[dofs]].any():
            model.actuator_gainprm[actuator] = model.actuator_biasprm[actuator] = 0.0


def _find(model: mujoco.MjModel, option: str, kind: str, name: str, count: int) -> int:
    try:
        return int(getattr(model, kind)(name).id)
    except KeyError:
        names = [getattr(model, kind)(index).name for index in range(count)]
        raise ValueError(f"{option}: no {kind} {name!r}; there are {', '.join(filter(None, names))}") from None
