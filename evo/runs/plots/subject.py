"""Subject: a champion that plots are about, with its run and its recorded episode."""

import functools
from dataclasses import dataclass

import numpy as np

from evo.envs.task import Task
from evo.errors import EvoError
from evo.problems.control import Trajectory
from evo.runs.champion import Champion
from evo.runs.record import Record
from evo.runs.replay import typical_seed
from evo.visualize.colours import TEAL


@dataclass(frozen=True, eq=False)
class Subject:
    """What is plotted: a run, or a champion file alone.

    run: None for a champion alone. title: names it where it is the only one. label, colour: among others; subjects that
    differ in their seeds alone have one of each. seed: of the episode; None: its report episode of median return.
    """

    champion: Champion
    run: Record | None
    title: str
    label: str = ""
    colour: str = TEAL
    seed: int | None = None

    @property
    def metrics(self) -> dict[str, np.ndarray]:
        """Columns of its metrics. Raises EvoError where it has none."""
        if self.run is None:
            raise EvoError(f"{self.title} is a champion alone; how it was found is in its run directory")
        found = self.run.metrics
        if not found:
            raise EvoError(f"there is no curve yet: {self.run.unlearned}")
        return found

    @functools.cached_property
    def world(self) -> Task:
        """The MuJoCo world that it acts in. Raises EvoError where it acts in none."""
        task = self.champion.walking.task
        if not isinstance(task, Task):
            raise EvoError(f"{task.name} is simulated elsewhere: gaits, paths and forces are known of MuJoCo's worlds")
        return task

    @functools.cached_property
    def episode(self) -> Trajectory:
        """Its recorded episode: the same compiled episode that scores. Raises EvoError where there is none."""
        task, seed = self.world, self.seed
        found = self.champion.rollout(typical_seed(self.champion) if seed is None else seed)
        if not len(found):
            raise EvoError(f"{task.name}: there is no step to plot, {found.failure}")
        return found

    def steps(self, seconds: float) -> int:
        """Return how many steps of its episode lie within the first `seconds`, at least one."""
        return max(1, min(len(self.episode), round(seconds / self.world.control_period)))

    def within(self, seconds: float) -> str:
        """Return in words that not all of its episode is shown; "" where it is."""
        period = self.world.control_period
        shown, whole = self.steps(seconds) * period, len(self.episode) * period
        return "" if shown == whole else f", the first {shown:g} s of {whole:g} s"


def subject_of(run: Record) -> Subject:
    """Return a run as a subject. Raises EvoError where it has no champion yet."""
    if not run.directory.champion_path.exists():
        raise EvoError(f"there is nothing to plot yet: {run.unlearned}")
    return Subject(run.champion, run, run.title)
