"""Train, validation and test splits: 70, 10 and 20 % of the examples."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from evo.datasets.dataset import Dataset, Split
from evo.numerics.randomness import generator
from evo.numerics.validation import whole_number

# The splits of ten consecutive examples: 0 is train, 1 validation, 2 test.
_DEALT = np.array([0, 0, 2, 0, 0, 1, 0, 2, 0, 0])
_FEWEST = len(_DEALT)
_PICTURE = 3  # axes: height, width, channels

Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


def shuffle(count: int, seed: int, purpose: str) -> np.ndarray:
    """Return a permutation of 0 … count - 1, int64 (count,), that never changes for the same seed and purpose."""
    words = generator(whole_number("seed", seed, 0), purpose).bit_generator.random_raw(count)
    return np.argsort(words, kind="stable")


def split_rows(count: int, seed: int, classes: np.ndarray | None = None) -> Rows:
    """Return the rows of each split, each in a random order: a pure function of the seed.

    classes (count,): each class is split in these shares, to within an example. Raises ValueError for fewer than ten
    examples.
    """
    if count < _FEWEST:
        raise ValueError(f"{count} examples are too few: at least {_FEWEST} are needed")
    order = shuffle(count, seed, "split")
    dealt = order if classes is None else order[np.argsort(classes[order], kind="stable")]
    part = np.empty(count, np.int64)
    part[dealt] = _DEALT[np.arange(count) % len(_DEALT)]
    train, validation, test = (order[part[order] == index] for index in range(3))
    return train, validation, test


def dataset_from(
    name: str,
    options: Mapping[str, Any],
    inputs: np.ndarray,
    targets: np.ndarray,
    rows: Rows,
    *,
    shape: tuple[int, ...],
    sequence: bool = False,
    **meaning: Any,
) -> Dataset:
    """Make a data set of these rows of inputs (examples, …) and targets (examples, …).

    shape: of an example. sequence: whether its first axis is time, a step each; the remaining axes are a picture or
    become a row of features. Targets (examples,) are one number each. meaning: the other fields of a Dataset.
    """
    steps, inner = (shape[0], shape[1:]) if sequence else (1, shape)
    if sequence and len(inner) != _PICTURE:
        inner = (math.prod(inner),)

    def split(chosen: np.ndarray) -> Split:
        with np.errstate(over="ignore"):  # the split refuses numbers too large for float32
            given, wanted = inputs[chosen].astype(np.float32), targets[chosen].astype(np.float32)
        wanted = wanted.reshape(len(chosen), 1, 1) if wanted.ndim == 1 else wanted
        return Split(np.ascontiguousarray(given.reshape(len(chosen), steps, -1)), np.ascontiguousarray(wanted))

    train, validation, test = map(split, rows)
    return Dataset(name, dict(options), train, validation, test, inner, **meaning)
