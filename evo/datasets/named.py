"""Data sets by name: those of `DATASETS`, and the user's files and folders."""

import os
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

from evo.datasets.dataset import Dataset
from evo.datasets.endings import ENDINGS
from evo.envs.options import Constructor, options_of
from evo.envs.reference import resolve

DATASETS: dict[str, str] = {
    "digits": "evo.datasets.digits:digits",
    "houses": "evo.datasets.houses:houses",
    "signs": "evo.datasets.signs:signs",
    "xor": "evo.datasets.xor:xor",
    "spirals": "evo.datasets.spirals:spirals",
    "text": "evo.datasets.text:text",
    "memory": "evo.datasets.memory:memory",
    "adding": "evo.datasets.adding:adding",
    "table": "evo.datasets.table:table",
    "picture": "evo.datasets.picture:picture",
    "folder": "evo.datasets.pictures:folder",
    "npz": "evo.datasets.npz:npz",
}


_FILES = {".csv": ("table", "file"), ".npz": ("npz", "file")}  # extension → constructor, and its option for the path
_FILES |= dict.fromkeys(ENDINGS, ("picture", "file"))


PICTURE = "picture:"  # may be written before a picture's file


def is_data_path(text: str) -> bool:
    """Return whether a text names a data file, .csv, .npz or a picture, or an existing folder."""
    path = text.removeprefix(PICTURE)
    return path != text or Path(path).suffix.lower() in _FILES or os.path.isdir(path)


def absolute_data_path(text: str) -> str:
    """Return the path of a data file or folder from the root: `picture:photo.png` is /…/photo.png.

    Raises ValueError for a picture of no known format.
    """
    path = Path(text.removeprefix(PICTURE))
    if text.startswith(PICTURE) and path.suffix.lower() not in ENDINGS:
        raise ValueError(f"{text}: a picture's name ends in {', '.join(ENDINGS)}")
    return str(path.absolute())


def constructor_of(reference: str) -> Callable[..., Dataset]:
    """Return the constructor of a name in DATASETS, or of a data file or folder.

    Its options are its keyword-only arguments.
    """
    if reference in DATASETS:
        return _name(reference)
    name, option = _FILES.get(Path(reference).suffix.lower(), ("folder", "folder"))
    return _fix_option(_name(name), option, reference)


def _fix_option(constructor: Callable[..., Dataset], option: str, value: str) -> Constructor[Dataset]:
    """Return the constructor with one of its options fixed."""
    others = {name: known for name, known in options_of(constructor).items() if name != option}

    def made(options: dict[str, Any], _: dict[str, Any]) -> Dataset:
        return constructor(**{option: value}, **options)

    return Constructor(made, others, Dataset, constructor.__doc__ or "")


def _name(name: str) -> Callable[..., Dataset]:
    return typing.cast(Callable[..., Dataset], resolve(name, DATASETS))
