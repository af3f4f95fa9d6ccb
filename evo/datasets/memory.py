"""Sequence memory: long time lags without noise (Hochreiter & Schmidhuber 1997, experiment 2)."""

import numpy as np

from evo.datasets.dataset import Dataset
from evo.datasets.splits import dataset_from, split_rows
from evo.numerics.randomness import generator
from evo.numerics.validation import whole_number
from evo.storage.memory import check_bytes

_MOST_STEPS, _MOST_CLASSES, _MOST_EXAMPLES = 1000, 100, 10**5


def memory(*, seed: int = 0, delay: int = 20, classes: int = 4, examples: int = 2000) -> Dataset:
    """Which symbol began a sequence, asked at its end, after `delay` others.

    The first symbol is one of `classes`, each of the others one of as many distractors. A step is a one-hot row: first
    the classes, then the distractors. With a short delay sequences repeat, and then some test sequences are in the
    training split too. Raises ValueError for options out of range.
    """
    whole_number("delay", delay, 1, _MOST_STEPS)
    whole_number("classes", classes, 2, _MOST_CLASSES)
    whole_number("examples", examples, 10, _MOST_EXAMPLES)
    check_bytes(f"{examples:,} examples", 4 * 4 * 2 * classes * (delay + 1) * examples, "take fewer")
    random = generator(whole_number("seed", seed, 0), "memory")
    first = np.arange(examples) % classes
    distractors = random.integers(classes, 2 * classes, (examples, delay))
    symbols = np.concatenate([first[:, None], distractors], axis=1)
    return dataset_from(
        "memory",
        {"seed": seed, "delay": delay, "classes": classes, "examples": examples},
        np.eye(2 * classes, dtype=np.float32)[symbols],
        first,
        split_rows(examples, seed, first),
        shape=(delay + 1, 2 * classes),
        sequence=True,
        labels=tuple(map(str, range(classes))),
    )
