"""Mutation: bounds and rates that hold for every population, and moves against their exact distributions."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from evo.numerics.randomness import generator
from evo.operators.mutation import (
    bit_flip_mutation,
    cauchy_mutation,
    gaussian_mutation,
    polynomial_mutation,
    self_adaptive_mutation,
    uniform_reset_mutation,
)

Floats = NDArray[np.float64]
Mutation = Callable[..., NDArray[Any]]

seeds = st.integers(0, 2**64)
sizes = st.integers(1, 12)
probabilities = st.none() | st.floats(0, 1)

# Each with options of its own and a dtype it is for.
MUTATIONS: dict[str, tuple[Mutation, dict[str, Any], type[Any]]] = {
    "gaussian": (gaussian_mutation, {"sigma": 0.5}, np.float64),
    "cauchy": (cauchy_mutation, {"scale": 0.5}, np.float64),
    "polynomial": (polynomial_mutation, {"low": -9, "high": 9}, np.float64),
    "reset reals": (uniform_reset_mutation, {"low": -9, "high": 9}, np.float64),
    "reset integers": (uniform_reset_mutation, {"low": -9, "high": 9}, np.int64),
    "reset small integers": (uniform_reset_mutation, {"low": -9, "high": 9}, np.int8),
    "bit flip": (bit_flip_mutation, {}, np.bool_),
}

every_mutation = pytest.mark.parametrize(("mutation", "options", "dtype"), MUTATIONS.values(), ids=MUTATIONS)


def population_of(dtype: type[Any], seed: int, individuals: int, genes: int) -> NDArray[Any]:
    genes_of_all = 2 * generator(seed, "population").standard_normal((individuals, genes))
    return np.clip(genes_of_all, -8, 8).astype(dtype)  # off the bounds, where some moves go nowhere


# All of them


@every_mutation
@given(seed=seeds, individuals=sizes, genes=sizes, probability=st.floats(0, 1))
def test_mutants_have_the_shape_of_the_population_which_stays_as_it_is(
    mutation: Mutation,
    options: dict[str, Any],
    dtype: type[Any],
    seed: int,
    individuals: int,
    genes: int,
    probability: float,
) -> None:
    population = population_of(dtype, seed, individuals, genes)
    before = population.copy()
    mutants = mutation(generator(seed, "mutation"), population, probability=probability, **options)
    assert mutants.shape == population.shape
    assert mutants.dtype == dtype
    np.testing.assert_array_equal(population, before)
    again = mutation(generator(seed, "mutation"), population, probability=probability, **options)
    np.testing.assert_array_equal(again, mutants)


@every_mutation
@pytest.mark.parametrize("probability", [0.0, 0.1, 1.0])
def test_genes_mutate_with_their_probability_each_by_itself(
    mutation: Mutation, options: dict[str, Any], dtype: type[Any], probability: float
) -> None:
    population = population_of(dtype, 0, 20_000, 5)
    mutants = mutation(generator(0, "mutation"), population, probability=probability, **options)
    stays = 1 / 19 if mutation is uniform_reset_mutation and dtype != np.float64 else 0.0  # drawn anew, but the same
    rate = probability * (1 - stays)
    found = (mutants != population).mean(axis=0)
    # Binomials: within five standard deviations.
    assert np.abs(found - rate).max() <= 5 * math.sqrt(rate * (1 - rate) / 20_000)
    if probability == 0.1:
        assert np.abs(np.corrcoef((mutants != population).T) - np.eye(5)).max() < 5 / math.sqrt(20_000)


@pytest.mark.parametrize("name", ["polynomial", "reset reals", "bit flip"])
def test_by_default_one_gene_of_an_individual_mutates_on_average(name: str) -> None:
    mutation, options, dtype = MUTATIONS[name]
    population = population_of(dtype, 0, 20_000, 8)
    changes = (mutation(generator(0, "mutation"), population, **options) != population).sum(axis=1)
    expected = scipy.stats.binom.pmf(np.arange(9), 8, 1 / 8)
    counts = np.bincount(changes, minlength=9)
    # The chi-square test, rare counts in one, would fail one true operator in a billion.
    together = [*counts[:4], counts[4:].sum()], [*expected[:4], expected[4:].sum()]
    assert scipy.stats.chisquare(together[0], 20_000 * np.array(together[1])).pvalue > 1e-9


@pytest.mark.parametrize(
    ("mutation", "dtype", "options", "message"),
    [
        (gaussian_mutation, np.float64, {"sigma": -1}, "sigma=-1: must be a finite number >= 0"),
        (gaussian_mutation, np.float64, {"probability": 2}, r"probability=2: must be a number in \[0, 1\]"),
        (gaussian_mutation, np.int64, {}, r"int64 and shape \(2, 3\): must be float64"),
        (cauchy_mutation, np.float64, {"scale": math.inf}, "scale=inf: must be a finite number >= 0"),
        (cauchy_mutation, np.float32, {}, r"float32 and shape \(2, 3\): must be float64"),
        (polynomial_mutation, np.float64, {"low": 1, "high": 0}, "low=1, high=0: .* low < high"),
        (polynomial_mutation, np.float64, {"low": 0, "high": math.inf}, "low=0, high=inf: must be finite"),
        (polynomial_mutation, np.float64, {"low": 0, "high": 1, "eta": -1}, "eta=-1: must be a finite number >= 0"),
        (polynomial_mutation, np.int64, {"low": 0, "high": 1}, "int64 .*must be float64"),
        (uniform_reset_mutation, np.float64, {"low": [0, 0, 1], "high": 1}, r"low=\[0, 0, 1\], high=1: .* low < high"),
        (uniform_reset_mutation, np.float64, {"low": True, "high": 2}, "low=True, high=2: must be numbers"),
        (uniform_reset_mutation, np.int64, {"low": 0.5, "high": 3}, "must be whole numbers for integer genomes"),
        (uniform_reset_mutation, np.bool_, {"low": 0, "high": 1}, "bool .*must be float64"),
        (bit_flip_mutation, np.bool_, {"probability": -0.1}, r"probability=-0.1: must be a number in \[0, 1\]"),
        (bit_flip_mutation, np.int64, {}, "population of int64: must be boolean"),
    ],
)
def test_what_a_mutation_is_not_for_is_refused(
    mutation: Mutation, dtype: type[Any], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        mutation(generator(0, "mutation"), np.zeros((2, 3), dtype=dtype), **options)


# Gaussian and Cauchy


@pytest.mark.parametrize("deviation", [0.0, 0.02, 3.0])
def test_gaussian_mutation_has_its_standard_deviation_in_every_gene_alike(deviation: float) -> None:
    population = generator(0, "population").standard_normal((20_000, 5))
    moved = gaussian_mutation(generator(0, "mutation"), population, sigma=deviation) - population
    # Five standard errors: of a mean sd / sqrt(n), of a standard deviation sd / sqrt(2 n).
    assert np.abs(moved.mean(axis=0)).max() <= 5 * deviation / np.sqrt(20_000)
    assert np.abs(moved.std(axis=0) - deviation).max() <= 5 * deviation / np.sqrt(40_000)
    if deviation > 0:
        assert np.abs(np.corrcoef(moved.T) - np.eye(5)).max() < 5 / np.sqrt(20_000)


@pytest.mark.parametrize("scale", [0.02, 3.0])
def test_cauchy_mutation_moves_by_cauchys_distribution(scale: float) -> None:
    moves = cauchy_mutation(generator(0, "mutation"), np.zeros((50_000, 2)), scale=scale)
    for moved in moves.T:
        assert scipy.stats.kstest(moved, "cauchy", args=(0, scale)).pvalue > 1e-9
    # The signs tell of dependence; the moments of a Cauchy number do not exist.
    assert abs(np.sign(moves[:, 0] * moves[:, 1]).mean()) < 5 / math.sqrt(50_000)


# Polynomial


@pytest.mark.parametrize("eta", [0.0, 5.0, 20.0])
@pytest.mark.parametrize("gene", [-1.0, -0.9, 1.5, 3.0])
def test_polynomial_moves_have_their_density_as_far_as_the_bounds(eta: float, gene: float) -> None:
    mutants = polynomial_mutation(
        generator(0, "mutation"), np.full((50_000, 1), gene), low=-1, high=3, eta=eta, probability=1.0
    )
    moves = (mutants[:, 0] - gene) / 4
    for lengths, room in ((-moves[moves < 0], (gene + 1) / 4), (moves[moves > 0], (3 - gene) / 4)):
        if room == 0:
            assert len(lengths) == 0
            continue
        assert abs(len(lengths) / 50_000 - 0.5) < 5 * 0.5 / math.sqrt(50_000)  # either way at even odds
        # The integral of (eta + 1) (1 - length)^eta, rescaled to end at the bound.
        whole = 1 - (1 - room) ** (eta + 1)
        assert scipy.stats.kstest(lengths, lambda length: (1 - (1 - length) ** (eta + 1)) / whole).pvalue > 1e-9  # noqa: B023


@given(seeds, st.floats(0, 100), st.floats(-3, 3), st.floats(0.01, 3), probabilities)
def test_polynomial_mutants_lie_within_their_bounds(
    seed: int, eta: float, low: float, span: float, probability: float | None
) -> None:
    population = generator(seed, "population").standard_normal((8, 5))  # some beyond the bounds
    lows = low + np.arange(5)
    mutants = polynomial_mutation(
        generator(seed, "mutation"), population, low=lows, high=lows + span, eta=eta, probability=probability
    )
    assert (mutants >= lows).all()
    assert (mutants <= lows + span).all()


# Reset and flips


def test_reals_are_reset_evenly_within_their_own_bounds() -> None:
    mutants = uniform_reset_mutation(
        generator(0, "mutation"), np.full((50_000, 2), 77.0), low=[-1, 5], high=[1, 5.5], probability=1.0
    )
    for gene, low, span in zip(mutants.T, (-1, 5), (2, 0.5), strict=True):
        assert scipy.stats.kstest(gene, "uniform", args=(low, span)).pvalue > 1e-9


def test_integers_are_reset_evenly_with_both_bounds_included() -> None:
    population = np.full((20_000, 2), 77)
    mutants = uniform_reset_mutation(generator(0, "mutation"), population, low=[-1, 5], high=[2, 6], probability=1.0)
    for gene, low, high in zip(mutants.T, (-1, 5), (2, 6), strict=True):
        values, counts = np.unique(gene, return_counts=True)
        assert values.tolist() == list(range(low, high + 1))
        assert scipy.stats.chisquare(counts).pvalue > 1e-9


def test_every_bit_flipped_is_the_opposite() -> None:
    population = population_of(np.bool_, 0, 10, 4)
    np.testing.assert_array_equal(
        bit_flip_mutation(generator(0, "mutation"), population, probability=1.0), np.logical_not(population)
    )


# Self-adaptation


@pytest.mark.parametrize("learning_rate", [None, 0.7])
def test_sigmas_are_multiplied_by_a_log_normal_number(learning_rate: float | None) -> None:
    sigmas = np.geomspace(1e-3, 10, 50_000)
    _, adapted = self_adaptive_mutation(
        generator(0, "mutation"), np.zeros((50_000, 4)), sigmas, learning_rate=learning_rate
    )
    tau = 1 / math.sqrt(4) if learning_rate is None else learning_rate
    assert scipy.stats.kstest(np.log(adapted / sigmas) / tau, "norm").pvalue > 1e-9


def test_genes_move_by_the_sigma_that_is_passed_on() -> None:
    population = generator(0, "population").standard_normal((20_000, 3))
    sigmas = np.geomspace(1e-3, 10, 20_000)
    before = population.copy(), sigmas.copy()
    mutants, adapted = self_adaptive_mutation(generator(0, "mutation"), population, sigmas)
    np.testing.assert_array_equal(population, before[0])
    np.testing.assert_array_equal(sigmas, before[1])
    moves = (mutants - population) / adapted[:, np.newaxis]
    assert scipy.stats.kstest(moves.ravel(), "norm").pvalue > 1e-9
    # Neither the other genes' moves nor the step size's own change tell a move.
    everything = np.column_stack([moves, np.log(adapted / sigmas)])
    assert np.abs(np.corrcoef(everything.T) - np.eye(4)).max() < 5 / math.sqrt(20_000)


def test_sigmas_do_not_vanish() -> None:
    population, sigmas = np.zeros((1000, 2)), np.full(1000, 0.1)
    _, adapted = self_adaptive_mutation(generator(0, "mutation"), population, sigmas, learning_rate=5.0, least=0.05)
    assert adapted.min() == 0.05
    assert (adapted > 0.05).any()


@pytest.mark.parametrize(
    ("sigmas", "options", "message"),
    [
        (np.ones(3), {}, r"sigmas of shape \(3,\): must be \(2,\), and all > 0"),
        (np.array([1.0, 0.0]), {}, "all > 0"),
        (np.array([1.0, np.nan]), {}, "all > 0"),
        (np.ones(2), {"learning_rate": -1}, "learning_rate=-1: must be a finite number >= 0"),
        (np.ones(2), {"least": 0}, "least=0: must be a finite number > 0"),
    ],
)
def test_bad_self_adaptation_is_refused(sigmas: Floats, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        self_adaptive_mutation(generator(0, "mutation"), np.zeros((2, 3)), sigmas, **options)


def test_self_adaptation_finds_the_scale_of_the_sphere() -> None:
    """A (5, 35) strategy of ten genes, from 100 times too small a step size: convergence is linear in the logarithm."""
    random = generator(0, "strategy")
    population, sigmas = np.ones((5, 10)), np.full(5, 1e-3)
    for _ in range(300):
        parents = random.integers(5, size=35)
        mutants, adapted = self_adaptive_mutation(random, population[parents], sigmas[parents])
        fittest = np.argsort(np.sum(np.square(mutants), axis=1))[:5]
        population, sigmas = mutants[fittest], adapted[fittest]
    assert np.linalg.norm(population[0]) < 1e-6
    assert sigmas.max() < 1e-5
