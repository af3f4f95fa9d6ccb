"""Run: a finished run as an object: configuration, metrics, champion, plots."""

import functools
import importlib
import importlib.util
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from evo.config.config import Config
from evo.config.renamed import renamed_columns
from evo.config.resolve import read_config, resolve_config
from evo.errors import EvoError
from evo.runs.champion import Champion
from evo.runs.facts import facts_of
from evo.storage.paths import command
from evo.storage.run_directory import RunDirectory, runs
from evo.visualize.notebook import box, curve, facts


class Run:
    """A run directory, opened for reading. Raises EvoError where `path` is not one, naming the nearest that is.

    Its configuration and champion are read once, when they are first asked for: of a run that still learns, `evo.load`
    gives a later champion. trust: whether modules that its files name may be imported; see `evo.envs.reference`.
    config: its configuration, where that is known already; champions made with it share its task.
    """

    def __init__(self, path: Path | str, trust: bool = False, config: Config | None = None) -> None:
        self.directory, self._trust = RunDirectory.open(Path(path)), trust
        if config is not None:
            self.config = config

    @property
    def path(self) -> Path:
        return self.directory.path

    @functools.cached_property
    def config(self) -> Config:
        """Its fully resolved configuration."""
        return resolve_config(read_config(self.directory.config_text, str(self.path / "config.toml"), self._trust))

    @functools.cached_property
    def champion(self) -> Champion:
        """Its champion so far."""
        return self._read(self.directory.champion_path)

    def _read(self, path: Path) -> Champion:
        """Return the champion in a file of the run, which shares the task of its configuration."""
        found = Champion.load(path, self._trust)
        if "config" not in self.__dict__:  # a champion can be read where the configuration is damaged
            return found
        mine = self.config.task
        same = mine.name == found.spec.name and mine.given == found.spec.given
        return replace(found, spec=mine) if same else found

    @property
    def last(self) -> Champion:
        """What was learned last, scored on the selection seeds; written where a run ends. Raises EvoError."""
        if not self.directory.last_path.exists():
            raise EvoError(f"{self.path} holds no last candidate: it has not ended, or an older evo ran it")
        return self._read(self.directory.last_path)

    @property
    def metrics(self) -> dict[str, np.ndarray]:
        """Columns of metrics.csv, float64 (generations,)."""
        return self.directory.metrics(renamed_columns(self.directory.config_text))

    def metrics_frame(self) -> Any:
        """Return metrics.csv as a pandas.DataFrame, a row for each generation. Raises EvoError without pandas."""
        if importlib.util.find_spec("pandas") is None:
            raise EvoError("a data frame needs pandas: pip install pandas; without it, run.metrics has the columns")
        return importlib.import_module("pandas").DataFrame(dict(self.metrics))

    @property
    def ended(self) -> str | None:
        """Why learning ended, as in `1,000,000 steps`; None while it learns, and where an older evo ran it."""
        return self.directory.ended

    def command(self, word: str, *more: str) -> str:
        """Return the command line that applies a command to it: `evo resume runs/quadruped-ars-seed0`."""
        return command(word, self.path, *more, config=self.directory.config_text)

    @property
    def unlearned(self) -> str:
        """Why a run has no generation, and how to go on with it; for the user."""
        if self.ended is None:
            return f"{self.path} has not finished a generation yet; `{self.command('resume')}` goes on with it"
        more = self.command("resume", "--generations", "100")
        return f"{self.path} ended before its first generation ({self.ended}); with a larger budget it goes on: {more}"

    @property
    def title(self) -> str:
        """Its task, method and seed, for a picture."""
        return f"{self.config.task.name}  {self.config.method.name}  seed {self.config.seed}"

    def plot(self, path: Path | str) -> Path:
        """Draw its learning curve, .png, .svg or .pdf; return the path. Raises EvoError."""
        from evo.runs.pictures import pictures_of

        if not self.metrics:
            raise EvoError(f"there is no curve yet: {self.unlearned}")
        pictures_of(self.config.task.kind).curve(self, Path(path))
        return Path(path)

    def plot_landscape(self, path: Path | str) -> Path:
        """Draw the function around the champion and the search's path, .png, .svg or .pdf; return the path.

        Raises EvoError, also where the task is a world and no function.
        """
        from evo.runs.pictures.function import draw_map

        draw_map(self, self.champion, Path(path))
        return Path(path)

    def plot_answers(self, path: Path | str) -> Path:
        """Draw the champion's predictions on the test split, .png, .svg or .pdf; return the path.

        Raises EvoError, also where the task is no data set.
        """
        from evo.runs.pictures.supervised import draw_answers

        draw_answers(self.champion, f"{self.title}: {self.champion.reported_fitness}", Path(path))
        return Path(path)

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    def _repr_html_(self) -> str:
        """Return what notebooks show: its champion's facts and the curve of its mean fitness."""
        try:
            champion, metrics = self.champion, self.metrics
            rows = [*facts_of(champion), ("ended", self.ended or "not yet")]
            drawn = curve(metrics["steps"], metrics["mean"], "mean fitness", "step") if metrics else ""
        except EvoError as error:
            return box(repr(self), facts([("nothing to show", error)]))
        return box(str(self.path), facts(rows), drawn)


def latest(folder: Path = Path("runs")) -> Path:
    """Return the run in `folder` that was written last. Raises EvoError where there is none."""
    own = [path for path in runs(folder) if path.parent == folder]
    if not own:
        raise EvoError(f"{folder} holds no run; name one, or make one: evo run quadruped")
    # a writer takes the lock first; a copied run may have none
    return max(own, key=lambda path: max(each.stat().st_mtime for each in (path / "config.toml", *path.glob("lock"))))


def champion_of(path: Path | str, trust: bool = False) -> Champion:
    """Return the champion of a run directory, or in a champion file. trust: as of a Run. Raises EvoError."""
    source = Path(path)
    return Champion.load(source, trust) if os.path.isfile(source) else Run(source, trust).champion


def path_of(source: object) -> Path:
    """Return the path of a run, or a path as it is. Raises EvoError."""
    found = getattr(source, "path", source)
    if not isinstance(found, str | Path):
        raise EvoError(f"a run is its directory, or what evo.run and evo.load give; got a {type(source).__name__}")
    return Path(found)
