"""A race: one champion of each method side by side, in the same episode and on the same clock."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import mujoco
import numpy as np

from evo.comparison.member import Member, methods_of
from evo.comparison.panel import Standing, draw_panel
from evo.envs.engine import interruption
from evo.envs.task import Task
from evo.errors import EvoError
from evo.evaluation.evaluator import AnyTask
from evo.evaluation.workers import Workers
from evo.numerics.randomness import report_seeds
from evo.problems.control import Trajectory, Walking
from evo.runs.replay import frame_rate, frame_stride, write_film
from evo.visualize.colours import colours_of
from evo.visualize.encoding import Frame
from evo.visualize.frames import cameras_of, pictures
from evo.visualize.strips import filmstrip

WIDTH = 1280  # pixels, of the whole film
_GAP = 4
_BACKGROUND = (13, 17, 23)
_HOLD = 1.5  # seconds that the last picture stays after all episodes have ended


def race(members: Sequence[Member], path: Path, workers: Workers, seconds: float = 12.0, width: int = WIDTH) -> None:
    """Film one champion of each method side by side, in real time and at most `seconds` of it.

    The champion is the one of median report mean among its method's seeds, and the episode is typical of all of them,
    so that neither is a lucky one. All have the same camera distance; a champion whose episode has ended stands still.
    path: .mp4, .gif or .webp. Raises EvoError, also without members.
    """
    racers = [median_member(group) for group in methods_of(members).values()]
    if not racers:
        raise EvoError("no finished run to film")
    colours = colours_of(methods_of(members))
    problems = [racer.champion.walking_on(workers) for racer in racers]
    task, seed = problems[0].task, typical_episode(racers)
    episodes = [
        _episode(racer, problem, seed, colours[racer.method], seconds)
        for racer, problem in zip(racers, problems, strict=True)
    ]
    columns = 1 if len(racers) == 1 else 2 if len(racers) in (2, 4) else 3
    panel = min((width - _GAP * (columns - 1)) // columns, round(0.75 * width))
    write_film(_frames(task, episodes, columns, panel, workers.threads), path, frame_rate(task, frame_stride(task)))


def median_member(group: Sequence[Member]) -> Member:
    """Return the member of median report mean, the better of two; a member whose episodes failed counts as worst."""
    return sorted(group, key=lambda member: np.nan_to_num(member.report_mean, nan=-np.inf))[len(group) // 2]


def typical_episode(racers: Sequence[Member]) -> int:
    """Return the seed of the report episode whose ranks among the racers' episodes are nearest to the median.

    An episode's distance is that of the racer whose rank is farthest from the median.
    """
    returns = [racer.champion.reported_fitness.returns for racer in racers]
    count = min(len(one) for one in returns)
    ranks = np.stack([np.argsort(np.argsort(one[:count], kind="stable")) for one in returns])
    return int(report_seeds(count)[np.abs(ranks - (count - 1) / 2).max(axis=0).argmin()])


@dataclass(frozen=True, eq=False)
class _Episode:
    """A racer's episode. shown: control steps of its frames, int64 (frames,). over: whether it ends with the last."""

    racer: Member
    colour: str
    trajectory: Trajectory
    shown: np.ndarray
    over: bool


def _episode(racer: Member, problem: Walking, seed: int, colour: str, seconds: float) -> _Episode:
    task, champion = problem.task, racer.champion
    trajectory = problem.rollout(champion.params, seed, champion.candidate.statistics)
    longest = max(round(seconds / task.control_period), 1)
    last = min(len(trajectory), longest)
    # the last state is shown even where it falls between two frames
    shown = np.unique(np.append(np.arange(0, last + 1, frame_stride(task)), last))
    return _Episode(racer, colour, trajectory, shown, over=len(trajectory) <= longest)


def _frames(task: AnyTask, episodes: Sequence[_Episode], columns: int, width: int, threads: int) -> Iterator[Frame]:
    # three panels in a row are narrow: a squarer picture keeps the creatures' size
    height = round(width * (3 / 4 if columns == 3 else 9 / 16)) // 2 * 2
    films = _pictures(task, episodes, width, height, threads)
    forward = forward_coordinate(task.model) if isinstance(task, Task) else None
    count = max(len(episode.shown) for episode in episodes)
    if all(episode.over for episode in episodes):
        count += round(_HOLD * frame_rate(task, frame_stride(task)))
    current = [np.empty((0, 0, 3), np.uint8)] * len(episodes)
    for frame in range(count):
        interruption.check()
        current = [next(film, before) for film, before in zip(films, current, strict=True)]
        panels = [
            draw_panel(picture, _standing(task, episode, forward, frame))
            for picture, episode in zip(current, episodes, strict=True)
        ]
        yield filmstrip(panels, columns, _GAP, _BACKGROUND)


def _pictures(
    task: AnyTask, episodes: Sequence[_Episode], width: int, height: int, threads: int
) -> list[Iterator[Frame]]:
    """Return one film for each episode, all with the largest camera distance that any of them needs."""
    aspect = width / height
    cameras = [cameras_of(task, episode.trajectory, episode.shown, aspect) for episode in episodes]
    distance = max((camera.distance for track in cameras for camera in track or ()), default=0.0)
    return [
        pictures(
            task,
            episode.trajectory,
            episode.shown,
            width,
            height,
            None if track is None else [replace(camera, distance=distance) for camera in track],
            threads,
        )
        for episode, track in zip(episodes, cameras, strict=True)
    ]


def _standing(task: AnyTask, episode: _Episode, forward: int | None, frame: int) -> Standing:
    trajectory = episode.trajectory
    over = episode.over and frame >= len(episode.shown) - 1
    step = int(episode.shown[min(frame, len(episode.shown) - 1)])
    way = None if forward is None else trajectory.qpos[step, forward] - trajectory.qpos[0, forward]
    time = f"{step * task.control_period:.1f} s"
    ending = "failed" if trajectory.failure else "ended"
    return Standing(
        method=episode.racer.method,
        seed=episode.racer.seed,
        colour=episode.colour,
        time=time,
        earned=_steady(trajectory.rewards[:step].sum(), 0 if abs(trajectory.total) >= 100 else 1),
        distance=None if way is None else f"{_steady(way, 1)} m",
        ending=f"{ending} after {time}" if over else None,
    )


def _steady(value: float, places: int) -> str:
    """Format with fixed decimals, so that the text does not jump between frames; minus zero becomes zero."""
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
