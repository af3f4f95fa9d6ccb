"""What a page draws of a model: its shown geoms, with the ray caster's colours, and the triangles of the rest."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import mujoco
import numpy as np
from numpy.typing import NDArray

from evo.envs.notes import note
from evo.envs.rendering import shading
from evo.envs.rendering.geometry import PLANE
from evo.envs.rendering.geoms import floor_square, moving_geoms, place, shown_geoms, standing_in, tabulate
from evo.visualize.page.episode import Episode, geom_poses
from evo.visualize.page.packing import pack

_MESH, _FIELD, _SDF = (int(getattr(mujoco.mjtGeom, f"mjGEOM_{name}")) for name in ("MESH", "HFIELD", "SDF"))


class Curve(NamedTuple):
    """A run's fitness by generation, float64 (rows,) each. unit: of the steps."""

    generation: NDArray[np.float64]
    steps: NDArray[np.float64]
    best: NDArray[np.float64]
    mean: NDArray[np.float64]
    unit: str


class Creature(NamedTuple):
    """A creature on a page: its name, what it was scored by, its world, its recorded episodes and its curve.

    scene: as of `describe_scene`. episodes: from its first stumble to its champion. notes: lines of text about it.
    """

    name: str
    scene: dict[str, Any]
    episodes: Sequence[Episode]
    curve: Curve | None
    notes: Sequence[str]


def describe_scene(model: mujoco.MjModel, control_period: float) -> dict[str, Any]:
    """Return the constant parts of a model's pictures, as JSON holds them.

    control_period: seconds between the states of its episodes.

    Skins and flexes are not drawn: geoms within them, which only cast their shadows in films, are drawn instead.
    """
    if model.nskin or model.nflex:
        note("the page shows no skins and flexes; the geoms within them are drawn instead")
    data = mujoco.MjData(model)
    place(model, data, model.qpos0)
    table, moving = tabulate(model), drawn_geoms(model)
    still = np.flatnonzero(_drawn(model) & ~moving_geoms(model))
    shapes: dict[str, Any] = {}
    fixed = zip(still.tolist(), geom_poses(data, still).tolist(), strict=True)
    geoms = [_geom(model, table, geom, shapes) for geom in moving]
    return {
        "period": control_period,
        "square": floor_square(model),
        "geoms": geoms,
        "still": [{**_geom(model, table, geom, shapes), "pose": pose} for geom, pose in fixed],
        "shapes": shapes,
    }


def drawn_geoms(model: mujoco.MjModel) -> NDArray[np.int64]:
    """Return the numbers of the moving geoms that a page draws, ascending: those whose poses an episode holds."""
    return np.flatnonzero(_drawn(model) & moving_geoms(model))


def _drawn(model: mujoco.MjModel) -> NDArray[np.bool_]:
    return (shown_geoms(model) | standing_in(model)) & (model.geom_rgba[:, 3] > 0)


def _geom(model: mujoco.MjModel, table: NDArray[np.float64], geom: int, shapes: dict[str, Any]) -> dict[str, Any]:
    """Return a geom's shape and colour; the triangles of a shape that needs them are added to `shapes`."""
    row, kind = table[geom], int(model.geom_type[geom])
    name = mujoco.mjtGeom(kind).name.removeprefix("mjGEOM_").lower()
    about: dict[str, Any] = {
        "kind": name,
        "size": row[shading.SIZE : shading.SIZE + 3].tolist(),
        "bound": float(model.geom_rbound[geom]),
        "colour": row[shading.COLOUR : shading.COLOUR + 3].tolist(),
        "opacity": float(row[shading.OPACITY]),
        "ground": bool(row[shading.GROUND]),
        "casts": bool(row[shading.CASTER] >= 0) and kind != PLANE,
    }
    part = int(model.geom_dataid[geom])
    if kind in (_MESH, _SDF):
        about |= {"kind": "mesh", "shape": f"mesh {part}"}
        if about["shape"] not in shapes:
            shapes[about["shape"]] = _mesh(model, part)
    elif kind == _FIELD:
        about["shape"] = f"field {part}"
        shapes[about["shape"]] = _field(model, part)
    return about


def _mesh(model: mujoco.MjModel, mesh: int) -> dict[str, Any]:
    """Return the triangles of a mesh, in its geom's frame."""
    first, count = int(model.mesh_vertadr[mesh]), int(model.mesh_vertnum[mesh])
    begin, faces = int(model.mesh_faceadr[mesh]), int(model.mesh_facenum[mesh])
    corners = model.mesh_face[begin : begin + faces].astype(np.uint32)
    return {"vertices": pack(model.mesh_vert[first : first + count].astype(np.float32)), "faces": pack(corners)}


def _field(model: mujoco.MjModel, field: int) -> dict[str, Any]:
    """Return the heights of a height field, metres, and its size as MuJoCo has it."""
    rows, columns = int(model.hfield_nrow[field]), int(model.hfield_ncol[field])
    begin = int(model.hfield_adr[field])
    size = model.hfield_size[field]
    heights = size[2] * model.hfield_data[begin : begin + rows * columns].reshape(rows, columns).astype(float)
    return {"size": size.tolist(), "heights": pack(heights.astype(np.float32))}
