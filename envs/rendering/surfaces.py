"""Ray intersection with skins and flexes: triangles, projected onto the picture to find candidates for each ray."""

import math
from typing import Any, NamedTuple

import mujoco
import numpy as np
from numpy.typing import NDArray

from evo.envs.engine.compile import njit
from evo.envs.rendering.geometry import Vector

_DEFAULT_COLOUR = (0.5, 0.5, 0.5, 1.0)  # MuJoCo's, of geoms, skins and flexes
_NEAREST = 1e-3  # m: triangles that reach behind the camera are left out


class Surface(NamedTuple):
    """A skin or a flex, by its number in the model. faces: int64 (faces, 3), of its vertices. rgba: as MuJoCo's."""

    object_id: int
    is_skin: bool
    rgba: NDArray[np.float64]
    faces: NDArray[np.int64]


def surfaces_of(model: mujoco.MjModel) -> list[Surface]:
    """Return the skins of a model, and its flexes of two and three dimensions."""
    found = []
    for skin in range(model.nskin):
        begin, count = int(model.skin_faceadr[skin]), int(model.skin_facenum[skin])
        faces = model.skin_face[begin : begin + count].reshape(-1, 3).astype(np.int64)
        found.append(Surface(skin, True, _rgba(model, model.skin_rgba[skin], model.skin_matid[skin]), faces))
    for flex in range(model.nflex):
        if model.flex_dim[flex] == 2:
            begin, count = int(model.flex_elemdataadr[flex]), 3 * int(model.flex_elemnum[flex])
            corners = model.flex_elem[begin : begin + count]
        elif model.flex_dim[flex] == 3:
            begin, count = int(model.flex_shelldataadr[flex]), 3 * int(model.flex_shellnum[flex])
            corners = model.flex_shell[begin : begin + count]
        else:
            continue
        rgba = _rgba(model, model.flex_rgba[flex], model.flex_matid[flex])
        found.append(Surface(flex, False, rgba, corners.reshape(-1, 3).astype(np.int64)))
    return [each for each in found if each.rgba[3] > 0 and len(each.faces)]


def covered_bodies(model: mujoco.MjModel) -> NDArray[np.bool_]:
    """Return whether a skin or a flex shows each body, (nbody,)."""
    covered = np.zeros(model.nbody, bool)
    for surface in surfaces_of(model):
        if surface.is_skin:
            first = int(model.skin_boneadr[surface.object_id])
            covered[model.skin_bonebodyid[first : first + int(model.skin_bonenum[surface.object_id])]] = True
        else:
            first = int(model.flex_vertadr[surface.object_id])
            bodies = model.flex_vertbodyid[first : first + int(model.flex_vertnum[surface.object_id])]
            covered[bodies[bodies >= 0]] = True  # a vertex between nodes belongs to no body
            first = int(model.flex_nodeadr[surface.object_id])
            covered[model.flex_nodebodyid[first : first + int(model.flex_nodenum[surface.object_id])]] = True
    covered[0] = False
    return covered


def vertices_of(model: mujoco.MjModel, data: mujoco.MjData, surface: Surface) -> NDArray[np.float64]:
    """Return the vertices of a surface, (vertices, 3). `data` has bodies, and a flex's vertices, up to date."""
    if not surface.is_skin:
        first = int(model.flex_vertadr[surface.object_id])
        return np.array(data.flexvert_xpos[first : first + int(model.flex_vertnum[surface.object_id])])
    skin = surface.object_id
    first, count = int(model.skin_vertadr[skin]), int(model.skin_vertnum[skin])
    bound = model.skin_vert[first : first + count].astype(float)
    placed = np.zeros((count, 3))
    for bone in range(int(model.skin_boneadr[skin]), int(model.skin_boneadr[skin]) + int(model.skin_bonenum[skin])):
        body = int(model.skin_bonebodyid[bone])
        inverse, turn, matrix = np.zeros(4), np.zeros(4), np.zeros(9)
        mujoco.mju_negQuat(inverse, model.skin_bonebindquat[bone].astype(float))
        mujoco.mju_mulQuat(turn, data.xquat[body], inverse)
        mujoco.mju_quat2Mat(matrix, turn)
        begin, length = int(model.skin_bonevertadr[bone]), int(model.skin_bonevertnum[bone])
        chosen = model.skin_bonevertid[begin : begin + length]
        weight = model.skin_bonevertweight[begin : begin + length, None]
        moved = (bound[chosen] - model.skin_bonebindpos[bone]) @ matrix.reshape(3, 3).T + data.xpos[body]
        placed[chosen] += weight * moved
    return placed


def cover(
    number: int,
    vertices: NDArray[np.float64],
    faces: NDArray[np.int64],
    view: Any,
    pixels: NDArray[np.int64],
    spread: NDArray[np.float64],
    height: int,
    width: int,
    seen: NDArray[np.float64],
) -> None:
    """Write into `seen` (rays, 5) where rays through `pixels` hit a surface, if nearer; see `paint`.

    number: the row of the surface in the scene's table.
    """
    edges = vertices[faces]
    flat = np.cross(edges[:, 1] - edges[:, 0], edges[:, 2] - edges[:, 0])
    normals = np.zeros_like(vertices)  # each the sum of its faces' normals, weighted by their areas
    for corner in range(3):
        np.add.at(normals, faces[:, corner], flat)
    offset = vertices - np.asarray(view.eye)
    axes = np.array([view.right, view.up, view.forward])
    place = np.full((height, width), -1, np.int64)
    place[pixels[:, 0], pixels[:, 1]] = np.arange(len(pixels))
    _cover(number, offset @ axes.T, normals, faces, view.forward, view.right, view.up, view.pixel, place, spread, seen)


@njit(cache=True, nogil=True, error_model="numpy")
def _cover(
    number: int,
    points: Any,
    normals: Any,
    faces: Any,
    forward: Vector,
    right: Vector,
    up: Vector,
    pixel: float,
    place: Any,
    spread: Any,
    seen: Any,
) -> None:
    height, width = place.shape
    samples = spread.shape[0]
    for face in range(faces.shape[0]):
        a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
        if min(points[a, 2], points[b, 2], points[c, 2]) < _NEAREST:
            continue
        # in pixels from the upper left corner
        ax, ay = 0.5 * width + points[a, 0] / points[a, 2] / pixel, 0.5 * height - points[a, 1] / points[a, 2] / pixel
        bx, by = 0.5 * width + points[b, 0] / points[b, 2] / pixel, 0.5 * height - points[b, 1] / points[b, 2] / pixel
        cx, cy = 0.5 * width + points[c, 0] / points[c, 2] / pixel, 0.5 * height - points[c, 1] / points[c, 2] / pixel
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if not abs(area) > 0.0 or not abs(area) < 1e12:
            continue
        first_row, last_row = max(min(ay, by, cy), 0.0), min(max(ay, by, cy), height - 1.0)
        first_column, last_column = max(min(ax, bx, cx), 0.0), min(max(ax, bx, cx), width - 1.0)
        for row in range(int(first_row), int(last_row) + 1):
            for column in range(int(first_column), int(last_column) + 1):
                if place[row, column] < 0:
                    continue
                for sample in range(samples):
                    x, y = column + spread[sample, 0], row + spread[sample, 1]
                    # barycentric coordinates in the picture, then on the triangle
                    of_a = ((bx - x) * (cy - y) - (by - y) * (cx - x)) / area
                    of_b = ((cx - x) * (ay - y) - (cy - y) * (ax - x)) / area
                    of_c = 1.0 - of_a - of_b
                    if of_a < 0.0 or of_b < 0.0 or of_c < 0.0:
                        continue
                    depth = 1.0 / (of_a / points[a, 2] + of_b / points[b, 2] + of_c / points[c, 2])
                    side, rise = (x - 0.5 * width) * pixel, (0.5 * height - y) * pixel
                    distance = depth * math.sqrt(1.0 + side * side + rise * rise)
                    ray = place[row, column] * samples + sample
                    if 0.0 <= seen[ray, 0] <= distance:
                        continue
                    share_a, share_b = depth * of_a / points[a, 2], depth * of_b / points[b, 2]
                    share_c = depth * of_c / points[c, 2]
                    length, facing = 0.0, 0.0
                    for axis in range(3):
                        part = share_a * normals[a, axis] + share_b * normals[b, axis] + share_c * normals[c, axis]
                        seen[ray, 2 + axis] = part
                        length += part * part
                        facing += part * (forward[axis] + side * right[axis] + rise * up[axis])
                    scale = (-1.0 if facing > 0.0 else 1.0) / math.sqrt(length + 1e-300)  # both sides are visible
                    for axis in range(3):
                        seen[ray, 2 + axis] *= scale
                    seen[ray, 0], seen[ray, 1] = distance, number


def is_default(rgba: NDArray[Any]) -> NDArray[np.bool_]:
    """Return whether colours [..., 4] are MuJoCo's default, which a material's colour replaces, [...]."""
    return np.asarray(np.all(np.abs(rgba - _DEFAULT_COLOUR) < 1e-6, axis=-1))


def _rgba(model: mujoco.MjModel, rgba: NDArray[np.float32], material: int) -> NDArray[np.float64]:
    colour = model.mat_rgba[material] if material >= 0 and is_default(rgba) else rgba
    return np.asarray(colour, np.float64)
