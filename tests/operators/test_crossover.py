"""Crossover and recombination: whose genes children have, where they lie, and with which probabilities."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from evo.envs.reference import resolve
from evo.numerics.randomness import generator
from evo.operators import CROSSOVER
from evo.operators.crossover import group_crossover, one_point_crossover, two_point_crossover, uniform_crossover
from evo.operators.recombination import arithmetic_crossover, blend_crossover, simulated_binary_crossover

Floats = NDArray[np.float64]
Genomes = NDArray[Any]
Crossover = Callable[..., Genomes]

seeds = st.integers(0, 2**64)
sizes = st.integers(1, 12)

SHUFFLING = ["none", "one-point", "two-point", "uniform", "neuron"]  # children's genes are their parents'
REAL = ["arithmetic", "blend", "line", "sbx"]


def crossover(name: str, random: np.random.Generator, first: Genomes, second: Genomes) -> Genomes:
    options = {"groups": np.arange(first.shape[1]) // 2} if name == "neuron" else {}
    result: Genomes = resolve(CROSSOVER[name])(random, first, second, **options)
    return result


def parents(seed: int, individuals: int, genes: int) -> tuple[Floats, Floats]:
    first, second = generator(seed, "parents").standard_normal((2, individuals, genes))
    return first, second


# All of them


@pytest.mark.parametrize("name", SHUFFLING + REAL)
@given(seed=seeds, individuals=sizes, genes=sizes)
def test_children_have_the_shape_of_their_parents_who_stay_as_they_are(
    name: str, seed: int, individuals: int, genes: int
) -> None:
    first, second = parents(seed, individuals, genes)
    before = first.copy(), second.copy()
    children = crossover(name, generator(seed, "crossover"), first, second)
    assert children.shape == (individuals, genes)
    assert children.dtype == np.float64
    np.testing.assert_array_equal((first, second), before)
    np.testing.assert_array_equal(crossover(name, generator(seed, "crossover"), first, second), children)


@pytest.mark.parametrize("name", SHUFFLING + REAL)
@given(seed=seeds, individuals=sizes, genes=sizes)
def test_the_child_of_equal_parents_is_their_equal(name: str, seed: int, individuals: int, genes: int) -> None:
    first, _ = parents(seed, individuals, genes)
    np.testing.assert_array_equal(crossover(name, generator(seed, "crossover"), first, first.copy()), first)


@pytest.mark.parametrize("name", SHUFFLING)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.int8, np.bool_])
@given(seed=seeds, individuals=sizes, genes=sizes)
def test_every_gene_comes_from_one_of_the_parents(
    name: str, dtype: type[Any], seed: int, individuals: int, genes: int
) -> None:
    first, second = (genomes.astype(dtype) for genomes in 10 * np.array(parents(seed, individuals, genes)))
    children = crossover(name, generator(seed, "crossover"), first, second)
    assert children.dtype == dtype
    assert ((children == first) | (children == second)).all()


def test_without_crossover_a_child_is_a_copy_of_its_first_parent() -> None:
    first, second = parents(0, 6, 4)
    children = crossover("none", generator(0, "crossover"), first, second)
    np.testing.assert_array_equal(children, first)
    assert not np.shares_memory(children, first)


@pytest.mark.parametrize("name", [name for name in SHUFFLING + REAL if name != "none"])
def test_a_child_has_something_of_both_parents(name: str) -> None:
    first, second = np.zeros((50, 8)), np.ones((50, 8))
    children = crossover(name, generator(0, "crossover"), first, second)
    assert not np.array_equal(children, first)
    assert not np.array_equal(children, second)


@pytest.mark.parametrize("name", SHUFFLING + REAL)
@pytest.mark.parametrize("second", [np.zeros((3, 5)), np.zeros((1, 4)), np.zeros((3, 4), dtype=np.float32)])
def test_parents_must_be_alike(name: str, second: Genomes) -> None:
    with pytest.raises(ValueError, match="must be alike"):
        crossover(name, generator(0, "crossover"), np.zeros((3, 4)), second)


@pytest.mark.parametrize("name", REAL)
def test_recombination_is_for_reals(name: str) -> None:
    whole = np.zeros((3, 4), dtype=np.int64)
    with pytest.raises(ValueError, match=r"int64 and shape .*must be float64"):
        crossover(name, generator(0, "crossover"), whole, whole)


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        (uniform_crossover, {"probability": 1.1}, r"probability=1.1: must be a number in \[0, 1\]"),
        (blend_crossover, {"alpha": -0.1}, "alpha=-0.1: must be a finite number >= 0"),
        (simulated_binary_crossover, {"eta": -1}, "eta=-1: must be a finite number >= 0"),
        (simulated_binary_crossover, {"low": 1, "high": 1}, "low=1, high=1: must be numbers.* low < high"),
        (simulated_binary_crossover, {"low": "0"}, "low=0, high=inf: must be numbers"),
        (group_crossover, {"groups": [0, 1]}, r"groups of int64 and shape \(2,\): must be 3 whole numbers"),
        (group_crossover, {"groups": [0, 1, 0.5]}, r"groups of float64 and shape \(3,\): must be 3 whole numbers"),
    ],
)
def test_options_out_of_range_are_refused(function: Crossover, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        function(generator(0, "crossover"), np.zeros((2, 3)), np.ones((2, 3)), **options)


# Uniform crossover


@given(seeds)
def test_uniform_crossover_of_probability_zero_copies_the_first_parent(seed: int) -> None:
    first, second = parents(seed, 5, 7)
    children = uniform_crossover(generator(seed, "crossover"), first, second, probability=0.0)
    np.testing.assert_array_equal(children, first)


@pytest.mark.parametrize("probability", [0.25, 1.0])
def test_uniform_crossover_mixes_at_its_probability_and_genes_at_even_odds(probability: float) -> None:
    individuals, genes = 4_000, 50  # a child with two parents equals its first with probability 2**-50
    first, second = np.zeros((individuals, genes)), np.ones((individuals, genes))
    children = uniform_crossover(generator(0, "crossover"), first, second, probability=probability)
    mixed = children.any(axis=1)
    # Binomials: within five standard deviations.
    assert abs(mixed.mean() - probability) <= 5 * math.sqrt(probability * (1 - probability) / individuals)
    assert abs(children[mixed].mean() - 0.5) < 5 * 0.5 / math.sqrt(mixed.sum() * genes)


# Cuts


def from_second(function: Crossover, individuals: int, genes: int) -> NDArray[np.bool_]:
    """Which genes came from the second parent, (individuals, genes)."""
    shape = (individuals, genes)
    return function(generator(0, "crossover"), np.zeros(shape, dtype=np.bool_), np.ones(shape, dtype=np.bool_))


def assert_equally_likely(found: NDArray[np.bool_], expected: list[list[int]]) -> None:
    """Every expected pattern, and no other; the chi-square test would fail one true operator in a billion."""
    patterns, counts = np.unique(found, axis=0, return_counts=True)
    assert sorted(patterns.astype(int).tolist()) == sorted(expected)
    assert scipy.stats.chisquare(counts).pvalue > 1e-9


def test_one_point_crossover_cuts_once_between_any_two_genes() -> None:
    tails = [[0, 0, 0, 1], [0, 0, 1, 1], [0, 1, 1, 1]]
    assert_equally_likely(from_second(one_point_crossover, 20_000, 4), tails)


def test_two_point_crossover_exchanges_any_segment_of_the_ring() -> None:
    segments = [
        [int(start <= gene < stop) for gene in range(4)] for start in range(1, 4) for stop in range(start + 1, 5)
    ]
    assert_equally_likely(from_second(two_point_crossover, 20_000, 4), segments)


@pytest.mark.parametrize("function", [one_point_crossover, two_point_crossover])
def test_a_lone_gene_is_the_first_parents(function: Crossover) -> None:
    assert not from_second(function, 100, 1).any()


def test_groups_stay_together_and_come_from_either_parent() -> None:
    def grouped(random: np.random.Generator, first: Genomes, second: Genomes) -> Genomes:
        return group_crossover(random, first, second, groups=[7, -3, 7, 7, 0])

    patterns = [[a, b, a, a, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)]
    assert_equally_likely(from_second(grouped, 20_000, 5), patterns)


# Arithmetic and blend


@given(seeds, sizes, sizes)
def test_arithmetic_children_lie_on_the_line_between_their_parents(seed: int, individuals: int, genes: int) -> None:
    first, second = parents(seed, individuals, genes)
    children = arithmetic_crossover(generator(seed, "crossover"), first, second)
    assert (children >= np.minimum(first, second)).all()
    assert (children <= np.maximum(first, second)).all()
    across = np.abs(first - second) > 0.01  # where the place on the line can be told
    for child, one, other, told in zip(children, first, second, across, strict=True):
        place = (child - other)[told] / (one - other)[told]
        np.testing.assert_allclose(place, place[:1].repeat(len(place)), rtol=0, atol=1e-11)


def test_arithmetic_children_are_spread_evenly_over_the_line() -> None:
    places = arithmetic_crossover(generator(0, "crossover"), np.ones((50_000, 1)), np.zeros((50_000, 1)))
    assert scipy.stats.kstest(places[:, 0], "uniform").pvalue > 1e-9


@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_blend_children_are_spread_evenly_over_the_lengthened_interval(alpha: float) -> None:
    first, second = np.tile([2.0, -1.0], (50_000, 1)), np.tile([-2.0, 7.0], (50_000, 1))
    children = blend_crossover(generator(0, "crossover"), first, second, alpha=alpha)
    for child, low, high in zip(children.T, (-2, -1), (2, 7), strict=True):
        start, length = low - alpha * (high - low), (1 + 2 * alpha) * (high - low)
        assert scipy.stats.kstest(child, "uniform", args=(start, length)).pvalue > 1e-9
    assert abs(np.corrcoef(children.T)[0, 1]) < 5 / math.sqrt(50_000)  # every gene by itself


# Simulated binary crossover


def sbx(first: float, second: float, children: int, **options: float) -> Floats:
    parent = np.full((children, 1), first)
    made = simulated_binary_crossover(generator(0, "crossover"), parent, np.full_like(parent, second), **options)
    return made[:, 0]


def spread_distribution(eta: float, widest: float = math.inf) -> Callable[[Floats], Floats]:
    """Integral of Deb & Agrawal's density of beta, rescaled to end at `widest`."""

    def integral(beta: Floats | float) -> Any:
        beta = np.maximum(beta, 1e-300)
        return np.where(beta <= 1, 0.5 * beta ** (eta + 1), 1 - 0.5 * beta ** -(eta + 1))

    return lambda beta: integral(beta) / (1 if widest == math.inf else float(integral(widest)))


@pytest.mark.parametrize("eta", [0.0, 2.0, 15.0])
def test_the_spread_of_sbx_has_its_density(eta: float) -> None:
    offsets = sbx(-1.0, 3.0, 100_000, eta=eta) - 1.0
    assert scipy.stats.kstest(np.abs(offsets) / 2, spread_distribution(eta)).pvalue > 1e-9
    # Either child at even odds, whatever the spread.
    assert abs((offsets > 0).mean() - 0.5) < 5 * 0.5 / math.sqrt(100_000)
    assert scipy.stats.ks_2samp(offsets[offsets > 0], -offsets[offsets < 0]).pvalue > 1e-9


def test_bounded_sbx_cuts_its_density_off_at_the_bounds() -> None:
    # The lesser parent is 1 from its bound, so beta <= 1 + 2 / 4; the greater 2.
    children = sbx(3.0, -1.0, 100_000, eta=2.0, low=-2.0, high=5.0)
    below, above = children[children < 1] - 1.0, children[children > 1] - 1.0
    assert scipy.stats.kstest(-below / 2, spread_distribution(2.0, 1.5)).pvalue > 1e-9
    assert scipy.stats.kstest(above / 2, spread_distribution(2.0, 2.0)).pvalue > 1e-9


@given(seeds, st.floats(0, 50), st.floats(-3, 3), st.floats(0.01, 3))
def test_bounded_sbx_stays_within_its_bounds(seed: int, eta: float, low: float, span: float) -> None:
    first, second = parents(seed, 8, 5)  # some beyond the bounds
    low_of_genes = low + np.arange(5)
    children = simulated_binary_crossover(
        generator(seed, "crossover"), first, second, eta=eta, low=low_of_genes, high=low_of_genes + span
    )
    assert (children >= low_of_genes).all()
    assert (children <= low_of_genes + span).all()


@given(seeds)
def test_bounds_out_of_sight_change_nothing_of_sbx(seed: int) -> None:
    first, second = parents(seed, 8, 5)
    free = simulated_binary_crossover(generator(seed, "crossover"), first, second)
    bounded = simulated_binary_crossover(generator(seed, "crossover"), first, second, low=-1e9, high=1e9)
    np.testing.assert_allclose(bounded, free, rtol=1e-12)


def test_sbx_bears_parents_that_touch_or_meet_at_a_bound() -> None:
    first, second = np.array([[0.0, 0.0, 1.0, 0.5]]), np.array([[0.0, 5e-324, 1.0, 0.5]])
    children = simulated_binary_crossover(generator(0, "crossover"), first, second, low=0, high=1)
    np.testing.assert_array_equal(children, first)


def test_genes_are_crossed_each_by_itself() -> None:
    children = simulated_binary_crossover(generator(0, "crossover"), np.zeros((50_000, 2)), np.ones((50_000, 2)))
    assert abs(np.corrcoef(children.T)[0, 1]) < 5 / math.sqrt(50_000)
