"""Data sets: examples for supervised learning, by evolution or by backprop.

`DATASETS` lists them all: name → "package.module:constructor", loaded when used.
"""

from evo.datasets.arrays import arrays
from evo.datasets.batches import minibatch
from evo.datasets.dataset import CROSS_ENTROPY, Dataset, Split
from evo.datasets.named import DATASETS, PICTURE, absolute_data_path, constructor_of, is_data_path

__all__ = [
    "CROSS_ENTROPY",
    "DATASETS",
    "PICTURE",
    "Dataset",
    "Split",
    "absolute_data_path",
    "arrays",
    "constructor_of",
    "is_data_path",
    "minibatch",
]
