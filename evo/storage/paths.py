"""Default names of folders, and commands quoted as one types them."""

import re
import shlex
from pathlib import Path

from evo.envs.reference import needs_trust

_LONGEST = 100  # bytes: a file system takes 255, and more words come behind


def task_slug(task: str) -> str:
    """A task's name as part of a path: `half-cheetah-v5`, `point-mass-v0`."""
    if task.lower().endswith((".xml", ".mjcf", ".urdf")):
        task = Path(task).stem
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", task.removeprefix("evo/")).lower()
    slug = re.sub(r"[\W_]+", "-", words)  # letters of any script stay
    while len(slug.encode()) > _LONGEST:
        slug = slug[:-1]
    return slug.strip("-") or "task"


def fresh_path(wanted: Path) -> Path:
    """The path, with a number behind it where that is taken."""
    path, number = wanted, 2
    while path.exists():
        path, number = wanted.with_name(f"{wanted.name}-{number}"), number + 1
    return path


def from_here(path: Path, here: Path) -> Path:
    """A path as somebody who stands in the folder `here` writes it: in short, where it lies below."""
    return path.relative_to(here) if here in path.parents else path


def command(*words: str | Path, config: str = "") -> str:
    """A command of evo's that works when it is typed: paths are quoted, and with `--trust` where `config`, the text of
    the configuration that it reads, names modules that are followed by no other word."""
    return shlex.join(["evo", *map(str, words), *(["--trust"] if needs_trust(config) else [])])
