"""Lists of tasks, data sets, methods, networks and runs."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from evo.config.task_spec import TaskSource
from evo.datasets import DATASETS
from evo.envs import TASKS
from evo.errors import EvoError, printable
from evo.grammar import parse_toml
from evo.learners import METHODS
from evo.networks import NETWORKS
from evo.problems.named_functions import NAMED
from evo.runs.champion import Champion
from evo.storage.housekeeping import is_held
from evo.storage.metrics import MetricsFile
from evo.storage.run_directory import RunDirectory, runs

FINISHED, RUNNING, STOPPED = "finished", "running", "stopped"


@dataclass(frozen=True)
class RunRecord:
    """A run in a list.

    steps: taken so far. fitness: the champion's mean, as it is reported; None without a champion. state: `finished`,
    `running` (a live process writes it) or `stopped`. about: the fitness for people.
    """

    path: str
    task: str
    network: str
    method: str
    seed: int
    generation: int
    steps: int
    fitness: float | None
    metric: str
    state: str
    about: str

    def record(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        fields = asdict(self)
        del fields["about"]
        return fields


def run_records(
    folder: Path | str = "runs",
    task: str | None = None,
    method: str | None = None,
    finished: bool | None = None,
) -> list[RunRecord]:
    """Return the runs in `folder` and its folder `reference`, oldest first; folders that hold no run are left out.

    task: a part of the task's name, case ignored. method: its name. finished: only those that are, or are not.
    """
    found = [record for path in runs(Path(folder)) if (record := _record(path)) is not None]
    return [
        record
        for record in found
        if (task is None or _plain(task) in _plain(record.task))
        and method in (None, record.method)
        and finished in (None, record.state == FINISHED)
    ]


def _plain(name: str) -> str:
    return name.casefold().replace("-", "").replace("_", "")


def _record(path: Path) -> RunRecord | None:
    """Return a run's record, from its files alone: nothing is imported or built. None where it is no run."""
    try:
        directory = RunDirectory.open(path)
        written = parse_toml(directory.config_text)
        task, method, seed = written["task"]["name"], written["method"]["name"], written["seed"]
    except (EvoError, ValueError, KeyError, TypeError):
        return None
    champion = None
    try:
        champion = Champion.load(directory.champion_path)
        told = str(champion.reported_fitness)
    except EvoError as error:
        told = str(error) if directory.champion_path.exists() else "no champion yet"
    # a run that goes on keeps the report of its champion so far; one that an older evo ran has no checkpoint then
    reported = champion is not None and champion.report_returns is not None
    ended = (path / "ended").exists() or (reported and not (path / "checkpoints").exists())
    row = MetricsFile(path / "metrics.csv", []).last()
    mean = math.nan if champion is None else champion.reported_fitness.mean
    return RunRecord(
        path=printable(str(path)),
        task=printable(str(task)),
        network=printable(str(written.get("network", {}).get("layers", ""))),
        method=printable(str(method)),
        seed=int(seed),
        generation=int(row.get("generation", 0)),
        steps=int(row.get("steps", 0)),
        fitness=mean if math.isfinite(mean) else None,
        metric="" if champion is None else champion.metric,
        state=RUNNING if is_held(path) else FINISHED if ended else STOPPED,
        about=told,
    )


def catalogue(folder: Path | str = "runs") -> dict[str, list[tuple[str, str]]]:
    """Return tasks, data sets, functions, methods, networks and the runs below `folder`, each with a summary line."""
    return {kind: entries(kind, folder) for kind in KINDS}


def entries(kind: str, folder: Path | str = "runs") -> list[tuple[str, str]]:
    """Return the names of one of KINDS, each with a summary line."""
    if kind in ("tasks", "data sets"):
        names = TASKS if kind == "tasks" else DATASETS
        return [(name, TaskSource(name).summary) for name in names]
    if kind == "functions":
        bbob = ("bbob-f1 … bbob-f24", "the BBOB suite; needs the package coco-experiment")
        return [*NAMED.items(), bbob]
    if kind == "methods":
        return [(name, method.summary) for name, method in METHODS.items()]
    if kind == "networks":
        return [(name, word.summary) for name, word in NETWORKS.items()]
    return [(one.path, f"{one.task}  {one.method}  seed {one.seed}  {one.about}") for one in run_records(folder)]


KINDS = ("tasks", "data sets", "functions", "methods", "networks", "runs")
