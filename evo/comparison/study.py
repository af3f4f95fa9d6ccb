"""A study: its members, each an ordinary run, are run, resumed or found finished, one after another or side by side."""

import contextlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

from evo.api import running as api
from evo.comparison.display import StudyWatcher, names_of
from evo.comparison.member import Member, methods_of, read_member
from evo.comparison.plan import Plan, difference
from evo.comparison.side_by_side import MemberError, SideBySide
from evo.comparison.terms import labels
from evo.comparison.tuning import MOST_TRIALS, Tuning, choose
from evo.config.config import Config, to_toml
from evo.config.resolve import read_config
from evo.errors import EvoError, one_line
from evo.evaluation.workers import Threads, Workers
from evo.runs.callbacks import Watcher
from evo.runs.run import Run
from evo.storage.files import TEMPORARY, make_folder, names_in, read_text, write_text
from evo.storage.metrics import MetricsFile

RECORD, _CHOSEN = "study.toml", "tuning.chosen."  # and the keys in it of what trials found
_BUDGET = ("budget.generations", "budget.minutes")


class Standing(Enum):
    """State of a member before the work starts; the value is the state to display when it starts."""

    ABSENT = "running"
    UNFINISHED = "resumed"
    FINISHED = "reused"


@dataclass(frozen=True)
class Conducted:
    """A study that was conducted.

    plan: with the settings that were found. members: those that ended. tunings: method → what its tuning took and
    found; empty where nothing was tuned. failures: a line for each run that failed.
    """

    plan: Plan
    members: Sequence[Member]
    tunings: Mapping[str, Tuning]
    failures: Sequence[str]


def conduct(plan: Plan, workers: Workers, watcher: StudyWatcher, nodes: SideBySide | None = None) -> Conducted:
    """Finish every trial, then every member with the settings of its method's best trial.

    What fails is a line, and does not stop the others. A finished run is left as it is; an interrupted one is resumed.
    All have the same `workers`, or as many threads on `nodes`, so that their clocks are comparable; the watcher numbers
    trials first, then members.
    Raises EvoError before any work where the folder holds a study on other terms, and where all members fail;
    KeyboardInterrupt and SystemExit, after everything is saved, where a signal stops it.
    """
    found = _open(plan)
    trials = {path: config for runs in plan.trials.values() for path, config in runs.items()}
    places = {path: index for index, path in enumerate([*trials, *plan.members])}
    ended, failed = finish(trials, places, workers, watcher, nodes=nodes)
    failures, tunings = [*failed.values()], {}
    for method, runs in plan.trials.items():
        done = {index: ended[path] for index, path in enumerate(runs) if path in ended}
        if done:
            tunings[method] = choose(done, next(iter(runs.values())), len(runs))
            continue
        failures.append(f"{method}: every trial of its tuning failed")
        for path, config in plan.members.items():
            if config.method.name == method:
                watcher.state(places[path], "failed", failures[-1])
    if tunings:
        chosen = {
            f"{_CHOSEN}{method}.{name}": value
            for method, one in tunings.items()
            for name, value in {"trial": one.chosen, **one.settings}.items()
        }
        before = tuple(f"{_CHOSEN}{method}." for method in tunings)
        kept = {key: value for key, value in found.items() if not key.startswith(before)}
        write_text(plan.path / RECORD, to_toml({**kept, **chosen}))
    plan = plan.tuned({method: one.settings for method, one in tunings.items()})
    members, failed = finish(plan.members, places, workers, watcher, nodes=nodes)
    failures += failed.values()
    if not members:
        raise EvoError(f"every run of {plan.path} failed; the first: {failures[0]}")
    return Conducted(plan, [*members.values()], tunings, failures)


def finish(
    runs: Mapping[Path, Config],
    places: Mapping[Path, int],
    workers: Workers,
    watcher: StudyWatcher,
    finished: Callable[[Member], None] = lambda member: None,
    nodes: SideBySide | None = None,
) -> tuple[dict[Path, Member], dict[Path, str]]:
    """Finish runs; return those that ended, and a line for each that failed, by their paths.

    They are finished one after another by `workers`, or side by side on `nodes`. places: path → number for the watcher.
    finished: called with each that ended. What fails does not stop the others. Raises EvoError before any work where
    the folder of one holds a run on other terms; KeyboardInterrupt and SystemExit, after everything is saved, where a
    signal stops it.
    """
    for path, config in runs.items():
        standing_of(path, config)
    course = _Course(runs, places, workers if nodes is None else Threads(nodes.threads), watcher, finished)
    try:
        if nodes is not None:
            nodes.finish(runs, course)
        else:
            for path in runs:
                course.here(path)
    finally:
        course.close()
    return course.ended, course.failures


class _Course:
    """What becomes of the runs of a study; see `evo.comparison.side_by_side.Members`."""

    def __init__(
        self,
        runs: Mapping[Path, Config],
        places: Mapping[Path, int],
        workers: Workers,
        watcher: StudyWatcher,
        finished: Callable[[Member], None],
    ) -> None:
        self.ended, self.failures = dict[Path, Member](), dict[Path, str]()
        self._runs, self._places, self._workers, self._watcher, self._finished = (
            runs,
            places,
            workers,
            watcher,
            finished,
        )
        self._names = dict(zip(runs, names_of([*runs.values()]), strict=True))
        self._shown = dict[Path, tuple[Watcher, contextlib.ExitStack]]()  # displays of the runs that are on nodes
        self._reused = set[Path]()

    def here(self, path: Path) -> None:
        """Finish a run in this process."""
        watch, error = self._watcher.watch(self._places[path]), None
        try:
            standing = self._stand(path, "")
            if standing is Standing.ABSENT:
                api.run(settings=self._runs[path].values, out=path, workers=self._workers, video=False, display=watch)
            elif standing is Standing.UNFINISHED:
                api.resume(path, workers=self._workers, video=False, display=watch)
        except Exception as failed:
            error = failed
        self.end(path, error)

    def begin(self, path: Path, node: str) -> bool:
        self._close(path)
        try:
            standing = self._stand(path, f"on {node}")
        except EvoError as error:
            self.end(path, error)
            return False
        if standing is Standing.FINISHED:
            self.end(path)
            return False
        display = contextlib.ExitStack()
        made = self._watcher.watch(self._places[path])(self._runs[path])
        self._shown[path] = display.enter_context(made), display
        return True

    def _stand(self, path: Path, where: str) -> Standing:
        """Return a run's state, and display it."""
        standing = standing_of(path, self._runs[path])  # again: another process may have worked on it meanwhile
        if standing is Standing.FINISHED:
            self._reused.add(path)
            where = ""
        self._watcher.state(self._places[path], standing.value, " ".join(filter(None, [self._trial(path), where])))
        return standing

    @staticmethod
    def _trial(path: Path) -> str:
        return path.name.replace("-", " ") if path.name.startswith("trial-") else ""

    def come(self, path: Path, saved: bool) -> None:
        watcher, _ = self._shown[path]
        row = MetricsFile(path / "metrics.csv", []).last()
        if saved:
            with contextlib.suppress(EvoError):  # there is none yet
                champion = Run(path, config=self._runs[path]).champion
                watcher.on_selection(champion, int(row.get("steps", 0)), champion.score, math.nan)
        if row:
            watcher.on_generation(row)

    def end(self, path: Path, error: Exception | None = None) -> None:
        self._close(path)
        config, index = self._runs[path], self._places[path]
        try:
            if error is not None:
                raise error
            self.ended[path] = read_member(path)
        except Exception as failed:
            # errors in evo itself are raised; a user's code may fail in any way, and the other members run on
            users_own = any(":" in name for name in (config.method.name, config.task.name))
            if not isinstance(failed, EvoError) and not users_own:
                raise
            told = isinstance(failed, EvoError | MemberError)
            reason = str(failed) if told else f"{type(failed).__name__}: {one_line(failed)}"
            trial = self._trial(path)
            self.failures[path] = f"{f'{config.method.name} {trial}' if trial else self._names[path]}: {reason}"
            self._watcher.state(index, "failed", reason)
        else:
            if path not in self._reused:
                self._watcher.state(index, "done")
            self._finished(self.ended[path])

    def close(self) -> None:
        """End the displays of runs that have not ended."""
        for path in [*self._shown]:
            self._close(path)

    def _close(self, path: Path) -> None:
        if path in self._shown:
            self._shown.pop(path)[1].close()


def read_members(paths: Sequence[Path], trust: bool = False) -> list[Member]:
    """Read finished runs. trust: as of a Run. Raises EvoError for fewer than two, a repeated or an unfinished one."""
    if len(paths) < 2:
        raise EvoError(f"only one run, {paths[0]}, is nothing to compare; name two or more, or a task")
    for index, path in enumerate(paths):
        if path.resolve() in [other.resolve() for other in paths[:index]]:
            raise EvoError(f"{path} is named twice; leave one of them out")
    members = [read_member(path, trust) for path in paths]
    names = labels([member.config for member in members])
    return [replace(member, label=name) for member, name in zip(members, names, strict=True)]


def recorded_tunings(members: Sequence[Member], trust: bool = False) -> dict[str, Tuning]:
    """Return method → its tuning in the study that finished runs are from; without methods that were not tuned there.

    It counts where all runs of a method are of one study and have the settings of its best trial. trust: as of a Run.
    Raises EvoError for a damaged record of the study.
    """
    found = {}
    for method, group in methods_of(members).items():
        (folder, *others) = {member.path.absolute().parent for member in group}
        trials = folder / "tuning" / group[0].config.method.name
        if others or not trials.exists() or not (folder / RECORD).exists():
            continue
        record = read_config(read_text(folder / RECORD), str(folder / RECORD), trust)
        planned, ended = record.get("tuning.trials", 0), {}
        if type(planned) is not int or not 0 <= planned <= MOST_TRIALS:
            raise EvoError(f"{folder / RECORD}: tuning.trials must be from 2 to {MOST_TRIALS}, got {planned!r}")
        for trial in range(planned):
            with contextlib.suppress(EvoError):  # it failed
                ended[trial] = read_member(trials / f"trial-{trial}", trust)
        if 0 in ended:
            tuning = choose(ended, ended[0].config, planned)
            best = ended[tuning.chosen].config.method
            if all(member.config.method == best for member in group):
                found[method] = tuning
    return found


def make_study_folder(path: Path) -> None:
    """Make a study's folder. Raises EvoError where it cannot be made, or is a run's."""
    if (path / "config.toml").exists():
        raise EvoError(f"{path} is a run, not a folder for a comparison; choose another folder as out")
    make_folder(path)


def _open(plan: Plan) -> dict[str, Any]:
    """Make the study's folder with the record of its terms; return the record. Raises EvoError for another study's.

    Settings that trials found are in the record too, and no terms.
    """
    make_study_folder(plan.path)
    record = plan.path / RECORD
    if record.exists():
        source = str(record)
        found, planned = read_config(read_text(record), source), read_config(plan.record, source)
        differs = difference(found, planned, but=[key for key in found if key.startswith(_CHOSEN)])
        if differs:
            raise EvoError(f"{plan.path} is a study with {differs}; choose another folder as out")
    elif [name for name in names_in(plan.path) if not Path(name).match(TEMPORARY)]:
        raise EvoError(f"{plan.path} is not empty and holds no study; choose another folder as out")
    else:
        write_text(record, plan.record)
        found = read_config(plan.record, str(record))
    return found


def standing_of(path: Path, config: Config) -> Standing:
    """Return a member's state. Raises EvoError where its folder holds a run on other terms."""
    if not (path / "config.toml").exists():
        return Standing.ABSENT
    run = Run(path)
    finished = is_finished(run)
    # a run that minutes ended has generations as its budget; the study's record holds the minutes
    timed = finished and config.budget.minutes is not None
    # a run records the digest of its examples where it begins, and is refused later where they are others
    undigested = ("data.digest",) if "data.digest" in config.keys and config.data.digest is None else ()
    differs = difference(run.config.values, config.values, but=("evo", *undigested, *(_BUDGET if timed else ())))
    if differs:
        raise EvoError(f"{path} was made with {differs}; choose another folder as out")
    return Standing.FINISHED if finished else Standing.UNFINISHED


def is_finished(run: Run) -> bool:
    """Return whether a run has ended and its champion is scored on the report episodes."""
    # a run resumed with a larger budget has an earlier report until it ends again
    try:
        return run.ended is not None and run.champion.report_returns is not None
    except EvoError:  # there is none yet, or it is damaged: resuming writes it again
        return False
