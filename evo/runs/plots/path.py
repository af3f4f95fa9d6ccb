"""The path of the centre of mass, from above and from the side."""

from collections.abc import Sequence

import mujoco
import numpy as np

from evo.envs.adversity.adverse import loss
from evo.envs.rendering.geoms import place
from evo.envs.rendering.renderer import creature_root
from evo.runs.plots.kind import Kind, acts
from evo.runs.plots.subject import Subject
from evo.visualize.charts import Line, Lines, Row

_PLANE = 1e-6  # m, less than which a creature that is held in a plane leaves it


def centre_of_mass(subject: Subject) -> np.ndarray:
    """Return where a creature's centre of mass is in every state of its episode, m: float64 (steps + 1, 3).

    It is that of all that is still on it. NaN in states that are not finite.
    """
    task, episode = subject.world, subject.episode
    lost, injured = loss(task, episode.seed)
    middle = np.full((len(episode.qpos), 3), np.nan)
    whole = data = mujoco.MjData(task.model)
    part = whole if injured is task.model else mujoco.MjData(injured)
    for state, qpos in enumerate(episode.qpos):
        model, data = (injured, part) if state >= lost else (task.model, whole)
        if np.isfinite(qpos).all():
            place(model, data, qpos)
            middle[state] = data.subtree_com[creature_root(model)]
    return middle


def _rows(subjects: Sequence[Subject], seconds: float) -> list[Row]:
    paths = [centre_of_mass(subject) for subject in subjects]
    flat = all(np.ptp(path[np.isfinite(path[:, 1]), 1]) < _PLANE for path in paths)
    times = [np.arange(len(path)) * one.world.control_period for path, one in zip(paths, subjects, strict=True)]
    ways, heights = [], []
    for subject, path, time in zip(subjects, paths, times, strict=True):
        second = max(1, round(1.0 / subject.world.control_period))
        way = (time, path[:, 0]) if flat else (path[:, 0], path[:, 1])
        dots = second if len(subjects) == 1 and len(path) <= 30 * second else 0
        ways.append(Line(*way, "", subject.colour, dots=0 if flat else dots))
        heights.append(Line(time, path[:, 2], "", subject.colour))
    title = "way of the centre of mass"
    if len(subjects) == 1:
        moved = paths[0][-1] - paths[0][0]
        title += f": {np.hypot(moved[0], moved[1]):.3g} m in {times[0][-1]:.3g} s"
    side = Lines("time / s", "height / m", heights, "height of the centre of mass")
    if flat:
        return [Row([Lines("time / s", "x / m", ways, title), side], 2.4)]
    above = Lines("x / m", "y / m", ways, f"{title}, from above" + (", a dot a second" if ways[0].dots else ""), equal=True)
    return [Row([above], 2.3), Row([side], 1.9)]


PATH = Kind("path", "the path of the centre of mass, and its height", _rows, acts)
