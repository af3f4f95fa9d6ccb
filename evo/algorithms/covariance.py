"""A covariance matrix in motion: steps along its axes, rank-one and rank-mu updates, its decomposition.

Compiled without BLAS, so that the bits do not depend on threads; only the decomposition calls LAPACK, on one thread.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from evo.autodiff.blas import one_thread

_Floats = NDArray[np.float64]
_SMALL = 32  # parameters up to which LAPACK has nothing to share between threads


@njit(cache=True, error_model="numpy")
def _combined(coefficients: Any, axes: Any, out: Any) -> None:
    out[:] = 0.0
    for k in range(axes.shape[0]):
        for row in range(coefficients.shape[0]):
            factor = coefficients[row, k]
            for i in range(axes.shape[1]):
                out[row, i] += factor * axes[k, i]


@njit(cache=True, error_model="numpy")
def _ranked_update(covariance: Any, decay: float, one: float, path: Any, weights: Any, steps: Any, out: Any) -> None:
    size = covariance.shape[0]
    for i in range(size):
        for j in range(i + 1):
            out[i, j] = decay * covariance[i, j] + one * path[i] * path[j]
        for k in range(steps.shape[0]):
            factor = weights[k] * steps[k, i]
            for j in range(i + 1):
                out[i, j] += factor * steps[k, j]
    for i in range(size):
        for j in range(i):
            out[j, i] = out[i, j]


def combined(coefficients: _Floats, axes: _Floats) -> _Floats:
    """Sums of axes, (rows, n), one after the other: coefficients (rows, k), axes (k, n) in rows."""
    out = np.empty((len(coefficients), axes.shape[1]))
    _combined(coefficients, axes, out)
    return out


def ranked_update(
    covariance: _Floats, decay: float, one: float, path: _Floats, weights: _Floats, steps: _Floats
) -> _Floats:
    """decay C + one p pᵀ + sum_k weights_k y_k y_kᵀ, (n, n) and symmetric; path p (n,), steps y (k, n)."""
    out = np.empty(covariance.shape)
    _ranked_update(covariance, decay, one, path, weights, steps, out)
    return out


def decomposed(covariance: _Floats) -> tuple[_Floats, _Floats, _Floats]:
    """C, its axes b_k (n, n) in rows, and their lengths d (n,): C = sum_k d_k² b_k b_kᵀ.

    Rounding can make the least variances of an ill-conditioned C negative: all are raised until the least is 1e-14 of
    the largest, in the C that is returned too.
    """
    if len(covariance) > _SMALL:
        with one_thread():
            variances, axes = np.linalg.eigh(covariance)
    else:
        variances, axes = np.linalg.eigh(covariance)
    least = 1e-14 * variances[-1]
    if variances[0] < least:
        lift = least - variances[0]
        covariance, variances = covariance + lift * np.eye(len(covariance)), variances + lift
    return covariance, np.ascontiguousarray(axes.T), np.sqrt(variances)
