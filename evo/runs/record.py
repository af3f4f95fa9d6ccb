"""Record: what a run directory holds, read: configuration, metrics, champion."""

import functools
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evo.config.config import Config
from evo.config.renamed import renamed_columns
from evo.config.resolve import read_config, resolve_config
from evo.errors import EvoError, one_line, printable
from evo.learners.learner import Candidate, check_candidate
from evo.runs.champion import Champion
from evo.runs.data_frame import data_frame
from evo.runs.provenance import read_mixed
from evo.storage.files import read_text, read_toml
from evo.storage.paths import command
from evo.storage.run_directory import RunDirectory

if TYPE_CHECKING:
    from evo.runs.archive import RunArchive
    from evo.runs.front import RunFront


class Record:
    """What a run directory holds, opened for reading; `Run` adds pictures of it.

    Raises EvoError where `path` is no run, naming the nearest that is. Configuration and champion are read once, when
    they are first asked for: of a run that still learns, `evo.load` gives a later champion. trust: whether modules that
    its files name may be imported; see `evo.envs.reference`. config: its configuration, where that is known already;
    champions made with it share its task.
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
    def archive(self) -> "RunArchive":
        """The map of elites that it left where it ended. Raises EvoError, also where its method fills none."""
        from evo.runs.archive import RunArchive  # few runs have one

        path = self.archive_path
        if not path.exists():
            raise EvoError(f"{self.path} holds no archive: its method fills none, or it has not ended")
        return RunArchive.load(path)

    @property
    def archive_path(self) -> Path:
        """The path of archive.npz, whether or not it exists."""
        return self.path / "archive.npz"

    def elite(self, cell: str) -> Champion:
        """Return the elite of a cell, `12` or in a grid `3,7`, as a champion, chosen by its held-out episodes.

        Raises EvoError where it has none; it names the nearest cell that has one.
        """
        archive = self.archive
        return self.elite_of(archive, archive.place(cell))

    def elite_of(self, archive: "RunArchive", elite: int) -> Champion:
        """Return an elite of its archive, by its index, as a champion. Raises EvoError where it is not of this run."""
        return self._found(archive.params[elite], archive.returns[elite], self.archive_path)

    @property
    def front(self) -> "RunFront":
        """The Pareto front that it left where it ended. Raises EvoError, also where its method searches for none."""
        from evo.runs.front import RunFront  # few runs have one

        if not self.front_path.exists():
            raise EvoError(f"{self.path} holds no front: its method searches for none, or it has not ended")
        return RunFront.load(self.front_path)

    @property
    def front_path(self) -> Path:
        """The path of front.npz, whether or not it exists."""
        return self.path / "front.npz"

    def solution(self, place: int) -> Champion:
        """Return an individual of the front by its place, from 0 on, as a champion. Raises EvoError for no place."""
        front = self.front
        place = front.place(place)
        return self._found(front.params[place], front.returns[place], self.front_path)

    def _found(self, params: np.ndarray, returns: np.ndarray, path: Path) -> Champion:
        """Return parameters of a file of the run as a champion, chosen by these held-out episodes. Raises EvoError."""
        # The champion's statistics may be of an earlier generation; elites are scored with the last ones.
        candidate = Candidate(params, self.last.statistics)
        try:
            check_candidate(candidate, self.champion.candidate, self.champion.problem)
        except ValueError as error:
            raise EvoError(f"{path} is not of this run: {one_line(error)}") from error
        return replace(self.champion, candidate=candidate, selection_returns=returns, report_returns=None)

    @property
    def metrics(self) -> dict[str, np.ndarray]:
        """Columns of metrics.csv, float64 (generations,)."""
        return self.directory.metrics(renamed_columns(self.directory.config_text))

    @property
    def processors(self) -> tuple[str, ...]:
        """The processors it has run on, with the number of threads; none where an older evo ran it."""
        try:
            found = read_toml(read_text(self.path / "versions.toml"), "versions.toml").get("processors")
        except EvoError:  # nothing depends on it
            return ()
        return tuple(printable(str(one)) for one in found) if isinstance(found, list) else ()

    def metrics_frame(self) -> Any:
        """Return metrics.csv as a pandas.DataFrame, a row for each generation. Raises EvoError without pandas."""
        return data_frame(self.metrics, "run.metrics has the columns")

    @property
    def ended(self) -> str | None:
        """Why learning ended, as in `1,000,000 steps`; None while it learns, and where an older evo ran it."""
        return self.directory.ended

    @property
    def mixed(self) -> tuple[str, ...]:
        """How its bits may be others than those of threads, a line each; see `evo.runs.provenance`. Raises EvoError."""
        return read_mixed(self.path)

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

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"


def champion_of(path: Path | str, trust: bool = False) -> Champion:
    """Return the champion of a run directory, or in a champion file. trust: as of a Run. Raises EvoError."""
    source = Path(path)
    return Champion.load(source, trust) if os.path.isfile(source) else Record(source, trust).champion
