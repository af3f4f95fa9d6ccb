"""Pictures of runs that fill a page by themselves: archives, fronts, species, networks, maps, predictions."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from evo.runs.pictures import NetworkPictures, Wishes
from evo.runs.pictures.function import draw_map
from evo.runs.pictures.species import draw_ancestry, draw_species
from evo.runs.pictures.supervised import draw_answers
from evo.runs.record import Record


class Whole(NamedTuple):
    """A picture of a run by itself. draw: writes it, .png, .svg or .pdf. Raises EvoError where there is nothing."""

    summary: str
    draw: Callable[[Record, Path], None]


def _archive(run: Record, path: Path) -> None:
    from evo.runs.archive import draw_archive

    draw_archive(run.archive, run.title, path)


def _front(run: Record, path: Path) -> None:
    from evo.runs.front import draw_front

    draw_front(run.front, run.config.task.made, run.title, path)


def _answers(run: Record, path: Path) -> None:
    draw_answers(run.champion, f"{run.title}: {run.champion.reported_fitness}", path)


def _network(run: Record, path: Path) -> None:
    pictures = NetworkPictures()
    pictures.check(run.champion, run, path, Wishes())
    pictures.draw(run.champion, run, path, Wishes())


def _landscape(run: Record, path: Path) -> None:
    draw_map(run, run.champion, path)


WHOLE = {
    "archive": Whole("the map of elites by their fitness, of quality diversity", _archive),
    "front": Whole("the front by its objectives, of several objectives", _front),
    "species": Whole("the sizes of species over generations, of NEAT", draw_species),
    "ancestry": Whole("the champion's line of descent, of NEAT", draw_ancestry),
    "network": Whole("the champion's network: units by depth, links by weight", _network),
    "answers": Whole("predictions on the test split of a data set", _answers),
    "landscape": Whole("a function around the champion, and the path of the search", _landscape),
}
