"""Ancestry keeps the lines of those alive, and only those: the same as a family tree of everybody who ever lived."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evo.algorithms.genetic.ancestry import Ancestry, Newborn
from evo.numerics.randomness import generator

Person = tuple[int, tuple[int, int, int], "Person | None"]  # generation, species, nodes and links, mother


def generations(seed: int, count: int, size: int) -> list[tuple[np.ndarray, Newborn]]:
    """Mothers and children of random generations, of which few change."""
    rng, found = generator(seed, "families"), []
    now = np.zeros((size, 3), np.int64)
    for _ in range(count):
        mothers = rng.integers(size, size=size)
        now = now[mothers] + (rng.random((size, 3)) < 0.1)
        found.append((mothers, Newborn(*now.T.copy())))
    return found


def line_of(person: Person | None) -> list[tuple[int, ...]]:
    """The plain twin of `Ancestry.line`: a person's mothers, those left out who were as their own mothers."""
    found: list[tuple[int, ...]] = []
    while person is not None:
        born, features, mother = person
        if mother is None or mother[1] != features:
            found.append((born, *features))
        person = mother
    return found[::-1]


@given(st.integers(0, 2**31), st.integers(1, 12), st.integers(1, 8))
def test_lines_are_those_of_the_whole_family_tree(seed: int, count: int, size: int) -> None:
    ancestry, people = Ancestry(), list[Person]()
    for generation, (mothers, born) in enumerate(generations(seed, count, size)):
        features = [tuple(map(int, each)) for each in np.column_stack(born)]
        if generation == 0:
            ancestry.follow(None, born, 0)
            people = [(0, each, None) for each in features]  # type: ignore[misc]
        else:
            ancestry.follow(mothers, born, generation)
            people = [(generation, each, people[mother]) for each, mother in zip(features, mothers, strict=True)]  # type: ignore[misc]
    for individual, person in enumerate(people):
        line = ancestry.line(individual)
        found = list(zip(*(values.tolist() for values in line[1:]), strict=True))
        assert found == line_of(person)
        assert line.mothers.tolist() == [0, *range(len(found) - 1)]


@given(st.integers(0, 2**31))
def test_nobody_is_kept_from_whom_none_alive_descends(seed: int) -> None:
    ancestry = Ancestry()
    for generation, (mothers, born) in enumerate(generations(seed, 30, 6)):
        ancestry.follow(mothers if generation else None, born, generation)
    needed = {int(entry) for entry in ancestry.living}
    for entry in sorted(range(len(ancestry.entries.mothers)), reverse=True):
        if entry in needed:
            needed.add(int(ancestry.entries.mothers[entry]))
    assert needed == set(range(len(ancestry.entries.mothers)))


def test_of_a_long_search_without_change_little_is_kept() -> None:
    ancestry, still = Ancestry(), Newborn(*np.zeros((3, 50), np.int64))
    ancestry.follow(None, still, 0)
    for generation in range(1, 400):
        ancestry.follow(generator(generation, "mothers").integers(50, size=50), still, generation)
    assert len(ancestry.entries.mothers) == 1


def test_a_state_is_restored_and_a_damaged_one_refused() -> None:
    ancestry, again = Ancestry(), Ancestry()
    for generation, (mothers, born) in enumerate(generations(3, 9, 5)):
        ancestry.follow(mothers if generation else None, born, generation)
    state = ancestry.state()
    again.restore(state)
    mothers, born = generations(4, 1, 5)[0]
    ancestry.follow(mothers, born, 9)
    again.follow(mothers, born, 9)
    assert all(np.array_equal(ancestry.state()[name], again.state()[name]) for name in state)
    Ancestry.check(state, len(state["living"]))
    for name, values in (
        ("mothers", state["mothers"] + 1),
        ("living", state["living"] + 99),
        ("links", np.zeros(1, int)),
    ):
        with pytest.raises(ValueError, match="entries"):
            Ancestry.check({**state, name: values}, len(state["living"]))
