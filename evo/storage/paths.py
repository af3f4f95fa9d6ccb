"""Default names of folders, and commands quoted as one types them."""

import re
import shlex
from pathlib import Path

from evo.envs.reference import needs_trust

_LONGEST = 100  # bytes: file systems allow 255, and callers append more words


def task_slug(task: str) -> str:
    """Return a task's name as part of a path: `half-cheetah-v5`, `point-mass-v0`."""
    if task.lower().endswith((".xml", ".mjcf", ".urdf")):
        task = Path(task).stem
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", task.removeprefix("evo/")).lower()
    slug = re.sub(r"[\W_]+", "-", words)  # letters of any script stay
    while len(slug.encode()) > _LONGEST:
        slug = slug[:-1]
    return slug.strip("-") or "task"


def fresh_path(wanted: Path) -> Path:
    """Return the path, with a number appended if it exists already."""
    path, number = wanted, 2
    while path.exists():
        path, number = wanted.with_name(f"{wanted.name}-{number}"), number + 1
    return path


def from_here(path: Path, here: Path) -> Path:
    """Return a path as written from the folder `here`: relative where it lies below, else unchanged."""
    return path.relative_to(here) if here in path.parents else path


def command(*words: str | Path, config: str = "") -> str:
    """Return an `evo` command ready to be typed: paths are quoted, and `--trust` is added where needed.

    config: the text of the configuration the command reads; `--trust` is needed where it names modules.
    """
    return shlex.join(["evo", *map(str, words), *(["--trust"] if needs_trust(config) else [])])
