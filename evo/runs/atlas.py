"""The atlas of a run: the map of its archive on a page, with as many of its elites walking as fit in 5 MB."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evo.algorithms.quality_diversity.cells import CellsPlan, scale
from evo.algorithms.quality_diversity.outlines import outline
from evo.envs.engine import interruption
from evo.envs.task import Task
from evo.errors import EvoError
from evo.numerics.randomness import selection_seeds
from evo.runs.archive import RunArchive
from evo.runs.record import Record
from evo.runs.viewing import Page, check_view, world_of
from evo.visualize.page import (
    Creature,
    Episode,
    Map,
    atlas_document,
    describe_scene,
    drawn_geoms,
    record_episode,
    thin,
    to_json,
)

CELLS = 60  # elites that walk, where the user says nothing
_LARGEST = 5_000_000  # characters of the page
_MAP = 2_000_000  # characters of the map, about; the rest is for poses
_RATE = 20.0  # states a second that are kept at least, where the task has as many


def view_archive(run: Record, cells: int, seconds: float, seed: int | None) -> Page:
    """Return the atlas of a run. cells: elites at most that walk. seconds, seed: of their episodes.

    Raises EvoError, also where the run left no archive or its task is no world of MuJoCo's.
    """
    check_view(seconds, seed, 0, cells)
    if cells < 1:
        raise EvoError(f"an atlas has at least one elite that walks, got cells={cells}")
    whole, task = run.archive, world_of(run.champion)
    if not len(whole):
        raise EvoError(f"{run.path} has no elite to show: its archive is empty")
    archive, name = _fittest(whole), run.path.resolve().name
    stride = max(1, int(1.0 / (_RATE * task.control_period)))
    scene = describe_scene(task.model, task.control_period * stride)
    blank = Creature(name, scene, [], None, [])
    shown = _map(archive, len(whole), [])
    room = _LARGEST - 4000 - len(atlas_document(run.title, blank, shown).encode())
    episodes: list[Episode] = []
    order = spread(scale(archive.measures, archive.ranges), archive.corrected_fitness, cells)
    for elite in order:
        interruption.check()
        episode = _record(run, task, archive, elite, seconds, seed, stride)
        room -= len(to_json(episode.to_json())) + 300  # with its line of text
        if room < 0 and episodes:
            break
        episodes.append(episode)
    shown = _map(archive, len(whole), order[: len(episodes)])
    about = f"A map of {archive.count:,} cells by {', '.join(archive.names)}; {len(whole):,} of them have an elite."
    creature = Creature(name, scene, episodes, None, [about, *shown.notes])
    return Page(atlas_document(run.title, creature, shown))


def spread(unit: NDArray[np.float64], fitness: NDArray[np.float64], count: int) -> list[int]:
    """Return `count` elites spread over the map, the fittest of all among them, so that any first few are spread too.

    Each chosen one is the elite farthest from those before (Gonzalez 1985), beginning with the fittest; elites belong
    to the nearest of these, and the fittest of each such region is taken. unit: (elites, m) scaled measures. fitness:
    (elites,), NaN for the least.
    """
    worth = np.where(np.isnan(fitness), -np.inf, fitness)
    places = np.clip(np.nan_to_num(unit, nan=0.5), 0.0, 1.0)
    gaps, nearest = np.full(len(places), np.inf), np.zeros(len(places), np.int64)
    far = int(np.argmax(worth))
    seeds = min(count, len(places))
    for region in range(seeds):
        away = np.square(places - places[far]).sum(axis=1)
        closer = away < gaps
        closer[far] = True  # of several elites at one place
        gaps, nearest = np.where(closer, away, gaps), np.where(closer, region, nearest)
        gaps[far] = -1.0
        far = int(np.argmax(gaps))
    regions = (np.flatnonzero(nearest == region) for region in range(seeds))
    return [int(region[np.argmax(worth[region])]) for region in regions]


def _fittest(archive: RunArchive) -> RunArchive:
    """Return as much of an archive as a page holds: its fittest elites on held-out episodes."""
    most = _MAP // (120 + 10 * len(archive.names))
    if len(archive) <= most:
        return archive
    order = np.argsort(np.nan_to_num(-archive.corrected_fitness, nan=np.inf), kind="stable")
    return archive.take(np.sort(order[:most]))


def _map(archive: RunArchive, whole: int, walking: Sequence[int]) -> Map:
    flat = len(archive.names) == 2
    notes = [
        f"{len(walking):,} of {whole:,} elites walk: those with a white dot. Click or touch a cell, or use arrow keys."
    ]
    if len(archive) < whole:
        notes.append(f"The map shows the {len(archive):,} fittest of its {whole:,} elites.")
    return Map(
        labels=[archive.label(elite) for elite in range(len(archive))],
        fitness=archive.fitness,
        returns=archive.corrected_fitness,
        measures=archive.measures,
        ranges=archive.ranges,
        names=archive.names,
        outlines=outline(CellsPlan(archive.plan).build(2), archive.cells) if flat else [],
        walking=walking,
        notes=notes,
    )


def _record(
    run: Record, task: Task, archive: RunArchive, elite: int, seconds: float, seed: int | None, stride: int
) -> Episode:
    """Return an episode of an elite: by default the held-out one of median return."""
    champion = run.elite_of(archive, elite)
    if seed is None:
        returns = archive.returns[elite]
        seed = int(selection_seeds(len(returns))[np.argsort(returns, kind="stable")[len(returns) // 2]])
    trajectory = champion.rollout(seed)
    label = f"cell {archive.label(elite)}"
    whole = record_episode(task, drawn_geoms(task.model), trajectory, label, champion.generation, seconds)
    return thin(whole, stride)
