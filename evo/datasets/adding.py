"""The adding problem: long time lags with continuous values (Hochreiter & Schmidhuber 1997, experiment 4)."""

import numpy as np

from evo.datasets.dataset import Dataset
from evo.datasets.splits import dataset_from, split_rows
from evo.numerics.randomness import generator
from evo.numerics.validation import whole_number
from evo.storage.memory import check_bytes

_FIRST = 10  # the first mark is within this many steps of the beginning


def adding(*, seed: int = 0, length: int = 50, examples: int = 2000) -> Dataset:
    """The sum of the two marked numbers in a sequence of `length`.

    A step is a number in [−1, 1] and its mark: 1 for the two numbers, −1 for the first and last step, else 0. One
    marked number is among the first ten steps, both are in the first half. The target is 0.5 + sum / 4; a sequence
    counts as solved within 0.04. Unlike in the paper all sequences have the same length, and their ends are never
    marked. Raises ValueError for options out of range.
    """
    whole_number("length", length, 8, 1000)
    whole_number("examples", examples, 10, 10**5)
    check_bytes(f"{examples:,} examples", 8 * 6 * length * examples, "take fewer")
    random = generator(whole_number("seed", seed, 0), "adding")
    values = random.uniform(-1, 1, (examples, length))
    half = length // 2
    first = random.integers(1, min(_FIRST, half), examples)
    second = random.integers(1, half - 1, examples)
    second += second >= first  # skips `first`, so that every other place is equally likely
    marks = np.zeros((examples, length))
    marks[:, [0, -1]] = -1
    every = np.arange(examples)
    marks[every, first] = marks[every, second] = 1
    return dataset_from(
        "adding",
        {"seed": seed, "length": length, "examples": examples},
        np.stack([values, marks], axis=2),
        0.5 + (values[every, first] + values[every, second]) / 4,
        split_rows(examples, seed),
        shape=(length, 2),
        sequence=True,
    )
