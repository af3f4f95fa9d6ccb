"""Data sets of the user's own CSV files: one column is the target, the others are features."""

import re
from typing import Any

import numpy as np

from evo.datasets.csv_file import Column, read_csv
from evo.datasets.dataset import Dataset
from evo.datasets.splits import dataset_from, split_rows
from evo.datasets.standard import moments, standardise
from evo.errors import nearest

_MOST_WORDS, _MOST_CLASSES = 100, 1000  # limits: different words in a column, classes of the target
_FEW = 10  # up to this many different whole numbers are classes rather than quantities
_MOST_NUMBERS = 2**26  # one-hot numbers of a column of words
_LARGEST = 1e30  # beyond it, squares overflow
_KINDS = ("", "classes", "numbers")
_MEASURED = re.compile(r"[^\w+-]{0,2}[+-]?[^\w+-]{0,2}\d[\d.,' ]*\s*\D{0,3}")  # a number with its unit or currency
_CODE = re.compile(r"[+-]?0\d.*|.*\d[eE][+-]?\d+")  # 007, 1e5: a name rather than a number when spelled so


def table(*, file: str = "", target: str = "", kind: str = "", seed: int = 0, sequence: bool = False) -> Dataset:
    """A CSV file of your own: one of its columns, from the others.

    file: path of the file, whose first row names the columns and which has no empty cells; decimal commas are
    understood. target: name of the column to predict, by default the last. kind: "classes" or "numbers", by default
    classes for words and for whole numbers with at most ten different values. Columns of numbers are standardised by
    the training examples, a column of words is one-hot. sequence: the features are given one by one. Raises ValueError
    naming file, line and column, EvoError where the file cannot be read.
    """
    if not file:
        raise ValueError("a table needs its file, as in file='houses.csv'")
    if kind not in _KINDS:
        raise ValueError(f"kind={kind!r}: must be 'classes', 'numbers' or '' (whatever suits)")
    columns = read_csv(file)
    names = [column.name for column in columns]
    if len(columns) < 2:
        raise ValueError(f"{file} has the one column {names[0]!r}: a target is told from others")
    if target and target not in names:
        raise ValueError(f"{file} has no column {target!r}{nearest(target, names)}")
    wanted = columns.pop(names.index(target) if target else -1)
    try:
        found = [_numbers(column) for column in columns]
        quantities = _numbers(wanted)
        classes = _classes(wanted, quantities, kind)
        rows = split_rows(len(wanted.cells), seed, classes[1] if classes else None)
        inputs = [
            _one_hot(column) if values is None else standardise(values[:, None], rows[0])
            for column, values in zip(columns, found, strict=True)
        ]
    except ValueError as error:
        raise ValueError(f"{file}, {error}" if str(error).startswith("line") else f"{file}: {error}") from error
    meaning: dict[str, Any]
    if classes:
        targets, meaning = classes[1], {"labels": classes[0]}
    else:
        assert quantities is not None  # words are classes
        offset, scale = moments(quantities[rows[0]])
        targets, meaning = (quantities - offset) / scale, {"unit": wanted.name, "scale": scale, "offset": offset}
    features = np.concatenate(inputs, axis=1)
    options = {"file": file, "target": target, "kind": kind, "seed": seed, "sequence": sequence}
    return dataset_from(
        "table", options, features, targets, rows, shape=(features.shape[1],), sequence=sequence, **meaning
    )


def _numbers(column: Column) -> np.ndarray | None:
    """Return the numbers of a column, float64 (examples,); None for words.

    Raises ValueError for a mixture, for a constant column, and for numbers with units.
    """
    if len(set(column.cells)) == 1:
        raise ValueError(f"column {column.name!r} holds {_shown(column.cells[0])} in every row: nothing is told by it")
    kept = [value for value in column.values if value is not None]
    if not kept:
        different = len(set(column.cells))
        if 2 * different > len(column.cells) and all(_MEASURED.fullmatch(cell) for cell in column.cells):
            raise ValueError(
                f"column {column.name!r}: {_shown(column.cells[0])} is no number, and {different:,} different words "
                "would be classes: write numbers alone, as in 12.4, or leave the column out"
            )
        return None
    for cell, line, value in zip(column.cells, column.lines, column.values, strict=True):
        place = f"line {line}, column {column.name!r}"
        if value is None:
            raise ValueError(f"{place}: {_shown(cell)} is a word in a column that has numbers")
        if not abs(value) <= _LARGEST:
            raise ValueError(f"{place}: {_shown(cell)} is not a number from {-_LARGEST:g} to {_LARGEST:g}")
    if len(set(kept)) == 1 and not _are_names(column):
        raise ValueError(f"column {column.name!r} holds {kept[0]:g} in every row: nothing is told by it")
    return np.array(kept, np.float64)


def _are_names(column: Column) -> bool:
    """Return whether different spellings of one number distinguish classes: 007 and 7, 1e5 and 100000."""
    spelled = set(column.cells)
    return len(spelled) > len(set(column.values)) and any(_CODE.fullmatch(cell) for cell in spelled)


def _classes(column: Column, quantities: np.ndarray | None, kind: str) -> tuple[tuple[str, ...], np.ndarray] | None:
    """Return the names of a target's classes and each row's class, (examples,); None for a quantity."""
    if quantities is None:
        if kind == "numbers":
            raise ValueError(f"column {column.name!r} holds words, not numbers, as in {_shown(column.cells[0])}")
        names, classes = np.unique(np.array(column.cells, object), return_inverse=True)
        labels = tuple(map(str, names))
    else:
        keys: list[Any] = column.cells if _are_names(column) else column.values
        values, classes = np.unique(np.array(keys, object), return_inverse=True)
        whole = len(values) <= _FEW and np.array_equal(quantities, np.round(quantities))
        apart = len(values) > len(set(quantities.tolist())) and keys is column.values  # ids that float64 would merge
        if kind == "numbers" or (not kind and not whole and not apart):
            return None
        labels = tuple(str(value) if isinstance(value, int | str) else f"{value:.17g}" for value in values)
    if len(labels) > _MOST_CLASSES:
        raise ValueError(
            f"column {column.name!r} holds {len(labels):,} classes; at most {_MOST_CLASSES:,} are told apart"
        )
    return labels, classes


def _one_hot(column: Column) -> np.ndarray:
    """Return the one-hot matrix of a column of words, (examples, different words)."""
    words, indices = np.unique(np.array(column.cells, object), return_inverse=True)
    if len(words) > _MOST_WORDS:
        raise ValueError(
            f"column {column.name!r} holds {len(words):,} different words, as in {_shown(column.cells[0])}; "
            f"at most {_MOST_WORDS} are taken: leave the column out"
        )
    if (total := len(words) * len(indices)) > _MOST_NUMBERS:
        raise ValueError(f"column {column.name!r} makes {total:,} numbers of its words, more than {_MOST_NUMBERS:,}")
    return np.eye(len(words), dtype=np.float32)[indices]


def _shown(cell: str) -> str:
    return repr(cell if len(cell) <= 30 else f"{cell[:29]}…")
