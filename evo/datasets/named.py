"""Data sets by name: those of `DATASETS`, files and folders of one's own, and functions of one's own that make them."""

import inspect
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

from envs.reference import resolve
from evo.datasets.dataset import Dataset
from evo.errors import nearest, one_line

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
    "folder": "evo.datasets.pictures:folder",
    "npz": "evo.datasets.npz:npz",
}


_FILES = {".csv": ("table", "file"), ".npz": ("npz", "file")}  # ending → what reads it, and the option it goes to


def is_data_path(text: str) -> bool:
    """Whether it is a file or folder that data sets are made of."""
    return Path(text).suffix.lower() in _FILES or (bool(text) and "\0" not in text and Path(text).is_dir())


def dataset_of(reference: str, **options: Any) -> Dataset:
    """The data set of this name, or in this file (.csv, .npz) or folder; or of a function `package.module:function` of
    your own, which says that it returns a Dataset.

    Raises ValueError for a name, options or data that cannot be used, EvoError for files that cannot be read.
    """
    constructor = constructor_of(reference)
    taken = inspect.signature(constructor).parameters
    for option in options:
        if option not in taken:
            raise ValueError(f"{reference} takes no option {option!r}{nearest(option, taken)}")
    return constructor(**options)


def constructor_of(reference: str) -> Callable[..., Dataset]:
    """What makes a data set: a function whose options are its keyword-only arguments. Nothing is called that does not
    say that it returns a Dataset. Raises ValueError."""
    if reference in DATASETS:
        return _resolved(DATASETS[reference])
    if is_data_path(reference):
        name, option = _FILES.get(Path(reference).suffix.lower(), ("folder", "folder"))
        return _given(_resolved(DATASETS[name]), option, reference)
    if ":" in reference:
        return _resolved(reference)
    raise ValueError(
        f"unknown data set {reference!r}: it is no folder, no .csv or .npz file, and no name of ours"
        f"{nearest(reference, DATASETS)}"
    )


def _given(constructor: Callable[..., Dataset], option: str, value: str) -> Callable[..., Dataset]:
    """The constructor with one of its options given."""

    def made(**options: Any) -> Dataset:
        return constructor(**{option: value}, **options)

    signature, hints = inspect.signature(constructor), typing.get_type_hints(constructor)
    others = [each for each in signature.parameters.values() if each.name != option]
    made.__signature__ = signature.replace(parameters=others)  # type: ignore[attr-defined]
    made.__annotations__ = {name: kind for name, kind in hints.items() if name != option}
    made.__doc__ = constructor.__doc__
    return made


def _resolved(reference: str) -> Callable[..., Dataset]:
    try:
        found = resolve(reference)
        returned = typing.get_type_hints(found).get("return") if callable(found) else None
    except Exception as error:  # a module of the user's may fail in any way
        raise ValueError(f"unknown data set {reference!r}: {one_line(error)}") from error
    if returned is not Dataset:
        raise ValueError(f"{reference} makes no data sets: write it as `def name(*, …) -> Dataset`")
    return typing.cast(Callable[..., Dataset], found)
