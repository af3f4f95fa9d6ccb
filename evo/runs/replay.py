"""Films of a champion's episode."""

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
from evo.visualize import encoding as encode
from evo.visualize.frames import cameras_of, pictures
from evo.visualize.networks.picture import LivePicture
from evo.visualize.strips import caption, filmstrip

STRIP_FRAMES, STRIP_COLUMNS = 10, 5

FORMATS = {"square": (1080, 1080), "720p": (1280, 720), "1080p": (1920, 1080)}  # width and height, pixels

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
    poster: bool = False,
) -> None:
    """Film one episode of a champion, at most `seconds` of it, in real time.

    path: .mp4, .gif or .webp; .png makes a strip of stills. seed: the episode; by default the report episode of median
    return, which is representative. network: whether what its network does is shown on the right, in a picture as high.
    threads: frames drawn at once; all processors by default. progress: see `Progress`. poster: also write a still
    beside the film, as NAME.png. Raises EvoError.
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
    frames = _frames(task, trajectory, watched, stride, width, height, seconds, threads)
    count = len(shown_steps(task, trajectory, stride, seconds))
    still = count // 2 if poster else None
    write_film(count_frames(frames, count, progress), path, frame_rate(task, stride), still)


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


def shown_steps(task: AnyTask, trajectory: Trajectory, stride: int, seconds: float) -> np.ndarray:
    """Return the control steps whose states a film shows, int (frames,)."""
    return np.arange(0, min(len(trajectory), round(seconds / task.control_period)) + 1, stride)


def count_frames(frames: Iterable[encode.Frame], count: int, progress: Progress | None) -> Iterator[encode.Frame]:
    """Yield frames, and report each of them."""
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
    threads: int | None,
) -> Iterator[encode.Frame]:
    shown = shown_steps(task, trajectory, stride, seconds)
    earned = np.concatenate([[0.0], np.cumsum(trajectory.rewards)])
    drawn = pictures(task, trajectory, shown, width, height, threads=threads)
    for step, picture in zip(shown, drawn, strict=True):
        interruption.check()
        said = caption(picture, f"{step * task.control_period:4.1f} s   return {earned[step]:,.0f}")
        yield said if watched is None else np.hstack([said, watched.frame(step)])


def _strip(
    task: AnyTask, trajectory: Trajectory, width: int, height: int, seconds: float, threads: int | None
) -> encode.Frame:
    # the cameras are those of the whole film, from which the stills are taken
    filmed = shown_steps(task, trajectory, frame_stride(task), seconds)
    cameras = cameras_of(task, trajectory, filmed, width / height)
    shown = np.unique(np.linspace(0, len(filmed) - 1, STRIP_FRAMES).astype(int))
    chosen = None if cameras is None else [cameras[index] for index in shown]
    stills = pictures(task, trajectory, filmed[shown], width, height, chosen, threads)
    times = (f"{step * task.control_period:.1f} s" for step in filmed[shown])
    return filmstrip([caption(picture, text) for picture, text in zip(stills, times, strict=True)], STRIP_COLUMNS)


def write_film(frames: Iterable[encode.Frame], path: Path, fps: int, still: int | None = None) -> None:
    """Write a film and the folder it lies in. still: the frame that is also written beside it, as NAME.png.

    Raises EvoError.
    """
    kept: list[encode.Frame] = []

    def watched() -> Iterator[encode.Frame]:
        for index, frame in enumerate(frames):
            if index == still:
                kept.append(frame)
            yield frame

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        encode.write(watched(), path, fps)
        if kept:
            encode.write(kept, poster_of(path), 1)
    except (ValueError, OSError, RuntimeError) as error:
        raise EvoError(f"cannot write the film {path}: {one_line(error)}") from error


def poster_of(path: Path) -> Path:
    """Return the path of the still beside a film."""
    return path.with_suffix(".png")


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
