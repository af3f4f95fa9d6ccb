"""Names of tasks: short and full ones, `package.module:attribute`, files and folders; and what they lead to."""

import os
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from evo.config.kinds import find_kind
from evo.datasets import DATASETS, PICTURE, absolute_data_path, constructor_of, is_data_path
from evo.envs import TASKS
from evo.envs.creatures.from_file import walking_constructor
from evo.envs.creatures.model_file import is_model_file
from evo.envs.gymnasium_bridge import gymnasium_task
from evo.envs.options import returned_by
from evo.envs.reference import UntrustedName, of_module, resolve
from evo.errors import EvoError, nearest, one_line
from evo.evaluation.gymnasium_host import look
from evo.problems.named_functions import NAMED, find_landscape, is_landscape, landscape_of
from evo.problems.outcome import Outcome
from evo.storage.files import read_text
from evo.storage.paths import command


def task_name(text: str) -> str:
    """Return the full name of a task: a short name, `package.module:attribute`, a model file, a data file or folder."""
    if text.startswith(PICTURE):
        return data_name(text)
    if text in TASKS or text in DATASETS or is_landscape(text) or ":" in text:
        return text
    if is_model_file(text):
        return str(Path(text).absolute())
    if gymnasium_task.is_registered(text) and not text.startswith("evo/"):
        return text
    version = re.search(r"-v\d+$", text.lower())
    matches = [name for name in TASKS if _plain(name) == _plain(text) and name.endswith(version[0] if version else "")]
    if not matches and is_data_path(text):
        if os.path.exists(Path(text, "config.toml")):
            told = read_text(Path(text, "config.toml"))
            raise EvoError(
                f"{text} is a run, not a task: `{command('resume', text, config=told)}` goes on with it, "
                f"`{command('run', '--from', text, config=told)}` begins from its champion, "
                f"`{command('replay', text, config=told)}` shows it"
            )
        return data_name(text)
    if len(matches) != 1:
        short = {_plain(name): name for name in TASKS}
        names = [*TASKS, *short, *NAMED, *DATASETS, *gymnasium_task.registered_names()]
        raise EvoError(f"unknown task {text!r}{of_module(text) or nearest(text, names)}")
    return matches[0]


def data_name(text: str) -> str:
    """Return the full name of a data file or folder. Raises EvoError for a picture of no known format."""
    try:
        return absolute_data_path(text)
    except ValueError as error:
        raise EvoError(str(error)) from error


def _plain(name: str) -> str:
    stem = name.removeprefix("evo/").lower()
    stem, version, number = stem.rpartition("-v")
    return (stem if version and number.isdigit() else f"{stem}{version}{number}").replace("-", "").replace("_", "")


def task_constructor(name: str, step_timeout: float | None = None) -> Callable[..., Any]:
    """Return the constructor of a task by its full name. step_timeout: see `evo.evaluation.gymnasium_host.look`.

    Only functions annotated to return a Task or the like may be called: names come from files too. Raises EvoError.
    """
    try:
        if is_model_file(name):
            return walking_constructor(name)
        if is_landscape(name):
            return find_landscape(name)
        if name in DATASETS or is_data_path(name):
            return constructor_of(name)
        if name not in TASKS and gymnasium_task.is_registered(name):
            return gymnasium_task.constructor_of(name, partial(look, step_timeout=step_timeout))
        found: Callable[..., Any] = resolve(name, TASKS)
        returned = returned_by(found)
    except UntrustedName as error:
        raise EvoError(f"task {error}") from error
    except Exception as error:  # a user's module may fail in any way
        raise EvoError(f"unknown task {name!r}: {one_line(error)}") from error
    if returned in (float, Outcome):
        return landscape_of(name, found)
    if find_kind(returned) is None:
        raise EvoError(
            f"{name} is not a constructor of tasks: write it as `def name(...) -> Task`, `-> Dataset`, or `def name(x) "
            "-> float` (or `-> evo.Outcome`) for a function to maximise"
        )
    return found
