"""Films of how a run learned: scenes from the first stumble to the champion."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from evo.envs.engine import interruption
from evo.envs.rendering.renderer import Camera
from evo.errors import EvoError
from evo.evaluation.evaluator import AnyTask
from evo.learners.learner import Candidate
from evo.problems.control import Trajectory
from evo.runs.champion import Champion
from evo.runs.pictures.network import watch_network
from evo.runs.record import Record
from evo.runs.replay import (
    Progress,
    check_film,
    choose_fossils,
    count_frames,
    frame_rate,
    frame_stride,
    shown_steps,
    typical_seed,
    write_film,
)
from evo.visualize.encoding import Frame
from evo.visualize.frames import cameras_of, pictures
from evo.visualize.networks.picture import LivePicture
from evo.visualize.strips import caption, progress_line

SCENES = 6
LONGEST = 4.0  # seconds from an episode's start that its scene lies in
_MOST_SCENES = 200  # a run keeps no more fossils


def film_evolution(
    run: Record,
    champion: Champion,
    path: Path,
    width: int = 640,
    height: int = 360,
    seconds: float = LONGEST,
    scenes: int = SCENES,
    network: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
    poster: bool = False,
) -> None:
    """Film how a run learned: some seconds each of its fossils, and at the end of its champion.

    A scene ends where the episode does, or after its first four seconds: a short one shows how an early candidate
    falls and how a late one runs, not how both stand. All scenes begin from one seed, and their cameras are as far away
    as the one that must be farthest. The caption names the generation and the return of its whole episode.
    scenes: at most. network, poster: as of `film`. Raises EvoError.
    """
    check_film(path, width, height, seconds)
    check_scenes(scenes)
    if path.suffix.lower() == ".png":
        raise EvoError(
            f"cannot film how a run learned to {path.name!r}: a strip of stills shows one episode; try .webp"
        )
    task, seed = champion.task, typical_seed(champion)
    shots = [
        _shot(champion, candidate, said, seed, seconds, (width, height), network)
        for said, candidate in candidates_of(run, champion, scenes)
    ]
    distance = max((camera.distance for shot in shots for camera in shot.cameras or ()), default=0.0)
    count = sum(len(shot.shown) for shot in shots)
    frames = _frames(task, shots, distance, width, height, threads)
    stride, last = frame_stride(task), len(shots[-1].shown)
    still = count - 1 - last // 2 if poster else None
    write_film(count_frames(frames, count, progress), path, frame_rate(task, stride), still)


def check_scenes(scenes: int) -> None:
    """Raise EvoError for a number of scenes or tiles that shows nothing of an evolution."""
    if not 2 <= scenes <= _MOST_SCENES:
        raise EvoError(f"a film shows 2 to {_MOST_SCENES} of a run's generations, got {scenes}")


def candidates_of(run: Record, champion: Champion, count: int) -> list[tuple[str, Candidate]]:
    """Return at most `count` candidates by what they are called: fossils from before the champion, and the champion.

    Raises EvoError where the run has no fossils, or a damaged one.
    """
    fossils = run.directory.fossils()
    if not fossils:
        raise EvoError(f"{run.path} keeps no fossils to film; `{run.command('replay')}` films its champion")
    chosen = choose_fossils([one for one in fossils if one < champion.generation], count - 1)
    found = [(f"generation {one:,}", champion.fossil(run.directory.read_fossil(one))) for one in chosen]
    return [*found, (f"champion of generation {champion.generation:,}", champion.candidate)]


@dataclass(frozen=True, eq=False)
class _Shot:
    """A scene.

    said: what it shows. shown: control steps of its frames, int (frames,). cameras: one for each, where they are ours.
    """

    said: str
    trajectory: Trajectory
    shown: np.ndarray
    cameras: list[Camera] | None
    network: LivePicture | None = None


def _shot(
    champion: Champion,
    candidate: Candidate,
    said: str,
    seed: int,
    seconds: float,
    size: tuple[int, int],
    network: bool,
) -> _Shot:
    (width, height), task = size, champion.task
    trajectory = champion.rollout_of(candidate, seed)
    stride = frame_stride(task)
    steps = shown_steps(task, trajectory, stride, max(seconds, LONGEST))
    wanted = max(1, round(seconds * frame_rate(task, stride)))
    # the cameras are those of the whole path, so that they follow a short scene no worse than a long one
    cameras = cameras_of(task, trajectory, steps, width / height)
    watched = watch_network(champion, candidate, trajectory, height) if network else None
    return _Shot(said, trajectory, steps[-wanted:], None if cameras is None else cameras[-wanted:], watched)


def _frames(
    task: AnyTask, shots: list[_Shot], distance: float, width: int, height: int, threads: int | None
) -> Iterator[Frame]:
    count, marks = sum(len(shot.shown) for shot in shots), np.cumsum([len(shot.shown) for shot in shots])[:-1]
    drawn = itertools.count(1)
    for shot in shots:
        cameras = None if shot.cameras is None else [replace(one, distance=distance) for one in shot.cameras]
        text = f"{shot.said}   return {shot.trajectory.total:,.0f}"
        film = pictures(task, shot.trajectory, shot.shown, width, height, cameras, threads)
        for step, picture in zip(shot.shown, film, strict=True):
            interruption.check()
            said = progress_line(caption(picture, text), next(drawn) / count, marks / count)
            yield said if shot.network is None else np.hstack([said, shot.network.frame(step)])
