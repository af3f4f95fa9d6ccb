"""A table of one's own: a column of a CSV file, told from the others."""

from typing import Any

import numpy as np

from evo.datasets.csv_file import Column, number, read_csv
from evo.datasets.dataset import Dataset
from evo.datasets.splits import dataset_from, split_rows
from evo.datasets.standard import moments, standardised
from evo.errors import nearest

_MOST_WORDS, _MOST_CLASSES = 100, 1000  # that differ: in a column, in the target
_FEW = 10  # so many whole numbers are classes rather than quantities
_MOST_NUMBERS = 2**26  # that words of a column are made into
_LARGEST = 1e30  # beyond it, squares leave the range of numbers
_KINDS = ("", "classes", "numbers")


def table(*, file: str = "", target: str = "", kind: str = "", seed: int = 0, sequence: bool = False) -> Dataset:
    """A CSV file of your own: one of its columns, from the others

    file: with a row of names at its head, and nothing missing. target: the name of the column to be told; "": the last.
    kind: "classes" or "numbers"; "": words are classes, and so are whole numbers where no more than ten differ. Columns
    of numbers are in standard units of the examples learned from, a column of words is a 1 among 0s. sequence: these
    come one by one. Raises ValueError naming file, line and column, EvoError where the file cannot be read.
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
            _one_hot(column) if values is None else standardised(values[:, None], rows[0])
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
    """The numbers of a column, float64 (examples,); None for words. Raises ValueError for a mixture, or for one value
    in all rows."""
    if len(set(column.cells)) == 1:
        raise ValueError(f"column {column.name!r} holds {_shown(column.cells[0])} in every row: nothing is told by it")
    values = [number(cell) for cell in column.cells]
    kept = [value for value in values if value is not None]
    if not kept:
        return None
    for cell, line, value in zip(column.cells, column.lines, values, strict=True):
        place = f"line {line}, column {column.name!r}"
        if value is None:
            raise ValueError(f"{place}: {_shown(cell)} is a word in a column that has numbers")
        if not abs(value) <= _LARGEST:
            raise ValueError(f"{place}: {_shown(cell)} is not a number from {-_LARGEST:g} to {_LARGEST:g}")
    if len(set(kept)) == 1:
        raise ValueError(f"column {column.name!r} holds {kept[0]:g} in every row: nothing is told by it")
    return np.array(kept)


def _classes(column: Column, quantities: np.ndarray | None, kind: str) -> tuple[tuple[str, ...], np.ndarray] | None:
    """The names of a target's classes, and the class of each row, (examples,); None where it is a quantity."""
    if quantities is None:
        if kind == "numbers":
            raise ValueError(f"column {column.name!r} holds words, not numbers, as in {_shown(column.cells[0])}")
        names, classes = np.unique(np.array(column.cells, object), return_inverse=True)
        labels = tuple(map(str, names))
    else:
        values, classes = np.unique(quantities, return_inverse=True)
        whole = len(values) <= _FEW and np.array_equal(values, np.round(values))
        if kind == "numbers" or (not kind and not whole):
            return None
        labels = tuple(f"{value:.17g}" for value in values)
    if len(labels) > _MOST_CLASSES:
        raise ValueError(
            f"column {column.name!r} holds {len(labels):,} classes; at most {_MOST_CLASSES:,} are told apart"
        )
    return labels, classes


def _one_hot(column: Column) -> np.ndarray:
    """(examples, words that differ), a 1 where the word is."""
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
