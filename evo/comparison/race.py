"""A race: one champion of each method side by side, in the same episode and on the same clock."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from evo.comparison.member import Member, methods_of
from evo.errors import EvoError
from evo.evaluation.workers import Workers
from evo.runs.replay import write_film
from evo.runs.tiles import Layout, Tile, TiledFilm, common_seed, tile_width
from evo.visualize.colours import colours_of

WIDTH = 1280  # pixels, of the whole film


def race(members: Sequence[Member], path: Path, workers: Workers, seconds: float = 12.0, width: int = WIDTH) -> None:
    """Film one champion of each method side by side, in real time and at most `seconds` of it.

    The champion is the one of median report mean among its method's seeds, and the episode is typical of all of them,
    so that neither is a lucky one. All have the same camera distance; a champion whose episode has ended stands still.
    path: .mp4, .gif or .webp. Raises EvoError, also without members.
    """
    racers = [median_member(group) for group in methods_of(members).values()]
    if not racers:
        raise EvoError("no finished run to film")
    colours, seed = colours_of(methods_of(members)), common_seed([racer.champion for racer in racers])
    film = TiledFilm([_tile(racer, seed, colours[racer.method], workers) for racer in racers], seconds)
    columns = 1 if len(racers) == 1 else 2 if len(racers) in (2, 4) else 3
    panel = min(tile_width(columns, width), round(0.75 * width))
    # three panels in a row are narrow: a squarer picture keeps the creatures' size
    layout = Layout(columns, panel, round(panel * (0.92 if columns == 3 else 0.69)) // 2 * 2)
    write_film(film.frames(layout, workers.threads), path, film.rate)


def median_member(group: Sequence[Member]) -> Member:
    """Return the member of median report mean, the better of two; a member whose episodes failed counts as worst."""
    return sorted(group, key=lambda member: np.nan_to_num(member.report_mean, nan=-np.inf))[len(group) // 2]


def _tile(racer: Member, seed: int, colour: str, workers: Workers) -> Tile:
    problem, champion = racer.champion.walking_on(workers), racer.champion
    trajectory = problem.rollout(champion.params, seed, champion.candidate.statistics)
    return Tile(problem.task, trajectory, racer.method, f"seed {racer.seed}", colour)
