"""Validation of genomes given to operators."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Genomes = NDArray[Any]


def check_real(genomes: Genomes) -> None:
    """Raise ValueError unless genomes are float64, (individuals, genes)."""
    if genomes.dtype != np.float64 or genomes.ndim != 2:
        raise ValueError(
            f"{_describe(genomes)}: must be float64 and (individuals, genes), as this operator is for reals"
        )


def check_parents(first: Genomes, second: Genomes) -> None:
    """Raise ValueError unless both are (individuals, genes), of one shape and dtype."""
    if first.ndim != 2 or first.shape != second.shape or first.dtype != second.dtype:
        raise ValueError(
            f"parents: {_describe(first)} and {_describe(second)}: must be alike, and (individuals, genes)"
        )


def bounds(low: ArrayLike, high: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return `low` and `high` as arrays, numbers or (genes,); ValueError unless low < high for every gene."""
    least, most = np.asarray(low), np.asarray(high)
    if least.dtype.kind not in "iuf" or most.dtype.kind not in "iuf" or not np.all(least < most):
        raise ValueError(f"low={least.tolist()}, high={most.tolist()}: must be numbers, or one a gene, with low < high")
    return least, most


def finite_bounds(low: ArrayLike, high: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the bounds as `bounds` does; ValueError where one is infinite."""
    least, most = bounds(low, high)
    if not (np.isfinite(least).all() and np.isfinite(most).all()):
        raise ValueError(f"low={least.tolist()}, high={most.tolist()}: must be finite")
    return least, most


def _describe(genomes: Genomes) -> str:
    return f"genomes of {genomes.dtype} and shape {genomes.shape}"
