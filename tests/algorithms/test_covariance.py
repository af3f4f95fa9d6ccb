"""What the strategies stand on: sums of axes, updates of a covariance, and the memory of past fitness."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from evo.algorithms.convergence import AT_REST, FLAT, STAGNATION, FitnessHistory
from evo.algorithms.strategies.covariance import combine, decompose, ranked_update, squared_lengths
from evo.numerics.randomness import generator

Floats = NDArray[np.float64]


@pytest.mark.parametrize("size", [1, 3, 4, 5, 18, 40])
def test_sums_and_updates_are_the_matrix_products_they_stand_for(size: int) -> None:
    random = generator(0, "matrices", size)
    steps, axes = random.standard_normal((7, size)), random.standard_normal((size, size))
    weights, path = random.standard_normal(7), random.standard_normal(size)
    given = [array.copy() for array in (steps, axes, weights, path)]
    close = {"rtol": 1e-12, "atol": 1e-12}
    np.testing.assert_allclose(combine(steps, axes), steps @ axes, **close)
    np.testing.assert_allclose(squared_lengths(steps), [row @ row for row in steps], **close)
    covariance = axes @ axes.T
    updated = ranked_update(covariance, 0.9, 0.3, path, weights, steps)
    plain = 0.9 * covariance + 0.3 * np.outer(path, path) + steps.T @ np.diag(weights) @ steps
    np.testing.assert_allclose(updated, plain, **close)
    np.testing.assert_array_equal(updated, updated.T)
    same, rows, lengths = decompose(covariance)
    np.testing.assert_allclose(rows.T @ np.diag(lengths**2) @ rows, same, rtol=1e-9, atol=1e-9)
    for array, before in zip((steps, axes, weights, path), given, strict=True):
        np.testing.assert_array_equal(array, before)


def test_rounding_leaves_no_variance_below_the_least() -> None:
    flat = np.outer([1.0, 1.0, 1.0], [1.0, 1.0, 1.0])
    lifted, _, lengths = decompose(flat)
    assert lengths.min() ** 2 >= 0.9e-14 * lengths.max() ** 2
    np.testing.assert_allclose(lifted, flat, atol=1e-12)


def test_a_decomposition_has_the_same_bits_on_any_number_of_threads() -> None:
    """At this size LAPACK left to itself gives others on two threads than on one."""
    axes, found = generator(0, "matrices", 300).standard_normal((300, 300)), []
    covariance = ranked_update(np.zeros((300, 300)), 0.0, 0.0, np.zeros(300), np.ones(300), axes)
    for threads in (1, 2):
        with threadpool_limits(threads, user_api="blas"):
            found.append(decompose(covariance))
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def plain_reason(best: list[float], median: list[float], spread: float, size: int, population: int) -> str | None:
    """Hansen 2016, appendix B.3, over lists that forget nothing but what is older than 2,000 generations."""
    count = len(best)
    if count >= 10 and spread == 0:
        return FLAT
    window = 10 + math.ceil(30 * size / population)
    met = max(one - other for one, other in list(zip(best, median, strict=True))[-2_000:])
    rest = 1e-15 * max(met, abs(best[-1]))
    if count >= window and max(max(best[-window:]) - min(best[-window:]), spread) <= rest:
        return AT_REST
    length = min(max(count // 5, 120 + math.ceil(30 * size / population)), 2_000)
    if count >= length and count % 10 == 0:
        part = 3 * length // 10
        old, new = slice(count - length, count - length + part), slice(count - part, count)
        if all(np.median(values[new]) <= np.median(values[old]) for values in (best, median)):
            return STAGNATION
    return None


@pytest.mark.parametrize("population", [8, 9])
def test_a_history_looks_back_as_far_as_its_plain_twin(population: int) -> None:
    """Through 4,500 generations, more than twice what is kept: slow progress, a long rest, progress again."""
    history, random = FitnessHistory(4, population), generator(1, "fitness")
    best: list[float] = []
    median: list[float] = []
    seen = set()
    for generation in range(4_500):
        height = min(generation, 2_000) + max(generation - 4_000, 0)
        fitness = 1e-3 * height + 0.3 * random.standard_normal(population)
        history.add(fitness)
        best.append(fitness.max())
        median.append(float(np.median(fitness)))
        assert history.reason() == plain_reason(best, median, float(np.ptp(fitness)), 4, population)
        seen.add(history.reason())
        if generation == 3_000:
            resumed = FitnessHistory(4, population)
            resumed.restore(history.state())
            history = resumed
    assert seen == {None, STAGNATION}
    for _ in range(300):
        fitness = np.linspace(7, 7 + 5e-15, population)
        history.add(fitness)
        best, median = [*best, fitness[-1]], [*median, float(np.median(fitness))]
    assert history.reason() == AT_REST == plain_reason(best, median, float(np.ptp(fitness)), 4, population)
