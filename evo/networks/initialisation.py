"""Initial weights, by name: each function draws a matrix (inputs, outputs), float64."""

import math
from collections.abc import Callable

import numpy as np

from evo.numerics.blas_threads import one_thread

Draw = Callable[[int, int, np.random.Generator], np.ndarray]


def lecun(inputs: int, outputs: int, rng: np.random.Generator) -> np.ndarray:
    """Draw normal weights of variance 1 / inputs (LeCun et al. 1998, "Efficient backprop", section 4.6)."""
    return rng.normal(size=(inputs, outputs)) * (1.0 / math.sqrt(inputs))


def he(inputs: int, outputs: int, rng: np.random.Generator) -> np.ndarray:
    """Draw normal weights of variance 2 / inputs, for relu.

    He et al. 2015, "Delving deep into rectifiers", equation 10.
    """
    return rng.normal(size=(inputs, outputs)) * math.sqrt(2.0 / inputs)


def glorot(inputs: int, outputs: int, rng: np.random.Generator) -> np.ndarray:
    """Draw uniform weights of variance 2 / (inputs + outputs).

    Glorot & Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks", equation 16.
    """
    limit = math.sqrt(6.0 / (inputs + outputs))
    return rng.uniform(-limit, limit, size=(inputs, outputs))


def orthogonal(inputs: int, outputs: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a matrix whose rows or columns, the fewer of the two, are orthonormal.

    Saxe, McClelland & Ganguli 2014, "Exact solutions to the nonlinear dynamics of learning in deep linear networks".
    """
    normal = rng.normal(size=(max(inputs, outputs), min(inputs, outputs)))
    with one_thread():
        q, r = np.linalg.qr(normal)
    q *= np.where(np.diag(r) < 0, -1.0, 1.0)  # so that every such matrix is equally likely
    return q if inputs >= outputs else q.T


def zero(inputs: int, outputs: int, rng: np.random.Generator) -> np.ndarray:
    """Return zeros: the last layer's initial weights, so that a creature begins at rest."""
    return np.zeros((inputs, outputs))


INITIALISATIONS: dict[str, Draw] = {
    "lecun": lecun,
    "he": he,
    "glorot": glorot,
    "orthogonal": orthogonal,
    "zero": zero,
}


def check_initialisation(name: str) -> None:
    """Raise ValueError for an unknown initialisation; "" is allowed."""
    if name and name not in INITIALISATIONS:
        raise ValueError(f"unknown initialisation {name!r}; one of {', '.join(INITIALISATIONS)}")


def initialisation(name: str, activation: str) -> Draw:
    """Return the initialisation `name`; for "", the activation's usual one: he for relu, else lecun."""
    return INITIALISATIONS[name or ("he" if activation == "relu" else "lecun")]
