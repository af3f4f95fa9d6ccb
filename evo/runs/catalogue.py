"""Lists of tasks, data sets, methods, networks and finished runs."""

import inspect
from pathlib import Path

from evo.config.resolve import task_constructor
from evo.datasets import DATASETS
from evo.envs import TASKS
from evo.errors import EvoError, shown
from evo.learners import METHODS
from evo.networks import NETWORKS
from evo.problems.classic_functions import FUNCTIONS
from evo.runs.run import Run
from evo.storage.run_directory import runs


def catalogue(folder: Path | str = "runs") -> dict[str, list[tuple[str, str]]]:
    """Return tasks, data sets, functions, methods, networks and the runs below `folder`, each with a summary line."""
    return {
        "tasks": [(name, _first_line(task_constructor(name).__doc__)) for name in TASKS],
        "data sets": [(name, _first_line(task_constructor(name).__doc__)) for name in DATASETS],
        "functions": [
            *((name, function.summary) for name, function in FUNCTIONS.items()),
            ("bbob-f1 … bbob-f24", "the BBOB suite; needs the package coco-experiment"),
        ],
        "methods": [(name, method.summary) for name, method in METHODS.items()],
        "networks": [(name, builder.__doc__ or "") for name, builder in NETWORKS.items()],
        "runs": [(shown(str(path)), _about(path)) for path in runs(Path(folder))],
    }


def _first_line(text: str | None) -> str:
    return inspect.cleandoc(text or "").partition("\n")[0]


def _about(path: Path) -> str:
    try:
        champion = Run(path).champion
    except EvoError:
        return "no champion yet"
    return f"{champion.task_name}  {champion.method}  seed {champion.seed}  {champion.reported_fitness}"
