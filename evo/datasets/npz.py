"""Data sets of the user's own arrays, in an .npz file."""

from pathlib import Path
from typing import Any

import numpy as np

from evo.datasets.arrays import dataset_of_arrays, split_rows_of, with_classes
from evo.datasets.dataset import Dataset
from evo.datasets.splits import Rows
from evo.storage.files import read_arrays

_MOST_BYTES = 2**31
_NEEDED = ("inputs", "targets")
# Further arrays that Dataset.save writes: the kinds of their dtypes, and their axes.
_KNOWN = {"part": ("biu", 1), "labels": ("U", 1), "sequence": ("b", 0), "symbols": ("iu", 0), "unit": ("U", 0)}
_KNOWN |= {"scale": ("f", 0), "offset": ("f", 0)}


def npz(*, file: str = "", seed: int = 0, sequence: bool = False) -> Dataset:
    """Arrays of your own in an .npz file: `inputs` and `targets`.

    They are as `arrays` takes them. file: path of the file. Files written by `Dataset.save` also hold each example's
    split (then the seed has no effect) and what the numbers mean. Raises ValueError for arrays that do not fit,
    EvoError for a file that cannot be read.
    """
    if not file:
        raise ValueError("arrays need their file, as in file='digits.npz'")
    found = read_arrays(Path(file), _MOST_BYTES)
    try:
        return _dataset(found, {"file": file, "seed": seed, "sequence": sequence})
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error


def _dataset(found: dict[str, np.ndarray], options: dict[str, Any]) -> Dataset:
    for name in _NEEDED:
        if name not in found:
            raise ValueError(f"it holds {', '.join(sorted(found)) or 'nothing'}: {' and '.join(_NEEDED)} are needed")
    for name, (kinds, axes) in _KNOWN.items():
        if name in found and (found[name].dtype.kind not in kinds or found[name].ndim != axes):
            raise ValueError(f"{name!r} in it is {found[name].dtype} {found[name].shape}, not as evo writes it")
    names = tuple(map(str, found.pop("labels", ())))
    inputs, (labels, targets) = found["inputs"], with_classes(found["targets"], names)
    rows = split_rows_of(inputs, targets, labels, options["seed"]) if "part" not in found else None
    return dataset_of_arrays(
        "npz",
        options,
        inputs,
        targets,
        options["sequence"] or bool(found.get("sequence", False)),
        rows or _rows(found["part"], len(inputs)),
        labels,
        symbols=int(found.get("symbols", 0)),
        unit=str(found.get("unit", "")),
        scale=float(found.get("scale", 1.0)),
        offset=float(found.get("offset", 0.0)),
    )


def _rows(part: np.ndarray, count: int) -> Rows:
    """Return the rows of each split as stored in the file. Raises ValueError."""
    train, validation, test = (np.flatnonzero(part == index) for index in range(3))
    if len(part) != count or len(train) + len(validation) + len(test) != count:
        raise ValueError(f"'part' must be 0, 1 or 2 for each of the {count} examples")
    for name, rows in (("learn from", train), ("choose by", validation), ("test on", test)):
        if not len(rows):
            raise ValueError(f"no example is to {name}")
    return train, validation, test
