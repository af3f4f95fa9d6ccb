"""The learner on a walking problem: statistics, failures, what it trains on and what it is scored on."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import evo
from evo.algorithms.strategies.pgpe import PGPE
from evo.config.build import make_learner, make_problem
from evo.config.config import Config
from evo.config.resolve import resolve_config
from evo.envs.engine.physics import EngineError
from evo.evaluation.workers import Threads
from evo.genomes.population import DensePopulation, Population
from evo.learners.evolution import Evolution
from evo.numerics.running_statistics import ObservationStatistics
from evo.problems.control import Walking

FINITE = st.floats(-1e3, 1e3)


def row(values: np.ndarray) -> np.ndarray:
    """(count, mean, M2) of observations (n, size)."""
    if not len(values):
        return np.zeros(1 + 2 * values.shape[1])
    mean = values.mean(axis=0)
    return np.concatenate([[len(values)], mean, ((values - mean) ** 2).sum(axis=0)])


@given(st.lists(arrays(np.float64, st.tuples(st.integers(0, 6), st.just(3)), elements=FINITE), max_size=5))
def test_merged_statistics_are_those_of_all_observations(parts: list[np.ndarray]) -> None:
    merged = ObservationStatistics.empty(3).merged(np.array([row(part) for part in parts]).reshape(-1, 7))
    seen = np.concatenate([*parts, np.zeros((0, 3))])
    assert merged.count == len(seen)
    if len(seen):
        np.testing.assert_allclose(merged.mean, seen.mean(axis=0), rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(merged.m2, ((seen - seen.mean(axis=0)) ** 2).sum(axis=0), rtol=1e-7, atol=1e-6)


def test_a_constant_observation_is_normalised_to_zero() -> None:
    seen = np.array([[1.0, 5.0], [3.0, 5.0]])
    statistics = ObservationStatistics.empty(2).merged(row(seen)[None])
    np.testing.assert_array_equal(statistics.scale, [1.0, 0.0])
    np.testing.assert_array_equal(ObservationStatistics.empty(2).scale, [1.0, 1.0])


def config(task: str, **values: object) -> Config:
    flags = {"task.name": task, "budget.generations": 1}
    return resolve_config(flags=flags | {key.replace("__", "."): value for key, value in values.items()})


def test_collected_statistics_are_those_of_the_observations_seen() -> None:
    problem = make_problem(config("HalfCheetah-v5"), Threads(2), training=False)
    params = np.random.default_rng(0).normal(scale=0.2, size=(3, problem.size))
    seeds = np.array([1, 2])
    outcome = problem.evaluate(DensePopulation(params), seeds, problem.no_statistics(), collect=True)
    statistics = problem.no_statistics().merged(outcome.statistics)
    seen = np.concatenate(
        [
            problem.rollout(individual.astype(np.float32), int(seed), problem.no_statistics()).observations[:-1]
            for individual in params
            for seed in seeds
        ]
    )
    assert statistics.count == len(seen)
    np.testing.assert_allclose(statistics.mean, seen.mean(axis=0), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(statistics.m2, ((seen - seen.mean(axis=0)) ** 2).sum(axis=0), rtol=1e-9)


def test_the_normalised_policy_sees_what_a_plain_twin_computes() -> None:
    problem = make_problem(config("Swimmer-v5"), Threads(1), training=False)
    generator = np.random.default_rng(0)
    seen = generator.normal(2.0, 3.0, size=(50, 8))
    statistics = problem.no_statistics().merged(row(seen)[None])
    params = generator.normal(size=problem.size).astype(np.float32)
    trajectory = problem.rollout(params, 3, statistics)
    weights = params.reshape(8, 2)
    for observation, action in zip(trajectory.observations[:20], trajectory.actions[:20], strict=True):
        twin = ((observation - statistics.mean) / np.sqrt(statistics.m2 / 50)).astype(np.float32) @ weights
        np.testing.assert_allclose(action, twin.clip(-1, 1), rtol=2e-5, atol=2e-6)


def test_a_failed_individual_has_the_worst_fitness_and_no_statistics() -> None:
    problem = make_problem(config("HalfCheetah-v5"), Threads(2), training=False)
    params = np.random.default_rng(0).normal(scale=0.2, size=(4, problem.size))
    params[1, :] = np.nan
    outcome = problem.evaluate(DensePopulation(params), np.array([5]), problem.no_statistics(), collect=True)
    assert outcome.failures == {"an action or a reward was not finite": 1}
    assert np.isnan(outcome.returns[1]).all()
    assert outcome.fitness[1] == outcome.fitness[[0, 2, 3]].min()
    assert len(outcome.statistics) == 3


def test_a_generation_that_fails_whole_stops_with_a_reason() -> None:
    learner = make_learner(config("HalfCheetah-v5"), Threads(2))
    assert isinstance(learner, Evolution)
    before = {name: array.copy() for name, array in learner.state().items()}
    problem = learner.problem

    class Failing(Walking):
        def evaluate(self, population, seeds, statistics, collect=False, measured=False):  # type: ignore[no-untyped-def]
            broken = DensePopulation(np.full((len(population), population.size), np.nan))
            return problem.evaluate(broken, seeds, statistics, collect)

    learner.problem = Failing(problem.task, problem.network, 2)
    with pytest.raises(EngineError, match="generation 0 failed: an action or a reward was not finite"):
        learner.step()
    for name, array in learner.state().items():
        np.testing.assert_array_equal(array, before[name])


def test_training_options_change_training_alone(tmp_path: Path) -> None:
    small = {"evaluation.selection_episodes": 2, "evaluation.report_episodes": 2}
    runs = [
        evo.run("Hopper-v5", generations=1, out=tmp_path / str(bonus), video=False, settings=small | changed)
        for bonus, changed in ((0, {}), (1, {"training.healthy_reward": 1.0}))
    ]
    rows = [run.metrics for run in runs]
    assert rows[1]["mean"][0] > rows[0]["mean"][0] + 1  # a bonus each step
    champion = runs[0].champion
    assert champion.task_options["healthy_reward"] == 1.0


def test_more_episodes_an_individual_are_averaged() -> None:
    learner = make_learner(config("cartpole", evaluation__episodes=3), Threads(2))
    row_of_metrics = learner.step()
    assert row_of_metrics["episodes"] == 3 * len(learner.algorithm.ask())  # type: ignore[attr-defined]


@pytest.mark.parametrize("method", ["ars", "openai-es", "ga", "deep-ga"])
def test_every_method_learns_to_balance(method: str, tmp_path: Path) -> None:
    settings = {
        "ga": {"method.mutate": "gaussian:sigma=0.2"},
        "deep-ga": {"method.mutation": 0.2},
    }.get(method, {"method.learning_rate": 0.1, "method.sigma": 0.1})
    run = evo.run(
        "cartpole", method=method, until=450.0, generations=150, out=tmp_path / "run", video=False, settings=settings
    )
    assert run.champion.score >= 450.0


def test_neuron_wise_crossover_is_told_the_networks_neurons() -> None:
    options = {"method.cross": "neuron", "method.mutate": "gaussian:sigma=0", "method.elites": 0}
    flags = {"task.name": "cartpole", "method.name": "ga", "network.layers": "mlp:4", "budget.generations": 1}
    learner = make_learner(resolve_config(settings=list(options.items()), flags=flags), Threads(1))
    assert isinstance(learner, Evolution)
    parents = learner.algorithm.ask().dense()
    learner.algorithm.tell(np.arange(len(parents), dtype=float))
    children = learner.algorithm.ask().dense()
    mothers = (children[:, None] == parents).argmax(axis=1)  # (children, parameters): whose each is
    neurons = learner.problem.network.neurons
    assert all((np.ptp(mothers[:, neurons == neuron], axis=1) == 0).all() for neuron in range(5))
    assert (np.ptp(mothers, axis=1) > 0).any()


# A population that grows within a generation


def growing(threads: int = 1, **options: int | None) -> Evolution:
    task = evo.task("cartpole")
    problem = Walking(task, evo.network("linear", task, normalise=True), Threads(threads))
    given = {"pairs": 4, "sigma": 0.5, "learning_rate": 0.1, "interactions": 3000} | options
    return Evolution(problem, PGPE(np.zeros(problem.size), 5, **given), 7, statistics=problem.no_statistics())


def same_state(first: Evolution, second: Evolution) -> None:
    assert first.state().keys() == second.state().keys()
    for name, array in first.state().items():
        np.testing.assert_array_equal(second.state()[name], array, err_msg=name)


def test_a_population_grows_until_it_has_taken_the_steps_asked_for() -> None:
    evolution, counts = growing(), []
    for _ in range(6):
        steps, episodes = evolution.steps, evolution.episodes
        evolution.step()
        counts.append(evolution.episodes - episodes)
        assert evolution.steps - steps >= 3000
        alike = growing(interactions=None, pairs=counts[-1] // 2)
        if len(counts) == 1:  # it is what as many pairs, asked for at once, come to
            alike.step()
            same_state(evolution, alike)
            fewer = growing(interactions=None, pairs=counts[-1] // 2 - 4)
            fewer.step()
            assert fewer.steps < 3000
    assert all(count % 8 == 0 for count in counts)
    assert len(set(counts)) > 1 and counts[0] > counts[-1]  # who balances for longer is asked for less often
    few = growing(most_pairs=6)
    few.step()
    assert few.episodes == 12 and few.steps < 3000


def test_a_growing_generation_is_the_same_on_any_threads_resumed_or_interrupted() -> None:
    whole = growing()
    for _ in range(4):
        whole.step()
    begun, resumed = growing(threads=2), growing()
    for _ in range(2):
        begun.step()
    resumed.restore({name: array.copy() for name, array in begun.state().items()})
    evaluate, calls = resumed.problem.evaluate, []

    def interrupted(*given: Any, **more: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return evaluate(*given, **more)

    resumed.problem.evaluate = interrupted  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        resumed.step()
    same_state(resumed, begun)
    for _ in range(2):
        resumed.step()
    same_state(resumed, whole)


def test_a_population_none_of_which_takes_a_step_grows_no_more() -> None:
    evolution = growing()
    evaluate = evolution.problem.evaluate

    def lame(population: Population, *given: Any, **more: Any) -> Any:
        found = evaluate(population, *given, **more)
        return replace(found, steps=0)

    evolution.problem.evaluate = lame  # type: ignore[method-assign]
    evolution.step()
    assert evolution.episodes == 8
