"""A study: its members are run, resumed or found finished, one after another; each is an ordinary run."""

from collections.abc import Sequence
from dataclasses import replace
from enum import Enum
from pathlib import Path

from evo.api import running as api
from evo.comparison.display import StudyWatcher
from evo.comparison.member import Member, read_member
from evo.comparison.plan import Plan, difference
from evo.comparison.terms import labels
from evo.config.config import Config
from evo.config.resolve import read_config
from evo.errors import EvoError, one_line
from evo.evaluation.workers import Workers
from evo.runs.run import Run
from evo.storage.files import TEMPORARY, make_folder, names_in, read_text, write_text

RECORD = "study.toml"
_BUDGET = ("budget.generations", "budget.minutes")


class _Standing(Enum):
    """State of a member before the work starts; the value is the state to display when it starts."""

    ABSENT = "running"
    UNFINISHED = "resumed"
    FINISHED = "reused"


def conduct(plan: Plan, workers: Workers, watcher: StudyWatcher) -> tuple[list[Member], list[str]]:
    """Finish every member; return them, and a line for each that failed, which does not stop the others.

    A finished member is left as it is; an interrupted one is resumed. All have the same `workers`, so that their clocks
    are comparable. Raises EvoError before any work where the folder holds a study on other terms, and where all members
    fail; KeyboardInterrupt and SystemExit, after everything is saved, where a signal stops it.
    """
    _open(plan)
    standings = {path: _standing(path, config) for path, config in plan.members.items()}
    members, failures = [], []
    for index, (path, config) in enumerate(plan.members.items()):
        standing = standings[path]
        watcher.state(index, standing.value)
        try:
            if standing is _Standing.ABSENT:
                api.run(settings=config.values, out=path, workers=workers, video=False, display=watcher.watch(index))
            elif standing is _Standing.UNFINISHED:
                api.resume(path, workers=workers, video=False, display=watcher.watch(index))
            members.append(read_member(path))
        except Exception as error:
            # errors in evo itself are raised; a user's code may fail in any way, and the other members run on
            users_own = any(":" in name for name in (config.method.name, config.task.name))
            if not isinstance(error, EvoError) and not users_own:
                raise
            reason = str(error) if isinstance(error, EvoError) else f"{type(error).__name__}: {one_line(error)}"
            failures.append(f"{config.method.name} seed {config.seed}: {reason}")
            watcher.state(index, "failed", reason)
        else:
            if standing is not _Standing.FINISHED:
                watcher.state(index, "done")
    if not members:
        raise EvoError(f"every run of {plan.path} failed; the first: {failures[0]}")
    return members, failures


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


def make_study_folder(path: Path) -> None:
    """Make a study's folder. Raises EvoError where it cannot be made, or is a run's."""
    if (path / "config.toml").exists():
        raise EvoError(f"{path} is a run, not a folder for a comparison; choose another folder as out")
    make_folder(path)


def _open(plan: Plan) -> None:
    """Make the study's folder with the record of its terms. Raises EvoError where it holds another study."""
    make_study_folder(plan.path)
    record = plan.path / RECORD
    if record.exists():
        source = str(record)
        differs = difference(read_config(read_text(record), source), read_config(plan.record, source))
        if differs:
            raise EvoError(f"{plan.path} is a study with {differs}; choose another folder as out")
    elif [name for name in names_in(plan.path) if not Path(name).match(TEMPORARY)]:
        raise EvoError(f"{plan.path} is not empty and holds no study; choose another folder as out")
    else:
        write_text(record, plan.record)


def _standing(path: Path, config: Config) -> _Standing:
    """Return a member's state. Raises EvoError where its folder holds a run on other terms."""
    if not (path / "config.toml").exists():
        return _Standing.ABSENT
    run = Run(path)
    finished = _is_finished(run)
    # a run that minutes ended has generations as its budget; the study's record holds the minutes
    timed = finished and config.budget.minutes is not None
    differs = difference(run.config.values, config.values, but=("evo", *(_BUDGET if timed else ())))
    if differs:
        raise EvoError(f"{path} was made with {differs}; choose another folder as out")
    return _Standing.FINISHED if finished else _Standing.UNFINISHED


def _is_finished(run: Run) -> bool:
    # a run resumed with a larger budget has an earlier report until it ends again
    try:
        return run.ended is not None and run.champion.report_returns is not None
    except EvoError:  # there is none yet, or it is damaged: resuming writes it again
        return False
