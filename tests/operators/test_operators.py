"""Ranks and Adam: properties that hold for every fitness, and plain twins."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from evo.numerics.randomness import generator
from evo.operators.ranking import centred_ranks
from evo.optimizers import Adam

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


# Adam


def plain_adam(directions: list[float], learning_rate: float) -> list[float]:
    """Algorithm 1 of Kingma & Ba, one number, written with its own letters."""
    m = v = 0.0
    deltas = []
    for t, g in enumerate(directions, start=1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        deltas.append(learning_rate * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)) ** 0.5 + 1e-8))
    return deltas


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=20))
def test_adam_equals_its_plain_twin(directions: list[float]) -> None:
    adam = Adam(2, 0.1)
    for direction, twin in zip(directions, plain_adam(directions, 0.1), strict=True):
        delta = adam.step(np.array([direction, -direction]))
        np.testing.assert_allclose(delta, [twin, -twin], rtol=1e-9, atol=1e-15)


def test_adam_moves_its_learning_rate_uphill_whatever_the_scale() -> None:
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
