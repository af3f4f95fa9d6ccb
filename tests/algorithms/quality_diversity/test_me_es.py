"""ME-ES: its steps and choices equal their plain definitions; novelty covers the map, fitness climbs; it resumes."""

import copy
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from evo.algorithms.quality_diversity.me_es import MEES
from evo.algorithms.quality_diversity.novelty import novelty_beside
from evo.numerics.randomness import generator
from evo.operators.ranking import centred_ranks
from evo.optimizers import Adam

Floats = NDArray[np.float64]


@given(st.integers(0, 2**20), st.integers(0, 9), st.integers(0, 12), st.integers(1, 20))
def test_novelty_is_the_distance_to_the_others_alone(seed: int, own: int, others: int, k: int) -> None:
    random = generator(seed, "test")
    behaviours, past = random.random((own, 3)), random.random((others, 3))
    found = novelty_beside(behaviours, past, k)
    distances = np.sqrt(np.square(past - behaviours[:, np.newaxis]).sum(axis=2))
    expected = np.sort(distances, axis=1)[:, :k].mean(axis=1) if others else np.zeros(own)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def kinds(rows: Floats) -> Floats:
    return 2 * np.sin(rows[:, :2])


def hill(rows: Floats) -> Floats:
    return -np.square(rows - 1.0).sum(axis=1)


def make(seed: int, **options: Any) -> MEES:
    given = {"pairs": 10, "sigma": 0.1, "learning_rate": 0.1, "consecutive": 5, **options}
    return MEES(np.zeros(6), seed, ranges="-2:2,-2:2", archive="grid:10", **given)


def search(algorithm: MEES, generations: int) -> MEES:
    for _ in range(generations):
        rows = algorithm.ask().dense()
        algorithm.tell(hill(rows), measures=kinds(rows))
    return algorithm


@pytest.mark.parametrize("mode", ["explore", "exploit"])
def test_a_step_follows_the_ranks_of_novelty_or_of_fitness(mode: str) -> None:
    algorithm = search(make(0, mode=mode), 2)  # in the middle between two choices
    population = algorithm.ask()
    before, adam, past = algorithm.center, copy.deepcopy(algorithm.optimizer), algorithm.behaviours
    rows = population.dense()
    np.testing.assert_array_equal(rows[-1], before)  # the centre that the last step made is evaluated now
    algorithm.tell(hill(rows), measures=kinds(rows))
    score = hill(rows[:-1])
    if mode == "explore":
        units = (kinds(rows) + 2) / 4
        score = novelty_beside(units[:-1], np.concatenate([past, units[-1:]]), 10)
    ranks, noise = centred_ranks(score), (rows[:-1:2] - before) / 0.1
    gradient = ((ranks[0::2] - ranks[1::2])[:, np.newaxis] * noise).sum(axis=0) / 20
    assert isinstance(adam, Adam)
    np.testing.assert_allclose(algorithm.center, before + adam.step(gradient - 0.005 * before), rtol=1e-5, atol=1e-7)


def test_only_centres_enter_the_map() -> None:
    algorithm, made = make(1), list[Floats]()
    for _ in range(30):
        rows = algorithm.ask().dense()
        made.append(rows[-1])
        algorithm.tell(hill(rows), measures=kinds(rows))
    kept = algorithm.archive.pool.population(algorithm.archive.elites()).dense()
    assert len(kept) > 1
    assert {row.tobytes() for row in kept} <= {row.tobytes() for row in made}


def test_cells_are_chosen_among_the_fittest_the_last_updated_and_the_most_novel() -> None:
    algorithm = search(make(2), 60)
    archive, elites = algorithm.archive, algorithm.archive.elites()
    assert len(elites) > 8
    novelty = algorithm._novelty(archive.measures[elites])
    novel = set(elites[np.argsort(-novelty, kind="stable")[:5]].tolist())
    fittest = set(elites[np.argsort(-archive.fitness[elites], kind="stable")[:2]].tolist())
    last = algorithm.updated
    assert len(last) == 5
    of_last = set(last[np.argsort(-archive.fitness[last], kind="stable")[:2]].tolist())
    assert {algorithm._choose(True, generation) for generation in range(200)} == novel
    assert {algorithm._choose(False, generation) for generation in range(200)} == fittest | of_last


def test_exploring_covers_the_map_and_exploiting_climbs() -> None:
    explored, exploited = (search(make(3, mode=mode), 200) for mode in ("explore", "exploit"))
    assert explored.diagnostics()["coverage"] > 2 * exploited.diagnostics()["coverage"]
    assert exploited.diagnostics()["archive_best"] > explored.diagnostics()["archive_best"]
    both = make(3)
    assert [both.explores(generation) for generation in range(10)] == [True] * 5 + [False] * 5
    found = search(both, 200).diagnostics()
    assert found["coverage"] > exploited.diagnostics()["coverage"]
    assert found["archive_best"] > -0.2  # of -6 at the start


def test_it_goes_on_from_its_state_to_the_bit() -> None:
    whole, first, resumed = search(make(4), 23), search(make(4), 12), make(4)
    resumed.restore(first.state())
    again = search(resumed, 11).state()
    assert all(np.array_equal(array, again[name]) for name, array in whole.state().items())


def test_what_failed_is_not_novel_and_not_kept() -> None:
    algorithm = make(5, mode="explore")
    rows = algorithm.ask().dense()
    algorithm.tell(hill(rows), measures=np.full((len(rows), 2), np.nan))
    assert len(algorithm.archive) == 0 and len(algorithm.behaviours) == 0
    search(algorithm, 9)
    assert len(algorithm.archive) > 0
