"""check_learner: learners of ours pass, and one that is broken in one way is told what is wrong with it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from evo.errors import EvoError
from evo.learners.learner import Candidate
from evo.numerics.randomness import episode_seeds, generator
from evo.problems.problem import Problem, evaluate_alone
from evo.testing import check_learner


@pytest.mark.parametrize("name", ["nelder-mead", "powell", "bfgs"])
def test_learners_of_ours_keep_their_promises(name: str) -> None:
    check_learner(name)


class Climb:
    """One random step after the other, where it is no worse; what the others are broken versions of."""

    def __init__(self, problem: Problem, seed: int, start: Candidate | None = None) -> None:
        self.problem, self.seed = problem, seed
        self.statistics = problem.no_statistics()
        first = problem.initial(generator(seed, "initial parameters")) if start is None else start.params
        self.point = np.asarray(first, np.float64)
        self.fitness = -np.inf
        self.generation = self.steps = self.episodes = 0

    def prepare(self) -> None:
        self.problem.prepare()

    def noise(self) -> np.ndarray:
        return 0.1 * generator(self.seed, "climb", self.generation).standard_normal(self.point.size)

    def step(self) -> dict[str, float]:
        tried = self.point + self.noise()
        found = evaluate_alone(self.problem, tried, self.statistics, episode_seeds(self.seed, "training", 0, 1))
        if (fitness := float(found.fitness[0])) >= self.fitness:
            self.point, self.fitness = tried, fitness
        self.generation, self.steps, self.episodes = self.generation + 1, self.steps + found.steps, found.episodes
        counts = {"generation": self.generation, "steps": self.steps, "episodes": self.episodes}
        return {**counts, "best": self.fitness, "mean": fitness, "std": 0.0, "failures": 0}

    def finished(self) -> str | None:
        return None

    def candidates(self) -> list[Candidate]:
        return [Candidate(self.problem.cast(self.point), self.statistics)]

    def state(self) -> dict[str, np.ndarray]:
        counts = np.array([self.generation, self.steps, self.episodes])
        return {"point": self.point, "fitness": np.array([self.fitness]), "counts": counts}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.point, self.fitness = np.array(state["point"]), float(state["fitness"][0])
        self.generation, self.steps, self.episodes = map(int, state["counts"])


def test_it_keeps_its_promises() -> None:
    check_learner(Climb)


class _WithoutMean(Climb):
    def step(self) -> dict[str, float]:
        row = super().step()
        del row["mean"]
        return row


class _Standing(Climb):
    def step(self) -> dict[str, float]:
        row, self.steps = super().step(), 0
        return row | {"steps": 0}


class _WithoutCandidates(Climb):
    def candidates(self) -> list[Candidate]:
        return []


class _TooLong(Climb):
    def candidates(self) -> list[Candidate]:
        return [Candidate(np.zeros(7), self.statistics)]


class _Lucky(Climb):
    drawn = np.random.default_rng(0)

    def noise(self) -> np.ndarray:
        return self.drawn.standard_normal(self.point.size)


class _Lists(Climb):
    def state(self) -> dict[str, Any]:
        return super().state() | {"point": self.point.tolist()}


class _Forgets(Climb):
    def restore(self, state: Mapping[str, Any]) -> None:
        super().restore(state)
        self.fitness = -np.inf


class _KeepsToItself(Climb):
    momentum = 0.0

    def noise(self) -> np.ndarray:
        return super().noise() + self.momentum

    def step(self) -> dict[str, float]:
        row = super().step()
        self.momentum += 0.01
        return row

    def restore(self, state: Mapping[str, Any]) -> None:
        super().restore(state)
        self.momentum = 0.5


class _CountsFirst(Climb):
    def step(self) -> dict[str, float]:
        self.point = self.point + self.noise()
        return super().step()


class _BeginsAnew(Climb):
    def __init__(self, problem: Problem, seed: int, start: Candidate | None = None) -> None:
        super().__init__(problem, seed)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (_WithoutMean, "a row without mean; a row has generation, steps, episodes, best, mean, std, failures"),
        (_Standing, "step 1 takes no steps of its problem: a budget would never end"),
        (_WithoutCandidates, "candidates.. is empty at generation 0"),
        (_TooLong, "candidates.. at generation 0: .*"),
        (_Lucky, "two learners of one seed are not the same: state 'point' differs"),
        (_Lists, "state 'point' is list: a state is arrays of numbers"),
        (_Forgets, "restored at generation 1, it is not what it was: state 'fitness' differs"),
        (_KeepsToItself, "restored at generation 0 and gone on, .* all that `step` changes belongs to state"),
        (_CountsFirst, "interrupted in evaluation 1 of a step and gone on, .* change attributes at the end of `step`"),
        (_BeginsAnew, "given a start, its first candidate at generation 0 is another one"),
    ],
)
def test_a_broken_one_is_told(broken: type[Climb], said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        check_learner(broken)


def test_a_name_that_is_none_is_the_users_error() -> None:
    with pytest.raises(EvoError, match="unknown learner 'nelder'; did you mean 'nelder-mead'"):
        check_learner("nelder")
    with pytest.raises(EvoError, match=r"has no attribute 'BFG'; did you mean evo.learners.local_search:BFGS\?"):
        check_learner("evo.learners.local_search:BFG")
