"""Operators: properties that hold for every population, and the statistics of the random ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from evo.operators.crossover import uniform_crossover
from evo.operators.mutation import gaussian_mutation
from evo.operators.ranking import centred_ranks
from evo.operators.selection import best, truncation_selection
from evo.optimizers import Adam
from evo.randomness import generator

Floats = NDArray[np.float64]

finite = st.floats(-1e100, 1e100)
few_values = st.integers(-3, 3).map(float)  # many ties
fitnesses = st.integers(1, 30).flatmap(lambda n: arrays(np.float64, n, elements=finite | few_values))
seeds = st.integers(0, 2**64)


# Ranks


@given(fitnesses)
def test_centred_ranks_equal_their_plain_twin(fitness: Floats) -> None:
    count = len(fitness)
    twin = []
    for value in fitness:
        rank = sum(other < value for other in fitness) + (sum(other == value for other in fitness) - 1) / 2
        twin.append(rank / (count - 1) - 0.5 if count > 1 else 0.0)
    np.testing.assert_allclose(centred_ranks(fitness), twin, rtol=0, atol=1e-15)


@given(fitnesses)
def test_centred_ranks_sum_to_zero_within_a_half(fitness: Floats) -> None:
    ranks = centred_ranks(fitness)
    assert abs(ranks.sum()) < 1e-12
    assert np.abs(ranks).max() <= 0.5


@given(fitnesses, seeds)
def test_centred_ranks_follow_a_permutation(fitness: Floats, seed: int) -> None:
    order = generator(seed, "permutation").permutation(len(fitness))
    np.testing.assert_array_equal(centred_ranks(fitness[order]), centred_ranks(fitness)[order])


@given(fitnesses)
def test_centred_ranks_of_the_negated_fitness_are_negated(fitness: Floats) -> None:
    np.testing.assert_array_equal(centred_ranks(-fitness), -centred_ranks(fitness))


def test_centred_ranks_span_a_half_each_way_and_equal_fitness_has_no_weight() -> None:
    np.testing.assert_array_equal(centred_ranks(np.array([3.0, -8.0, 1e9])), [0.0, -0.5, 0.5])
    np.testing.assert_array_equal(centred_ranks(np.full(7, 2.5)), np.zeros(7))


# Selection


@given(fitnesses, st.data())
def test_best_are_the_fittest_best_first_and_ties_by_index(fitness: Floats, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, len(fitness)))
    twin = sorted(range(len(fitness)), key=lambda individual: (-fitness[individual], individual))
    assert best(fitness, count).tolist() == twin[:count]


@given(fitnesses, seeds, st.data())
def test_truncation_draws_whole_parents_from_the_fittest(fitness: Floats, seed: int, data: st.DataObject) -> None:
    truncation = data.draw(st.integers(1, len(fitness)))
    population = np.arange(len(fitness))[:, np.newaxis] + np.array([0.0, 100.0])  # row i is (i, i + 100)
    parents = truncation_selection(generator(seed, "selection"), population, fitness, truncation, 40)
    assert parents.shape == (40, 2)
    np.testing.assert_array_equal(parents[:, 1] - parents[:, 0], 100)
    assert set(parents[:, 0]) <= set(best(fitness, truncation))


def test_truncation_draws_its_parents_evenly() -> None:
    fitness = np.array([5.0, 1.0, 4.0, 3.0, 2.0])
    draws = 30_000
    population = np.arange(5.0)[:, np.newaxis]
    parents = truncation_selection(generator(0, "selection"), population, fitness, 3, draws)
    counts = np.bincount(parents[:, 0].astype(int), minlength=5)
    assert counts[[1, 4]].tolist() == [0, 0]
    # Binomial with probability 1/3: within five standard deviations.
    assert np.abs(counts[[0, 2, 3]] - draws / 3).max() < 5 * np.sqrt(draws * 2 / 9)


# Crossover


@given(seeds, st.integers(1, 12), st.integers(1, 12), st.floats(0, 1))
def test_every_gene_comes_from_one_of_the_parents(
    seed: int, individuals: int, parameters: int, probability: float
) -> None:
    random = generator(seed, "parents")
    first, second = random.standard_normal((2, individuals, parameters))
    children = uniform_crossover(generator(seed, "crossover"), first, second, probability)
    assert children.shape == (individuals, parameters)
    assert ((children == first) | (children == second)).all()


@given(seeds)
def test_crossover_of_probability_zero_copies_the_first_parent(seed: int) -> None:
    first, second = generator(seed, "parents").standard_normal((2, 5, 7))
    np.testing.assert_array_equal(uniform_crossover(generator(seed, "crossover"), first, second, 0.0), first)


@pytest.mark.parametrize("probability", [0.25, 1.0])
def test_crossover_mixes_children_at_its_probability_and_genes_at_even_odds(probability: float) -> None:
    individuals, parameters = 4_000, 50  # a child with two parents equals its first with probability 2**-50
    first, second = np.zeros((individuals, parameters)), np.ones((individuals, parameters))
    children = uniform_crossover(generator(0, "crossover"), first, second, probability)
    mixed = children.any(axis=1)
    assert abs(mixed.mean() - probability) <= 5 * np.sqrt(probability * (1 - probability) / individuals)
    assert abs(children[mixed].mean() - 0.5) < 5 * 0.5 / np.sqrt(mixed.sum() * parameters)


# Mutation


@pytest.mark.parametrize("deviation", [0.0, 0.02, 3.0])
def test_mutation_has_its_standard_deviation_in_every_gene_alike(deviation: float) -> None:
    population = generator(0, "population").standard_normal((20_000, 5))
    before = population.copy()
    moved = gaussian_mutation(generator(0, "mutation"), population, deviation) - population
    np.testing.assert_array_equal(population, before)
    # Five standard errors: of a mean sd / sqrt(n), of a standard deviation sd / sqrt(2 n).
    assert np.abs(moved.mean(axis=0)).max() <= 5 * deviation / np.sqrt(20_000)
    assert np.abs(moved.std(axis=0) - deviation).max() <= 5 * deviation / np.sqrt(40_000)
    if deviation > 0:
        assert np.abs(np.corrcoef(moved.T) - np.eye(5)).max() < 5 / np.sqrt(20_000)


# Adam


def plain_adam(directions: list[float], step_size: float) -> list[float]:
    """Algorithm 1 of Kingma & Ba, one number, written with its own letters."""
    m = v = 0.0
    deltas = []
    for t, g in enumerate(directions, start=1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        deltas.append(step_size * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)) ** 0.5 + 1e-8))
    return deltas


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=20))
def test_adam_equals_its_plain_twin(directions: list[float]) -> None:
    adam = Adam(2, 0.1)
    for direction, twin in zip(directions, plain_adam(directions, 0.1), strict=True):
        delta = adam.step(np.array([direction, -direction]))
        np.testing.assert_allclose(delta, [twin, -twin], rtol=1e-9, atol=1e-15)


def test_adam_moves_its_step_size_uphill_whatever_the_scale() -> None:
    for scale in (1e-3, 1.0, 1e6):
        np.testing.assert_allclose(Adam(2, 0.1).step(np.array([scale, -scale])), [0.1, -0.1], rtol=1e-4)


def test_adam_restored_goes_on_to_the_bit() -> None:
    directions = generator(0, "directions").standard_normal((20, 6))
    whole, early, late = Adam(6, 0.01), Adam(6, 0.01), Adam(6, 0.01)
    expected = [whole.step(direction) for direction in directions]
    for direction in directions[:9]:
        early.step(direction)
    state = early.state()
    early.step(directions[9])  # a state is a copy: going on does not disturb it
    late.restore(state)
    for direction, delta in zip(directions[9:], expected[9:], strict=True):
        np.testing.assert_array_equal(late.step(direction), delta)
