"""Data sets: examples to learn from, whether by evolution or by backprop.

`DATASETS` names them all: name → "package.module:constructor", loaded when asked for.
"""

from evo.datasets.arrays import arrays
from evo.datasets.batches import minibatch
from evo.datasets.dataset import CROSS_ENTROPY, Dataset, Split
from evo.datasets.named import DATASETS, constructor_of, is_data_path

__all__ = [
    "CROSS_ENTROPY",
    "DATASETS",
    "Dataset",
    "Split",
    "arrays",
    "constructor_of",
    "is_data_path",
    "minibatch",
]
