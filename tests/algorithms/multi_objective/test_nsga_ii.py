"""NSGA-II: it reaches known fronts, keeps the ends of a front, and says in one line what it cannot search by."""

import math
from typing import Any

import numpy as np
import pytest

from evo.algorithms.multi_objective.dominance import rank_fronts
from evo.algorithms.multi_objective.hypervolume import contributions, hypervolume
from evo.algorithms.multi_objective.nsga_ii import NSGAII
from evo.errors import EvoError
from tests.support.fronts import landscape, search

KNOWN = [("speed", math.nan), ("energy", math.nan), ("height", math.nan)]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("name", "share"), [("zdt1", 0.985), ("zdt2", 0.98), ("zdt3", 0.99), ("dtlz2", 0.85)])
def test_it_reaches_known_fronts(name: str, share: float, seed: int) -> None:
    assert search(NSGAII, landscape(name), seed, 200) > share


def test_volumes_are_those_of_boxes() -> None:
    reference = np.zeros(2)
    assert hypervolume(np.array([[2.0, 1.0], [1.0, 3.0]]), reference) == 4
    assert hypervolume(np.array([[2.0, 1.0], [1.0, 3.0], [5.0, 0.0], [-np.inf, -np.inf]]), reference) == 4
    assert hypervolume(np.zeros((0, 2)), reference) == hypervolume(np.array([[0.0, 9.0]]), reference) == 0
    assert contributions(np.array([[2.0, 1.0], [1.0, 3.0]]), reference).tolist() == [1, 2]
    cube = np.array([[1.0, 1.0, 2.0], [2.0, 1.0, 1.0], [1.0, 2.0, 1.0]])
    assert hypervolume(cube, np.zeros(3)) == 4 and contributions(cube, np.zeros(3)).tolist() == [1, 1, 1]


def tell(algorithm: NSGAII, objectives: np.ndarray) -> None:
    algorithm.tell(np.where(np.isnan(objectives), -9, objectives).mean(axis=1), objectives=objectives)


def test_survivors_are_the_first_fronts_and_the_ends_of_the_last() -> None:
    algorithm = NSGAII(np.zeros(2), 0, population_size=8)
    random = np.random.default_rng(0)
    for _ in range(5):
        before = algorithm.objectives
        new = random.standard_normal((len(algorithm.ask()), 2))
        tell(algorithm, new)
        pool = np.concatenate([before.reshape(-1, 2), new])
        ranks = rank_fronts(pool)
        kept = {tuple(row) for row in algorithm.objectives}
        last = max(ranks[place] for place, row in enumerate(pool) if tuple(row) in kept)
        assert all(tuple(row) in kept for row in pool[ranks < last])
        front = pool[ranks == last]
        room = 8 - np.count_nonzero(ranks < last)
        if room >= 2:
            assert all(tuple(front[front[:, k].argmax()]) in kept for k in range(2))


def test_where_fitness_is_random_parents_are_evaluated_again() -> None:
    algorithm = NSGAII(np.zeros(2), 0, True, population_size=6)
    assert len(algorithm.ask()) == 6
    tell(algorithm, np.random.default_rng(0).standard_normal((6, 2)))
    parents = algorithm.individuals
    asked = algorithm.ask().dense()
    assert len(asked) == 12
    np.testing.assert_array_equal(asked[:6], parents)
    told = np.random.default_rng(1).standard_normal((12, 2))
    tell(algorithm, told)
    assert {tuple(row) for row in algorithm.objectives} <= {tuple(row) for row in told}


def test_an_individual_that_failed_is_behind_all_others() -> None:
    algorithm = NSGAII(np.zeros(2), 0, population_size=4)
    algorithm.ask()
    tell(algorithm, np.array([[1.0, 0.0], [np.nan, np.nan], [0.0, 1.0], [-1.0, -1.0]]))
    assert algorithm.reference.tolist() == [-1, -1]
    assert algorithm.diagnostics() == {"hypervolume": 3.0, "front": 2.0, "best_objective_1": 1, "best_objective_2": 1}
    algorithm.ask()
    tell(algorithm, np.full((4, 2), np.nan))
    assert np.isinf(algorithm.objectives).all(axis=1).sum() == 1
    assert len(algorithm.front()) == 2


def test_candidates_are_the_fittest_of_the_front() -> None:
    algorithm = NSGAII(np.zeros(3), 0, population_size=4, offered=2)
    rows = algorithm.ask().dense()
    objectives = np.array([[3.0, 0.0], [2.0, 2.0], [0.0, 3.0], [1.0, 1.0]])
    algorithm.tell(np.array([1.0, 3.0, 2.0, 9.0]), objectives=objectives)
    np.testing.assert_array_equal(algorithm.candidates(), rows[[1, 2]])


def test_objectives_are_chosen_by_name() -> None:
    algorithm = NSGAII(np.zeros(2), 0, known_objectives=KNOWN, objectives="height,speed", population_size=3)
    algorithm.ask()
    tell(algorithm, np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]))
    assert algorithm.objectives.tolist() == [[9, 7], [6, 4], [3, 1]]
    assert {"best_height", "best_speed"} < algorithm.diagnostics().keys()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"objectives": "sped,energy"}, "objectives='sped,energy': must be names .* 'sped' is none; did you mean"),
        ({"objectives": "speed"}, "objectives='speed': must be two or more; there are speed, energy, height"),
        ({"objectives": "speed,speed"}, "must be different ones"),
        ({"known_objectives": KNOWN[:1]}, "must be two or more, and this task has one only"),
        ({"known_objectives": (), "objectives": "speed"}, "must be empty, as nobody knows the names"),
        ({"reference": "1"}, "reference='1': must be 2 numbers, one for each objective"),
        ({"reference": "1,nan"}, "reference='1,nan': must be numbers with commas between"),
        ({"mutate": "self-adaptive"}, "mutate='self-adaptive': must be a mutation without sigmas"),
        ({"genome": "bounded:low=1,high=2"}, r"initial: must be numbers in \[1, 2\]"),
        ({"genome": "bounded:low=2,high=1"}, "genome: low=2, high=1: must be"),
        ({"genome": "bounded:low=-1,high=1", "mutate": "gaussian"}, "gaussian does not suit bounded genomes"),
    ],
)
def test_options_that_do_not_fit_are_told_in_one_line(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said) as error:
        NSGAII(np.zeros(2), 0, **{"known_objectives": KNOWN, **options})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "told", "said"),
    [
        ({}, np.zeros((4, 1)), "one objective only"),
        ({"reference": "0,0,0"}, np.zeros((4, 2)), "method.reference has 3 numbers, and an individual 2 objectives"),
        ({"known_objectives": KNOWN}, np.zeros((4, 2)), "has 2 objectives, and the search is by 3"),
    ],
)
def test_objectives_that_do_not_fit_are_told_in_one_line(options: dict[str, Any], told: Any, said: str) -> None:
    algorithm = NSGAII(np.zeros(2), 0, population_size=4, **options)
    algorithm.ask()
    with pytest.raises(EvoError, match=said) as error:
        tell(algorithm, told)
    assert "\n" not in str(error.value) and algorithm.generation == 0


def test_a_half_unknown_row_is_refused() -> None:
    algorithm = NSGAII(np.zeros(2), 0, population_size=2)
    algorithm.ask()
    with pytest.raises(ValueError, match=r"objectives\[1\]=.*: must be finite, or all NaN where it failed"):
        algorithm.tell(np.zeros(2), objectives=np.array([[1.0, 2.0], [np.nan, 2.0]]))


@pytest.mark.parametrize("change", [{"objectives": np.zeros((3, 2))}, {"objectives": np.full((4, 2), np.nan)}])
def test_a_state_of_another_shape_is_refused(change: dict[str, Any]) -> None:
    algorithm = NSGAII(np.zeros(2), 0, population_size=4)
    algorithm.ask()
    tell(algorithm, np.eye(4)[:, :2])
    with pytest.raises(ValueError, match="state 'objectives' is of shape"):
        NSGAII(np.zeros(2), 0, population_size=4).restore(algorithm.state() | change)
