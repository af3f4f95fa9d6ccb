"""Gait diagrams: which foot is on the ground when (Hildebrand 1965, "Symmetrical gaits of horses")."""

from collections.abc import Sequence

import numpy as np

from evo.errors import EvoError
from evo.runs.plots.kind import Kind, acts, of
from evo.runs.plots.subject import Subject
from evo.visualize.charts import Row, Spans


def contacts(subject: Subject) -> np.ndarray:
    """Return whether each foot is on the ground at the end of each step, bool (feet, steps).

    A task measures the share of steps so far, a mean over steps: that after a step times the number of steps is the
    number of contacts. The share of True in a row is thus the task's own measure. Raises EvoError without feet.
    """
    task = subject.world
    if not task.feet:
        measured = f"it measures {', '.join(task.measures)}" if task.measures else "it measures nothing"
        raise EvoError(f"{task.name} has no feet to draw a gait of: {measured}")
    columns = [task.measures.index(name) for name in task.feet]
    shares = subject.episode.traced[:, columns].T
    counts = np.rint(shares * np.arange(1, shares.shape[1] + 1))
    return np.asarray(np.diff(counts, axis=1, prepend=0.0) > 0.5)


def _rows(subjects: Sequence[Subject], seconds: float) -> list[Row]:
    found = []
    for subject in subjects:
        touching = contacts(subject)
        shares = [f"{100 * share:.0f} %" for share in touching.mean(axis=1)]
        feet = [name.removesuffix("_foot").replace("_", " ") for name in subject.world.feet]
        names = [f"{foot}, {share}" for foot, share in zip(feet, shares, strict=True)]
        title = of(subject, f"feet on the ground, and in what share of all steps{subject.within(seconds)}")
        shown = touching[:, : subject.steps(seconds)]
        chart = Spans(names, shown, subject.world.control_period, title, subject.colour)
        found.append(Row([chart], 0.85 + 0.22 * len(names)))
    return found


GAIT = Kind("gait", "which foot is on the ground when", _rows, lambda one: acts(one) and bool(one.world.feet))
