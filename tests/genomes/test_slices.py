"""Slices of populations: plain arrays, by which another process makes the same individuals."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from evo.genomes.bounds import Box
from evo.genomes.noise import Noise
from evo.genomes.population import (
    DensePopulation,
    PerturbedPopulation,
    Population,
    RaggedPopulation,
    SampledPopulation,
    Subpopulation,
    row_of,
)
from evo.genomes.seed_lists import Reconstruction, SeedPopulation
from evo.genomes.slices import describe, rebuild
from evo.numerics.randomness import generator
from evo.storage.files import arrays_from_bytes, arrays_to_bytes

SIZE = 500
DEVIATIONS = np.linspace(0.1, 2.0, SIZE)


def _random() -> np.random.Generator:
    return generator(0, "test slices")


def _lists() -> SeedPopulation:
    seeds = _random().integers(2**62, size=9)
    parents, ancestors = [seeds[:1], seeds[:3], seeds[:2]], np.array([0, 0, 1, 2, 1, 1])
    return SeedPopulation(Reconstruction(np.ones(SIZE), 1.0, 0.5, 1.0), parents, 2, ancestors, seeds[3:])


def _sampled() -> SampledPopulation:
    steps = _random().standard_normal((8, SIZE))
    return SampledPopulation(np.zeros(SIZE), 0.7, steps, steps, Box(-1.0, 1.0, np.zeros(SIZE)))


# Population, and the bytes that four of its individuals may take: what made them, or their rows.
SMALL, ROWS = 1.5 * 8 * SIZE + 8000, 4.5 * 8 * SIZE + 8000
POPULATIONS: dict[str, tuple[Callable[[], Population], float]] = {
    "dense": (lambda: DensePopulation(_random().standard_normal((8, SIZE))), ROWS),
    "ragged": (lambda: RaggedPopulation([_random().standard_normal(1 + row) for row in range(8)]), SMALL),
    "noise": (lambda: PerturbedPopulation(np.ones(SIZE), Noise(_random(), 4, SIZE), 0.3), SMALL),
    "uneven": (lambda: PerturbedPopulation(np.ones(SIZE), Noise(_random(), 4, SIZE, DEVIATIONS), 0.3), 2 * SMALL),
    "stored": (lambda: PerturbedPopulation(np.ones(SIZE), _random().standard_normal((4, SIZE)), 0.3), ROWS),
    "sampled": (_sampled, ROWS),
    "seed lists": (_lists, SMALL),
    "some": (lambda: Subpopulation(POPULATIONS["noise"][0](), np.arange(8)[::-1]), SMALL),
}


@pytest.mark.parametrize("name", POPULATIONS)
@pytest.mark.parametrize("individuals", [[0], [3, 4, 5, 6], [7, 0, 2, 1], range(8)], ids=str)
def test_the_same_individuals_are_made_elsewhere(name: str, individuals: Any) -> None:
    make, most = POPULATIONS[name]
    sent = arrays_to_bytes(describe(make(), np.array(individuals), np.float64))
    there, expected = rebuild(arrays_from_bytes(sent)), make()
    assert len(there) == len(individuals)
    for place, individual in enumerate(individuals):
        np.testing.assert_array_equal(row_of(there, place), row_of(expected, individual))
    assert len(individuals) > 4 or len(sent) < most


def test_rows_travel_in_the_type_that_is_evaluated() -> None:
    population = DensePopulation(_random().standard_normal((4, SIZE)))
    arrays = describe(population, np.arange(4), np.float32)
    assert arrays["rows"].dtype == np.float32
    expected = population.dense().astype(np.float32)
    np.testing.assert_array_equal(rebuild(arrays).dense().astype(np.float32), expected)


def test_noise_is_the_same_where_it_was_read_before_and_after() -> None:
    noise, expected = (Noise(_random(), 6, 3) for _ in range(2))
    noise[2]
    streams = noise.streams(np.array([4, 1]))
    there = Noise.from_streams(streams, 3)
    for place, row in ((0, 4), (1, 1), (0, 4)):  # a row that is read does not move the next
        np.testing.assert_array_equal(there[place].copy(), expected[row])
    np.testing.assert_array_equal(noise[5].copy(), expected[5])
