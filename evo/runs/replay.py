"""Films of a champion's episode, or of how a run learned."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from evo.envs.engine import interruption
from evo.errors import EvoError, one_line
from evo.evaluation.evaluator import AnyTask
from evo.numerics.randomness import report_seeds
from evo.problems.control import Trajectory
from evo.runs.champion import Champion
from evo.runs.pictures.network import watch_network
from evo.runs.record import Record
from evo.visualize import encoding as encode
from evo.visualize.frames import cameras_of, pictures
from evo.visualize.networks.picture import LivePicture
from evo.visualize.strips import caption, filmstrip

STRIP_FRAMES, STRIP_COLUMNS = 10, 5

# Called after each frame with how many of the film's frames are drawn, and their total.
Progress = Callable[[int, int], None]


def film(
    champion: Champion,
    path: Path,
    seed: int | None = None,
    width: int = 640,
    height: int = 360,
    seconds: float = 20.0,
    network: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
) -> None:
    """Film one episode of a champion, at most `seconds` of it, in real time.

    path: .mp4, .gif or .webp; .png makes a strip of stills. seed: the episode; by default the report episode of median
    return, which is representative. network: whether what its network does is shown on the right, in a picture as high.
    threads: frames drawn at once; all processors by default. progress: see `Progress`. Raises EvoError.
    """
    check_film(path, width, height, seconds, seed)
    trajectory = champion.rollout(typical_seed(champion) if seed is None else seed)
    task = champion.task
    if trajectory.failure and not len(trajectory):
        raise EvoError(f"{task.name}: there is nothing to film, {trajectory.failure}")
    if path.suffix.lower() == ".png":
        write_film([_strip(task, trajectory, width, height, seconds, threads)], path, 1)
        return
    stride = frame_stride(task)
    watched = watch_network(champion, champion.candidate, trajectory, height) if network else None
    frames = _frames(task, trajectory, watched, stride, width, height, seconds, "", threads)
    count = len(_shown_steps(task, trajectory, stride, seconds))
    write_film(_count(frames, count, progress), path, frame_rate(task, stride))


def film_evolution(
    run: Record,
    champion: Champion,
    path: Path,
    width: int = 640,
    height: int = 360,
    seconds: float = 4.0,
    scenes: int = 6,
    network: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
) -> None:
    """Film how a run learned: some seconds of candidates from its start to its end, on the champion's task.

    network: as of `film`. Raises EvoError.
    """
    check_film(path, width, height, seconds)
    if path.suffix.lower() == ".png":
        raise EvoError(
            f"cannot film how a run learned to {path.name!r}: a strip of stills shows one episode; try .webp"
        )
    chosen = choose_fossils(run.directory.fossils(), scenes)
    if not chosen:
        raise EvoError(f"{run.path} keeps no fossils to film; `{run.command('replay')}` films its champion")
    task = champion.task
    stride = frame_stride(task)

    seed, candidates = typical_seed(champion), [champion.fossil(run.directory.read_fossil(one)) for one in chosen]
    episodes = [champion.rollout_of(candidate, seed) for candidate in candidates]
    watched = [
        watch_network(champion, candidate, episode, height) if network else None
        for candidate, episode in zip(candidates, episodes, strict=True)
    ]
    shots = (
        _frames(task, episode, live, stride, width, height, seconds, f"generation {generation}   ", threads)
        for generation, episode, live in zip(chosen, episodes, watched, strict=True)
    )
    count = sum(len(_shown_steps(task, episode, stride, seconds)) for episode in episodes)
    write_film(_count(itertools.chain.from_iterable(shots), count, progress), path, frame_rate(task, stride))


def choose_fossils(generations: Sequence[int], count: int) -> list[int]:
    """Return `count` of the generations, the first and the last among them, or all where there are no more; ascending.

    Early generations differ most: they are evenly spaced on a square-root scale.
    """
    if len(generations) <= count:
        return list(generations)
    places = np.linspace(0.0, 1.0, count) ** 2 * (len(generations) - 1)
    return sorted({generations[round(place)] for place in places})


def typical_seed(champion: Champion) -> int:
    """Return the seed of the report episode of median return; of the first one without a whole report."""
    returns = champion.report_returns
    if returns is None or np.isnan(returns).any():
        return int(report_seeds(1)[0])
    return int(report_seeds(len(returns))[np.argsort(returns, kind="stable")[len(returns) // 2]])


def frame_stride(task: AnyTask) -> int:
    """Return the control steps from one frame to the next, for about 30 frames a second; each shows an exact state."""
    return max(1, round(1.0 / (30.0 * task.control_period)))


def frame_rate(task: AnyTask, stride: int) -> int:
    """Return the frames a second that show frames of this stride in real time."""
    return max(1, round(1.0 / (task.control_period * stride)))


def _shown_steps(task: AnyTask, trajectory: Trajectory, stride: int, seconds: float) -> np.ndarray:
    """Return the control steps whose states a film shows, int (frames,)."""
    return np.arange(0, min(len(trajectory), round(seconds / task.control_period)) + 1, stride)


def _count(frames: Iterable[encode.Frame], count: int, progress: Progress | None) -> Iterator[encode.Frame]:
    for done, frame in enumerate(frames, start=1):
        yield frame
        if progress is not None:
            progress(done, count)


def _frames(
    task: AnyTask,
    trajectory: Trajectory,
    watched: LivePicture | None,
    stride: int,
    width: int,
    height: int,
    seconds: float,
    prefix: str,
    threads: int | None,
) -> Iterator[encode.Frame]:
    shown = _shown_steps(task, trajectory, stride, seconds)
    earned = np.concatenate([[0.0], np.cumsum(trajectory.rewards)])
    drawn = pictures(task, trajectory, shown, width, height, threads=threads)
    for step, picture in zip(shown, drawn, strict=True):
        interruption.check()
        said = caption(picture, f"{prefix}{step * task.control_period:4.1f} s   return {earned[step]:,.0f}")
        yield said if watched is None else np.hstack([said, watched.frame(step)])


def _strip(
    task: AnyTask, trajectory: Trajectory, width: int, height: int, seconds: float, threads: int | None
) -> encode.Frame:
    # the cameras are those of the whole film, from which the stills are taken
    filmed = _shown_steps(task, trajectory, frame_stride(task), seconds)
    cameras = cameras_of(task, trajectory, filmed, width / height)
    shown = np.unique(np.linspace(0, len(filmed) - 1, STRIP_FRAMES).astype(int))
    chosen = None if cameras is None else [cameras[index] for index in shown]
    stills = pictures(task, trajectory, filmed[shown], width, height, chosen, threads)
    times = (f"{step * task.control_period:.1f} s" for step in filmed[shown])
    return filmstrip([caption(picture, text) for picture, text in zip(stills, times, strict=True)], STRIP_COLUMNS)


def write_film(frames: Iterable[encode.Frame], path: Path, fps: int) -> None:
    """Write a film and the folder it lies in. Raises EvoError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        encode.write(frames, path, fps)
    except (ValueError, OSError, RuntimeError) as error:
        raise EvoError(f"cannot write the film {path}: {one_line(error)}") from error


def check_film(path: Path, width: int, height: int, seconds: float, seed: int | None = None) -> None:
    """Raise EvoError for a film that cannot be made, before any work is done for it."""
    if path.suffix.lower() not in encode.ENCODERS:
        raise EvoError(f"cannot film to {path.name!r}: its suffix must be one of {', '.join(encode.ENCODERS)}")
    if seed is not None and seed < 0:
        raise EvoError(f"seed must be at least 0, got {seed}")
    if not 0 < seconds <= 86_400:
        raise EvoError(f"seconds must be more than 0 and at most a day, got {seconds}")
    if not (16 <= width <= 4096 and 16 <= height <= 4096):
        raise EvoError(f"a film of {width} by {height} pixels: width and height must lie between 16 and 4096")
