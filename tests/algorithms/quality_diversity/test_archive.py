"""Archive: insertion equals a plain twin whatever the order of a batch, is undone whole, and is restored exactly."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from evo.algorithms.quality_diversity.archive import IMPROVED, NEW, REJECTED, Archive
from evo.algorithms.quality_diversity.cells import Grid
from evo.numerics.randomness import generator

Floats = NDArray[np.float64]
RANGES = np.array([[0.0, 1.0], [0.0, 1.0]])


def batch(seed: int, count: int) -> tuple[Floats, Floats, Floats]:
    """Rows, fitness and measures of few different values, so that cells and fitness are often the same; some failed."""
    random = generator(seed, "batch")
    measures = random.integers(4, size=(count, 2)) / 3
    measures[random.random(count) < 0.1] = np.nan
    return random.integers(3, size=(count, 3)) * 1.0, random.integers(-2, 3, size=count) * 1.0, measures


class Twin:
    """The same archive as dictionaries, one candidate after the other."""

    def __init__(self, rate: float, least: float) -> None:
        self.rate, self.least = rate, least
        self.elites: dict[int, tuple[float, list[float], list[float]]] = {}
        self.thresholds: dict[int, float] = {}

    def add(self, rows: Floats, fitness: Floats, measures: Floats) -> tuple[list[int], list[float]]:
        status, improvement, cells = [], [], dict[int, list[int]]()
        for i, (x, y) in enumerate(measures):
            if math.isnan(x):
                status, improvement = [*status, REJECTED], [*improvement, -math.inf]
                continue
            cell = 2 * min(int(x * 2), 1) + min(int(y * 2), 1)
            cells.setdefault(cell, []).append(i)
            threshold = self.thresholds.get(cell, self.least)
            improvement.append(fitness[i] - (0 if threshold == -math.inf else threshold))
            untouched = threshold == self.least
            status.append((NEW if untouched else IMPROVED) if fitness[i] > threshold else REJECTED)
        for cell, members in cells.items():
            first = min(members, key=lambda i: (-fitness[i], measures[i].tolist(), rows[i].tolist()))
            if cell not in self.elites or fitness[first] > self.elites[cell][0]:
                self.elites[cell] = fitness[first], measures[first].tolist(), rows[first].tolist()
            threshold = self.thresholds.get(cell, self.least)
            passed = [fitness[i] for i in members if fitness[i] > threshold]
            if passed and self.rate == 1:
                self.thresholds[cell] = max(passed)
            elif passed:
                left = (1 - self.rate) ** len(passed)
                self.thresholds[cell] = left * threshold + (1 - left) * sum(passed) / len(passed)
        return status, improvement


@given(
    st.integers(0, 2**30),
    st.lists(st.integers(1, 30), min_size=1, max_size=5),
    st.sampled_from([(1.0, -math.inf), (1.0, -1.0), (0.3, -1.0), (0.01, 0.0)]),
)
def test_insertion_equals_its_plain_twin_in_any_order(seed: int, sizes: list[int], rule: tuple[float, float]) -> None:
    ordered, shuffled, twin = (
        made(Grid((2, 2)), RANGES, 3, *rule) for made in (Archive, Archive, lambda *a: Twin(*rule))
    )
    for number, size in enumerate(sizes):
        told = batch(seed + number, size)
        order = generator(seed, "order", number).permutation(size)
        found, again = ordered.add(*told), shuffled.add(*(part[order] for part in told))
        status, improvement = twin.add(*told)
        assert found.status.tolist() == status and again.status.tolist() == found.status[order].tolist()
        np.testing.assert_allclose(found.improvement, improvement, rtol=1e-12, atol=1e-12)
        assert_same(ordered.state(), shuffled.state())
    cells = sorted(twin.elites)
    state = ordered.state()
    assert state["cells"].tolist() == cells and len(ordered) == len(cells)
    for name, place in (("fitness", 0), ("measures", 1), ("rows", 2)):
        assert state[name].tolist() == [twin.elites[cell][place] for cell in cells]
    expected = [twin.thresholds.get(cell, rule[1]) for cell in cells]
    np.testing.assert_allclose(state["thresholds"], expected, rtol=1e-12, atol=1e-12)


@given(st.integers(0, 2**30), st.integers(1, 20))
def test_what_was_inserted_since_hold_is_put_back(seed: int, size: int) -> None:
    archive = Archive(Grid((2, 2)), RANGES, 3)
    archive.add(*batch(seed, size))
    before, held = archive.state(), archive.hold()
    archive.add(*batch(seed + 1, size))
    archive.add(*batch(seed + 2, size))
    archive.put_back(held)
    assert_same(archive.state(), before)


@given(st.integers(0, 2**30))
def test_a_restored_archive_goes_on_as_the_one_it_was(seed: int) -> None:
    whole, resumed = Archive(Grid((2, 2)), RANGES, 3, 0.3, -1.0), Archive(Grid((2, 2)), RANGES, 3, 0.3, -1.0)
    whole.add(*batch(seed, 20))
    resumed.add(*batch(seed + 2, 9))  # is forgotten
    resumed.restore(whole.state())
    for archive in (whole, resumed):
        archive.add(*batch(seed + 1, 20))
    assert_same(whole.state(), resumed.state())


@pytest.mark.parametrize(
    "damage",
    [
        {"cells": np.array([0, 9])},
        {"cells": np.array([1, 0])},
        {"fitness": np.array([0.0])},
        {"rows": np.full((2, 3), np.nan)},
    ],
    ids=lambda damage: next(iter(damage)),
)
def test_a_state_that_does_not_fit_is_refused(damage: dict[str, Any]) -> None:
    archive = Archive(Grid((2, 2)), RANGES, 3)
    archive.add(np.zeros((2, 3)), np.zeros(2), np.array([[0.0, 0.0], [0.0, 1.0]]))
    with pytest.raises(ValueError, match="archive: its state"):
        archive.restore(archive.state() | damage)


@pytest.mark.parametrize(("rate", "least"), [(0.5, -math.inf), (1.5, 0.0), (-0.1, 0.0), (0.0, 0.0), (1.0, math.nan)])
def test_thresholds_that_cannot_learn_are_refused(rate: float, least: float) -> None:
    with pytest.raises(ValueError, match="must be"):
        Archive(Grid((2, 2)), RANGES, 3, rate, least)


def test_a_threshold_approaches_the_fitness_that_passes_it() -> None:
    """Fontaine & Nikolaidis 2023, section 4: t moves to (1 - a) t + a f."""
    archive = Archive(Grid((1, 1)), RANGES, 1, 0.1, 0.0)
    for fitness, threshold in ((10.0, 1.0), (5.0, 1.4), (1.2, 1.4)):
        archive.add(np.array([[fitness]]), np.array([fitness]), np.zeros((1, 2)))
        assert archive.thresholds[0] == pytest.approx(threshold)
    assert archive.fitness[0] == 10.0 and archive.pool.rows[0, 0] == 10.0  # the elite is the best ever


def assert_same(one: dict[str, NDArray[Any]], other: dict[str, NDArray[Any]]) -> None:
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)
