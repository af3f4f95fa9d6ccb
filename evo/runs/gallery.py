"""A gallery of runs: a folder with a page for each creature, and one that leads to all of them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from evo.envs.engine import interruption
from evo.envs.notes import note
from evo.envs.task import Task
from evo.errors import EvoError
from evo.runs.champion import Champion
from evo.runs.replay import typical_seed
from evo.runs.run import Run
from evo.runs.viewing import FOSSILS, Shown, check_view, view
from evo.storage.files import cannot_write, make_folder, read_text, write_text
from evo.storage.paths import task_slug
from evo.storage.run_directory import runs
from evo.visualize import encoding
from evo.visualize.frames import pictures
from evo.visualize.page import Exhibit, gallery_document
from evo.visualize.page.gallery import MADE_BY

INDEX = "index.html"
_STILL = (480, 270)  # pixels
_FILMS = ("champion.webp", "champion.gif")


def make_gallery(
    folder: Path, out: Path, seconds: float = 10.0, trust: bool = False, told: Callable[[str], None] | None = None
) -> Path:
    """Write the gallery of the runs in a folder; return its first page. What cannot be shown is left out and noted.

    seconds: of each episode at most. told: called with the name of each run that is shown. Raises EvoError, also where
    `out` holds other files.
    """
    check_view(seconds, None)
    found = sorted(path for path in runs(folder) if path.parent == folder)
    if not found:
        raise EvoError(f"{folder} holds no run to show; name a folder of runs, as in `evo gallery runs`")
    _refuse_others(out)
    make_folder(out)
    exhibits: list[Exhibit] = []
    names: set[str] = set()
    for path in found:
        interruption.check()
        name = _free_name(path.name, names)
        try:
            exhibits.append(_exhibit(Run(path, trust), out, name, seconds))
        except EvoError as error:
            note(f"the gallery leaves out {path}: {error}")
            continue
        names.add(name)
        if told is not None:
            told(path.name)
    title = f"{folder.resolve().name}: {len(exhibits)} runs"
    write_text(out / INDEX, gallery_document(title, exhibits))
    return out / INDEX


def _exhibit(run: Run, out: Path, name: str, seconds: float) -> Exhibit:
    champion, page = run.champion, ""
    if run.config.task.kind.acts and isinstance(champion.task, Task):
        view([Shown(champion, run, run.path.name)], FOSSILS, seconds, None).save(out / f"{name}.html")
        page = f"{name}.html"
    facts = (champion.task_name, f"{champion.method}, seed {champion.seed}", str(champion.reported_fitness))
    return Exhibit(run.path.name, facts, _picture(run, champion, out, name), page)


def _picture(run: Run, champion: Champion, out: Path, name: str) -> str:
    """Put a picture beside the gallery: the run's small film, else a still of its champion, else its curve."""
    for film in (run.path / "videos" / one for one in _FILMS):
        if film.is_file() and not film.is_symlink():
            try:
                shutil.copyfile(film, out / f"{name}{film.suffix}")
            except OSError as error:
                raise cannot_write(out, error) from error
            return f"{name}{film.suffix}"
    if not run.config.task.kind.acts:
        run.plot(out / f"{name}.svg")
        return f"{name}.svg"
    trajectory = champion.rollout(typical_seed(champion))
    still = pictures(champion.task, trajectory, np.array([len(trajectory) // 2]), *_STILL)
    encoding.write(still, out / f"{name}.png", 1)
    return f"{name}.png"


def _refuse_others(out: Path) -> None:
    """Raise EvoError for a folder with files in it of which none is a gallery's first page."""
    if out.is_dir() and any(out.iterdir()):
        made = (out / INDEX).is_file() and MADE_BY in read_text(out / INDEX)
        if not made:
            raise EvoError(f"{out} holds other files than a gallery's; choose another folder by --out")


def _free_name(wanted: str, taken: set[str]) -> str:
    """Return a name for files, plain whatever the run is called, that no other run has."""
    name, number = task_slug(wanted), 2
    free = name if name != "index" else "index-run"
    while free in taken:
        free, number = f"{name}-{number}", number + 1
    return free
