"""Mutation: `f(random, population, *, options)` returns the population with small random changes.

The population is (individuals, genes), float64 unless stated otherwise; the mutants have its shape and dtype. Every
gene mutates independently with `probability`. A bad option is a ValueError of one line.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.numerics.validation import number_between, positive_number
from evo.operators.genomes import Genomes, check_real, finite_bounds

Floats = NDArray[np.float64]


def gaussian_mutation(
    random: np.random.Generator, population: Floats, *, sigma: float = 0.02, probability: float = 1.0
) -> Floats:
    """Add independent N(0, sigma**2) noise to genes, sigma >= 0 in units of the genes.

    Beyer & Schwefel 2002, "Evolution strategies: A comprehensive introduction".
    """
    check_real(population)
    number_between("sigma", sigma, 0)
    return _move(random, population, sigma * random.standard_normal(population.shape), probability)


def cauchy_mutation(
    random: np.random.Generator, population: Floats, *, scale: float = 0.02, probability: float = 1.0
) -> Floats:
    """Add independent standard Cauchy noise times `scale` >= 0 to genes: mostly small moves, sometimes very large ones.

    Half of the moves are longer than `scale`. Yao, Liu & Lin 1999, "Evolutionary Programming Made Faster".
    """
    check_real(population)
    number_between("scale", scale, 0)
    return _move(random, population, scale * random.standard_cauchy(population.shape), probability)


def polynomial_mutation(
    random: np.random.Generator,
    population: Floats,
    *,
    low: ArrayLike,
    high: ArrayLike,
    eta: float = 20.0,
    probability: float | None = None,
) -> Floats:
    """Move genes within [low, high], numbers or (genes,); the greater `eta` >= 0, the shorter the moves.

    Up and down are equally likely; |move| / (high - low) has a density proportional to (1 - |move| / (high - low))^eta
    up to the bound. None for `probability` is 1 / genes. Genes beyond the bounds are first clipped to them. Deb & Goyal
    1996, "A Combined Genetic Adaptive Search (GeneAS) for Engineering Design", bounded as in the authors' NSGA-II (Deb,
    Pratap, Agarwal & Meyarivan 2002).
    """
    check_real(population)
    eta = number_between("eta", eta, 0)
    least, most = finite_bounds(low, high)
    bounded = np.clip(population, least, most)
    uniform = random.random(population.shape)
    chosen = _choose(random, population, probability)
    # powers are slow, so only genes that mutate are computed
    places = np.flatnonzero(chosen)
    uniform, genes = uniform.ravel()[places], bounded.ravel()[places]
    which = places % population.shape[1]
    least_here, most_here = (np.broadcast_to(bound, population.shape[1:])[which] for bound in (least, most))
    span = most_here - least_here
    is_down = uniform < 0.5
    room = np.where(is_down, genes - least_here, most_here - genes) / span  # delta_1 and delta_2, in [0, 1]
    share = 2 * np.where(is_down, uniform, 1 - uniform)  # in [0, 1]: 0 moves to the bound, 1 not at all
    length = 1 - (share + (1 - share) * (1 - room) ** (eta + 1)) ** (1 / (eta + 1))
    bounded.flat[places] = genes + np.where(is_down, -length, length) * span
    return np.clip(bounded, least, most)  # rounding may pass the bounds


def uniform_reset_mutation(
    random: np.random.Generator,
    population: Genomes,
    *,
    low: ArrayLike,
    high: ArrayLike,
    probability: float | None = None,
) -> Genomes:
    """Draw genes anew, uniformly: real ones between low and high, integer ones from low … high.

    For integer genomes the bounds are inclusive whole numbers. Each bound is a number or (genes,). None for
    `probability` is 1 / genes. Michalewicz 1992, "Genetic Algorithms + Data Structures = Evolution Programs", uniform
    mutation.
    """
    least, most = finite_bounds(low, high)
    if population.dtype.kind in "iu":
        if least.dtype.kind == "f" or most.dtype.kind == "f":
            raise ValueError(f"low={least.tolist()}, high={most.tolist()}: must be whole numbers for integer genomes")
        fresh: Genomes = random.integers(least, most, size=population.shape, dtype=population.dtype, endpoint=True)
    else:
        check_real(population)
        fresh = random.uniform(least, most, size=population.shape)
    return np.where(_choose(random, population, probability), fresh, population)


def bit_flip_mutation(
    random: np.random.Generator, population: NDArray[np.bool_], *, probability: float | None = None
) -> NDArray[np.bool_]:
    """Flip boolean genes; None for `probability` is 1 / genes, one gene on average.

    Mühlenbein 1992, "How Genetic Algorithms Really Work: Mutation and Hillclimbing".
    """
    if population.dtype != np.bool_:
        raise ValueError(f"population of {population.dtype}: must be boolean for its bits to be flipped")
    return population ^ _choose(random, population, probability)


def self_adaptive_mutation(
    random: np.random.Generator,
    population: Floats,
    sigmas: Floats,
    *,
    learning_rate: float | None = None,
    least: float = 1e-8,
) -> tuple[Floats, Floats]:
    """Mutate with self-adapted sigmas; return mutants, (individuals, genes), and sigmas, (individuals,).

    Each sigma is first multiplied by exp(learning_rate N(0, 1)), log-normal so that growing is as likely as
    shrinking, but kept at `least` > 0 or above; then the genes move by N(0, sigma**2). Sigmas are inherited
    like genes, so those whose children are selected survive. None for `learning_rate` (tau) is 1 / sqrt(genes), the
    first choice; 1 / sqrt(2 genes) is for very multimodal problems. Schwefel 1977, "Numerische Optimierung von
    Computer-Modellen"; Beyer & Schwefel 2002, "Evolution strategies: A comprehensive introduction", on self-adaptation.
    """
    check_real(population)
    individuals, genes = population.shape
    if sigmas.shape != (individuals,) or not (sigmas > 0).all():
        raise ValueError(f"sigmas of shape {sigmas.shape}: must be ({individuals},), and all > 0")
    positive_number("least", least)
    tau = 1 / math.sqrt(max(genes, 1)) if learning_rate is None else number_between("learning_rate", learning_rate, 0)
    adapted = np.maximum(sigmas * np.exp(tau * random.standard_normal(individuals)), least)
    return population + adapted[:, np.newaxis] * random.standard_normal(population.shape), adapted


def _move(random: np.random.Generator, population: Floats, moves: Floats, probability: float) -> Floats:
    if number_between("probability", probability, 0, 1) == 1:
        return population + moves  # every gene moves, so no choice needs to be drawn
    return population + np.where(_choose(random, population, probability), moves, 0.0)


def _choose(random: np.random.Generator, population: Genomes, probability: float | None) -> NDArray[np.bool_]:
    """Choose the genes that mutate, (individuals, genes): each with `probability`; None: one a genome on average."""
    genes = population.shape[1]
    chance = 1 / max(genes, 1) if probability is None else number_between("probability", probability, 0, 1)
    return random.random(population.shape) < chance
