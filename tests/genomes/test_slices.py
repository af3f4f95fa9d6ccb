"""Slices of populations: plain arrays, by which another process makes the same individuals."""

from collections.abc import Callable

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
from evo.genomes.slices import describe, describe_rows, rebuild
from evo.numerics.randomness import generator
from evo.storage.messages import pack, unpack

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


POPULATIONS: dict[str, Callable[[], Population]] = {
    "dense": lambda: DensePopulation(_random().standard_normal((8, SIZE))),
    "ragged": lambda: RaggedPopulation([_random().standard_normal(1 + row) for row in range(8)]),
    "noise": lambda: PerturbedPopulation(np.ones(SIZE), Noise(_random(), 4, SIZE), 0.3),
    "uneven": lambda: PerturbedPopulation(np.ones(SIZE), Noise(_random(), 4, SIZE, DEVIATIONS), 0.3),
    "stored": lambda: PerturbedPopulation(np.ones(SIZE), _random().standard_normal((4, SIZE)), 0.3),
    "sampled": _sampled,
    "seed lists": _lists,
    "some": lambda: Subpopulation(POPULATIONS["noise"](), np.arange(8)[::-1]),
    "some of some": lambda: Subpopulation(POPULATIONS["some"](), np.array([0, 3, 1])),
    "some rows": lambda: Subpopulation(POPULATIONS["dense"](), np.array([5, 2])),
}
BY_ROWS = {"dense", "ragged", "stored", "sampled", "some rows"}


@pytest.mark.parametrize("name", POPULATIONS)
def test_the_same_individuals_are_made_elsewhere(name: str) -> None:
    population, expected = POPULATIONS[name](), POPULATIONS[name]()
    described = describe(population)
    assert (described is None) == (name in BY_ROWS)
    if described is None:
        sent = describe_rows(population, range(1, len(population)), np.float64)
        there, first = rebuild(_travelled(sent)), 1
    else:
        there, first = rebuild(_travelled(described.lasting | described.passing)), 0
    assert len(there) == len(expected) - first
    for place in (*range(len(there)), 0):
        np.testing.assert_array_equal(row_of(there, place), row_of(expected, first + place))


def _travelled(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return unpack(pack({}, arrays))[1]


def test_what_makes_a_large_population_is_a_few_bytes_an_individual() -> None:
    """Beside a centre, or the parameters that seeds begin with, which a node gets once."""
    mirrored = describe(PerturbedPopulation(np.zeros(9), Noise(_random(), 500, 9), 0.3))
    assert mirrored is not None
    seeds = _random().integers(2**62, size=1000)
    children = SeedPopulation(
        Reconstruction(np.ones(9), 1, 0.5, 1), [seeds[:90]] * 20, 1, np.arange(999) // 50, seeds[1:]
    )
    from_seeds = describe(children)
    assert from_seeds is not None
    for described in (mirrored, from_seeds):
        assert len(pack({}, described.passing)) - 8 * 9 < 33 * 1000


def test_rows_travel_in_the_type_that_is_evaluated() -> None:
    population = DensePopulation(_random().standard_normal((4, SIZE)))
    arrays = describe_rows(population, range(4), np.float32)
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
