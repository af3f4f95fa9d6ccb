"""Persistent ES: its estimate is the whole episode's, whatever the unrolls, and it learns and resumes as promised."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evo
from evo.envs.engine import interruption
from evo.evaluation.collector import Experience
from evo.evaluation.workers import Threads
from evo.genomes.noise import Noise
from evo.learners.persistent_es import DIVERGED, PersistentES, gradient_and_memory
from evo.numerics.advantages import CUT_OFF, ENDED, FAILED, GOING_ON
from evo.numerics.randomness import generator
from evo.optimizers import Adam
from evo.problems.control import Walking
from evo.problems.problem import Problem


def walking(task: str = "pointmass", network: str = "linear", threads: int = 1, **options: Any) -> Walking:
    made = evo.task(task, **options)
    return Walking(made, evo.network(network, made), Threads(threads))


def learner(problem: Problem | None = None, seed: int = 3, **options: Any) -> PersistentES:
    return PersistentES(walking() if problem is None else problem, seed, **{"pairs": 4, "horizon": 30} | options)


def same(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> bool:
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


def experience(rewards: np.ndarray, marks: np.ndarray, lengths: np.ndarray) -> Experience:
    empty = np.zeros(0)
    return Experience(empty, empty, rewards, empty, marks, empty, lengths, {}, (), empty, empty)


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), horizon=st.integers(1, 9))
def test_a_reward_counts_for_all_the_noise_its_episode_has_felt(seed: int, horizon: int) -> None:
    rng = np.random.default_rng(seed)
    lengths, marks = np.full(6, horizon), np.full((6, horizon), GOING_ON)
    for place, ended in enumerate(rng.choice([GOING_ON, ENDED, CUT_OFF], size=6)):
        if ended != GOING_ON:
            lengths[place] = rng.integers(1, horizon + 1)
            marks[place, lengths[place] - 1] = ended
    rewards = rng.normal(size=(6, horizon)) * (np.arange(horizon) < lengths[:, np.newaxis])
    perturbations, felt = rng.normal(size=(2, 6, 3))
    gradient, memory = np.zeros(3), felt + perturbations
    for place in range(6):
        for step in range(lengths[place]):
            gradient += rewards[place, step] * (felt[place] + perturbations[place])
        if marks[place, lengths[place] - 1] != GOING_ON:
            memory[place] = 0.0
    found = gradient_and_memory(experience(rewards, marks, lengths), perturbations, felt)
    np.testing.assert_allclose(found[0], gradient, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(found[1], memory)


@pytest.mark.parametrize(
    ("marks", "lengths"), [([[0, 0], [FAILED, 0]], [2, 1]), ([[0, 0], [0, 0]], [2, 1]), ([[0, 0], [0, FAILED]], [2, 2])]
)
def test_a_pair_of_which_one_failed_says_nothing_and_that_one_begins_anew(
    marks: list[list[int]], lengths: list[int]
) -> None:
    """It failed of itself, or of the engine: within the unroll, or right after it."""
    both = np.concatenate([marks, np.zeros((2, 2), np.int64)]), np.array([*lengths, 2, 2])
    gradient, felt = gradient_and_memory(experience(np.ones((4, 2)), *both), np.ones((4, 1)), np.ones((4, 1)))
    assert felt.tolist() == [[2.0], [0.0], [2.0], [2.0]]
    assert gradient.tolist() == [8.0]  # of the other pair


def test_the_estimate_has_no_bias_where_parameters_decide_when_an_episode_ends() -> None:
    """Each step earns 1, and is the last with a chance of exp(-theta) / 50: the return's gradient at 0 is 50."""
    rng, environments, horizon, noise = np.random.default_rng(1), 4_000, 25, 0.1
    felt, summed, over = np.zeros((environments, 1)), 0.0, 0
    for _ in range(100):
        drawn = noise * rng.standard_normal((environments // 2, 1))
        perturbations = np.stack([drawn, -drawn], 1).reshape(-1, 1)
        ends = rng.geometric(np.exp(-perturbations[:, 0]) / 50)
        lengths, marks = np.minimum(ends, horizon), np.full((environments, horizon), GOING_ON)
        ended = np.flatnonzero(ends <= horizon)
        marks[ended, lengths[ended] - 1] = ENDED
        rewards = (np.arange(horizon) < lengths[:, np.newaxis]).astype(float)
        gradient, felt = gradient_and_memory(experience(rewards, marks, lengths), perturbations, felt)
        summed, over = summed + gradient[0], over + len(ended)
    assert summed / noise**2 / over == pytest.approx(50, rel=0.1)


def test_an_unroll_of_a_whole_episode_is_the_plain_antithetic_estimate() -> None:
    problem = walking()
    one = learner(problem, horizon=problem.task.steps, learning_rate=0.1, sigma=0.2)
    mean, row = one.mean.copy(), one.step()
    noise = np.array([each.copy() for each in Noise(generator(3, "noise", 0), 4, mean.size)])
    both = 0.2 * np.repeat(noise, 2, 0) * np.tile([1, -1], 4)[:, np.newaxis]
    again = learner(problem, horizon=problem.task.steps)
    _, seen = again._world.collect((mean + both).astype(np.float32), again.statistics, 0)
    returns = seen.rewards.sum(axis=1)
    np.testing.assert_allclose(seen.returns[:, -1], returns)  # every episode went through
    estimate = returns @ both / (8 * 0.2**2)  # Salimans 2017, algorithm 1
    assert row["gradient_norm"] == pytest.approx(np.linalg.norm(estimate))
    np.testing.assert_allclose(one.mean, mean + Adam(mean.size, 0.1).step(estimate), rtol=1e-9)
    assert not one.felt.any()
    assert row["steps"] == 8 * problem.task.steps


def test_a_pair_has_the_same_luck_and_pairs_do_not() -> None:
    one = learner(sigma=1e-12)
    one.step()
    _, seen = one._world.collect(np.tile(one.mean.astype(np.float32), (8, 1)), one.statistics, 1)
    rewards = seen.rewards.reshape(4, 2, -1)
    np.testing.assert_allclose(rewards[:, 0], rewards[:, 1])
    assert len(np.unique(rewards[:, 0, 0])) == 4


def test_short_unrolls_do_not_bias_the_estimate() -> None:
    """Where the parameters stand still, unrolls of a tenth add up to the gradient of the whole return, where one that
    forgets what an episode felt before is far off."""
    problem, rng = walking(), np.random.default_rng(0)
    point = rng.normal(size=problem.size) * 0.3
    seeds, small = np.arange(400), 1e-2
    whole = []
    for parameter in np.eye(problem.size):
        ahead, behind = (problem.returns((point + way * small * parameter)[None], seeds).mean() for way in (1, -1))
        whole.append((ahead - behind) / (2 * small))
    horizon = problem.task.steps // 10
    one = learner(problem, horizon=horizon, pairs=4000, sigma=0.02)
    total, forgetful = np.zeros((2, problem.size))
    one.mean, felt = point, one.felt
    for number in range(10):
        drawn = Noise(generator(1, "noise", number), 4000, problem.size)
        noise = 0.02 * np.array([row.copy() for row in drawn])
        both = np.stack([noise, -noise], 1).reshape(8000, -1)
        blocks, seen = one._world.collect((point + both).astype(np.float32), one.statistics, number)
        one._world.commit(blocks, seen)
        part, felt = gradient_and_memory(seen, both, felt)
        total += part / (8000 * 0.02**2)
        forgetful += gradient_and_memory(seen, both, np.zeros_like(felt))[0] / (8000 * 0.02**2)
    assert np.linalg.norm(total - whole) < 0.1 * np.linalg.norm(whole)
    assert np.linalg.norm(forgetful - whole) > 0.3 * np.linalg.norm(whole)


def test_states_do_not_depend_on_threads_and_resume_to_the_bit() -> None:
    whole = learner(walking("Hopper-v5", threads=2))
    for _ in range(6):
        whole.step()
    first = learner(walking("Hopper-v5"))
    for _ in range(3):
        first.step()
    second = learner(walking("Hopper-v5"))
    second.restore(first.state())
    for _ in range(3):
        second.step()
    assert same(whole.state(), second.state())
    assert not same(whole.state(), learner(walking("Hopper-v5")).state())
    other = learner(walking("Hopper-v5"), seed=4)
    other.step()
    assert not np.array_equal(other.mean, whole.mean)


def test_an_interrupted_step_changes_nothing() -> None:
    class Halt(BaseException):
        pass

    one = learner(walking("Hopper-v5"))
    one.step()
    before = {name: array.copy() for name, array in one.state().items()}
    interruption.request(Halt())
    with pytest.raises(Halt):
        one.step()
    interruption.forget()
    assert same(before, one.state())


@pytest.mark.parametrize(
    ("name", "array"), [("mean", np.zeros(99)), ("felt", np.zeros((2, 5))), ("world/blocks", np.zeros((2, 64)))]
)
def test_a_state_that_does_not_fit_is_refused(name: str, array: np.ndarray) -> None:
    one = learner()
    one.step()
    with pytest.raises(ValueError):
        learner().restore(one.state() | {name: array})


def test_it_learns_and_its_champion_is_scored_as_any(tmp_path: Path) -> None:
    run = evo.run("pointmass", method="persistent-es", steps=300_000, out=tmp_path / "run", video=False, seed=100)
    before = walking().returns(np.zeros((1, walking().size)), np.arange(100)).mean()
    assert run.champion.score > 0.5 * before  # returns are distances: half of them is gone


def test_it_learns_not_to_fall(tmp_path: Path) -> None:
    run = evo.run("cartpole", method="persistent-es", steps=200_000, out=tmp_path / "run", video=False, seed=100)
    before = walking("cartpole").returns(np.zeros((1, 4)), np.arange(100)).mean()
    assert run.champion.score > 4 * before


def test_where_nothing_succeeds_the_run_says_so(tmp_path: Path) -> None:
    wild = {"method.sigma": 1e300}
    with pytest.raises(evo.EvoError, match="no environment of generation"):
        evo.run("cartpole", method="persistent-es", steps=20_000, out=tmp_path / "run", settings=wild)


def test_parameters_that_grow_without_end_end_the_run(tmp_path: Path) -> None:
    wild, steps = {"method.learning_rate": 1e300}, 20_000
    run = evo.run("cartpole", method="persistent-es", steps=steps, out=tmp_path / "run", settings=wild, video=False)
    assert run.ended == DIVERGED
    assert any(finding.name == "stopped by itself" for finding in evo.doctor(run.path))


def test_choices_are_the_best_as_in_an_episode_that_is_scored() -> None:
    made = evo.task("cartpole", discrete=True)
    problem = Walking(made, evo.network("linear", made), Threads(1))
    params = problem.initial(generator(0, "any")).astype(np.float32) + np.linspace(-1, 1, 8, dtype=np.float32)
    one = learner(problem)
    _, seen = one._world.collect(params, one.statistics, 0)
    chosen = np.argmax(seen.observations[:, :30] @ params.reshape(4, 2), axis=2)
    np.testing.assert_array_equal(seen.actions[:, :, 0], chosen)
    assert 0 < chosen.mean() < 1
