"""Pages of recorded creatures: the champion of a run and the fossils on its way, or several runs side by side."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from evo.envs.engine import interruption
from evo.envs.notes import note
from evo.envs.task import Task
from evo.errors import EvoError
from evo.learners.learner import Candidate
from evo.runs.champion import Champion
from evo.runs.pictures.network import NetworkWatch
from evo.runs.record import Record
from evo.runs.replay import choose_fossils, typical_seed
from evo.storage.files import make_folder, write_text
from evo.visualize.page import Creature, Curve, describe_scene, document, drawn_geoms, inline, record_episode

FOSSILS = 10  # of a run, where the user says nothing
_LARGEST = 2**27  # bytes of the poses of a page: a browser must hold them all


class Page:
    """A page of creatures that can be turned around: HTML that fetches nothing; a notebook shows it inline."""

    def __init__(self, html: str) -> None:
        self.html = html

    def save(self, path: Path | str) -> Path:
        """Write it whole or not at all, and the folder it lies in; return the path. Raises EvoError."""
        target = check_page(Path(path))
        make_folder(target.parent)
        write_text(target, self.html)
        return target

    def _repr_html_(self) -> str:
        return inline(self.html)

    def __repr__(self) -> str:
        return f"Page({len(self.html):,} characters of HTML; page.save('creature.html') writes it)"


class Shown(NamedTuple):
    """A champion to be shown, the run that it is of, if known, and the name that the page calls it by."""

    champion: Champion
    run: Record | None
    name: str


def view(shown: Sequence[Shown], fossils: int, seconds: float, seed: int | None) -> Page:
    """Return a page of creatures, side by side in lanes where there are several; `check_view` has checked the numbers.

    Raises EvoError, also for a champion that acts in no MuJoCo world.
    """
    if not shown:
        raise EvoError("a page of nothing: name at least one run")
    tasks = [world_of(one.champion) for one in shown]
    check_size(tasks, fossils + 1, seconds)
    title = shown[0].run.title if len(shown) == 1 and shown[0].run else ", ".join(one.name for one in shown)
    pairs = zip(tasks, shown, strict=True)
    return Page(document(title, [_creature(task, one, fossils, seconds, seed) for task, one in pairs]))


def world_of(champion: Champion) -> Task:
    """Return the MuJoCo world that a champion acts in. Raises EvoError where there is none."""
    task = champion.walking.task
    if not isinstance(task, Task):
        raise EvoError(f"{task.name} draws its own pictures, which `evo replay` films; a page shows MuJoCo's worlds")
    return task


def is_page(path: Path) -> bool:
    """Return whether a file is to be a page, by its suffix."""
    return path.suffix.lower() in (".html", ".htm")


def check_page(path: Path) -> Path:
    """Return the path of a page. Raises EvoError for a suffix that is none of a page's."""
    if not is_page(path):
        raise EvoError(f"a page is written to a file .html; got {path.name!r}")
    return path


def check_view(seconds: float, seed: int | None, fossils: int = 0, cells: int = 0) -> None:
    """Raise EvoError for a page that cannot be made, before any work is done for it."""
    if not 0 < seconds <= 86_400:
        raise EvoError(f"seconds must be more than 0 and at most a day, got {seconds}")
    if seed is not None and seed < 0:
        raise EvoError(f"seed must be at least 0, got {seed}")
    if not 0 <= fossils <= 1000:
        raise EvoError(f"fossils must lie between 0 and 1,000, got {fossils}")
    if not 0 <= cells <= 1000:
        raise EvoError(f"cells must lie between 0 and 1,000, got {cells}")


def _creature(task: Task, shown: Shown, fossils: int, seconds: float, seed: int | None) -> Creature:
    champion, run = shown.champion, shown.run
    seed, geoms = typical_seed(champion) if seed is None else seed, drawn_geoms(task.model)
    episodes, watch = [], NetworkWatch(champion)
    for label, generation, candidate in _candidates(shown, fossils):
        interruption.check()
        trajectory = champion.rollout_of(candidate, seed)
        episode = record_episode(task, geoms, trajectory, label, generation, seconds)
        episodes.append(replace(episode, activity=watch.record(candidate, trajectory, len(episode.poses) - 1)))
    notes = [f"Every episode begins from seed {seed}."]
    if run is not None and len(episodes) == 1 and fossils:
        notes.append("The run keeps no fossils: its champion is shown alone.")
    scene = describe_scene(task.model, task.control_period)
    return Creature(shown.name, scene, episodes, None if run is None else curve_of(run), notes)


def _candidates(shown: Shown, fossils: int) -> Iterator[tuple[str, int, Candidate]]:
    """Yield label, generation and candidate, from the first fossil to the champion; damaged fossils are left out."""
    champion, run = shown.champion, shown.run
    if run is not None:
        for generation in choose_fossils(run.directory.fossils(), fossils):
            try:
                candidate = champion.fossil(run.directory.read_fossil(generation))
            except EvoError as error:
                note(f"the page leaves out generation {generation:,}: {error}")
                continue
            yield f"generation {generation:,}", generation, candidate
    yield f"champion, of generation {champion.generation:,}", champion.generation, champion.candidate


def curve_of(run: Record) -> Curve | None:
    """Return the fitness of a run by generation; None before the first. Raises EvoError for damaged metrics."""
    metrics = run.metrics
    if not metrics:
        return None
    generation, steps, best, mean = (metrics[name] for name in ("generation", "steps", "best", "mean"))
    return Curve(generation, steps, best, mean, run.config.task.kind.step_unit)


def check_size(tasks: Sequence[Task], episodes: int, seconds: float) -> None:
    """Raise EvoError where a page would hold more poses than a browser does. episodes: of each task."""
    size = 0
    for task in tasks:
        states = min(task.steps, round(seconds / task.control_period)) + 1
        size += 28 * states * len(drawn_geoms(task.model)) * episodes
    if size > _LARGEST:
        raise EvoError(
            f"{size / 2**20:,.0f} MB of poses, and a page holds {_LARGEST / 2**20:.0f}: show fewer seconds or fossils"
        )
