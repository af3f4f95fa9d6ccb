"""Frames of an episode: from our renderer, or from a Gymnasium environment that replays it."""

import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from evo.envs.adversity.adverse import loss
from evo.envs.gymnasium_bridge.gymnasium_task import GymnasiumTask
from evo.envs.rendering import renderer as raycast
from evo.envs.task import Task
from evo.errors import EvoError
from evo.evaluation.evaluator import AnyTask
from evo.evaluation.gymnasium_host import Host
from evo.evaluation.processes import Died
from evo.problems.control import Trajectory
from evo.visualize.encoding import Frame
from evo.visualize.gymnasium_frames import Asked, draw

_SENT_BYTES = 2**23  # bytes of frames that another process sends at once


def pictures(
    task: AnyTask,
    trajectory: Trajectory,
    shown: np.ndarray,
    width: int,
    height: int,
    cameras: Sequence[raycast.Camera] | None = None,
    threads: int | None = None,
    pool: ThreadPoolExecutor | None = None,
) -> Iterator[Frame]:
    """Yield a picture, uint8 (height, width, 3), of each of the control steps `shown`, int (frames,), ascending.

    cameras: one for each; by default one that follows the creature. threads, pool: as of
    `evo.envs.rendering.renderer.film`. A Gymnasium environment has its own of all these. Raises EvoError where that
    cannot render.
    """
    if isinstance(task, Task):
        return _draw(task, trajectory, shown, width, height, cameras, threads, pool)
    return _render(task, trajectory, shown, width, height)


def cameras_of(task: AnyTask, trajectory: Trajectory, shown: np.ndarray, aspect: float) -> list[raycast.Camera] | None:
    """Return the default cameras of `pictures`; None for a Gymnasium environment."""
    return raycast.frame_creature(task.model, trajectory.qpos[shown], aspect) if isinstance(task, Task) else None


def _draw(
    task: Task,
    trajectory: Trajectory,
    shown: np.ndarray,
    width: int,
    height: int,
    cameras: Sequence[raycast.Camera] | None,
    threads: int | None,
    pool: ThreadPoolExecutor | None,
) -> Iterator[Frame]:
    """Render with our renderer; limbs that the episode loses are absent from that step on."""
    step, model = loss(task, trajectory.seed)
    whole = int(np.searchsorted(shown, step, side="right")) if step else 0
    if cameras is None:
        cameras = raycast.frame_creature(task.model, trajectory.qpos[shown], width / height)
    parts = ((task.model, slice(whole)), (model, slice(whole, None)))
    films = (
        raycast.film(body, trajectory.qpos[shown[part]], width, height, cameras[part], threads, pool)
        for body, part in parts
    )
    return itertools.chain.from_iterable(films)


def _render(task: GymnasiumTask, trajectory: Trajectory, shown: np.ndarray, width: int, height: int) -> Iterator[Frame]:
    """Have the environment render in its process, some frames at a time."""
    host, size = Host(task, 1), 3 * width * height
    most = max(1, _SENT_BYTES // size)
    try:
        for some in (shown[first : first + most] for first in range(0, len(shown), most)):
            asked = Asked(task, trajectory.seed, trajectory.actions[: some[-1]], some, width, height)
            (frames,) = host.map(draw, [asked], pinned=True, tries=2)
            if isinstance(frames, Died | str):
                raise EvoError(f"{task.name} draws no pictures: {frames.how if isinstance(frames, Died) else frames}")
            if frames.shape != (len(some), height, width, 3) or frames.dtype != np.uint8:
                raise EvoError(f"{task.name} draws no pictures, but {frames.dtype} {frames.shape}")
            yield from frames
    finally:
        host.close()
