"""The table of a model's visible geoms that the ray caster works on: shapes, colours, shadows."""

import copy
import math

import mujoco
import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.envs.rendering import shading
from evo.envs.rendering.geometry import ANALYTIC, ELLIPSOID, PLANE
from evo.envs.rendering.surfaces import covered_bodies, is_default, surfaces_of

VISIBLE_GROUPS = 3  # groups 0, 1 and 2, as in MuJoCo's viewer
# For geoms without a colour: static ones are stone, moving ones are coloured by their depth in the body tree, so that a
# creature's left and right match.
_STONE = (0.62, 0.60, 0.57)
_PALETTE = (
    (0.89, 0.45, 0.27),
    (0.16, 0.55, 0.60),
    (0.95, 0.68, 0.25),
    (0.30, 0.38, 0.62),
    (0.80, 0.32, 0.38),
    (0.45, 0.63, 0.40),
)


def place(model: mujoco.MjModel, data: mujoco.MjData, qpos: ArrayLike) -> None:
    """Set `data` to positions `qpos` [nq] and compute its bodies, cameras and centres of mass.

    Raises ValueError where `qpos` has another size.
    """
    positions = np.asarray(qpos, dtype=np.float64)
    if positions.shape != (model.nq,):
        raise ValueError(f"qpos has shape {positions.shape}; the model needs ({model.nq},)")
    data.qpos[:] = positions
    mujoco.mj_kinematics(model, data)
    mujoco.mj_comPos(model, data)
    mujoco.mj_camlight(model, data)
    if model.nflex:
        mujoco.mj_flex(model, data)


def moving_geoms(model: mujoco.MjModel) -> NDArray[np.bool_]:
    """Return whether each geom's body can move, [ngeom]."""
    return np.asarray(model.body_weldid[model.geom_bodyid] != 0)


def shown_geoms(model: mujoco.MjModel) -> NDArray[np.bool_]:
    """Return whether each geom belongs to a visible group and is not fully transparent, [ngeom].

    Of a moving body without any such geom, and without a skin or flex, geoms of the other groups are shown.
    """
    opaque = _rgba(model)[:, 3] > 0
    visible = (model.geom_group < VISIBLE_GROUPS) & opaque
    seen = covered_bodies(model)
    seen[model.geom_bodyid[visible]] = True
    return np.asarray(visible | (opaque & moving_geoms(model) & ~seen[model.geom_bodyid]))


def standing_in(model: mujoco.MjModel) -> NDArray[np.bool_]:
    """Return whether each geom is hidden within a skin or flex, whose shadow and size it provides, [ngeom]."""
    return np.asarray(covered_bodies(model)[model.geom_bodyid] & moving_geoms(model) & ~shown_geoms(model))


def _rgba(model: mujoco.MjModel) -> NDArray[np.float64]:
    """Return sRGB and opacity, [ngeom, 4]: a material's colour where a geom has one and no colour of its own."""
    rgba = np.array(model.geom_rgba, dtype=np.float64)
    plain = is_default(rgba)
    painted = plain & (model.geom_matid >= 0)
    rgba[painted] = model.mat_rgba[model.geom_matid[painted]]
    unpainted = plain & ~painted
    depth = np.zeros(model.nbody, int)
    for body in range(1, model.nbody):
        depth[body] = depth[model.body_parentid[body]] + 1
    colours = np.array(_PALETTE)[(depth[model.geom_bodyid] - 1) % len(_PALETTE)]
    rgba[unpainted, :3] = np.where(moving_geoms(model)[:, None], colours, _STONE)[unpainted]
    return rgba


def _linear(srgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return sRGB values [n, 3] as linear light, slightly more saturated: warm light and haze desaturate."""
    light = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    grey = light @ np.array([0.2126, 0.7152, 0.0722])
    return np.asarray(np.clip(grey[:, None] + 1.2 * (light - grey[:, None]), 0.0, 1.0))


def tabulate(model: mujoco.MjModel) -> NDArray[np.float64]:
    """Return the scene's table, [ngeom + surfaces, COLUMNS], its constant parts filled in.

    surfaces: skins and flexes.
    """
    kind = np.array(model.geom_type)
    shown, moving = shown_geoms(model), moving_geoms(model)
    casting = shown | standing_in(model)
    floor = (kind == PLANE) & ~moving
    ground = floor | (kind == mujoco.mjtGeom.mjGEOM_HFIELD)
    solid = casting & np.isin(kind, ANALYTIC) & (kind != PLANE)
    foreign = casting & ~np.isin(kind, ANALYTIC) & ~ground
    rgba = _rgba(model)
    half = np.maximum(model.geom_aabb[:, 3:], 1e-6)

    geoms = np.zeros((model.ngeom, shading.COLUMNS))
    geoms[:, shading.KIND] = np.where(casting & ~shown, shading.WITHIN, kind)
    geoms[:, shading.SIZE : shading.SIZE + 3] = model.geom_size
    # Floors are drawn unbounded: creatures walk farther than most models' planes reach.
    geoms[floor, shading.SIZE : shading.SIZE + 3] = 0.0
    geoms[:, shading.BOUND] = model.geom_rbound
    geoms[:, shading.COLOUR : shading.COLOUR + 3] = _linear(rgba[:, :3])
    geoms[:, shading.OPACITY] = np.where(shown, rgba[:, 3], np.where(casting, 1.0, 0.0))
    geoms[:, shading.GROUND] = ground
    geoms[:, shading.CASTER] = np.where(solid, kind, np.where(foreign, ELLIPSOID, -1))
    geoms[:, shading.CASTER_SIZE : shading.CASTER_SIZE + 3] = np.where(solid[:, None], model.geom_size, half)
    for geom in np.flatnonzero((solid | foreign) & moving):
        longest = int(np.argmax(half[geom]))
        radius = math.sqrt(np.prod(np.delete(half[geom], longest)))
        geoms[geom, shading.CORE_AXIS + longest] = max(half[geom, longest] - radius, 0.0)
        geoms[geom, shading.CORE_RADIUS] = radius
    surfaces = surfaces_of(model)
    others = np.zeros((len(surfaces), shading.COLUMNS))
    others[:, shading.KIND], others[:, shading.CASTER] = shading.SURFACE, -1
    for row, surface in zip(others, surfaces, strict=True):
        row[shading.COLOUR : shading.COLOUR + 3] = _linear(surface.rgba[None, :3])[0]
        row[shading.OPACITY] = surface.rgba[3]
    return np.concatenate([geoms, others])


def floor_square(model: mujoco.MjModel) -> float:
    """Return the side of a floor square: 1, 2 or 5 times a power of ten metres, nearest to two fifths the creature."""
    creature = moving_geoms(model) & (shown_geoms(model) | standing_in(model)) & (model.geom_rbound > 0)
    if not creature.any():
        return 1.0
    data = mujoco.MjData(model)
    place(model, data, model.qpos0)
    reach = model.geom_rbound[creature, None]
    extent = (data.geom_xpos[creature] + reach).max(axis=0) - (data.geom_xpos[creature] - reach).min(axis=0)
    choices = np.outer(10.0 ** np.arange(-4, 5), (1.0, 2.0, 5.0)).ravel()
    return float(choices[np.argmin(np.abs(np.log(choices / (0.4 * extent.max()))))])


def foreign_model(model: mujoco.MjModel) -> mujoco.MjModel | None:
    """Return a copy whose group 0 holds only the geoms that only MuJoCo's own rays find; None where there are none."""
    drawn = (*ANALYTIC, int(mujoco.mjtGeom.mjGEOM_HFIELD))
    foreign = shown_geoms(model) & ~np.isin(model.geom_type, drawn)
    if not foreign.any():
        return None
    twin = copy.copy(model)
    twin.geom_group[:] = np.where(foreign, 0, 5)
    return twin
