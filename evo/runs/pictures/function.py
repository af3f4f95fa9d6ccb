"""Maps of functions, with the path of the search."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from evo.envs.engine.physics import EngineError
from evo.errors import EvoError
from evo.problems.function import Landscape
from evo.runs.callbacks import Watcher
from evo.runs.champion import Champion
from evo.runs.pictures.pictures import Pictures, Wishes
from evo.runs.record import Record
from evo.visualize.charts import Row
from evo.visualize.curves import descent_curve

_COORDINATES = 10  # printed of a point


class Maps(Pictures):
    """A map of the function around the champion, a point."""

    label = "map"

    def curve(self, run: Record) -> list[Row]:
        return descent_curve(run.metrics)

    def place(self, run: Record, wishes: Wishes) -> Path:
        return run.directory.plots / "landscape.png"

    def check(self, champion: Champion, run: Record | None, path: Path, wishes: Wishes) -> None:
        super().check(champion, run, path, wishes)
        if run is None:
            raise EvoError(
                f"{champion.task_name} is a function: its champion is a point; how it was found is in its run directory"
            )

    def draw(self, champion: Champion, run: Record | None, path: Path, wishes: Wishes) -> None:
        assert run is not None  # checked before
        draw_map(run, champion, path)

    def finish(self, run: Record, video: bool, watcher: Watcher, threads: int | None) -> None:
        problem = run.champion.problem
        if isinstance(problem, Landscape) and problem.cheap:
            draw_map(run, run.champion, self.place(run, Wishes()))

    def describe(self, champion: Champion) -> list[str]:
        return [f"at {_numbers(champion.params)}"]


def draw_map(run: Record, champion: Champion, path: Path) -> None:
    """Draw a function around the champion, with the path of the run's search. Raises EvoError."""
    from evo.visualize.plots import landscape_picture

    problem = champion.problem
    if not isinstance(problem, Landscape):
        raise EvoError(f"{champion.task_name} is a {champion.kind}, not a function; `{run.command('replay')}` shows it")
    fossils = (run.directory.read_fossil(generation) for generation in run.directory.fossils())
    trail = [champion.fossil(arrays).params for arrays in fossils]
    try:
        points = np.reshape(trail, (-1, champion.params.size))  # a run that ended at its beginning has none
        landscape_picture(problem, champion.params, points, run.title, path)
    except EngineError as error:
        raise EvoError(f"cannot draw {champion.task_name}: {error}") from error


def _numbers(values: Sequence[float] | np.ndarray) -> str:
    """Return the coordinates of a point as text, only the first ones of a long one."""
    texts = ", ".join(f"{value:.4g}" for value in values[:_COORDINATES])
    return f"{texts}, …" if len(values) > _COORDINATES else texts
