"""Noise that is drawn again is the noise that was drawn, and takes no memory."""

import importlib
import tracemalloc
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from evo.algorithms import ALGORITHMS
from evo.genomes.noise import Noise, weighted_sum
from evo.numerics.randomness import generator

Floats = NDArray[np.float64]

# What calls its pairs what.
MIRRORED = {"ars": "directions", "openai-es": "pairs", "pgpe": "pairs"}


def stored(random: np.random.Generator, count: int, size: int, deviations: Floats | None = None) -> Floats:
    """What `Noise` stands for."""
    rows = random.standard_normal((count, size))
    return rows if deviations is None else deviations * rows


def made(name: str, initial: Floats, pairs: int) -> Any:
    module, attribute = ALGORITHMS[name].split(":")
    return getattr(importlib.import_module(module), attribute)(initial, 3, **{MIRRORED[name]: pairs})


@pytest.mark.parametrize(("count", "size"), [(1, 1), (7, 3), (40, 1000)])
@pytest.mark.parametrize("uneven", [False, True])
def test_rows_in_any_order_are_those_that_numpy_draws_at_once(count: int, size: int, uneven: bool) -> None:
    deviations = np.linspace(0.1, 2.0, size) if uneven else None
    expected = stored(generator(0, "test"), count, size, deviations)
    random = generator(0, "test")
    for order in (range(count), range(count)[::-1], generator(1, "order").integers(count, size=3 * count)):
        noise = Noise(random, count, size, deviations)
        for index in order:
            np.testing.assert_array_equal(noise[int(index)], expected[index])
    np.testing.assert_array_equal([row.copy() for row in Noise(random, count, size, deviations)], expected)
    assert random.random() == generator(0, "test").random()  # whoever handed it over still has it as it was


def test_there_are_as_many_rows_as_were_asked_for() -> None:
    noise = Noise(generator(0, "test"), 4, 2)
    assert len(noise) == 4
    for index in (4, -1):
        with pytest.raises(IndexError, match=f"row {index} of 4"):
            noise[index]


def test_more_rows_begin_with_those_that_were_there() -> None:
    expected = np.random.default_rng(4).standard_normal((9, 7))
    few = Noise(np.random.default_rng(4), 3, 7)
    second = few[1].copy()
    more = few.grow(9)
    assert (len(few), len(more)) == (3, 9)
    np.testing.assert_array_equal(second, expected[1])
    for index in (8, 0, 4, 1, 2):
        np.testing.assert_array_equal(more[index], expected[index])
    np.testing.assert_array_equal(few[2], expected[2])


def test_an_interrupted_row_is_drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = stored(generator(0, "test"), 3, 5)
    noise = Noise(generator(0, "test"), 3, 5)
    np.testing.assert_array_equal(noise[1], expected[1])

    def interrupted(stream: Any, out: Floats) -> None:
        stream[:], out[:] = 0, 99.0
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("evo.genomes.noise.draw", interrupted)
        with pytest.raises(KeyboardInterrupt):
            noise[2]
    for index in (1, 2, 0):
        np.testing.assert_array_equal(noise[index], expected[index])


def test_a_weighted_sum_adds_its_rows_in_their_order() -> None:
    random = generator(0, "test")
    weights, expected = random.standard_normal(30), np.zeros(1000)
    for weight, row in zip(weights, stored(random, 30, 1000), strict=True):
        expected += weight * row
    random = generator(0, "test")
    random.standard_normal(30)
    np.testing.assert_array_equal(weighted_sum(weights, Noise(random, 30, 1000)), expected)


@pytest.mark.parametrize("name", MIRRORED)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_strategy_is_to_the_bit_what_it_is_with_noise_that_is_stored(
    name: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    initial = generator(1, "initial").standard_normal(size)
    drawn, twin = made(name, initial, 9), made(name, initial, 9)
    for generation in range(5):
        population = drawn.ask()
        with monkeypatch.context() as patch:
            patch.setattr(f"{ALGORITHMS[name].split(':')[0]}.Noise", stored)
            rows = twin.ask().dense()
        np.testing.assert_array_equal(population.dense(), rows)
        fitness = generator(2, "fitness", generation).standard_normal(18)
        for algorithm in (drawn, twin):
            algorithm.tell(fitness)
        for key, array in drawn.state().items():
            np.testing.assert_array_equal(array, twin.state()[key], err_msg=key)


@pytest.mark.parametrize("name", MIRRORED)
def test_a_generation_needs_memory_for_a_few_individuals_only(name: str) -> None:
    size, pairs = 20_000, 200
    algorithm, row = made(name, np.zeros(size), pairs), np.empty(size, np.float32)
    tracemalloc.start()
    try:
        for _ in range(2):
            population = algorithm.ask()
            for individual in range(2 * pairs):
                population.row(individual, row)
            algorithm.tell(np.arange(2.0 * pairs))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 25 * 8 * size  # 200 of them would be its noise, 400 its individuals
