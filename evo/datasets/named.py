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


def dataset_of(reference: str, **options: Any) -> Dataset:
    """The data set of this name, or in this file (.csv, .npz) or folder; or of a function `package.module:function` of
    your own, which says that it returns a Dataset.

    Raises ValueError for a name, options or data that cannot be used, EvoError for files that cannot be read.
    """
    constructor, found = constructor_of(reference)
    taken = inspect.signature(constructor).parameters
    for option in options:
        if option not in taken or option in found:
            raise ValueError(f"{reference} takes no option {option!r}{nearest(option, taken.keys() - found.keys())}")
    return constructor(**found, **options)


def constructor_of(reference: str) -> tuple[Callable[..., Dataset], dict[str, Any]]:
    """What makes a data set: a function whose options are its keyword-only arguments, and those that the reference
    gives already. Nothing is called that does not say that it returns a Dataset. Raises ValueError."""
    path, ending = Path(reference), Path(reference).suffix.lower()
    if reference in DATASETS:
        return _resolved(DATASETS[reference]), {}
    if ending in (".csv", ".npz"):
        return _resolved(DATASETS["table" if ending == ".csv" else "npz"]), {"file": reference}
    if "\0" not in reference and path.is_dir():
        return _resolved(DATASETS["folder"]), {"folder": reference}
    if ":" in reference:
        return _resolved(reference), {}
    raise ValueError(
        f"unknown data set {reference!r}: it is no folder, no .csv or .npz file, and no name of ours"
        f"{nearest(reference, DATASETS)}"
    )


def _resolved(reference: str) -> Callable[..., Dataset]:
    try:
        found = resolve(reference)
        returned = typing.get_type_hints(found).get("return") if callable(found) else None
    except Exception as error:  # a module of the user's may fail in any way
        raise ValueError(f"unknown data set {reference!r}: {one_line(error)}") from error
    if returned is not Dataset:
        raise ValueError(f"{reference} makes no data sets: write it as `def name(*, …) -> Dataset`")
    return typing.cast(Callable[..., Dataset], found)
