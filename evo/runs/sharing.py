"""Runs sent to others: one zip with the champion, configuration, metrics, films, a page and a card; and back again."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from evo.config.resolve import read_config
from evo.envs.task import Task
from evo.errors import EvoError, one_line
from evo.evaluation.evaluator import AnyTask
from evo.runs.card import card_of
from evo.runs.champion_file import read_champion
from evo.runs.record import Record
from evo.runs.viewing import FOSSILS, Shown, view
from evo.storage.bundle import (
    CARD,
    LARGEST,
    PAGE,
    RUN_FILES,
    Bundle,
    is_bundle,
    open_bundle,
    unpack_run,
    write_bundle,
)
from evo.storage.files import cannot_write, check_writable, make_folder, temporary_beside
from evo.storage.housekeeping import is_held
from evo.storage.paths import fresh_path
from evo.storage.run_directory import RunDirectory

ENDING = ".evo.zip"
_SECONDS = 10.0  # of the episodes on the page


def bundle_path(run: Path) -> Path:
    """Return where a run is exported to where the user names no file: in the working directory."""
    return Path(f"{run.resolve().name}{ENDING}")


def export_run(run: Record, path: Path) -> Path:
    """Write a run to one zip; the same run gives the same bytes. Raises EvoError, also where it has no champion yet."""
    if not is_bundle(path):
        raise EvoError(f"a run is exported to a file .zip; got {path.name!r}")
    check_writable(path)
    held, champion = is_held(run.path), run.champion
    members: dict[str, bytes | Path] = {name: run.path / name for name in RUN_FILES if (run.path / name).is_file()}
    if held and "metrics.csv" in members:  # a row may be half written
        text = (run.path / "metrics.csv").read_bytes()
        members["metrics.csv"] = text[: text.rfind(b"\n") + 1]
    if run.config.task.kind.acts and _is_drawn(champion.task):
        page = view([Shown(champion, run, run.title)], FOSSILS, _SECONDS, None)
        members[PAGE] = page.html.encode()
    names = [name for name in LARGEST if name in members]
    members[CARD] = card_of(run, path.name, names).encode()
    write_bundle(path, members)
    return path


def _is_drawn(task: AnyTask) -> bool:
    return isinstance(task, Task)


def import_run(path: Path, out: Path | None = None, told: Callable[[Bundle], None] | None = None) -> Path:
    """Make a run directory of a zip that `export_run` wrote, which may be a stranger's; return the directory.

    out: by default a new one in runs/, of the zip's name. told: called before anything is unpacked. The page is left
    out, since a stranger's page may hold any script: `evo view` makes it anew. Nothing is imported or built, and the
    directory is there whole or not at all. Raises EvoError.
    """
    target = fresh_path(Path("runs") / path.name.removesuffix(ENDING).removesuffix(".zip")) if out is None else out
    with open_bundle(path) as bundle:
        for name in ("config.toml", "champion.npz"):
            if name not in bundle.sizes:
                raise ValueError(f"it holds no {name}")
        if told is not None:
            told(bundle)
        if target.exists() and not (target.is_dir() and not target.is_symlink() and not os.listdir(target)):
            raise EvoError(f"{target} is not an empty folder; choose another folder by --out")
        make_folder(target.parent)
        temporary = temporary_beside(target)
        try:
            temporary.mkdir()
            unpack_run(bundle, temporary)
            _check(temporary, path)
            os.rename(temporary, target)
        except OSError as error:
            raise cannot_write(target, error) from error
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return target


def _check(folder: Path, source: Path) -> None:
    """Raise EvoError naming `source` where an unpacked run's files are no run's."""
    try:
        directory = RunDirectory.open(folder)
        written = read_config(directory.config_text, "config.toml")
        if "evo" not in written or "task.name" not in written:
            raise EvoError("its config.toml is not one that evo wrote")
        read_champion(directory.champion_path)
        directory.metrics()
    except EvoError as error:
        said = one_line(error).replace(f"{folder}{os.sep}", "")
        raise EvoError(f"{source} holds no whole run: {said}") from error
