"""Text, character by character."""

import functools
from collections import Counter
from itertools import pairwise
from pathlib import Path
from pydoc_data import topics

import numpy as np

from evo.datasets.dataset import Dataset
from evo.datasets.splits import dataset_from
from evo.numerics.randomness import generator
from evo.numerics.validation import whole_number
from evo.storage.files import read_text

OTHER = "\N{REPLACEMENT CHARACTER}"  # the symbol of all rare characters
_MOST_BYTES, _MOST_SYMBOLS = 2**24, 1000
_SHARES = (0.8, 0.9)  # where the training part of a text ends, and where the validation part


@functools.cache
def _manual() -> str:
    """Return the text of Python's own manual, all topics in order; it differs between versions of Python."""
    return "".join(topics.topics[name] for name in sorted(topics.topics))


def text(*, seed: int = 0, sequence: bool = True, file: str = "", length: int = 64, rare: int = 10) -> Dataset:
    """The next character of a text: Python's manual, or a file of your own.

    A text is cut in three: the first 80 % for training, 10 % for validation, the last 10 % for testing; windows of
    `length` characters lie within one of these parts, with their inputs not overlapping. seed: seed of where the
    first window begins. Inputs and targets are indices of symbols, which are the characters in order; those that occur
    fewer than `rare` times share one symbol, the last. The target is the next character after every character; without
    `sequence` an example is a window as one row of numbers, its target only the character after it, and windows begin
    at every eighth of their length. Raises ValueError for a text that is too short or not a text, EvoError for a file
    that cannot be read.
    """
    whole_number("length", length, 1, 10_000)
    whole_number("rare", rare, 0)
    characters = read_text(Path(file), _MOST_BYTES) if file else _manual()
    try:
        labels, indices = _symbols(characters, rare)
        inputs, targets, rows = _windows(indices, length, sequence, seed)
    except ValueError as error:
        raise ValueError(f"{file or 'the text'}: {error}") from error
    return dataset_from(
        "text",
        {"seed": seed, "sequence": sequence, "file": file, "length": length, "rare": rare},
        inputs,
        targets,
        rows,
        shape=(length, 1) if sequence else (length,),
        sequence=sequence,
        labels=labels,
        symbols=len(labels),
    )


def _symbols(characters: str, rare: int) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the symbols of a text, and the text as their indices, int64 (characters,). Raises ValueError."""
    if not characters:
        raise ValueError("it is empty")
    if "\0" in characters:
        raise ValueError(f"character {characters.index(chr(0)) + 1} is a NUL: it is not a text")
    counts = Counter(characters)
    common = sorted(symbol for symbol, count in counts.items() if count >= rare and symbol != OTHER)
    symbols = (*common, OTHER) if len(common) < len(counts) else tuple(common)
    if not 2 <= len(symbols) <= _MOST_SYMBOLS:
        raise ValueError(
            f"it has {len(symbols)} symbols; from 2 to {_MOST_SYMBOLS} can be told apart (see rare={rare})"
        )
    index = dict.fromkeys(counts, len(common)) | {symbol: at for at, symbol in enumerate(common)}
    return symbols, np.array([index[character] for character in characters])


def _windows(
    indices: np.ndarray, length: int, sequence: bool, seed: int
) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Cut inputs (windows, length), targets (windows, length or 1, 1), and each split's windows. Raises ValueError."""
    apart = length if sequence else max(1, length // 8)
    first = int(generator(whole_number("seed", seed, 0), "text").integers(apart))
    ends = [0, *(round(share * len(indices)) for share in _SHARES), len(indices)]
    # a window takes one character more than its length: the last target
    starts = [np.arange(begin + first, end - length, apart) for begin, end in pairwise(ends)]
    if not all(map(len, starts)):
        raise ValueError(f"{len(indices):,} characters are too few: at least {20 * (length + 1):,} are needed")
    at = np.concatenate(starts)
    windows = indices[at[:, None] + np.arange(length + 1)]
    targets = windows[:, 1:] if sequence else windows[:, -1:]
    train, validation, test = np.split(np.arange(len(at)), np.cumsum([len(each) for each in starts])[:2])
    return windows[:, :-1], targets[:, :, None], (train, validation, test)
