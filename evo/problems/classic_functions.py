"""Classic test functions of optimisation (to be minimised), on rows of points.

Definitions and customary domains: Molga & Smutnicki 2005, "Test functions for optimization needs"; ellipsoid, cigar,
discus and different powers: Hansen & Ostermeier 2001, "Completely Derandomized Self-Adaptation in Evolution
Strategies", table 3. The least value of each is 0.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float64]


class Function(NamedTuple):
    """A test function and its customary domain.

    values: points (individuals, n) → (individuals,). optimum: the coordinate of the least value, the same in every
    dimension. low, high: the domain, the same in every dimension.
    """

    values: Callable[[_Floats], _Floats]
    optimum: float
    low: float
    high: float
    summary: str


def _exponents(size: int) -> _Floats:
    """Return exponents from 0 to 1, evenly spaced over the coordinates."""
    return np.arange(size) / max(1, size - 1)


def sphere(x: _Floats) -> _Floats:
    return np.sum(np.square(x), axis=1)


def ellipsoid(x: _Floats) -> _Floats:
    return np.sum(1e6 ** _exponents(x.shape[1]) * np.square(x), axis=1)


def cigar(x: _Floats) -> _Floats:
    return np.square(x[:, 0]) + 1e6 * np.sum(np.square(x[:, 1:]), axis=1)


def discus(x: _Floats) -> _Floats:
    return 1e6 * np.square(x[:, 0]) + np.sum(np.square(x[:, 1:]), axis=1)


def different_powers(x: _Floats) -> _Floats:
    return np.sum(np.abs(x) ** (2 + 10 * _exponents(x.shape[1])), axis=1)


def rosenbrock(x: _Floats) -> _Floats:
    return np.sum(100 * np.square(x[:, 1:] - np.square(x[:, :-1])) + np.square(1 - x[:, :-1]), axis=1)


def rastrigin(x: _Floats) -> _Floats:
    return np.sum(np.square(x) - 10 * np.cos(2 * np.pi * x) + 10, axis=1)


def ackley(x: _Floats) -> _Floats:
    size = x.shape[1]
    near = np.exp(-0.2 * np.sqrt(np.sum(np.square(x), axis=1) / size))
    return 20 * (1 - near) + np.e - np.exp(np.sum(np.cos(2 * np.pi * x), axis=1) / size)


def griewank(x: _Floats) -> _Floats:
    waves = np.prod(np.cos(x / np.sqrt(np.arange(1, x.shape[1] + 1))), axis=1)
    return np.sum(np.square(x), axis=1) / 4000 - waves + 1


def schwefel(x: _Floats) -> _Floats:
    inside = np.clip(x, -500, 500)  # clipped: the function is unbounded below outside
    return np.sum(418.9828872724338 - inside * np.sin(np.sqrt(np.abs(inside))) + np.square(x - inside), axis=1)


FUNCTIONS: dict[str, Function] = {
    "sphere": Function(sphere, 0.0, -5.0, 5.0, "a bowl"),
    "ellipsoid": Function(ellipsoid, 0.0, -5.0, 5.0, "a bowl a thousand times longer than wide"),
    "cigar": Function(cigar, 0.0, -5.0, 5.0, "one easy direction, the others a million times as steep"),
    "discus": Function(discus, 0.0, -5.0, 5.0, "one direction a million times as steep as the others"),
    "different-powers": Function(
        different_powers, 0.0, -5.0, 5.0, "ever flatter towards the optimum, each way its own"
    ),
    "rosenbrock": Function(rosenbrock, 1.0, -2.0, 2.0, "a bent valley"),
    "rastrigin": Function(rastrigin, 0.0, -5.12, 5.12, "a bowl with a local optimum at every whole number"),
    "ackley": Function(ackley, 0.0, -32.768, 32.768, "a funnel in a wavy plain"),
    "griewank": Function(griewank, 0.0, -600.0, 600.0, "a wide bowl with fine waves"),
    "schwefel": Function(schwefel, 420.9687462275036, -500.0, 500.0, "the best hollow lies far from the next best"),
}
