"""Replacement: the population keeps its size, and those live on who should, by plain twins."""

from collections import deque
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from evo.envs.reference import resolve
from evo.numerics.randomness import generator
from evo.operators import REPLACEMENT
from evo.operators.replacement import (
    aging_replacement,
    comma_replacement,
    elitist_replacement,
    generational_replacement,
    plus_replacement,
    steady_state_replacement,
)

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

values = st.floats(-1e100, 1e100) | st.integers(-3, 3).map(float)  # many ties
fitnesses = st.lists(values, min_size=2, max_size=15).map(np.array)
every_rule = pytest.mark.parametrize("name", REPLACEMENT)


def no_ages(fitness: Floats) -> NDArray[np.int64]:
    return np.zeros(len(fitness), dtype=np.int64)


def children_for(fitness: Floats, data: st.DataObject, least: int = 0, most: int = 20) -> Floats:
    return np.array(data.draw(st.lists(values, min_size=least, max_size=most)), dtype=np.float64)


@every_rule
@given(fitness=fitnesses, data=st.data())
def test_as_many_live_on_and_nobody_twice(name: str, fitness: Floats, data: st.DataObject) -> None:
    individuals = len(fitness)
    children = children_for(fitness, data, individuals, individuals)  # a number that every rule takes
    ages = np.array(data.draw(st.lists(st.integers(0, 9), min_size=individuals, max_size=individuals)))
    before = fitness.copy(), children.copy(), ages.copy()
    survivors = resolve(REPLACEMENT[name])(fitness, children, ages)
    assert survivors.shape == (individuals,)
    assert survivors.dtype == np.intp
    assert len(set(survivors.tolist())) == individuals
    assert set(survivors.tolist()) <= set(range(2 * individuals))
    for array, copy in zip((fitness, children, ages), before, strict=True):
        np.testing.assert_array_equal(array, copy)


@given(fitnesses)
def test_a_generation_replaces_the_one_before(fitness: Floats) -> None:
    survivors = generational_replacement(fitness, -fitness, no_ages(fitness))
    assert survivors.tolist() == list(range(len(fitness), 2 * len(fitness)))


@given(fitnesses, st.data())
def test_elites_live_on_with_the_fittest_children(fitness: Floats, data: st.DataObject) -> None:
    individuals = len(fitness)
    elites = data.draw(st.integers(0, individuals))
    children = children_for(fitness, data, individuals - elites)
    survivors = elitist_replacement(fitness, children, no_ages(fitness), elites=elites)
    old = sorted(range(individuals), key=lambda individual: -fitness[individual])
    young = sorted(range(len(children)), key=lambda child: -children[child])
    assert survivors.tolist() == old[:elites] + [individuals + child for child in young[: individuals - elites]]


@given(fitnesses, st.data())
def test_plus_keeps_the_fittest_of_all_and_prefers_children(fitness: Floats, data: st.DataObject) -> None:
    children = children_for(fitness, data)
    individuals = len(fitness)
    everyone = [(-value, 0, individuals + child) for child, value in enumerate(children)]
    everyone += [(-value, 1, individual) for individual, value in enumerate(fitness)]
    survivors = plus_replacement(fitness, children, no_ages(fitness))
    assert survivors.tolist() == [index for _, _, index in sorted(everyone)[:individuals]]


@given(fitnesses, st.data())
def test_comma_keeps_the_fittest_children(fitness: Floats, data: st.DataObject) -> None:
    children = children_for(fitness, data, len(fitness))
    survivors = comma_replacement(fitness, children, no_ages(fitness))
    young = sorted(range(len(children)), key=lambda child: -children[child])
    assert survivors.tolist() == [len(fitness) + child for child in young[: len(fitness)]]


@given(fitnesses, st.data())
def test_steady_state_is_one_child_after_another_for_the_worst(fitness: Floats, data: st.DataObject) -> None:
    children = children_for(fitness, data)
    survivors = steady_state_replacement(fitness, children, no_ages(fitness))
    together = np.concatenate([fitness, children])
    population = fitness.tolist()
    for child in children:  # in any order: whoever is the worst goes, where the child is fitter
        worst = population.index(min(population))
        if child > population[worst]:
            population[worst] = float(child)
    assert sorted(together[survivors]) == sorted(population)
    stayed = survivors < len(fitness)
    np.testing.assert_array_equal(survivors[stayed], np.flatnonzero(stayed))  # in their places
    assert (together[survivors] >= fitness).all()
    assert (together[survivors][~stayed] > fitness[~stayed]).all()


@given(fitnesses, st.lists(st.integers(0, 15), min_size=1, max_size=10))
def test_a_population_that_ages_is_a_queue(fitness: Floats, births: list[int]) -> None:
    individuals = len(fitness)
    queue, names = deque(range(individuals), maxlen=individuals), np.arange(individuals)
    ages, born = no_ages(fitness), individuals
    for children in (min(count, individuals) for count in births):
        survivors = aging_replacement(fitness, np.full(children, -np.inf), ages)  # however unfit
        names = np.concatenate([names, born + np.arange(children)])[survivors]
        ages = np.concatenate([ages + 1, np.zeros(children, dtype=np.int64)])[survivors]
        queue.extend(range(born, born + children))
        born += children
        assert names.tolist() == list(queue)


def test_the_oldest_die_wherever_they_stand() -> None:
    survivors = aging_replacement(np.arange(5.0), np.zeros(2), np.array([3, 9, 0, 7, 9]))
    assert survivors.tolist() == [0, 2, 3, 5, 6]
    survivors = aging_replacement(np.arange(5.0), np.zeros(1), np.array([3, 9, 0, 7, 9]))
    assert survivors.tolist() == [0, 2, 3, 4, 5]  # of equal age the first


@pytest.mark.parametrize(
    ("rule", "children", "options", "message"),
    [
        (generational_replacement, 2, {}, "2 children: must be 3"),
        (generational_replacement, 4, {}, "4 children: must be 3"),
        (comma_replacement, 2, {}, "2 children: must be at least 3"),
        (elitist_replacement, 1, {"elites": 1}, "1 children: must be at least 2"),
        (elitist_replacement, 3, {"elites": 4}, r"elites=4: must be a whole number in \[0, 3\]"),
        (elitist_replacement, 3, {"elites": -1}, r"elites=-1: must be a whole number in \[0, 3\]"),
        (aging_replacement, 4, {}, "4 children: must be at most 3"),
    ],
)
def test_too_few_or_too_many_children_are_refused(
    rule: Any, children: int, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        rule(np.arange(3.0), np.arange(float(children)), no_ages(np.arange(3.0)), **options)


def test_ages_must_be_those_of_the_population() -> None:
    with pytest.raises(ValueError, match=r"ages of shape \(2,\): must be \(3,\)"):
        aging_replacement(np.arange(3.0), np.zeros(1), np.zeros(2, dtype=np.int64))


@pytest.mark.parametrize("name", ["elitist", "plus", "steady-state"])
def test_elitism_never_loses_the_best(name: str) -> None:
    random = generator(0, "fitness")
    fitness = random.standard_normal(8)
    for _ in range(50):
        together = np.concatenate([fitness, random.standard_normal(8)])
        survivors = resolve(REPLACEMENT[name])(fitness, together[8:], no_ages(fitness))
        assert together[survivors].max() >= fitness.max()
        fitness = together[survivors]
