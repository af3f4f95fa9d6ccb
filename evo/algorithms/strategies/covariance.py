"""Covariance matrix of CMA-ES: sampling, rank-one and rank-mu updates, eigendecomposition.

Compiled without BLAS, so that the bits do not depend on threads; only the decomposition calls LAPACK, on one thread.
Arguments are never modified.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evo.envs.engine.compile import njit
from evo.numerics.blas_threads import one_thread

_Floats = NDArray[np.float64]
_SMALL = 32  # parameters up to which LAPACK has nothing to share between threads


@njit(cache=True, error_model="numpy")
def _combine(coefficients: Any, axes: Any, out: Any) -> None:
    count, size = axes.shape
    out[:] = 0.0
    fours = count - count % 4  # four axes a turn: `out` is read and written a quarter as often
    for k in range(0, fours, 4):
        first, second, third, fourth = axes[k], axes[k + 1], axes[k + 2], axes[k + 3]
        for row in range(coefficients.shape[0]):
            a, b = coefficients[row, k], coefficients[row, k + 1]
            c, d = coefficients[row, k + 2], coefficients[row, k + 3]
            total = out[row]
            for i in range(size):
                total[i] += a * first[i] + b * second[i] + c * third[i] + d * fourth[i]
    for k in range(fours, count):
        for row in range(coefficients.shape[0]):
            factor = coefficients[row, k]
            for i in range(size):
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


@njit(cache=True, error_model="numpy")
def _squared_lengths(rows: Any, out: Any) -> None:
    for row in range(rows.shape[0]):
        total = 0.0
        for i in range(rows.shape[1]):
            total += rows[row, i] * rows[row, i]
        out[row] = total


def squared_lengths(rows: _Floats) -> _Floats:
    """Return the squared lengths of rows, (rows, n) → (rows,)."""
    out = np.empty(len(rows))
    _squared_lengths(rows, out)
    return out


def combine(coefficients: _Floats, axes: _Floats) -> _Floats:
    """Return sums of axes, (rows, n), added in order: coefficients (rows, k), axes (k, n) in rows."""
    out = np.empty((len(coefficients), axes.shape[1]))
    _combine(coefficients, axes, out)
    return out


def ranked_update(
    covariance: _Floats, decay: float, one: float, path: _Floats, weights: _Floats, steps: _Floats
) -> _Floats:
    """Return decay C + one p pᵀ + sum_k weights_k y_k y_kᵀ, (n, n) and symmetric; path p (n,), steps y (k, n)."""
    out = np.empty(covariance.shape)
    _ranked_update(covariance, decay, one, path, weights, steps, out)
    return out


def decompose(covariance: _Floats) -> tuple[_Floats, _Floats, _Floats]:
    """Return C, its axes b_k (n, n) in rows, and their lengths d (n,): C = sum_k d_k² b_k b_kᵀ.

    Rounding can make the least variances of an ill-conditioned C negative: all are raised until the least is 1e-14 of
    the largest, in the returned C too.
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
