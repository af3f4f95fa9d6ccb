"""Frames that a Gymnasium environment renders while it replays an episode, in its helper process."""

import os
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from PIL import Image, ImageOps

from evo.envs.foreign import FAILURES, in_words, staying
from evo.envs.gymnasium_bridge.gymnasium_task import Body, GymnasiumTask, without

_BACKGROUND = (255, 255, 255)
_FILM = "film"  # key of the film among the values kept between calls


class Asked(NamedTuple):
    """Request for pictures of some control steps of an episode: every field can be pickled.

    actions: float64 (steps, action_size), those that lead to them. shown: int (frames,), ascending.
    """

    task: GymnasiumTask
    seed: int
    actions: np.ndarray
    shown: np.ndarray
    width: int
    height: int


class _Film:
    """An environment that replays an episode, and how many of its steps were taken."""

    def __init__(self, task: GymnasiumTask) -> None:
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")  # so that pygame needs no display
        self.body, self.step = Body(task, "rgb_array", alarm=task.step_timeout is not None), 0

    def close(self) -> None:
        self.body.close()


def draw(asked: Asked, keeps: dict[Any, Any]) -> np.ndarray | str:
    """Return frames, uint8 (frames, height, width, 3), or the reason why there are none.

    Continues the film of the episode that this process keeps, if there is one.
    """
    film: _Film | None = keeps.pop(_FILM, None)
    try:
        if film is None:
            with staying():
                film = _Film(asked.task)
                film.body.reset(asked.seed)
        frames = np.empty((len(asked.shown), asked.height, asked.width, 3), np.uint8)
        for number, step in enumerate(asked.shown):
            while film.step < step:
                film.body.step(asked.actions[film.step])
                film.step += 1
            picture = Image.fromarray(film.body.picture())
            # scaled to fit, with margins
            frames[number] = np.asarray(ImageOps.pad(picture, (asked.width, asked.height), color=_BACKGROUND))
    except gymnasium.error.DependencyNotInstalled as error:
        said = without(error)
    except FAILURES as error:  # an environment may fail in any way
        said = in_words(error)
    else:
        keeps[_FILM] = film
        return frames
    if film is not None:
        film.close()
    return said
