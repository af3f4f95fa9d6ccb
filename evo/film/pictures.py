"""Pictures of an episode's states: by our ray caster, or by a Gymnasium environment that lives the episode again."""

import itertools
import os
from collections.abc import Iterator, Sequence

import gymnasium
import numpy as np
from PIL import Image, ImageOps

from evo.engines import AnyTask
from evo.envs import raycast
from evo.envs.adversity import loss
from evo.envs.foreign import staying
from evo.envs.gymnasium_task import Body, GymnasiumTask, without
from evo.envs.task import Task
from evo.errors import EvoError
from evo.film.encode import Frame
from evo.gymnasium_host import in_words
from evo.problems.walking import Trajectory

_BACKGROUND = (255, 255, 255)


def pictures(
    task: AnyTask,
    trajectory: Trajectory,
    shown: np.ndarray,
    width: int,
    height: int,
    cameras: Sequence[raycast.Camera] | None = None,
    threads: int | None = None,
) -> Iterator[Frame]:
    """A picture, uint8 (height, width, 3), of each of the control steps `shown`, int (frames,), in rising order.

    cameras: one for each; by default one that follows the creature. A Gymnasium environment has its own. Raises
    EvoError where that cannot draw.
    """
    if isinstance(task, Task):
        return _drawn(task, trajectory, shown, width, height, cameras, threads)
    return _rendered(task, trajectory, shown, width, height)


def cameras_of(task: AnyTask, trajectory: Trajectory, shown: np.ndarray, aspect: float) -> list[raycast.Camera] | None:
    """The cameras that `pictures` takes by default, where it is ours that draw."""
    return raycast.frame_creature(task.model, trajectory.qpos[shown], aspect) if isinstance(task, Task) else None


def _drawn(
    task: Task,
    trajectory: Trajectory,
    shown: np.ndarray,
    width: int,
    height: int,
    cameras: Sequence[raycast.Camera] | None,
    threads: int | None,
) -> Iterator[Frame]:
    """What is lost in the episode is gone from then on."""
    step, model = loss(task, trajectory.seed)
    whole = int(np.searchsorted(shown, step, side="right")) if step else 0
    if cameras is None:
        cameras = raycast.frame_creature(task.model, trajectory.qpos[shown], width / height)
    parts = ((task.model, slice(whole)), (model, slice(whole, None)))
    films = (
        raycast.film(body, trajectory.qpos[shown[part]], width, height, cameras[part], threads) for body, part in parts
    )
    return itertools.chain.from_iterable(films)


def _rendered(
    task: GymnasiumTask, trajectory: Trajectory, shown: np.ndarray, width: int, height: int
) -> Iterator[Frame]:
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")  # pygame, which most of them draw with, needs no display then
    wanted, step = set(shown.tolist()), 0
    body = None
    try:
        with staying():
            body = Body(task, "rgb_array")
            body.reset(trajectory.seed)
        while True:
            if step in wanted:
                picture = _fitted(body.picture(), width, height)
                yield picture
            if step >= shown[-1]:
                break
            body.step(trajectory.actions[step])
            step += 1
    except gymnasium.error.DependencyNotInstalled as error:
        raise EvoError(f"{task.name} draws no pictures: {without(error)}") from error
    except Exception as error:  # an environment may fail in any way
        raise EvoError(f"{task.name} draws no pictures: {in_words(error)}") from error
    finally:
        if body is not None:
            body.close()


def _fitted(picture: Frame, width: int, height: int) -> Frame:
    """As large as fits, on a plain ground."""
    return np.asarray(ImageOps.pad(Image.fromarray(picture), (width, height), color=_BACKGROUND))
