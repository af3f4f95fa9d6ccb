"""Two spirals, one in the other (Lang & Witbrock 1988, "Learning to tell two spirals apart")."""

import numpy as np

from evo.datasets.dataset import Dataset
from evo.datasets.splits import dataset_from, split_rows
from evo.numerics.randomness import generator
from evo.numerics.validation import number_between, whole_number
from evo.storage.memory import check_bytes

_POINTS, _TURN, _FADE = 96, np.pi / 16, 104  # the paper's: point i lies at radius 6.5 (104 − i) / 104, angle i π / 16


def spirals(*, seed: int = 0, sequence: bool = False, examples: int = 1000, noise: float = 0.02) -> Dataset:
    """Which of two spirals, three turns each, a point of the plane belongs to.

    Points lie anywhere on the paper's curves, scaled from radius 6.5 to 1. noise: standard deviation of the noise on
    each coordinate; the spirals are about 0.15 apart. sequence: x is given first, then y. Raises ValueError for options
    out of range.
    """
    whole_number("examples", examples, 10)
    check_bytes(f"{examples:,} examples", 200 * examples, "take fewer")
    number_between("noise", noise, 0, 1)
    random = generator(whole_number("seed", seed, 0), "spirals")
    at = random.uniform(0, _POINTS, examples)
    classes = np.arange(examples) % 2
    radius = (1 - 2 * classes) * (_FADE - at) / _FADE
    points = np.stack([radius * np.sin(at * _TURN), radius * np.cos(at * _TURN)], axis=1)
    return dataset_from(
        "spirals",
        {"seed": seed, "sequence": sequence, "examples": examples, "noise": noise},
        points + noise * random.standard_normal(points.shape),
        classes,
        split_rows(examples, seed, classes),
        shape=(2,),
        sequence=sequence,
        labels=("first", "second"),
    )
