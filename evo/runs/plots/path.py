"""The path of the centre of mass, from above and from the side."""

from collections.abc import Sequence

import mujoco
import numpy as np

from evo.envs.adversity.adverse import loss
from evo.envs.creatures.extent import creature_root
from evo.envs.rendering.geoms import place
from evo.runs.plots.kind import Kind, acts
from evo.runs.plots.subject import Subject
from evo.visualize.charts import Line, Lines, Row
from evo.visualize.colours import MUTED

_DOTTED = 30  # seconds of a path on which each is marked
_PLANE = 1e-6  # m, less than which a creature that is held in a plane, or at one height, leaves it


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


def measured_path(subject: Subject) -> np.ndarray | None:
    """Return the x and y that its task measures after each step, m: float64 (steps, 2); None where it measures none.

    They are of the body's root. A task that holds its creature in a plane measures x alone: y is 0.
    """
    names = subject.world.measures
    if "x" not in names:
        return None
    traced = subject.episode.traced
    across = traced[:, names.index("y")] if "y" in names else np.zeros(len(traced))
    return np.stack([traced[:, names.index("x")], across], axis=1)


def _rows(subjects: Sequence[Subject], seconds: float) -> list[Row]:
    paths = [centre_of_mass(subject) for subject in subjects]
    flat, level = (all(np.ptp(path[np.isfinite(path).all(axis=1), axis]) < _PLANE for path in paths) for axis in (1, 2))
    times = [np.arange(len(path)) * one.world.control_period for path, one in zip(paths, subjects, strict=True)]
    ways, heights = [], []
    for subject, path, time in zip(subjects, paths, times, strict=True):
        x, y = (time, path[:, 0]) if flat else (path[:, 0], path[:, 1])
        second = max(1, round(1.0 / subject.world.control_period))
        alone = len(subjects) == 1
        dots = second if alone and not flat and len(path) <= _DOTTED * second else 0
        ways.append(Line(x, y, "centre of mass" if alone and not flat else "", subject.colour, dots=dots))
        heights.append(Line(time, path[:, 2], "", subject.colour, width=1.0))
    title, (first, *others) = "path of the centre of mass", subjects
    measured = None if others or flat else measured_path(first)
    if measured is not None:
        ways.append(Line(measured[:, 0], measured[:, 1], "root, as the task measures it", MUTED, faint=True))
    if not others:
        moved = paths[0][-1] - paths[0][0]
        title += f": {np.hypot(moved[0], moved[1]):.3g} m in {times[0][-1]:.3g} s"
    # what stays at one height has no picture of it
    side = [] if level else [Lines("time / s", "height / m", heights, "height of the centre of mass")]
    if flat:
        return [Row([Lines("time / s", "x / m", ways, title), *side], 2.4)]
    title += ", from above, a dot a second" if ways[0].dots else ", from above"
    return [Row([Lines("x / m", "y / m", ways, title, equal=True)], 2.3), *(Row([one], 1.9) for one in side)]


PATH = Kind("path", "the path of the centre of mass, and its height", _rows, acts)
