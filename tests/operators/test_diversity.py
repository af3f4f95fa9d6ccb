"""Sharing and crowding: plain twins of the papers, and two peaks that a plain genetic algorithm cannot keep."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from evo.numerics.randomness import generator
from evo.operators.diversity import deterministic_crowding, fitness_sharing
from evo.operators.mutation import gaussian_mutation
from evo.operators.selection import stochastic_universal_sampling, tournament_selection

Floats = NDArray[np.float64]

seeds = st.integers(0, 2**64)
dtypes = st.sampled_from([np.float64, np.int64, np.bool_])


def random_genomes(seed: int, purpose: str, individuals: int, genes: int, dtype: type[Any]) -> NDArray[Any]:
    genomes = 2 * generator(seed, purpose).standard_normal((individuals, genes))
    return (genomes > 0) if dtype is np.bool_ else genomes.astype(dtype)


def distance(first: NDArray[Any], second: NDArray[Any]) -> float:
    if first.dtype == np.bool_:
        return float(sum(one != other for one, other in zip(first, second, strict=True)))
    return float(sum((float(one) - float(other)) ** 2 for one, other in zip(first, second, strict=True)) ** 0.5)


# Fitness sharing


@given(seeds, st.integers(1, 10), st.integers(1, 5), dtypes, st.floats(0.1, 10), st.floats(0.2, 5))
def test_sharing_equals_its_plain_twin(
    seed: int, individuals: int, genes: int, dtype: type[Any], radius: float, alpha: float
) -> None:
    population = random_genomes(seed, "population", individuals, genes, dtype)
    fitness = generator(seed, "fitness").integers(-3, 4, size=individuals).astype(np.float64)
    before = population.copy(), fitness.copy()
    shared = fitness_sharing(population, fitness, radius=radius, alpha=alpha)
    np.testing.assert_array_equal(population, before[0])
    np.testing.assert_array_equal(fitness, before[1])

    worth = fitness - fitness.min() if np.ptp(fitness) > 0 else np.ones(individuals)
    for individual in range(individuals):
        distances = [distance(population[individual], other) for other in population]
        niche = sum(1 - (apart / radius) ** alpha for apart in distances if apart < radius)
        assert shared[individual] == pytest.approx(worth[individual] / niche, rel=1e-9)


def test_copies_share_and_the_lonely_keep_all() -> None:
    population = np.array([[0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [9.0, 0.0], [5.0, 5.0]])
    shared = fitness_sharing(population, np.array([6.0, 6.0, 6.0, 6.0, -6.0]), radius=4.0)
    np.testing.assert_array_equal(shared, [4, 4, 4, 12, 0])
    alike = fitness_sharing(population, np.full(5, -3.0), radius=4.0)
    np.testing.assert_array_equal(alike, [1 / 3, 1 / 3, 1 / 3, 1, 1])


def test_the_radius_itself_is_outside_the_niche() -> None:
    apart_by_two_bits = np.array([[False, False, True], [True, True, True]])
    equal = np.ones(2)
    np.testing.assert_array_equal(fitness_sharing(apart_by_two_bits, equal, radius=2.0), [1, 1])
    np.testing.assert_allclose(fitness_sharing(apart_by_two_bits, equal, radius=4.0), [1 / 1.5, 1 / 1.5])
    # A greater alpha makes the niche's middle flat: 1 - (2 / 4)^2.
    np.testing.assert_allclose(fitness_sharing(apart_by_two_bits, equal, radius=4.0, alpha=2.0), [1 / 1.75, 1 / 1.75])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"radius": 0}, "radius=0: must be a finite number > 0"),
        ({"radius": 1, "alpha": 0}, "alpha=0: must be a finite number > 0"),
        ({"radius": 1, "fitness": np.ones(3)}, r"fitness of shape \(3,\): must be one an individual of \(4, 2\)"),
        ({"radius": 1, "fitness": np.array([1, 2, np.nan, 3])}, "fitness: must be finite"),
    ],
)
def test_bad_sharing_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fitness_sharing(**({"population": np.zeros((4, 2)), "fitness": np.ones(4)} | options))


# Deterministic crowding


@given(seeds, st.integers(0, 5), st.integers(1, 5), dtypes)
def test_crowding_equals_mahfouds_loop(seed: int, pairs: int, genes: int, dtype: type[Any]) -> None:
    individuals = 2 * pairs
    parents = random_genomes(seed, "parents", individuals, genes, dtype)
    children = random_genomes(seed, "children", individuals, genes, dtype)
    fitness, children_fitness = generator(seed, "fitness").integers(0, 3, size=(2, individuals)).astype(np.float64)
    twin = list(range(individuals))
    for p1 in range(0, individuals, 2):
        p2, c1, c2 = p1 + 1, p1, p1 + 1
        straight = distance(parents[p1], children[c1]) + distance(parents[p2], children[c2])
        crossed = distance(parents[p1], children[c2]) + distance(parents[p2], children[c1])
        if abs(straight - crossed) < 1e-9 and straight != crossed:
            return  # a tie but for rounding
        for parent, child in [(p1, c1), (p2, c2)] if straight <= crossed else [(p1, c2), (p2, c1)]:
            if children_fitness[child] > fitness[parent]:
                twin[parent] = individuals + child
    assert deterministic_crowding(parents, fitness, children, children_fitness).tolist() == twin


def test_a_child_competes_with_the_parent_it_is_like() -> None:
    parents, children = np.array([[0.0], [10.0]]), np.array([[9.0], [1.0]])
    # The first child is fitter than the first parent but like the second, which is fitter still.
    assert deterministic_crowding(parents, np.array([1.0, 5.0]), children, np.array([3.0, 0.0])).tolist() == [0, 1]
    assert deterministic_crowding(parents, np.array([1.0, 5.0]), children, np.array([6.0, 2.0])).tolist() == [3, 2]


@pytest.mark.parametrize(
    ("parents", "children", "fitness", "message"),
    [
        (np.zeros((3, 1)), np.zeros((3, 1)), np.zeros(3), "3 parents: must be pairs"),
        (np.zeros((4, 1)), np.zeros((4, 1)), np.zeros(3), "4 parents: must be pairs, each with a fitness"),
        (np.zeros((4, 1)), np.zeros((2, 1)), np.zeros(4), "must be alike"),
    ],
)
def test_crowding_is_of_pairs(parents: Floats, children: Floats, fitness: Floats, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        deterministic_crowding(parents, fitness, children, fitness)


# What they are for


def two_peaks(population: Floats) -> Floats:
    """Equal peaks at -2 and 2, (individuals, 2) -> (individuals,)."""
    left, right = (np.sum(np.square(population - peak), axis=1) for peak in (-2.0, 2.0))
    result: Floats = np.exp(-np.minimum(left, right))
    return result


def mutants(random: np.random.Generator, parents: Floats) -> Floats:
    return gaussian_mutation(random, parents, sigma=0.1)


def on_the_lesser_peak(kind: str) -> int:
    """Individuals of 60 near the peak that has fewer of them, after 400 generations of selection and mutation."""
    random = generator(0, kind)
    population = random.uniform(-4, 4, size=(60, 2))
    for _ in range(400):
        fitness = two_peaks(population)
        if kind == "crowding":
            children = mutants(random, population)
            together = np.concatenate([population, children])
            population = together[deterministic_crowding(population, fitness, children, two_peaks(children))]
        elif kind == "sharing":
            shared = fitness_sharing(population, fitness, radius=2.0)
            population = mutants(random, population[stochastic_universal_sampling(random, shared, 60)])
        else:
            population = mutants(random, population[tournament_selection(random, fitness, 60)])
    return int(min((np.linalg.norm(population - peak, axis=1) < 1).sum() for peak in (-2.0, 2.0)))


def test_plain_selection_drifts_to_one_of_two_equal_peaks() -> None:
    assert on_the_lesser_peak("tournament") == 0


@pytest.mark.parametrize("kind", ["crowding", "sharing"])
def test_sharing_and_crowding_keep_both_peaks(kind: str) -> None:
    assert on_the_lesser_peak(kind) >= 15
