"""Pictures: how runs of a kind of problem are drawn."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from evo.errors import EvoError
from evo.runs.callbacks import Watcher
from evo.runs.champion import Champion
from evo.runs.record import Record
from evo.visualize.charts import Row
from evo.visualize.curves import learning_curve

FILM_SIZE, TILED_SIZE = (640, 360), (1280, 720)  # width and height where the user names none, pixels
PREVIEW_SIZE, TILED_PREVIEW_SIZE = (256, 144), (640, 360)


@dataclass(frozen=True)
class Wishes:
    """What the user of `replay` asks for.

    evolution: how the run learned, instead of its champion. scenes: of that film at most. crowd: tiles of a film of the
    champion among individuals of a generation. poster: a still beside the film. network: its network, alone or beside
    the film. seed: the episode; None: one that is representative. width, height: of a film, pixels. seconds: of each
    episode at most. threads: frames drawn at once; None: all processors. progress: called after each frame with the
    number drawn and the total.
    """

    evolution: bool = False
    network: bool = False
    seed: int | None = None
    width: int = FILM_SIZE[0]
    height: int = FILM_SIZE[1]
    seconds: float = 20.0
    threads: int | None = None
    progress: Callable[[int, int], None] | None = None
    scenes: int | None = None
    poster: bool = False
    crowd: int | None = None


class Pictures:
    """Pictures of a kind of problem: here a learning curve, and none of the champion."""

    label = "picture"
    """The word for the champion's picture."""
    suffix = ".png"
    """Of the champion's picture, where the user names no file."""

    def curve(self, run: Record) -> list[Row]:
        """Return the learning curve of a run that has metrics, as charts. Raises EvoError."""
        return learning_curve(run.metrics, run.config.task.kind.step_unit)

    def place(self, run: Record, wishes: Wishes) -> Path:
        """Return the default path of the champion's picture in its run directory."""
        return run.directory.plots / f"champion{self.suffix}"

    def check(self, champion: Champion, run: Record | None, path: Path, wishes: Wishes) -> None:
        """Raise EvoError for a picture that cannot be drawn, before any work is done for it."""
        from evo.visualize.plots import check_picture

        if wishes.evolution or wishes.scenes or wishes.poster or (wishes.crowd, wishes.seed) != (None, None):
            raise EvoError(f"{champion.task_name} is a {champion.kind}: there is no film of it, only a picture")
        check_picture(path)

    def draw(self, champion: Champion, run: Record | None, path: Path, wishes: Wishes) -> None:
        """Draw the champion; checked before. run: that it is of, if known. Raises EvoError."""
        raise EvoError(f"{champion.task_name} is a {champion.kind}, and there is no picture of its champion")

    def finish(self, run: Record, video: bool, watcher: Watcher, threads: int | None) -> None:
        """Draw the champion of a run that has ended. video: whether films are wanted. Raises EvoError."""

    def describe(self, champion: Champion) -> list[str]:
        """Return lines about the champion that a finished run prints."""
        return []
