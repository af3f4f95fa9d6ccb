"""Completion of names in a shell: tasks, methods, networks, runs. Each imports only what it lists."""

from collections.abc import Iterable
from pathlib import Path


def tasks(incomplete: str) -> list[str]:
    """Return names of tasks, functions and data sets that begin so."""
    from evo.datasets.named import DATASETS
    from evo.envs import TASKS
    from evo.problems.named_functions import NAMED

    short = [name.removeprefix("evo/").rpartition("-v")[0].lower() for name in TASKS]
    return _beginning(incomplete, [*short, *TASKS, *NAMED, *DATASETS])


def methods(incomplete: str) -> list[str]:
    """Return names of methods that begin so; of a list such as `ars,g`, the last is completed."""
    from evo.learners import METHODS

    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in _beginning(last, METHODS)]


def networks(incomplete: str) -> list[str]:
    """Return words of networks that begin so; of a chain such as `dense:8>ls`, the last is completed."""
    from evo.networks import NETWORKS

    before, arrow, last = incomplete.rpartition(">")
    return [f"{before}{arrow}{name}" for name in _beginning(last, NETWORKS)]


def runs(incomplete: str) -> list[str]:
    """Return runs in runs/ and runs/reference/, or in the folder that is being typed, which begin so."""
    typed = incomplete.rpartition("/")[0]
    folders = [Path(typed)] if typed else [Path("runs"), Path("runs/reference")]
    found = [str(path.parent) for folder in folders for path in sorted(folder.glob("*/config.toml"))]
    return [path for path in found if path.startswith(incomplete)]


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return [name for name in dict.fromkeys(names) if name.casefold().startswith(incomplete.casefold())]
