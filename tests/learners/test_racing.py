"""Racing: who is dropped is behind beyond doubt, who stays is scored as without it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from evo.genomes.population import DensePopulation
from evo.learners.evolution import Evolution
from evo.learners.racing import LEVEL, evaluate_racing, outrun, rounds
from evo.numerics.randomness import generator
from evo.numerics.running_statistics import ObservationStatistics, standard_error
from evo.problems.function import Landscape
from evo.problems.named_functions import landscape_of

RETURNS = st.integers(3, 6).flatmap(
    lambda episodes: arrays(np.float64, st.tuples(st.integers(1, 12), st.just(episodes)), elements=st.floats(-1e6, 1e6))
)
NONE = ObservationStatistics.empty(0)


def noisy(spread: float, broken: float = np.inf) -> Landscape:
    """Fitness x[0], with noise of its own for every individual and seed; it breaks beyond `broken`."""

    def function(x: np.ndarray, seed: int) -> float:
        if x[0] >= broken:
            raise ValueError("too far")
        return float(x[0] + spread * generator(seed, "noise", round(1000 * x[0])).standard_normal())

    return landscape_of("mine:function", function)(dim=1, on_error="worst")


@given(st.integers(1, 500))
def test_rounds_end_with_all_episodes(episodes: int) -> None:
    counts = rounds(episodes)
    assert counts[-1] == episodes
    assert counts == sorted(set(counts))
    assert counts[0] == min(3, episodes)


@given(RETURNS, st.integers(1, 13))
def test_the_best_are_never_dropped(returns: np.ndarray, decisive: int) -> None:
    dropped = outrun(returns, decisive)
    means = np.array([row.sum() for row in returns])
    better = np.array([(means > mean).sum() for mean in means])
    assert not dropped[better < decisive - 1].any()
    assert len(returns) - dropped.sum() >= min(decisive, len(returns))


@pytest.mark.parametrize("decisive", [1, 3])
@pytest.mark.parametrize("episodes", [3, 5, 12])
def test_who_is_dropped_loses_the_paired_test(decisive: int, episodes: int) -> None:
    random = generator(1, "returns", episodes)
    # every episode is easy or hard for all; individuals differ by a hundredth of that
    returns = 100 * random.standard_normal(episodes) + random.standard_normal((20, episodes)) + np.arange(20)[:, None]
    last = returns[np.argsort(-returns.mean(axis=1))[decisive - 1]]
    loses = [
        bool(stats.ttest_rel(row, last, alternative="less").pvalue < LEVEL) if row is not last else False
        for row in returns
    ]
    loses[int(np.argsort(-returns.mean(axis=1))[decisive - 1])] = False
    np.testing.assert_array_equal(outrun(returns, decisive), loses)
    assert 0 < sum(loses) < 20


def test_nobody_is_dropped_where_all_count() -> None:
    problem, population = noisy(1.0), DensePopulation(np.arange(6.0)[:, None])
    seeds = np.arange(10)
    raced = evaluate_racing(problem, population, seeds, NONE, 6)
    whole = problem.evaluate(population, seeds, NONE)
    np.testing.assert_array_equal(raced.returns, whole.returns)
    np.testing.assert_array_equal(raced.fitness, whole.fitness)
    assert (raced.episodes, raced.steps) == (whole.episodes, whole.steps) == (60, 60)


def test_the_hopeless_are_spared_and_end_below_the_others() -> None:
    problem, population = noisy(1.0), DensePopulation(np.arange(30.0)[:, None])
    seeds = np.arange(20)
    raced, whole = (evaluate_racing(problem, population, seeds, NONE, 5), problem.evaluate(population, seeds, NONE))
    stayed = ~np.isnan(raced.returns).any(axis=1)
    assert 5 <= stayed.sum() < 15
    assert raced.episodes == (~np.isnan(raced.returns)).sum() < 0.5 * whole.episodes
    np.testing.assert_array_equal(raced.fitness[stayed], whole.fitness[stayed])
    assert raced.fitness[~stayed].max() < raced.fitness[stayed].min()
    assert set(np.argsort(-raced.fitness)[:5]) == set(np.argsort(-whole.fitness)[:5])


def test_who_breaks_is_out_and_worst() -> None:
    problem, population = noisy(0.1, broken=8), DensePopulation(np.arange(10.0)[:, None])
    raced = evaluate_racing(problem, population, np.arange(12), NONE, 3)
    assert set(np.argsort(-raced.fitness, kind="stable")[:3]) == {5, 6, 7}
    np.testing.assert_array_equal(raced.fitness[8:], raced.fitness.min())
    assert raced.failures == {"the function refused": 2 * 3}
    every = evaluate_racing(problem, DensePopulation(np.full((4, 1), 9.0)), np.arange(12), NONE, 2)
    assert np.isnan(every.fitness).all()


def test_everyone_may_break_after_somebody_was_dropped() -> None:
    def function(x: np.ndarray, seed: int) -> float:
        if seed >= 6:
            raise ValueError("night falls")
        return float(x[0] + 0.01 * seed)

    problem = landscape_of("mine:function", function)(dim=1, on_error="worst")
    raced = evaluate_racing(problem, DensePopulation(np.arange(8.0)[:, None]), np.arange(12), NONE, 2)
    assert np.isfinite(raced.fitness).all()
    assert raced.fitness[-1] == raced.fitness.min()


def test_a_generation_says_what_it_was_spared() -> None:
    from evo.algorithms.baselines.random_search import RandomSearch

    def rows(racing: bool) -> list[dict[str, float]]:
        algorithm = RandomSearch(np.zeros(1), 1, sigma=1.0, population_size=20)
        learner = Evolution(noisy(0.1), algorithm, 1, 12, racing=racing)
        return [learner.step() for _ in range(5)]

    raced, whole = rows(True), rows(False)
    assert all(0.3 < row["spared"] < 0.75 for row in raced)
    assert raced[-1]["episodes"] == pytest.approx(sum(240 * (1 - row["spared"]) for row in raced))
    assert whole[-1]["episodes"] == 5 * 240
    assert "spared" not in whole[0]
    assert [row["best"] for row in raced] == [row["best"] for row in whole]


def test_the_standard_error_is_scipys() -> None:
    returns = generator(1, "returns").standard_normal(20)
    assert standard_error(returns) == pytest.approx(stats.sem(returns))
    assert np.isnan(standard_error(returns[:1]))
    assert np.isnan(standard_error(np.array([1.0, np.nan])))
