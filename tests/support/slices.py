"""Work in slices, for tests: problems of each kind, and workers that take slices and the right answers apart."""

import itertools
from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

import evo
from evo.config.build import make_problem
from evo.config.resolve import resolve_config
from evo.envs import reference
from evo.evaluation.workers import Threads, Work, Workers
from evo.genomes.noise import Noise
from evo.genomes.population import PerturbedPopulation, Population
from evo.numerics.randomness import generator
from evo.problems.control import Walking
from evo.problems.function import Landscape
from evo.problems.outcome import Outcome
from evo.problems.problem import Evaluation, Problem
from evo.problems.slices import PopulationWork
from evo.problems.supervised import Supervised


class Elsewhere:
    """Slices through `evo.evaluate_slice`, in this process: each twice, the last first, after one of other work."""

    threads = 1

    def __init__(self) -> None:
        self.count = 0  # slices so far
        self.last: list[bytes] = []

    def evaluate(self, work: Work[Any]) -> Any:
        asked = work.slices()
        self.count += len(asked)
        answers = [evo.evaluate_slice(data, work.shared()) for data in reversed(asked)]
        late, self.last = self.last, answers
        return work.merge(itertools.chain(late, *((answer, answer) for answer in answers)))


def rough(x: np.ndarray, seed: int) -> Outcome:
    """Fail for half of the points."""
    if x[0] < 0:
        raise ArithmeticError(f"none below zero, seed {seed}")
    return Outcome(float(x.sum()) + seed, measures=x[:2])


def problem_of(workers: Workers, training: bool = True, **flags: Any) -> Problem:
    return make_problem(
        resolve_config(flags={name.replace("__", "."): one for name, one in flags.items()}), workers, training
    )


reference.trust(f"{__name__}:rough")
PROBLEMS: dict[str, dict[str, Any]] = {
    "world": {"task__name": "evo/PointMass-v0", "task__steps": 20, "network__normalise": True},
    "formula": {"task__name": "rastrigin", "task__dim": 5, "task__rotated": True},
    "function": {"task__name": f"{__name__}:rough", "task__dim": 4, "task__on_error": "worst"},
    "data": {"task__name": "xor", "evaluation__batch": 4},
}


def cut(monkeypatch: pytest.MonkeyPatch, individuals: int, episodes: int | None = None) -> None:
    """Slices of so many individuals and, in a world, episodes; by default all."""
    for kind in (Walking, Supervised, Landscape):
        few = episodes if kind is Walking else None
        monkeypatch.setattr(kind, "slice_shape", lambda self, all_of_them, few=few: (individuals, few or all_of_them))


def population_of(problem: Problem) -> Population:
    return PerturbedPopulation(np.zeros(problem.size), Noise(generator(0, "test"), 4, problem.size), 0.5)


def assert_same(found: Evaluation, expected: Evaluation) -> None:
    for field in fields(Evaluation):
        np.testing.assert_array_equal(getattr(found, field.name), getattr(expected, field.name), err_msg=field.name)


def merged(answer: Callable[[list[bytes]], Iterable[bytes]]) -> Evaluation:
    """What a point mass earns by workers whose answers to the answers are these."""
    problem = problem_of(Threads(1), **PROBLEMS["world"])
    work = PopulationWork(problem, population_of(problem), np.arange(2), problem.no_statistics(), True, False)
    return work.merge(answer(answers_to(work)))


def answers_to(work: Work[Any], **options: Any) -> list[bytes]:
    return [evo.evaluate_slice(data, work.shared(), **options) for data in work.slices()]
