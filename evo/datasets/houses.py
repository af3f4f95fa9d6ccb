"""Boston house prices (Harrison & Rubinfeld 1978): 506 districts, 13 features, and the median price."""

import functools

import numpy as np

from evo.datasets.dataset import Dataset
from evo.datasets.mlxtend import mlxtend_file
from evo.datasets.splits import dataset_from, split_rows
from evo.datasets.standard import moments, standardise


@functools.cache
def _districts() -> np.ndarray:
    """Load the districts, float64 (506, 14); the last column is the median price, in 1000 $."""
    return np.loadtxt(mlxtend_file("boston_housing.csv"), delimiter=",")


def houses(*, seed: int = 0, sequence: bool = False) -> Dataset:
    """What a house costs in a district of Boston, by 13 numbers about the district.

    Numbers and prices are standardised by the training districts. sequence: the numbers are given one by one. Kept only
    as the textbooks' example of regression: one of the 13 numbers is made from the share of Black residents. Raises
    ValueError where the package with the data is missing.
    """
    districts = _districts()
    rows = split_rows(len(districts), seed)
    offset, scale = moments(districts[rows[0], -1])
    return dataset_from(
        "houses",
        {"seed": seed, "sequence": sequence},
        standardise(districts[:, :-1], rows[0]),
        (districts[:, -1] - offset) / scale,
        rows,
        shape=(13,),
        sequence=sequence,
        unit="1000 $",
        scale=scale,
        offset=offset,
    )
