"""Renderer: pictures of a MuJoCo model's states by ray casting, without GL.

    renderer = Renderer(model, width=640, height=360)
    picture = renderer.render(data, Camera(lookat=(0, 0, 0.5), distance=3, azimuth=90, elevation=-12))
    for picture in film(model, qpos):      # [frames, nq] -> pictures, by a camera that follows the creature
        ...

Spheres, capsules, cylinders, ellipsoids, boxes, planes, height fields, skins and flexes are drawn here; meshes and
signed distance fields are found by MuJoCo's own rays and lit like the rest (an ellipsoid of their size casts their
shadow).
"""

import math
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Literal

import mujoco
import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.envs.creatures.extent import creature_root
from evo.envs.notes import note
from evo.envs.rendering import shading
from evo.envs.rendering.geometry import PLANE, Vector
from evo.envs.rendering.geoms import (
    floor_square,
    foreign_model,
    moving_geoms,
    place,
    shown_geoms,
    standing_in,
    tabulate,
)
from evo.envs.rendering.height_fields import fields_of, meet
from evo.envs.rendering.shading import Scene, View, find_edges, list_sunlit, list_tiles, paint
from evo.envs.rendering.surfaces import cover, surfaces_of, vertices_of

Image = NDArray[np.uint8]  # [height, width, 3]

# Eight rooks on an 8 × 8 board: no two samples share a row or a column.
_SPREAD = (np.array([[0, 3], [1, 6], [2, 1], [3, 4], [4, 7], [5, 2], [6, 5], [7, 0]]) + 0.5) / 8.0
_MIDDLE = np.array([[0.5, 0.5]])
_NOTHING_SEEN = np.empty((0, shading.SEEN_COLUMNS))


def _triple(vector: ArrayLike) -> Vector:
    x, y, z = np.asarray(vector, dtype=np.float64)
    return float(x), float(y), float(z)


@dataclass(frozen=True)
class Camera:
    """A free camera in MuJoCo's convention: it stands `distance` metres from `lookat` and looks at it.

    `azimuth` 0 looks along +x and 90 along +y; a negative `elevation` looks down; `fovy` is the vertical field of view.
    All angles are in degrees.
    """

    lookat: tuple[float, float, float] = (0.0, 0.0, 0.0)
    distance: float = 3.0
    azimuth: float = 90.0
    elevation: float = -15.0
    fovy: float = 45.0

    def axes(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return the eye and the unit vectors forward, right and up, each [3]."""
        turn, lift = math.radians(self.azimuth), math.radians(self.elevation)
        forward = np.array([math.cos(lift) * math.cos(turn), math.cos(lift) * math.sin(turn), math.sin(lift)])
        right = np.array([math.sin(turn), -math.cos(turn), 0.0])
        return np.asarray(self.lookat) - self.distance * forward, forward, right, np.cross(right, forward)


class Renderer:
    """Draws one model at one picture size. `render` may be called from several threads at once."""

    def __init__(self, model: mujoco.MjModel, width: int = 640, height: int = 360) -> None:
        """Prepare the model's scene. `width`, `height`: pixels. Raises ValueError where one is not positive."""
        if width < 1 or height < 1:
            raise ValueError(f"a picture of {width} by {height} pixels has no pixels")
        self.model = model
        self.width = width
        self.height = height
        self._geoms = geoms = tabulate(model)
        bound, radius, kind = (geoms[:, column] for column in (shading.BOUND, shading.CORE_RADIUS, shading.KIND))
        plane = (kind == PLANE) & (geoms[:, shading.OPACITY] > 0)
        self._sight = np.where(plane, math.inf, np.where(geoms[:, shading.CASTER] == kind, bound, -1.0))
        self._dimming = np.where(radius > 0, bound + shading.CORE_REACH * radius, -1.0)
        self._cell = floor_square(model)
        self._pixels = np.argwhere(np.ones((height, width), bool))
        self._foreign = foreign_model(model)
        self._fields = fields_of(model, shown_geoms(model))
        self._surfaces = surfaces_of(model)
        strings = int((model.flex_dim == 1).sum())
        if strings:
            note(f"pictures show no flexes of one dimension: {strings} of the model's are not drawn")

    def pose(self, qpos: ArrayLike) -> mujoco.MjData:
        """Return new data with positions `qpos` [nq], its bodies, cameras and centres of mass computed.

        Raises ValueError where `qpos` has another size.
        """
        data = mujoco.MjData(self.model)
        place(self.model, data, qpos)
        return data

    def render(self, state: mujoco.MjData | ArrayLike, camera: Camera | str) -> Image:
        """Draw a state.

        Args:
            state: data whose kinematics are up to date, or positions qpos [nq].
            camera: a camera, or the name of one of the model's cameras.

        Returns:
            [height, width, 3] uint8, sRGB.

        Raises:
            ValueError: no camera has this name, or `qpos` has another size.
        """
        data = state if isinstance(state, mujoco.MjData) else self.pose(state)
        view = self._view(data, camera)
        scene = self._scene(data, view)
        image = np.empty((self.height, self.width, 3), np.uint8)
        owner = paint(scene, view, self._cast_rays(data, view, self._pixels, _MIDDLE), image, self._pixels, _MIDDLE)
        edges = find_edges(image, owner)
        paint(scene, view, self._cast_rays(data, view, edges, _SPREAD), image, edges, _SPREAD)
        return image

    def _scene(self, data: mujoco.MjData, view: View) -> Scene:
        geoms = self._geoms.copy()
        placed = geoms[: self.model.ngeom]
        placed[:, shading.POSITION : shading.POSITION + 3] = data.geom_xpos
        placed[:, shading.ROTATION : shading.ROTATION + 9] = data.geom_xmat
        axes = placed[:, shading.CORE_AXIS : shading.CORE_AXIS + 3]
        axes[:] = np.einsum("gij,gj->gi", data.geom_xmat.reshape(-1, 3, 3), axes)
        sunlit, corner = list_sunlit(geoms)
        tiles = list_tiles(geoms, self._sight, view, self.width, self.height)
        dimmed = list_tiles(geoms, self._dimming, view, self.width, self.height)
        return Scene(geoms, tiles, dimmed, sunlit, corner, 1.0 / self._cell)

    def _view(self, data: mujoco.MjData, camera: Camera | str) -> View:
        if isinstance(camera, Camera):
            fovy = camera.fovy
            eye, forward, right, up = camera.axes()
        else:
            index = mujoco.mj_name2id(self.model, mujoco.mjtObj.mjOBJ_CAMERA, camera)
            if index < 0:
                names = [self.model.camera(i).name for i in range(self.model.ncam)]
                raise ValueError(f"the model has no camera {camera!r}; it has {names}")
            fovy = self.model.cam_fovy[index]
            frame = data.cam_xmat[index].reshape(3, 3)
            eye, forward, right, up = data.cam_xpos[index], -frame[:, 2], frame[:, 0], frame[:, 1]
        pixel = 2.0 * math.tan(0.5 * math.radians(fovy)) / self.height
        return View(_triple(eye), _triple(forward), _triple(right), _triple(up), pixel)

    def _cast_rays(
        self, data: mujoco.MjData, view: View, pixels: NDArray[np.int64], spread: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return where rays through the offsets `spread` [samples, 2] of `pixels` hit what is not drawn by `paint`.

        That is height fields, skins and flexes, and the geoms that only MuJoCo's rays find.
        """
        if (self._foreign is None and not self._fields and not self._surfaces) or pixels.size == 0:
            return _NOTHING_SEEN
        x = (pixels[:, 1, None] + spread[:, 0]).ravel()
        y = (pixels[:, 0, None] + spread[:, 1]).ravel()
        side, rise = (x - 0.5 * self.width) * view.pixel, (0.5 * self.height - y) * view.pixel
        directions = np.asarray(view.forward) + np.outer(side, view.right) + np.outer(rise, view.up)
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        seen = np.full((x.size, shading.SEEN_COLUMNS), -1.0)
        if self._foreign is not None:
            geom, distance, normal = np.empty(x.size, np.int32), np.empty(x.size), np.empty(3 * x.size)
            mujoco.mj_multiRay(
                self._foreign,
                data,
                np.asarray(view.eye),
                directions.ravel(),
                np.array([1, 0, 0, 0, 0, 0], np.uint8),
                True,
                -1,
                geom,
                distance,
                normal,
                x.size,
                mujoco.mjMAXVAL,
            )
            seen = np.column_stack([distance, geom, normal.reshape(-1, 3)])
        meet(self._fields, data, view.eye, directions, seen)
        for number, surface in enumerate(self._surfaces, self.model.ngeom):
            vertices = vertices_of(self.model, data, surface)
            cover(number, vertices, surface.faces, view, pixels, spread, self.height, self.width, seen)
        return seen


def following_camera(
    positions: ArrayLike,
    distance: float,
    azimuth: float = 90.0,
    elevation: float = -14.0,
    fovy: float = 45.0,
    smoothing: float = 12.0,
) -> list[Camera]:
    """Return one camera a frame that smoothly follows a creature from a fixed angle.

    Args:
        positions: [frames, 3] of the creature, metres.
        distance: between camera and creature, metres.
        azimuth: degrees, as in `Camera`.
        elevation: degrees, as in `Camera`.
        fovy: degrees, as in `Camera`.
        smoothing: width in frames of the Gaussian, centred on each frame, that the positions are averaged with. Height
            is averaged over four times as many, so that a gait's bounce stays visible.
    """
    path = np.asarray(positions, dtype=np.float64)
    x, y = (_smooth(path[:, axis], smoothing, "odd") for axis in (0, 1))
    z = _smooth(path[:, 2], 4.0 * smoothing, "even")
    return [Camera(_triple(point), distance, azimuth, elevation, fovy) for point in zip(x, y, z, strict=True)]


def frame_creature(model: mujoco.MjModel, qpos: ArrayLike, aspect: float = 16 / 9) -> list[Camera]:
    """Return a following camera for a model and its trajectory, one a frame.

    The moving geoms fill about two fifths of the frame's width, or a bit more of its height. A creature that moves in a
    vertical plane is seen from its side, one in a horizontal plane from above, any other one obliquely from its side.

    Args:
        model: the creature's model.
        qpos: [frames, nq] positions.
        aspect: the picture's width over its height.
    """
    trajectory = _sound(np.asarray(qpos, dtype=np.float64), model.qpos0)
    data = mujoco.MjData(model)
    azimuth, elevation = _viewpoint(model)
    moving = moving_geoms(model) & (shown_geoms(model) | standing_in(model)) & (model.geom_rbound > 0)
    root = creature_root(model)
    _, _, right, up = Camera(azimuth=azimuth, elevation=elevation).axes()
    across = np.stack([right, up])
    middle = np.empty((len(trajectory), 3))
    # The moving geoms' box in camera axes, relative to the centre of mass.
    low, high = np.full((2, len(trajectory), 2), 0.5 * model.stat.extent) * np.array([-1.0, 1.0])[:, None, None]
    for frame, positions in enumerate(trajectory):
        place(model, data, positions)
        middle[frame] = data.subtree_com[root]
        if moving.any():
            reach = _reach(model, data, moving, across)
            centre = (data.geom_xpos[moving] - middle[frame]) @ across.T
            low[frame], high[frame] = (centre - reach).min(axis=0), (centre + reach).max(axis=0)
    # An occasional fall or leap should not move the camera away for the whole film.
    wide, tall = np.percentile(high - low, 75, axis=0)
    fovy = 40.0
    sight = 2.0 * math.tan(0.5 * math.radians(fovy))
    distance = float(max(wide / (0.42 * aspect), tall / 0.55)) / sight
    # The creature stands slightly below the middle: there is more to see above it than under its feet.
    shift = np.median(0.5 * (low + high), axis=0) + np.array([0.0, 0.04 * sight * distance])
    return following_camera(middle + shift @ across, distance, azimuth, elevation, fovy)


def film(
    model: mujoco.MjModel,
    qpos: ArrayLike,
    width: int = 640,
    height: int = 360,
    camera: str | Sequence[Camera] | None = None,
    threads: int | None = None,
    pool: ThreadPoolExecutor | None = None,
) -> Iterator[Image]:
    """Draw a trajectory, frame by frame and in order; the pictures are the same for any number of threads.

    Args:
        model: the creature's model.
        qpos: [frames, nq] positions.
        width: pixels.
        height: pixels.
        camera: the name of one of the model's cameras, or one camera a frame; by default one follows the creature.
        threads: how many frames are drawn at once; by default the processors this process may use.
        pool: threads that several films share, to draw with; by default the film has its own.

    Yields:
        [height, width, 3] uint8, sRGB.

    Raises:
        ValueError: no camera has this name, their number is not that of the frames, or `qpos` is not [frames, nq].
    """
    trajectory = np.asarray(qpos, dtype=np.float64)
    if trajectory.ndim != 2 or trajectory.shape[1] != model.nq:
        raise ValueError(f"qpos has shape {trajectory.shape}; the model needs (frames, {model.nq})")
    if camera is None:
        camera = frame_creature(model, trajectory, width / height)
    cameras: list[Camera | str] = list(camera) if not isinstance(camera, str) else [camera] * len(trajectory)
    if len(cameras) != len(trajectory):
        raise ValueError(f"{len(cameras)} cameras for {len(trajectory)} frames")
    workers = threads or len(os.sched_getaffinity(0))
    renderer = Renderer(model, width, height)
    with ThreadPoolExecutor(workers) if pool is None else nullcontext(pool) as drawing:
        # A bounded queue: a slow encoder must not make finished frames pile up.
        waiting: deque[Future[Image]] = deque()
        try:
            for positions, place_of_view in zip(trajectory, cameras, strict=True):
                waiting.append(drawing.submit(renderer.render, positions, place_of_view))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _sound(trajectory: NDArray[np.float64], start: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `trajectory` [frames, nq], each diverged row replaced by the last sound one, for a steady camera."""
    sound = np.all(np.abs(trajectory) < 1e6, axis=1)
    last = np.maximum.accumulate(np.where(sound, np.arange(1, len(trajectory) + 1), 0))
    return np.vstack([start, trajectory])[last]


def _smooth(track: NDArray[np.float64], width: float, ends: Literal["even", "odd"]) -> NDArray[np.float64]:
    """Return `track` [frames] averaged with a Gaussian.

    Beyond its ends it is mirrored (even), or point-reflected (odd).
    """
    reach = min(math.ceil(3.0 * width), len(track) - 1)
    if width <= 0.0 or reach < 1:
        return track
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    return np.convolve(np.pad(track, reach, mode="reflect", reflect_type=ends), weights / weights.sum(), mode="valid")


def _viewpoint(model: mujoco.MjModel) -> tuple[float, float]:
    """Return azimuth and elevation from which a model's movement is seen best."""
    joints = np.flatnonzero(model.body_rootid[model.jnt_bodyid] == model.body_rootid[creature_root(model)])
    kinds = model.jnt_type[joints]
    turning = model.jnt_axis[joints[kinds == mujoco.mjtJoint.mjJNT_HINGE]]
    if turning.size and not np.isin(kinds, (mujoco.mjtJoint.mjJNT_FREE, mujoco.mjtJoint.mjJNT_BALL)).any():
        if np.all(np.abs(turning[:, 1]) > 0.99):
            return 90.0, -12.0
        if np.all(np.abs(turning[:, 2]) > 0.99):
            return 90.0, -48.0
    return 118.0, -19.0


def _reach(
    model: mujoco.MjModel, data: mujoco.MjData, chosen: NDArray[np.bool_], directions: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return half the extent of geoms along directions [n, 3], [chosen, directions]."""
    half = np.where(model.geom_aabb[chosen, 3:] > 0, model.geom_aabb[chosen, 3:], model.geom_rbound[chosen, None])
    axes = np.array(data.geom_xmat).reshape(-1, 3, 3)[chosen]
    return np.asarray(np.einsum("gkd,gk->gd", np.abs(np.einsum("gik,di->gkd", axes, directions)), half))
