"""Several episodes in one film: tiles side by side, on one clock, each under a band that names it."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import mujoco
import numpy as np

from evo.envs.engine import interruption
from evo.envs.task import Task
from evo.errors import EvoError, printable
from evo.evaluation.evaluator import AnyTask
from evo.numerics.randomness import report_seeds
from evo.problems.control import Trajectory
from evo.runs.champion import Champion
from evo.runs.pictures.pictures import Wishes
from evo.runs.replay import check_film, count_frames, frame_stride, write_film
from evo.visualize.encoding import Frame
from evo.visualize.frames import cameras_of, pictures
from evo.visualize.panel import Standing, draw_panel, picture_height
from evo.visualize.strips import filmstrip

_LEAST = (96, 64)  # width and height of a tile whose band can be read, pixels
_MOST = 64  # tiles
_GAP = 4
_BACKGROUND = (13, 17, 23)
_HOLD = 1.5  # seconds that the last picture stays after all episodes have ended
_SHAPE = 1.45  # width over height of the tile in which a creature and its band look best


@dataclass(frozen=True, eq=False)
class Tile:
    """An episode in a film: its task, what it is called, a note beside the name, and the colour of its stripe."""

    task: AnyTask
    trajectory: Trajectory
    name: str
    note: str
    colour: str


@dataclass(frozen=True)
class Layout:
    """Tiles of one size, `columns` in a row; width and height in pixels."""

    columns: int
    width: int
    height: int


def layout_of(count: int, width: int, height: int) -> Layout:
    """Return the layout of `count` tiles in a film of this size that shows them largest.

    Raises EvoError where they are no several, or too small to be read.
    """
    if not 2 <= count <= _MOST:
        raise EvoError(f"tiles show 2 to {_MOST} creatures, got {count}")

    def size(columns: int) -> tuple[int, int]:
        return tile_width(columns, width), (height + _GAP) // -(-count // columns) - _GAP

    def looks(columns: int) -> float:
        across, down = size(columns)
        empty = columns * -(-count // columns) - count
        return min(across / _SHAPE, down) * (count / (count + empty)) ** 0.5

    columns = max(range(1, count + 1), key=looks)
    across, down = size(columns)
    if across < _LEAST[0] or down < _LEAST[1]:
        raise EvoError(
            f"{count} tiles in a film of {width} by {height} pixels would be {max(across, 0)} by {max(down, 0)} each, "
            f"and {_LEAST[0]} by {_LEAST[1]} can be read: show fewer, or a larger film, as by --format 1080p"
        )
    return Layout(columns, across, down)


def tile_width(columns: int, width: int) -> int:
    """Return the width of a tile, of which so many stand in a row of this width, pixels."""
    return (width + _GAP) // columns - _GAP


def film_tiles(tiles: Sequence[Tile], path: Path, wishes: Wishes) -> None:
    """Film episodes side by side; `check_tiles` has checked the wishes. Raises EvoError."""
    size, film = (wishes.width, wishes.height), TiledFilm(tiles, wishes.seconds)
    frames = (_fitted(frame, *size) for frame in film.frames(layout_of(len(tiles), *size), wishes.threads))
    still = len(film) // 2 if wishes.poster else None
    write_film(count_frames(frames, len(film), wishes.progress), path, film.rate, still)


def check_tiles(count: int, path: Path, wishes: Wishes) -> None:
    """Raise EvoError for a film of so many tiles that cannot be made, before any work is done for it."""
    check_film(path, wishes.width, wishes.height, wishes.seconds, wishes.seed)
    if path.suffix.lower() == ".png":
        raise EvoError(f"{path.name!r} is a still, and tiles make a film: try {path.stem}.mp4 with --poster")
    layout_of(count, wishes.width, wishes.height)


def common_seed(champions: Sequence[Champion]) -> int:
    """Return the seed of the report episode whose ranks among the champions' episodes are nearest to the median.

    An episode's distance is that of the champion whose rank is farthest from the median. Champions without a whole
    report have no say; where none has one, it is the first report episode.
    """
    returns = [champion.report_returns for champion in champions]
    known = [one for one in returns if one is not None and not np.isnan(one).any()]
    if not known:
        return int(report_seeds(1)[0])
    count = min(len(one) for one in known)
    ranks = np.stack([np.argsort(np.argsort(one[:count], kind="stable")) for one in known])
    return int(report_seeds(count)[np.abs(ranks - (count - 1) / 2).max(axis=0).argmin()])


class TiledFilm:
    """A film of tiles: all begin together and are shown at the same time of their episodes, at most `seconds` of it.

    A tile whose episode has ended stands still and says so; the film goes on until the last has ended.
    """

    def __init__(self, tiles: Sequence[Tile], seconds: float) -> None:
        self._tiles = tiles
        # each frame shows an exact state of the tasks of the fastest frames, and the nearest one of others
        self._interval = min(frame_stride(tile.task) * tile.task.control_period for tile in tiles)
        self._steps = [_shown_steps(tile, self._interval, seconds) for tile in tiles]
        # returns on one task are written with as many decimals
        large = {tile.task.name for tile in tiles if abs(tile.trajectory.total) >= 100}
        self._places = [0 if tile.task.name in large else 1 for tile in tiles]
        self._over = [len(tile.trajectory) == steps[-1] for tile, steps in zip(tiles, self._steps, strict=True)]

    @property
    def rate(self) -> int:
        """Frames a second, for real time."""
        return max(1, round(1.0 / self._interval))

    def __len__(self) -> int:
        held = round(_HOLD * self.rate) if all(self._over) else 0
        return max(len(steps) for steps in self._steps) + held

    def frames(self, layout: Layout, threads: int | None) -> Iterator[Frame]:
        """Yield its pictures, uint8 (height, width, 3), the same for any number of threads."""
        workers = threads or len(os.sched_getaffinity(0))
        with ThreadPoolExecutor(workers) as pool:
            films = self._films(layout, -(-workers // len(self._tiles)), pool)
            pictured = [np.empty((0, 0, 3), np.uint8)] * len(films)
            before = [-1] * len(films)
            for frame in range(len(self)):
                interruption.check()
                panels = []
                for index, tile in enumerate(self._tiles):
                    last = len(self._steps[index]) - 1
                    step = int(self._steps[index][min(frame, last)])
                    if step != before[index]:
                        pictured[index], before[index] = next(films[index]), step
                    standing = _standing(tile, step, self._places[index], self._over[index] and frame >= last)
                    panels.append(draw_panel(pictured[index], layout.height, standing))
                yield _arranged(panels, layout)

    def _films(self, layout: Layout, threads: int, pool: ThreadPoolExecutor) -> list[Iterator[Frame]]:
        """Return the pictures of each tile; all on one task have the largest camera distance that any of them needs."""
        width, height = layout.width, picture_height(layout.width, layout.height)
        shown = [np.unique(steps) for steps in self._steps]
        distances: dict[str, float] = {}
        tracks = []
        for tile, steps in zip(self._tiles, shown, strict=True):
            tracks.append(cameras_of(tile.task, tile.trajectory, steps, width / height))
            farthest = max((camera.distance for camera in tracks[-1] or ()), default=0.0)
            distances[tile.task.name] = max(distances.get(tile.task.name, 0.0), farthest)
        return [
            pictures(
                tile.task,
                tile.trajectory,
                steps,
                width,
                height,
                None if track is None else [replace(camera, distance=distances[tile.task.name]) for camera in track],
                threads,
                pool,
            )
            for tile, steps, track in zip(self._tiles, shown, tracks, strict=True)
        ]


def _shown_steps(tile: Tile, interval: float, seconds: float) -> np.ndarray:
    """Return the control step that each frame shows until the tile stands still, int64 (frames,), ascending."""
    period = tile.task.control_period
    last = min(len(tile.trajectory), max(round(seconds / period), 1))
    steps = np.round(np.arange(last * period / interval + 1) * interval / period).astype(np.int64)
    steps = steps[steps <= last]
    # the last state is shown even where it falls between two frames
    return steps if steps[-1] == last else np.append(steps, last)


def _standing(tile: Tile, step: int, places: int, over: bool) -> Standing:
    """Return what the band of a tile says at a step. places: decimals of returns. over: whether it has ended."""
    trajectory = tile.trajectory
    forward = forward_coordinate(tile.task.model) if isinstance(tile.task, Task) else None
    way = None if forward is None else trajectory.qpos[step, forward] - trajectory.qpos[0, forward]
    time = f"{step * tile.task.control_period:.1f} s"
    earned = np.append(0.0, np.cumsum(trajectory.rewards))
    ending = "failed" if trajectory.failure else "ended"
    return Standing(
        name=printable(tile.name),
        note=printable(tile.note),
        colour=tile.colour,
        time=time,
        earned=_steady(earned[step], places),
        widest=max((_steady(earned.min(), places), _steady(earned.max(), places)), key=len),
        distance=None if way is None else f"{_steady(way, 1)} m",
        ending=f"{ending} after {time}" if over else None,
    )


def _steady(value: float, places: int) -> str:
    """Format with fixed decimals, so that the text does not jump between frames; minus zero becomes zero."""
    if not abs(value) < 1e9:
        return f"{value:.3g}"
    return f"{round(float(value), places) + 0.0:,.{places}f}"


def forward_coordinate(model: mujoco.MjModel) -> int | None:
    """Return the index in qpos of a creature's position along x; None where its root is fixed or only slides."""
    for joint in range(model.njnt):
        body, kind = model.jnt_bodyid[joint], model.jnt_type[joint]
        along_x = kind == mujoco.mjtJoint.mjJNT_SLIDE and model.jnt_axis[joint, 0] > 0.99
        # Gymnasium's planar creatures have two slides and a hinge on their root
        if kind == mujoco.mjtJoint.mjJNT_FREE or (along_x and model.body_jntnum[body] == 3):
            return int(model.jnt_qposadr[joint])
    return None


def _arranged(panels: Sequence[Frame], layout: Layout) -> Frame:
    """Return panels row by row in one picture, a shorter last row in the middle."""
    columns, width = layout.columns, layout.columns * (layout.width + _GAP) - _GAP
    rows = [
        filmstrip(panels[first : first + columns], columns, _GAP, _BACKGROUND)
        for first in range(0, len(panels), columns)
    ]
    return filmstrip([_fitted(row, width, layout.height) for row in rows], 1, _GAP, _BACKGROUND)


def _fitted(frame: Frame, width: int, height: int) -> Frame:
    """Return a frame in the middle of one of this size, which is no smaller."""
    down, across = height - frame.shape[0], width - frame.shape[1]
    whole = np.empty((height, width, 3), np.uint8)
    whole[:] = _BACKGROUND
    top, left = down // 2, across // 2
    whole[top : top + frame.shape[0], left : left + frame.shape[1]] = frame
    return whole
