"""Recombination: crossover of real genomes whose children lie between or near their parents.

`f(random, first, second, *, options)` as in `evo.operators.crossover`, for float64 genomes, (individuals, genes).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.numerics.validation import number_between
from evo.operators.genomes import bounds, check_parents, check_real

Floats = NDArray[np.float64]


def arithmetic_crossover(random: np.random.Generator, first: Floats, second: Floats) -> Floats:
    """Return points on the line between the parents: a first + (1 - a) second, one a ~ U(0, 1) for each child.

    Michalewicz 1992, "Genetic Algorithms + Data Structures = Evolution Programs", whole arithmetical crossover.
    """
    check_parents(first, second)
    check_real(first)
    weight = random.random((len(first), 1))
    children = weight * first + (1 - weight) * second
    return np.clip(children, np.minimum(first, second), np.maximum(first, second))  # rounding may leave the line


def line_crossover(random: np.random.Generator, first: Floats, second: Floats, *, sigma: float = 0.2) -> Floats:
    """Move the first parent along the line to the second, by N(0, sigma**2) of the distance between them, sigma >= 0.

    Vassiliades & Mouret 2018, "Discovering the Elite Hypervolume by Leveraging Interspecies Correlation": with a
    gaussian mutation after it, their iso + line variation.
    """
    check_parents(first, second)
    check_real(first)
    number_between("sigma", sigma, 0)
    return first + sigma * random.standard_normal((len(first), 1)) * (second - first)


def blend_crossover(random: np.random.Generator, first: Floats, second: Floats, *, alpha: float = 0.5) -> Floats:
    """BLX-alpha: draw each gene uniformly from its parents' interval, extended both ways by `alpha` >= 0 of its length.

    Eshelman & Schaffer 1993, "Real-Coded Genetic Algorithms and Interval-Schemata".
    """
    check_parents(first, second)
    check_real(first)
    number_between("alpha", alpha, 0)
    distance = np.abs(first - second)
    start = np.minimum(first, second) - alpha * distance
    return start + (1 + 2 * alpha) * distance * random.random(first.shape)


def simulated_binary_crossover(
    random: np.random.Generator,
    first: Floats,
    second: Floats,
    *,
    eta: float = 15.0,
    probability: float = 1.0,
    low: ArrayLike = -np.inf,
    high: ArrayLike = np.inf,
) -> Floats:
    """SBX: spread children about their parents as one-point crossover of binary numbers does.

    Each gene is, at even odds, one of the two children c = (x1 + x2 -+ beta (x2 - x1)) / 2, x1 <= x2. The density of
    the spread beta is (eta + 1) / 2 times beta^eta up to 1, and times beta^-(eta + 2) beyond: the greater `eta` >= 0,
    the nearer to the parents. A gene is crossed with `probability`, and else the first parent's. Deb & Agrawal 1995,
    "Simulated Binary Crossover for Continuous Search Space".

    `low` and `high`, numbers or (genes,), bound the genes: the density is truncated where a child would pass them, and
    rescaled, as in the authors' NSGA-II (Deb, Pratap, Agarwal & Meyarivan 2002). Parents beyond are first clipped.
    """
    check_parents(first, second)
    check_real(first)
    eta = number_between("eta", eta, 0)
    probability = number_between("probability", probability, 0, 1)
    least, most = bounds(low, high)
    first, second = np.clip(first, least, most), np.clip(second, least, most)
    lesser, greater = np.minimum(first, second), np.maximum(first, second)
    uniform = random.random(first.shape)
    is_upper = random.integers(2, size=first.shape, dtype=np.bool_)  # which of the two children

    crossed = greater > lesser
    if probability < 1:
        crossed &= random.random(first.shape) < probability
    # powers are slow, so only genes that are crossed are computed
    places = np.flatnonzero(crossed)
    upper, lesser, greater = is_upper.ravel()[places], lesser.ravel()[places], greater.ravel()[places]
    genes = places % first.shape[1]
    lowest, highest = (np.broadcast_to(bound, first.shape[1:])[genes] for bound in (least, most))
    room = np.where(upper, highest - greater, lesser - lowest)  # from the nearer parent to the bound
    distance = greater - lesser
    with np.errstate(over="ignore"):  # parents so close that the beta of the bound overflows
        widest = 1 + 2 * room / distance  # the beta that reaches the bound
    mass = 2 - widest ** -(eta + 1)  # twice the probability of beta <= widest: 2 without bounds
    scaled = uniform.ravel()[places] * mass
    beta = np.where(scaled <= 1, scaled, 1 / (2 - scaled)) ** (1 / (eta + 1))
    middle, half = 0.5 * lesser + 0.5 * greater, 0.5 * distance
    children = first.ravel().copy()
    children[places] = np.where(upper, 1.0, -1.0) * beta * half + middle
    return np.clip(children.reshape(first.shape), least, most)  # rounding may pass the bounds
