"""The genetic algorithm on orders: the shortest tour of cities on a circle, which is round the circle."""

import numpy as np

import evo

CITIES = 30
angles = 2 * np.pi * np.random.default_rng(0).permutation(CITIES) / CITIES
places = np.column_stack([np.cos(angles), np.sin(angles)])


def length(tours: np.ndarray) -> np.ndarray:
    """Of closed tours, (individuals, cities), each an order of the cities."""
    visited = places[tours.astype(int)]
    return np.sqrt(np.sum((visited - np.roll(visited, 1, axis=1)) ** 2, axis=2)).sum(axis=1)


ga = evo.GA(
    np.arange(CITIES),  # the first tour: as the cities are numbered
    seed=0,
    genome="permutation",
    population_size=100,
    select="tournament:size=3",
    cross="order",
    mutate="inversion",
    replace="plus",  # tours do not change: whoever was good stays
)
for _ in range(300):
    ga.tell(-length(ga.ask().dense()))

tour = ga.candidates()
shortest = 2 * CITIES * np.sin(np.pi / CITIES)
print(f"a tour of {length(tour)[0]:.4f}, the shortest there is {shortest:.4f}")
assert np.isclose(length(tour)[0], shortest)
