"""Initial weights."""

import numpy as np

from evo.autodiff.blas import one_thread


def orthogonal(rows: int, columns: int, gain: float, rng: np.random.Generator) -> np.ndarray:
    """A matrix (rows, columns), float64; its rows or columns, the fewer of the two, are orthogonal and of length gain.

    Saxe, McClelland & Ganguli 2014, "Exact solutions to the nonlinear dynamics of learning in deep linear networks".
    """
    normal = rng.normal(size=(max(rows, columns), min(rows, columns)))
    with one_thread():
        q, r = np.linalg.qr(normal)
    q *= np.where(np.diag(r) < 0, -1.0, 1.0)  # so that every such matrix is equally likely
    return gain * (q if rows >= columns else q.T)
