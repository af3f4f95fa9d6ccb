"""Slices answered anywhere, in any order, give the bits of threads."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import evo
from evo.envs.engine.physics import EngineError
from evo.evaluation.workers import Threads, Workers
from evo.genomes.population import DensePopulation
from evo.learners.racing import evaluate_racing
from evo.numerics.randomness import selection_seeds
from evo.problems.slices import PopulationWork
from tests.support.slices import PROBLEMS, Elsewhere, answers_to, assert_same, cut, merged, population_of, problem_of


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("shape", [(1, 2), (3, 3), (99, 3)], ids=str)
def test_slices_give_the_bits_of_the_whole(
    name: str, shape: tuple[int, int], training: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut(monkeypatch, *shape)
    workers, seeds = Elsewhere(), selection_seeds(3)
    here, there = (problem_of(one, training, **PROBLEMS[name]) for one in (Threads(2), workers))
    for collect, measured, slices_ in ((True, False, -(-8 // shape[0])), (False, True, -(-8 // shape[0]))):
        asked = population_of(here), seeds, here.no_statistics(), collect, measured
        workers.count = 0
        assert_same(there.evaluate(*asked), here.evaluate(*asked))
        in_parts = 2 if name == "world" and shape == (1, 2) and not measured else 1  # means are over all episodes
        assert workers.count == slices_ * in_parts


def test_the_size_of_a_slice_follows_from_the_problem() -> None:
    world = problem_of(Threads(1), **PROBLEMS["world"] | {"task__steps": 100})
    for episodes, shape in {1: (81, 1), 20: (4, 20), 81: (1, 81), 82: (1, 81), 1000: (1, 81)}.items():
        assert world.slice_shape(episodes) == shape
    assert problem_of(Threads(1), **PROBLEMS["formula"]).slice_shape(1) == (2**20 // 5, 1)
    assert problem_of(Threads(1), **PROBLEMS["function"]).slice_shape(9) == (1, 9)
    data = problem_of(Threads(1), **PROBLEMS["data"])
    individuals, episodes = data.slice_shape(2)
    assert episodes == 2 and 2**27 < individuals * 2 * 4 * data.network.products <= 2**28


def test_a_race_is_the_same_with_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    cut(monkeypatch, 3)
    found = []
    for workers in (Threads(1), Elsewhere()):
        problem = problem_of(workers, **PROBLEMS["world"])
        found.append(evaluate_racing(problem, population_of(problem), np.arange(9), problem.no_statistics(), 2))
    assert_same(*found)


def test_slices_are_those_of_the_problem_and_not_of_the_workers() -> None:
    def slices_of(workers: Workers) -> Any:
        problem = problem_of(workers, **PROBLEMS["world"])
        work = PopulationWork(problem, population_of(problem), np.arange(2), problem.no_statistics(), True, False)
        return work.shared(), work.slices()

    assert slices_of(Threads(1)) == slices_of(Threads(5)) == slices_of(Elsewhere())


@pytest.mark.parametrize("most", [2, 3, 7, 99])
@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (1, 3), (3, 3)], ids=str)
def test_slices_that_are_sent_as_one_give_the_same(
    shape: tuple[int, int], most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut(monkeypatch, *shape)
    problem = problem_of(Threads(1), **PROBLEMS["world"])
    work = PopulationWork(problem, population_of(problem), np.arange(3), problem.no_statistics(), True, False)
    answers, first = list[bytes](), 0
    while first < len(work):
        places = work.fitting(range(first, min(first + most, len(work))))
        assert places.start == first < places.stop <= first + most
        answers.append(evo.evaluate_slice(work.join(places), work.shared()))
        first = places.stop
    assert most < 7 or len(answers) < len(work)
    alone = answers_to(work)
    assert len(alone) == len(work) == len(work.slices())
    expected = work.here()
    for found in (answers, answers[::-1], [*answers[1:], *alone], [*alone, *answers]):
        assert_same(work.merge(found), expected)


def test_no_more_answers_are_taken_than_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    cut(monkeypatch, 3)
    assert len(merged(itertools.cycle).fitness) == 8


def test_equal_individuals_are_slices_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is asked for alone too, as for a trial of a node, is not answered by the answer to its equal."""
    cut(monkeypatch, 1)
    problem = problem_of(Threads(1), **PROBLEMS["world"])
    rows = DensePopulation(np.ones((4, problem.size)))
    work = PopulationWork(problem, rows, np.arange(2), problem.no_statistics(), True, False)
    trial, *parts = (work.join(range(*places)) for places in ((0, 1), (3, 4), (0, 3)))
    assert len({trial, *work.slices()}) == 4
    found = work.merge(evo.evaluate_slice(part, work.shared()) for part in parts)
    assert found.returns.shape == (4, 2) and (found.returns == found.returns[0]).all()
    assert len(found.statistics) == 8


def _broken(answers: list[bytes]) -> Iterator[bytes]:
    yield answers[0]
    raise BrokenPipeError("no one reads")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (lambda answers: answers[:1], r"gave no answer for 3 of 4 slices, the first of them individuals 2 to 3 of 8"),
        (_broken, "^the workers failed: BrokenPipeError: no one reads$"),
        (lambda answers: [answers[0][:-9]], "^an answer of the workers cannot be read: "),
        (lambda answers: [b""], "^an answer of the workers cannot be read: "),
    ],
    ids=["missing", "broken", "damaged", "empty"],
)
def test_workers_that_fail_are_one_line(answer: Any, error: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cut(monkeypatch, 2)
    with pytest.raises(EngineError, match=error) as raised:
        merged(answer)
    assert "\n" not in str(raised.value)


def test_a_slice_that_fails_is_one_line_where_it_was_asked_for() -> None:
    problem = problem_of(Elsewhere(), **PROBLEMS["function"] | {"task__on_error": "stop"})
    below = DensePopulation(np.array([[1.0, 0, 0, 0], [-1.0, 0, 0, 0]]))
    with pytest.raises(EngineError, match=r"^individual 1 of 2: .*ArithmeticError: none below zero, seed 7"):
        problem.evaluate(below, np.array([7]), problem.no_statistics())
