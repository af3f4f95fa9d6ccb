"""Data sets: train, validation and test splits."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evo.numerics.formatting import ACCURACY, BITS, ERROR
from evo.storage.files import write_arrays

CROSS_ENTROPY, SQUARED_ERROR = "cross-entropy", "squared error"
_LISTED = 10  # classes listed in a description


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """Examples of one split.

    inputs: float32 (examples, steps, features). targets: float32 (examples, predictions, width). Both become read-only.
    Raises ValueError for other shapes or dtypes, and unless C-contiguous and finite.
    """

    inputs: np.ndarray
    targets: np.ndarray

    def __post_init__(self) -> None:
        for what, array in (("inputs", self.inputs), ("targets", self.targets)):
            if array.ndim != 3 or array.dtype != np.float32 or not array.flags.c_contiguous or not array.size:
                raise ValueError(f"{what} must be three axes of float32, C-contiguous, not {array.dtype} {array.shape}")
            if not np.isfinite(array).all():
                raise ValueError(f"{what} must be finite numbers that float32 can hold")
            array.flags.writeable = False
        if len(self.inputs) != len(self.targets):
            raise ValueError(f"{len(self.inputs)} inputs and {len(self.targets)} targets: each input needs its target")

    def __len__(self) -> int:
        return len(self.inputs)

    def __repr__(self) -> str:
        return f"Split({len(self):,} examples, inputs {self.inputs.shape}, targets {self.targets.shape})"


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Train, validation and test splits, and what their numbers mean.

    name, options: the constructor's, `evo.dataset(name, **options)`. shape: of one step's inputs, such as (28, 28, 1),
    (13,) or (1,). labels: the names of the classes, whose indices are the targets, one number each; () where targets
    are quantities, which are target * scale + offset in the user's `unit`. symbols: the number of different symbols
    where inputs are indices of symbols; else 0. Raises ValueError where the splits do not fit these.
    """

    name: str
    options: Mapping[str, Any]
    train: Split
    validation: Split
    test: Split
    shape: tuple[int, ...]
    labels: tuple[str, ...] = ()
    symbols: int = 0
    unit: str = ""
    scale: float = 1.0
    offset: float = 0.0

    def __post_init__(self) -> None:
        for split in self.splits:
            if split.inputs.shape[1:] != (self.steps, math.prod(self.shape)):
                raise ValueError(f"inputs {split.inputs.shape[1:]} are not {self.steps} steps of {self.shape}")
            if split.targets.shape[1:] != self.train.targets.shape[1:]:
                raise ValueError("targets differ in shape from one split to another")
            if self.labels:
                _check_classes(split.targets, len(self.labels))
            if self.symbols:
                _check_indices(split.inputs, self.symbols, "symbols")
        if not 0 < self.scale < math.inf or not math.isfinite(self.offset):
            raise ValueError(f"scale={self.scale}, offset={self.offset}: they are finite, and the scale is above 0")
        if self.predictions not in (1, self.steps):
            raise ValueError(f"{self.predictions} predictions in {self.steps} steps: one after each, or one at the end")

    @property
    def splits(self) -> tuple[Split, Split, Split]:
        return self.train, self.validation, self.test

    @property
    def steps(self) -> int:
        """Return the time steps of an example; 1 where it is no sequence."""
        return int(self.train.inputs.shape[1])

    @property
    def predictions(self) -> int:
        """Return the predictions of an example: 1, after the last step, or one after each step."""
        return int(self.train.targets.shape[1])

    @property
    def loss(self) -> str:
        return CROSS_ENTROPY if self.labels else SQUARED_ERROR

    @property
    def outputs(self) -> int:
        """Return the number of network outputs of a prediction: one for each class, or a target's width."""
        return len(self.labels) or int(self.train.targets.shape[2])

    @property
    def score(self) -> str:
        """Return the reported score: accuracy for classes, bits per character for text, an error for quantities.

        The error is the root mean squared error in their unit.
        """
        if not self.labels:
            return ERROR
        return BITS if self.symbols else ACCURACY

    @property
    def digest(self) -> str:
        """Return a hash of the examples and their meaning: data sets with the same digest are the same."""
        meaning = (self.shape, self.labels, self.symbols, self.unit, self.scale, self.offset)
        digest = hashlib.sha256(repr(meaning).encode())
        for split in self.splits:
            for array in (split.inputs, split.targets):
                digest.update(repr(array.shape).encode())
                digest.update(array.astype("<f4", copy=False).data)
        return digest.hexdigest()[:16]

    def __repr__(self) -> str:
        counts = " + ".join(f"{len(split):,}" for split in self.splits)
        return f"Dataset({self.name!r}, {counts} examples, {self.outputs} outputs, {self.score})"

    def summary(self) -> str:
        """Describe the data set in a paragraph."""
        counts = [f"{len(split):,}" for split in self.splits]
        shape = " × ".join(map(str, self.shape))
        given = f"an example is {shape} numbers" if self.steps == 1 else f"an example is {self.steps} steps of {shape}"
        if self.symbols:
            given += f", indices of {self.symbols} symbols"
        when = " after each step" if self.predictions > 1 else ""
        if self.labels:
            names = ", ".join(self.labels[:_LISTED]) + (", …" if len(self.labels) > _LISTED else "")
            wanted = f"one of {len(self.labels)} classes{when}" + ("" if self.symbols else f" ({names})")
        else:
            numbers = "a number" if self.outputs == 1 else f"{self.outputs} numbers"
            wanted = numbers + (f", in units of {self.unit}" if self.unit else "") + when
        return (
            f"{self.name}: {counts[0]} examples to learn from, {counts[1]} to choose by, {counts[2]} to test on; "
            f"{given}, wanted is {wanted}; reported is {self.score}. Digest {self.digest}."
        )

    def save(self, path: Path | str) -> None:
        """Write an .npz file that `npz` reads back as the same data set. Raises EvoError when the disk refuses.

        Its arrays: `inputs` (examples, steps where it is a sequence, *shape), `targets` (examples, predictions, width),
        `part` (examples,) with 0 for train, 1 for validation, 2 for test; and what they mean.
        """
        inputs = np.concatenate([split.inputs for split in self.splits])
        targets = np.concatenate([split.targets for split in self.splits])
        times = (self.steps,) if self.steps > 1 else ()
        arrays = {
            "inputs": inputs.reshape(len(inputs), *times, *self.shape),
            "targets": targets.astype(np.int64) if self.labels else targets,
            "part": np.repeat(np.arange(3, dtype=np.uint8), [len(split) for split in self.splits]),
            "sequence": np.array(self.steps > 1),
            "symbols": np.array(self.symbols),
            "scale": np.array(self.scale),
            "offset": np.array(self.offset),
        }
        texts = {"labels": self.labels, "unit": self.unit}
        write_arrays(Path(path), arrays | {name: np.array(text) for name, text in texts.items() if text})


def _check_classes(targets: np.ndarray, classes: int) -> None:
    if classes < 2:
        raise ValueError("there is only one class: nothing is to be told apart")
    if targets.shape[2] != 1:
        raise ValueError(f"classes are one number each, not {targets.shape[2]}")
    _check_indices(targets, classes, "classes")


def _check_indices(values: np.ndarray, count: int, what: str) -> None:
    if values.min() < 0 or values.max() >= count or not np.array_equal(values, np.floor(values)):
        raise ValueError(f"{what} must be whole numbers from 0 to {count - 1}")
