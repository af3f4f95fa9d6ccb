"""Data sets of the user's own arrays."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from evo.datasets.dataset import Dataset
from evo.datasets.splits import Rows, dataset_from, split_rows

_MOST_CLASSES = 10_000
_NUMBERS = "biuf"  # bool, int, uint, float


def arrays(inputs: Any, targets: Any, *, labels: Sequence[str] = (), seed: int = 0, sequence: bool = False) -> Dataset:
    """Make a data set of your own arrays, taken unchanged: bring them to standard units first.

    inputs: (examples, features), or pictures (examples, height, width) or (examples, height, width, channels); with
    `sequence`, the axis after the examples is time. targets: classes as words or whole numbers, (examples,); or
    quantities as floats, (examples,) or (examples, width); for a prediction after each step of a sequence also
    (examples, steps) of classes or (examples, steps, width) of quantities. labels: the names of classes numbered from
    0. Such a data set has no name that makes it again; a file written by `save` has. Raises ValueError for arrays of
    other shapes or kinds, or that are not finite.
    """
    for what, array in (("inputs", inputs), ("targets", targets)):
        if isinstance(array, np.ma.MaskedArray):
            raise ValueError(f"{what} are masked: leave those examples out, or fill them")
    if isinstance(labels, str) or not all(isinstance(label, str) for label in labels):
        raise ValueError(f"labels are the names of the classes, a list of texts; got {labels!r}")
    given, (names, wanted) = np.asarray(inputs), with_classes(np.asarray(targets), tuple(labels))
    options = {"seed": seed, "sequence": sequence}
    return dataset_of_arrays(
        "arrays", options, given, wanted, sequence, split_rows_of(given, wanted, names, seed), names
    )


def with_classes(targets: np.ndarray, labels: tuple[str, ...]) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the class names, () for quantities, and the targets as numbers. Raises ValueError."""
    if targets.dtype.kind == "U":
        if labels:
            raise ValueError("targets that are words are their own labels: leave the labels out")
        names, indices = np.unique(targets, return_inverse=True)
        return _check(tuple(map(str, names))), indices.reshape(targets.shape)
    if targets.dtype.kind not in _NUMBERS:
        raise ValueError(f"targets are {targets.dtype}: they must be numbers or words")
    if targets.dtype.kind == "f" and not labels:
        return (), targets
    if not targets.size:
        raise ValueError("there are no targets")
    least, most = targets.min(), targets.max()
    if len(broken := targets[~np.isfinite(targets) | (targets != np.floor(targets))]):
        raise ValueError(f"classes must be whole numbers, got {broken[0]}")
    if least < 0:
        raise ValueError(f"classes are numbered from 0, got {least}; quantities are floats")
    if labels and most >= len(labels):
        raise ValueError(f"class {int(most)} has no label: there are {len(labels)}, and classes are numbered from 0")
    if most >= _MOST_CLASSES:
        raise ValueError(f"class {int(most)}: at most {_MOST_CLASSES:,} classes are told apart; quantities are floats")
    return _check(labels or tuple(map(str, range(int(most) + 1)))), targets


def _check(labels: tuple[str, ...]) -> tuple[str, ...]:
    if not 2 <= len(labels) <= _MOST_CLASSES:
        raise ValueError(f"the targets are of {len(labels)} class: from 2 to {_MOST_CLASSES:,} can be told apart")
    return labels


def split_rows_of(inputs: np.ndarray, targets: np.ndarray, labels: tuple[str, ...], seed: int) -> Rows:
    """Return the rows of each split, stratified where each example has one class.

    Raises ValueError where the numbers of inputs and targets differ.
    """
    for what, array in (("inputs", inputs), ("targets", targets)):
        if not array.ndim:
            raise ValueError(f"{what} must have an axis of examples, got a single value")
    if len(inputs) != len(targets):
        raise ValueError(f"{len(inputs)} inputs and {len(targets)} targets: each input needs its target")
    single = labels and targets.size == len(targets)
    return split_rows(len(inputs), seed, targets.ravel() if single else None)


def dataset_of_arrays(
    name: str,
    options: dict[str, Any],
    inputs: np.ndarray,
    targets: np.ndarray,
    sequence: bool,
    rows: Rows,
    labels: tuple[str, ...],
    **meaning: Any,
) -> Dataset:
    """Make a data set of checked arrays; meaning: the other fields of a Dataset. Raises ValueError."""
    if inputs.dtype.kind not in _NUMBERS:
        raise ValueError(f"inputs are {inputs.dtype}: they must be numbers")
    shape = inputs.shape[1:]
    if not 1 <= len(shape) <= 3 + sequence or not inputs.size:
        axes = "(examples, steps, …)" if sequence else "(examples, features) or (examples, height, width, channels)"
        raise ValueError(f"inputs are {inputs.shape}: they must be {axes}")
    if len(shape) == 2 and not sequence:  # a grey picture without a channel axis
        shape = (*shape, 1)
    for what, array in (("inputs", inputs), ("targets", targets)):
        bad = ~np.isfinite(array).reshape(len(array), -1).all(axis=1)
        if bad.any():
            raise ValueError(f"{what} of example {int(np.argmax(bad))} (the first is 0) are not finite numbers")
    steps = shape[0] if sequence else 1
    wanted = _by_prediction(targets, steps, bool(labels))
    return dataset_from(name, options, inputs, wanted, rows, shape=shape, sequence=sequence, labels=labels, **meaning)


def _by_prediction(targets: np.ndarray, steps: int, classes: bool) -> np.ndarray:
    """Return the targets as (examples, predictions, width). Raises ValueError."""
    shape = targets.shape[1:]
    if len(shape) == 1:
        shape = (shape[0], 1) if classes else (1, shape[0])
    elif not shape:
        shape = (1, 1)
    if len(shape) != 2 or shape[0] not in (1, steps) or not shape[1] or (classes and shape[1] != 1):
        kind = "classes" if classes else "quantities"
        fitting = "(examples,)" + (f" or (examples, {steps})" if steps > 1 else "")
        if not classes:
            fitting = "(examples,) or (examples, width)" + (f" or (examples, {steps}, width)" if steps > 1 else "")
        raise ValueError(f"targets are {targets.shape}: {kind} must be {fitting}")
    return targets.reshape(len(targets), *shape)
