"""PPO: gradients against torch, parts against plain twins, and that it learns, resumes and fails as promised."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from threadpoolctl import threadpool_limits

import evo
from evo.envs.engine import interruption
from evo.envs.engine.random import streams
from evo.evaluation.collector import Collector, Experience
from evo.evaluation.exploration import Exploration, gaussian, softmax
from evo.evaluation.workers import Threads
from evo.learners.ppo import PPO
from evo.learners.segments import network_inputs
from evo.networks.initialisation import orthogonal
from evo.numerics.advantages import CUT_OFF, ENDED, FAILED, GOING_ON, RewardScale, advantages, standardise
from evo.problems.control import Walking
from tests.support.clocks import ticking
from tests.support.places import FIXTURES

TORCH = np.load(FIXTURES / "torch.npz")


def learner(task: str = "cartpole", network: str = "mlp:16", threads: int = 1, seed: int = 3, **options: Any) -> PPO:
    made = evo.task(task, **options.pop("task_options", {}))
    settings = {"environments": 2, "horizon": 32, "minibatch": 16, "epochs": 2, "critic": "mlp:16"} | options
    return PPO(Walking(made, evo.network(network, made, normalise=True), Threads(threads)), seed, **settings)


# The loss


@pytest.mark.parametrize("clipped", ["plain", "clipped"])
@pytest.mark.parametrize("kind", ["continuous", "discrete"])
def test_the_gradient_of_the_loss_equals_torchs(kind: str, clipped: str, monkeypatch: pytest.MonkeyPatch) -> None:
    task = evo.task("HalfCheetah-v5")
    if kind == "discrete":
        object.__setattr__(task, "choices", 6)
    problem = Walking(task, evo.network("mlp:16,8", task), Threads(1))
    ppo = PPO(
        problem,
        0,
        environments=1,
        horizon=64,
        minibatch=64,
        critic="mlp:12",
        clip_value=clipped == "clipped",
        value_coefficient=0.3,
        entropy_coefficient=0.02,
    )
    stem = f"ppo/{kind}/{clipped}"
    taken = "choices" if kind == "discrete" else "actions"
    names = ("observations", taken, "old_log_probability", "advantage", "target", "old_value")
    examples = np.concatenate([TORCH[f"{stem}/{name}"] for name in names], axis=1).astype(np.float32)
    (program, _), feeds = ppo._loss.programs, ppo._loss.feeds  # the batch is one replica's shard of a minibatch
    examples[:, -3] = standardise(examples[:, -3][np.newaxis].astype(np.float64))[0]
    program.parameters[:] = TORCH[f"{stem}/parameters"]
    for column, width, at in zip(feeds.column, feeds.columns, feeds.at, strict=True):
        program.values[at : at + 32 * width] = examples[:, column : column + width].ravel()
    assert program.forward() == pytest.approx(float(TORCH[f"{stem}/loss"]), rel=1e-5)
    program.backward()
    expected = TORCH[f"{stem}/gradient"]
    error = np.linalg.norm(program.gradient - expected) / np.linalg.norm(expected)
    assert error < 1e-5
    np.testing.assert_allclose(program.gradient, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


# Advantages and rewards


def twin_advantages(rewards, values, marks, discount, gae_lambda):  # type: ignore[no-untyped-def]
    """Schulman 2016, equation 16, as a sum over the steps that follow, of one environment."""
    horizon, cuts = len(rewards), 0
    errors = []
    for step in range(horizon):
        worth = values[step + 1]
        if marks[step] == ENDED:
            worth = 0.0
        if marks[step] == CUT_OFF:
            worth, cuts = values[horizon + 1 + cuts], cuts + 1
        errors.append(rewards[step] + discount * worth - values[step])
    result = []
    for step in range(horizon):
        total, weight = 0.0, 1.0
        for later in range(step, horizon):
            total += weight * errors[later]
            weight *= discount * gae_lambda
            if marks[later] != GOING_ON:
                break
        result.append(total)
    return result


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), horizon=st.integers(1, 12), discount=st.floats(0, 1), gae_lambda=st.floats(0, 1))
def test_advantages_equal_their_definition(seed: int, horizon: int, discount: float, gae_lambda: float) -> None:
    rng = np.random.default_rng(seed)
    marks = rng.choice([GOING_ON, GOING_ON, ENDED, CUT_OFF], size=(3, horizon))
    rewards, values = rng.normal(size=(3, horizon)), rng.normal(size=(3, 2 * horizon + 1)).astype(np.float32)
    found = advantages(rewards, values, marks, np.full(3, horizon), discount, gae_lambda)
    for row in range(3):
        expected = twin_advantages(rewards[row], values[row].astype(float), marks[row], discount, gae_lambda)
        np.testing.assert_allclose(found[row], expected, rtol=1e-9, atol=1e-9)


def test_a_failed_step_says_nothing_and_what_led_to_it_is_cut_off_there() -> None:
    values = np.array([[1.0, 2.0, 4.0, 8.0, 16.0]], np.float32)
    marks = np.array([[GOING_ON, FAILED, GOING_ON, GOING_ON]])
    found = advantages(np.ones((1, 4)), values, marks, np.array([4]), 0.5, 1.0)
    last = 1 + 8 - 8
    np.testing.assert_array_equal(found, [[1 + 1 - 1, 0, 1 + 4 - 4 + 0.5 * last, last]])
    rewards = np.array([[3.0, 1e9, 3.0, 3.0]])
    scaled, scale = RewardScale(np.zeros(1)).scale(rewards, marks, np.array([4]), 1.0)
    assert scaled[0, 1] == 0.0
    assert scale.discounted[0] == 6.0
    assert scale.count == pytest.approx(3 + 1e-4)
    _, scale = RewardScale(np.zeros(1)).scale(rewards, np.zeros((1, 4), np.int64), np.array([2]), 1.0)
    assert scale.discounted[0] == 0.0  # the engine failed: what follows is another episode


def test_steps_that_were_not_taken_have_no_advantage() -> None:
    values = np.array([[1.0, 2.0, 4.0, 99.0, 99.0]], np.float32)
    found = advantages(np.ones((1, 4)), values, np.zeros((1, 4), np.int64), np.array([2]), 0.5, 0.0)
    np.testing.assert_array_equal(found, [[1 + 1 - 1, 1 + 2 - 2, 0, 0]])


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), environments=st.integers(1, 4), horizon=st.integers(1, 20))
def test_rewards_are_scaled_as_vec_normalize_does(seed: int, environments: int, horizon: int) -> None:
    """The plain twin is stable-baselines3's VecNormalize, step by step."""
    rng = np.random.default_rng(seed)
    marks = rng.choice([GOING_ON, GOING_ON, ENDED, CUT_OFF], size=(environments, horizon))
    rewards, discount = rng.normal(size=(environments, horizon)) * 30, 0.97
    returns, mean, variance, count = np.zeros(environments), 0.0, 1.0, 1e-4
    expected = np.zeros_like(rewards)
    for step in range(horizon):
        returns = returns * discount + rewards[:, step]
        difference, total = returns.mean() - mean, count + environments
        mean += difference * environments / total
        square = variance * count + returns.var() * environments + difference**2 * count * environments / total
        variance, count = square / total, total
        expected[:, step] = np.clip(rewards[:, step] / np.sqrt(variance + 1e-8), -10, 10)
        returns[marks[:, step] != GOING_ON] = 0.0
    half, lengths = horizon // 2, np.full(environments, horizon)
    first, scale = RewardScale(np.zeros(environments)).scale(rewards[:, :half], marks[:, :half], lengths, discount)
    scale = RewardScale.restored(scale.state())
    second, _ = scale.scale(rewards[:, half:], marks[:, half:], lengths, discount)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), expected, rtol=1e-9, atol=1e-12)


@settings(max_examples=30)
@given(rows=st.integers(1, 12), columns=st.integers(1, 12))
def test_orthogonal_weights_are_orthogonal(rows: int, columns: int) -> None:
    weights = orthogonal(rows, columns, np.random.default_rng(0))
    product = weights @ weights.T if rows <= columns else weights.T @ weights
    np.testing.assert_allclose(product, np.eye(min(rows, columns)), atol=1e-12)


def test_orthogonal_weights_do_not_depend_on_the_threads_of_blas() -> None:
    """Above some 300 columns the bits of a factorisation change with their number."""
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads, user_api="blas"):
            found.append(orthogonal(400, 300, np.random.default_rng(0)))
    np.testing.assert_array_equal(*found)


# Collecting


def collected(
    task: Any, horizon: int, calls: int, threads: int, deviation: float
) -> tuple[list[Experience], np.ndarray]:
    network = evo.network("mlp:8", task)
    params = (np.random.default_rng(0).normal(size=network.size) * 0.3).astype(np.float32)
    collector = Collector(task, network, 3, horizon, Threads(threads))
    blocks, parts = collector.begin(streams(np.arange(3))), []
    for call in range(calls):
        noise = Exploration(gaussian, streams(np.arange(3) + 100 * call), np.full(task.outputs, deviation))
        identity = np.zeros(task.observation_size), np.ones(task.observation_size)
        blocks, seen = collector.collect(blocks, params, *identity, noise)
        parts.append(seen)
    return parts, blocks


@pytest.mark.parametrize("task", ["HalfCheetah-v5", "Hopper-v5", "quadruped", "cartpole", "point-mass"])
def test_what_is_collected_in_pieces_without_noise_is_the_rollout(task: str) -> None:
    """An environment goes on over calls exactly as an episode does: its state is kept whole."""
    made = evo.task(task)
    parts, _ = collected(made, 50, 8, 2, 0.0)
    network = evo.network("mlp:8", made)
    params = (np.random.default_rng(0).normal(size=network.size) * 0.3).astype(np.float32)
    rewards = np.concatenate([part.rewards for part in parts], axis=1)
    observations = np.concatenate([part.observations for part in parts], axis=1)
    following = np.concatenate([part.following for part in parts], axis=1)
    for seed in range(3):
        episode = evo.rollout(made, network, params, seed=seed)
        length = min(len(episode), 400)
        np.testing.assert_array_equal(rewards[seed, :length], episode.rewards[:length])
        np.testing.assert_array_equal(observations[seed, :length], episode.observations[:length])
        np.testing.assert_array_equal(following[seed, :length], episode.observations[1 : length + 1])
        if length == len(episode):
            returns = np.concatenate([part.returns for part in parts], axis=1)
            marks = np.concatenate([part.marks for part in parts], axis=1)
            assert returns[seed, length - 1] == episode.total
            assert marks[seed, length - 1] == (ENDED if episode.terminated else CUT_OFF)


def test_collecting_does_not_depend_on_threads() -> None:
    runs = [collected(evo.task("Hopper-v5"), 64, 3, threads, 0.5) for threads in (1, 2, 4)]
    for parts, blocks in runs[1:]:
        np.testing.assert_array_equal(blocks, runs[0][1])
        for part, first in zip(parts, runs[0][0], strict=True):
            for name in ("observations", "actions", "rewards", "marks", "returns", "lengths", "statistics"):
                np.testing.assert_array_equal(getattr(part, name), getattr(first, name))


def test_episodes_cut_off_leave_their_last_observation() -> None:
    task = evo.task("point-mass", steps=20)
    (seen,), _ = collected(task, 50, 1, 1, 0.3)
    assert (seen.marks == CUT_OFF).sum() == 6
    assert seen.observations.shape == seen.following.shape == (3, 50, task.observation_size)
    cut = np.flatnonzero(seen.marks[0] == CUT_OFF)
    assert cut.tolist() == [19, 39]
    # the last observation of an episode follows from the one before it; the next step begins another episode
    for step in cut:
        last, before, fresh = seen.following[0, step], seen.observations[0, step], seen.observations[0, step + 1]
        assert np.abs(last - before).max() < np.abs(fresh - before).max()
    np.testing.assert_array_equal(seen.following[0, :19], seen.observations[0, 1:20])
    # as the critic needs them: those acted upon, the one after the last step, and the last ones of what was cut off
    problem = Walking(task, evo.network("mlp:8", task), Threads(1))
    inputs = network_inputs(seen, problem, problem.no_statistics())
    assert inputs.shape == (3, 50 + 1 + 2, task.observation_size) and inputs.dtype == np.float32
    expected = np.concatenate([seen.observations[0], seen.following[0, [49, 19, 39]]])
    np.testing.assert_array_equal(inputs[0], expected.astype(np.float32))


def test_actions_are_normal_around_the_outputs() -> None:
    task = evo.task("point-mass")
    network = evo.network("linear", task)
    collector = Collector(task, network, 4, 500, Threads(1))
    identity = np.zeros(task.observation_size), np.ones(task.observation_size)
    begun = collector.begin(streams(np.arange(4)))
    zero = np.zeros(network.size, np.float32)
    noise = Exploration(gaussian, streams(np.arange(4)), np.array([0.5, 2.0]))
    _, seen = collector.collect(begun, zero, *identity, noise)
    for column, deviation in enumerate((0.5, 2.0)):
        assert stats.kstest(seen.actions[:, :, column].ravel() / deviation, "norm").pvalue > 0.001


def test_choices_have_the_probabilities_of_the_softmax() -> None:
    task = evo.task("cartpole", discrete=True)
    network = evo.network("mlp:1", task)
    params = np.zeros(network.size, np.float32)
    params[-2:] = [0.0, 1.5]  # biases of the two scores
    collector = Collector(task, network, 4, 1000, Threads(1))
    identity = np.zeros(4), np.ones(4)
    begun = collector.begin(streams(np.arange(4)))
    noise = Exploration(softmax, streams(np.arange(4)), np.zeros(0))
    _, seen = collector.collect(begun, params, *identity, noise)
    share = 1.0 / (1.0 + np.exp(-1.5))
    assert set(np.unique(seen.actions)) == {0.0, 1.0}
    assert stats.binomtest(int(seen.actions.sum()), seen.actions.size, share).pvalue > 0.001


# Learning


@pytest.mark.parametrize("options", [{}, {"task_options": {"discrete": True}}], ids=["continuous", "discrete"])
def test_ppo_balances_a_pole(options: dict[str, Any]) -> None:
    ppo = learner("cartpole", "mlp:32", environments=8, horizon=128, minibatch=64, epochs=6, **options)
    while ppo.steps < 80_000:
        ppo.step()
    candidate = ppo.candidates()[0]
    outcome = ppo.problem.rollout(candidate.params, 77, candidate.statistics)
    assert outcome.total == 500.0


def test_ppo_solves_the_point_mass() -> None:
    ppo = learner("point-mass", "mlp:16", environments=8, horizon=128, minibatch=64, epochs=6, seed=0)
    first = ppo.candidates()[0]
    seeds = range(5)
    before = np.mean([ppo.problem.rollout(first.params, seed, first.statistics).total for seed in seeds])
    while ppo.steps < 80_000:
        ppo.step()
    last = ppo.candidates()[0]
    after = np.mean([ppo.problem.rollout(last.params, seed, last.statistics).total for seed in seeds])
    assert after > before / 2


def same(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> bool:
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


def test_an_odd_minibatch_gives_the_same_bits_on_two_threads() -> None:
    states = []
    for threads in (1, 2):
        odd = learner(threads=threads, environments=3, horizon=25, minibatch=25)
        for _ in range(3):
            odd.step()
        states.append(odd.state())
    assert same(*states)


@pytest.mark.parametrize("task", ["cartpole", "Hopper-v5"])
def test_restored_it_goes_on_to_the_bit_whatever_the_threads(task: str) -> None:
    whole = learner(task, threads=1, minibatch=64)  # in two shards
    for _ in range(5):
        whole.step()
    interrupted = learner(task, threads=2, minibatch=64)
    for _ in range(2):
        interrupted.step()
    again = learner(task, threads=4, minibatch=64)
    again.restore({name: array.copy() for name, array in interrupted.state().items()})
    for _ in range(3):
        again.step()
    assert same(whole.state(), again.state())
    other = learner(task, seed=4, minibatch=64)
    for _ in range(5):
        other.step()
    assert not np.array_equal(whole.parameters, other.parameters)


def test_interrupted_within_a_step_it_is_as_before() -> None:
    class Halt(BaseException):
        pass

    ppo, whole = learner(), learner()
    for one in (ppo, whole):
        one.step()
    before = {name: array.copy() for name, array in ppo.state().items()}
    descend, calls = ppo._descend, []

    def interrupted(*given: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            interruption.request(Halt())
        return descend(*given)

    ppo._descend = interrupted  # type: ignore[method-assign]
    with pytest.raises(Halt):
        ppo.step()
    interruption.forget()
    assert len(calls) == 1
    assert same(before, ppo.state())
    ppo.step()
    whole.step()
    assert same(ppo.state(), whole.state())


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("parameters", np.zeros(3, np.float32)),
        ("optimizer/first_moment", np.zeros(3, np.float32)),
        ("reward_scale/discounted", np.zeros(9)),
        ("statistics/mean", np.zeros(9)),
        ("world/blocks", np.zeros((2, 64), np.uint8)),
        ("world/engine", np.array("3.0.0")),
    ],
)
def test_a_state_that_does_not_fit_is_refused(name: str, array: np.ndarray) -> None:
    ppo = learner()
    ppo.step()
    with pytest.raises(ValueError):
        learner().restore(ppo.state() | {name: array})


def test_the_learning_rate_falls_to_zero_over_the_budget() -> None:
    ppo, rates = learner(anneal_steps=256, learning_rate=0.01), []
    while ppo.finished() is None:
        rates.append(ppo.step()["learning_rate"])
    np.testing.assert_allclose(rates, [0.01, 0.0075, 0.005, 0.0025])
    assert "fell to zero at 256 steps" in str(ppo.finished())


def test_the_schedule_is_the_budget_and_stays_with_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ticking(monkeypatch)
    small = {"method.environments": 2, "method.horizon": 32, "method.epochs": 1, "evaluation.report_episodes": 2}
    run = evo.run("cartpole", method="ppo", steps=256, out=tmp_path / "a", video=False, settings=small)
    assert run.config["method.anneal_steps"] == 256
    again = evo.resume(tmp_path / "a", steps=512, video=False)
    assert again.config["method.anneal_steps"] == 256
    assert len(again.metrics["steps"]) == 4
    timed = evo.run("cartpole", method="ppo", minutes=0.01, out=tmp_path / "b", video=False, settings=small)
    assert timed.config["method.anneal_steps"] is None
    repeated = evo.run(config=tmp_path / "b" / "config.toml", out=tmp_path / "c", video=False)
    np.testing.assert_array_equal(timed.metrics["policy_loss"], repeated.metrics["policy_loss"])
    nothing = evo.run("cartpole", method="ppo", steps=0, out=tmp_path / "d", video=False, settings=small)
    assert nothing.champion.generation == 0


def test_a_diverging_run_stops_with_a_reason_and_keeps_what_it_had() -> None:
    ppo = learner(learning_rate=1e30)
    while ppo.finished() is None:
        before = ppo.parameters.copy()
        ppo.step()
        assert ppo.generation < 50
    assert "diverged" in str(ppo.finished())
    np.testing.assert_array_equal(ppo.parameters, before)
    again = learner(learning_rate=1e30)
    again.restore(ppo.state())
    assert again.finished() == ppo.finished()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"minibatch": 24}, "minibatch must divide"),
        ({"minibatch": 4096}, "minibatch=4096: must be"),
        ({"discount": 1.5}, "discount=1.5: must"),
        ({"learning_rate": 0.0}, "learning_rate=0.0: must"),
        ({"minibatch": 1}, "minibatch=1: must be"),
        ({"epochs": 0}, "epochs=0: must"),
        ({"critic": "forest"}, "critic: unknown network 'forest'"),
        ({"entropy_coefficient": -1.0}, "entropy_coefficient=-1.0: must"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        learner(**options)


def test_the_first_iteration_only_looks_where_observations_are_normalised() -> None:
    looking = learner()
    first = looking.parameters.copy()
    assert np.isnan(looking.step()["policy_loss"])
    np.testing.assert_array_equal(looking.parameters, first)
    assert looking.statistics.count == looking.steps
    assert np.isfinite(looking.step()["policy_loss"])
    assert not np.array_equal(looking.parameters, first)
    task = looking.problem.task
    plain = PPO(Walking(task, evo.network("mlp:16", task), Threads(1)), 3, environments=2, horizon=32, minibatch=16)
    assert np.isfinite(plain.step()["policy_loss"])
