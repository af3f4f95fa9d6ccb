"""Measures and objectives: what a task, or a function of one's own, says beside the fitness."""

import dataclasses
from typing import Any

import numpy as np
import pytest

import evo
from evo.algorithms import ARS
from evo.algorithms.algorithm import AskTell
from evo.envs.engine.compile import KernelError
from evo.envs.engine.physics import EngineError
from evo.envs.task import Task
from evo.genomes.population import DensePopulation
from evo.learners.evolution import Evolution
from evo.numerics.running_statistics import ObservationStatistics
from evo.problems.function import OwnLandscape
from evo.problems.outcome import Outcome
from evo.problems.problem import Problem

_NONE = np.zeros((3, 0))
_NO_STATISTICS = ObservationStatistics.empty(0)


def _policies(network: Any, count: int) -> np.ndarray:
    return 0.1 * np.random.default_rng(3).standard_normal((count, network.size))


def test_a_creature_says_where_it_came_and_how_its_feet_stood() -> None:
    task = evo.task("quadruped", steps=40)
    network = evo.network("linear", task)
    policies = _policies(network, 3)
    returns, measures = evo.evaluate(task, network, policies, episodes=2, seed=5, measures=True)
    assert task.measures[:4] == ("x", "y", "height", "power") and len(task.measures) == 8  # and four feet
    np.testing.assert_array_equal(returns, evo.evaluate(task, network, policies, episodes=2, seed=5))
    episodes = [evo.rollout(task, network, policies[1], seed=seed) for seed in (5, 6)]
    ends = [np.concatenate([one.qpos[-1, :2], [one.qpos[1:, 2].mean()]]) for one in episodes]
    np.testing.assert_allclose(measures[1, :3], np.mean(ends, axis=0), rtol=0, atol=1e-12)
    assert (measures[:, 4:] >= 0).all() and (measures[:, 4:] <= 1).all() and measures[:, 4:].any()


def test_threads_and_splits_leave_measures_alone() -> None:
    task = evo.task("evo/PointMass-v0", steps=20)
    network = evo.network("linear", task)
    policies = _policies(network, 5)
    whole = evo.evaluate(task, network, policies, episodes=3, measures=True, threads=1)[1]
    np.testing.assert_array_equal(whole, evo.evaluate(task, network, policies, episodes=3, measures=True, threads=3)[1])
    for individual in range(5):
        alone = evo.evaluate(task, network, policies[individual], episodes=3, measures=True)[1]
        np.testing.assert_array_equal(whole[individual], alone[0])


def test_adversity_measures_the_task_beneath() -> None:
    plain, hard = evo.task("quadruped", steps=20), evo.task("quadruped", steps=20, sensor_noise=0.0, mass=(1.0, 1.0))
    network = evo.network("linear", plain)
    policies = _policies(network, 2)
    assert hard.addresses and hard.measures == plain.measures
    one, other = (evo.evaluate(task, network, policies, measures=True)[1] for task in (plain, hard))
    np.testing.assert_array_equal(one, other)


def _mean_of_steps(model: Any, data: Any, task: Any, step: int, out: Any) -> None:
    out[0] += (step - out[0]) / step


def _fails(model: Any, data: Any, task: Any, step: int, out: Any) -> None:
    out.nothing = step


def test_a_measure_of_ones_own_is_called_after_every_step() -> None:
    task = evo.task("evo/PointMass-v0", steps=7)
    assert isinstance(task, Task)
    own = dataclasses.replace(task, measure=_mean_of_steps, measures=("mean step",))
    network = evo.network("linear", own)
    _, measures = evo.evaluate(own, network, np.zeros(network.size), measures=True)
    np.testing.assert_array_equal(measures, [[4.0]])
    with pytest.raises(KernelError):
        assert dataclasses.replace(task, measure=_fails).measuring
    with pytest.raises(ValueError, match="give both measure"):
        dataclasses.replace(task, measures=())


def test_who_has_none_is_said_to_have_none() -> None:
    with pytest.raises(evo.EvoError, match="evo/CartPole-v0 has no measures"):
        evo.evaluate("cartpole", "linear", np.zeros(4), measures=True)


class _Told(AskTell[DensePopulation]):
    """Keeps what it was told."""

    remembered = ("measures", "objectives")
    uses = frozenset({"measures", "objectives"})

    def __init__(self, initial: np.ndarray, seed: int) -> None:
        super().__init__(initial, seed)
        self.measures = self.objectives = np.zeros((3, 2))

    def propose(self) -> DensePopulation:
        return DensePopulation(self.initial + np.arange(3.0)[:, None] + self.generation)

    def update(
        self, population: DensePopulation, fitness: np.ndarray, measures: np.ndarray = _NONE, objectives: Any = None
    ) -> None:
        self.measures, self.objectives = measures, objectives

    def candidates(self) -> np.ndarray:
        return self.initial[None]

    def diagnostics(self) -> dict[str, float]:
        return {}


def _two(x: np.ndarray) -> Outcome:
    if x[0] == 1.0:
        raise ArithmeticError("no")
    return Outcome(-float(x @ x), measures=x, objectives=[x[0], -x[1]])


def _landscape(function: Any, on_error: str = "worst") -> Problem:
    return OwnLandscape("own", function, 2, -1.0, 1.0, on_error)


def test_an_algorithm_that_uses_measures_and_objectives_is_told_them() -> None:
    algorithm = _Told(np.zeros(2), 0)
    learner = Evolution(_landscape(_two), algorithm, 0)
    learner.step()
    np.testing.assert_array_equal(algorithm.measures, [[0, 0], [np.nan, np.nan], [2, 2]])
    np.testing.assert_array_equal(algorithm.objectives, [[0, 0], [np.nan, np.nan], [2, -2]])


def test_a_generation_of_failures_alone_is_told_as_such() -> None:
    failing = False

    def moody(x: np.ndarray) -> Outcome:
        if failing:
            raise ArithmeticError("not today")
        return _two(x)

    algorithms = [_Told(np.zeros(2), 0) for _ in range(2)]
    learners = [Evolution(_landscape(moody), algorithm, 0) for algorithm in algorithms]
    learners[0].step()
    learners[1].restore(learners[0].state())
    failing = True
    for learner, algorithm in zip(learners, algorithms, strict=True):
        learner.step()
        np.testing.assert_array_equal(algorithm.objectives, np.full((3, 2), np.nan))
    with pytest.raises(EngineError, match=r"every individual failed before any had .*: .*not today"):
        Evolution(_landscape(moody), _Told(np.zeros(2), 0), 0).step()


def test_an_algorithm_is_told_what_it_uses_and_nothing_else() -> None:
    algorithm = _Told(np.zeros(2), 0)
    algorithm.ask()
    rows = np.zeros((3, 2))
    for told, why in (
        ({}, "told nothing beside the fitness: it uses measures, objectives"),
        ({"measures": rows}, "told measures beside"),
        ({"measures": rows[:2], "objectives": rows}, r"measures of shape \(2, 2\)"),
        ({"measures": rows, "objectives": rows[:, :0]}, r"objectives of shape \(3, 0\)"),
        ({"measures": [[np.inf, 0], *rows[1:]], "objectives": rows}, r"measures\[0\]"),
    ):
        with pytest.raises(ValueError, match=why):
            algorithm.tell(np.zeros(3), **told)  # type: ignore[arg-type]
    algorithm.tell(np.zeros(3), measures=rows, objectives=rows)
    ars = ARS(np.zeros(2), 0)
    ars.ask()
    with pytest.raises(ValueError, match="told measures beside the fitness: it uses nothing"):
        ars.tell(np.zeros(len(ars.ask())), measures=rows)


def test_a_search_by_measures_where_there_are_none_is_refused() -> None:
    learner = Evolution(_landscape(lambda x: float(x[0])), _Told(np.zeros(2), 0), 0)
    with pytest.raises(evo.EvoError, match=r"_Told searches by \w+, and this task has none"):
        learner.step()


def _uneven(x: np.ndarray) -> Outcome:
    return Outcome(0.0, measures=np.zeros(1 + int(x[0])))


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (_uneven, "its measures are 1 numbers at one time, 3 at another"),
        (lambda x: Outcome(0.0, objectives=[np.nan]), "its objectives are no row of finite numbers"),
        (lambda x: Outcome(np.inf), "its fitness is inf"),
        (lambda x: Outcome(0.0, measures=[[1.0]]), "its measures are no row"),
        (lambda x: "two", "could not convert string"),
    ],
)
def test_an_outcome_that_cannot_be_searched_by_says_why(function: Any, why: str) -> None:
    problem = _landscape(function)
    found = problem.evaluate(DensePopulation(np.arange(6.0).reshape(3, 2)), np.zeros(1, np.int64), _NO_STATISTICS)
    assert found.failures and any(why in message for message in found.errors)


def test_measures_of_an_evaluation_that_broke_off_are_kept() -> None:
    broken = True

    def sometimes(x: np.ndarray) -> Outcome:
        if broken and x[0] == 2.0:
            raise ArithmeticError("later")
        return Outcome(float(x[0]), measures=[x[1]])

    population, seeds = DensePopulation(np.arange(6.0).reshape(3, 2)), np.zeros(1, np.int64)
    first = _landscape(sometimes, "stop")
    with pytest.raises(Exception, match="later"):
        first.evaluate(population, seeds, _NO_STATISTICS)
    state = first.state()
    assert state["measures"].shape == (1, 1)
    broken = False
    second = _landscape(sometimes, "stop")
    second.restore(state)
    found = second.evaluate(population, seeds, _NO_STATISTICS)
    np.testing.assert_array_equal(found.measures, [[1.0], [3.0], [5.0]])
