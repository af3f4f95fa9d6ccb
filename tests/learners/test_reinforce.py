"""REINFORCE: its gradient against a plain twin, and that it learns, resumes and fails as promised."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import evo
from evo.autodiff.running import backward, forward
from evo.envs.task import Task
from evo.evaluation.workers import Threads
from evo.learners.reinforce import REINFORCE
from evo.numerics.advantages import CUT_OFF, ENDED, FAILED
from evo.problems.control import Walking
from evo.problems.problem import evaluate_alone


def learner(
    task: str | Task = "cartpole", network: str = "mlp:8", threads: int = 1, seed: int = 3, **options: Any
) -> REINFORCE:
    made = evo.task(task) if isinstance(task, str) else task
    normalise = options.pop("normalise", False)
    problem = Walking(made, evo.network(network, made, normalise=normalise), Threads(threads))
    return REINFORCE(problem, seed, **{"episodes": 4, "critic": "mlp:8"} | options)


def same(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> bool:
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


def test_returns_are_discounted_sums_to_the_end_of_an_episode() -> None:
    one = learner(evo.task("cartpole", steps=6), discount=0.5, episodes=2)
    _, seen = one._world.collect(one.parameters[: one.policy.size], one.statistics, 0)
    seen.rewards[:] = np.arange(1.0, 13.0).reshape(2, 6)
    seen.marks[0] = [0, 0, ENDED, 0, 0, 0]
    seen.marks[1] = [0, 0, 0, FAILED, 0, CUT_OFF]
    seen.lengths[:] = [3, 6]
    rows = one._examples(seen)
    plain = np.array([1 + 2 / 2 + 3 / 4, 2 + 3 / 2, 3, 7 + 8 / 2 + 9 / 4 + 10 / 8, 8 + 9 / 2 + 10 / 4, 9 + 10 / 2])
    plain = np.concatenate([plain, [11 + 12 / 2, 12]])
    plain[3:6] = [7 + 8 / 2 + 9 / 4, 8 + 9 / 2, 9]  # a step that failed says nothing, nor of those before it
    kept = np.array([0, 1, 2, 6, 7, 8, 10, 11])
    np.testing.assert_allclose(rows[kept, -2], (plain - plain.mean()) / plain.std(), rtol=1e-5)
    np.testing.assert_allclose(rows[kept, -1], 12 / 8)
    assert not np.delete(rows, kept, axis=0).any()


@pytest.mark.parametrize("discrete", [False, True])
def test_the_gradient_is_williams(discrete: bool) -> None:
    """The mean of -(G - b) ∇ log π, for a policy without hidden layers, written out."""
    one = learner(evo.task("cartpole", discrete=discrete, steps=5), network="dense:2>" if discrete else "dense:1>")
    rng, rows = np.random.default_rng(0), 4 * 5
    one.parameters[:] = rng.normal(size=one.parameters.size) * 0.5
    actions = rng.integers(2, size=(rows, 1)) if discrete else rng.normal(size=(rows, 1))
    observations, returns = rng.normal(size=(rows, 4)), rng.normal(size=(rows, 1))
    weight = (rng.random((rows, 1)) < 0.8) * 1.3
    examples = np.concatenate([observations, actions, returns, weight], axis=1).astype(np.float32)
    program, feeds, _ = one._loss
    program.parameters[:] = one.parameters
    for column, width, at in zip(feeds.column, feeds.columns, feeds.at, strict=True):
        program.values[at : at + rows * width] = examples[:, column : column + width].ravel()
    forward(program.table, program.values, program.gradients)
    backward(program.table, program.values, program.gradients, program.loss)

    count, size = 2 if discrete else 1, one.policy.size
    weights, bias = one.parameters[: 4 * count].reshape(4, count), one.parameters[4 * count : size]
    outputs, critic = observations @ weights + bias, one.parameters[size + (0 if discrete else 1) :]
    hidden = np.tanh(observations @ critic[:32].reshape(4, 8) + critic[32:40])
    gain = (returns - (hidden @ critic[40:48] + critic[48])[:, np.newaxis]) * weight
    if discrete:
        odds = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
        score = np.eye(2)[actions[:, 0].astype(int)] - odds
    else:
        deviation = np.exp(one.parameters[size])
        score = (actions - outputs) / deviation**2
        expected = -np.mean(gain * (((actions - outputs) / deviation) ** 2 - 1))
        assert program.gradient[size] == pytest.approx(expected, rel=1e-4)
    np.testing.assert_allclose(
        program.gradient[: 4 * count], -(observations.T @ (gain * score)).ravel() / rows, rtol=1e-3
    )
    np.testing.assert_allclose(program.gradient[4 * count : size], -(gain * score).mean(axis=0), rtol=1e-3)


@pytest.mark.parametrize("discrete", [False, True])
def test_it_balances_a_pole(discrete: bool) -> None:
    one = learner(evo.task("cartpole", discrete=discrete), "mlp:32", seed=0, episodes=8, learning_rate=0.01)
    best = 0.0
    while one.steps < 80_000:
        one.step()
        if one.generation % 10 == 0:  # as a run that chooses its champion
            outcome = evaluate_alone(one.problem, *one.candidates()[0], np.arange(10))
            best = max(best, float(outcome.returns.mean()))
    assert best > 450


def test_each_iteration_is_whole_episodes() -> None:
    one = learner("point-mass", episodes=3)
    assert [one.step()["episodes"] for _ in range(3)] == [3, 6, 9]
    assert one.steps == 900


def test_restored_it_goes_on_to_the_bit_whatever_the_threads() -> None:
    whole, interrupted = learner(normalise=True), learner(normalise=True, threads=2)
    expected = [whole.step() for _ in range(5)]
    assert np.isnan(expected[0]["policy_loss"]) and np.isfinite(expected[1]["policy_loss"])
    for _ in range(3):
        interrupted.step()
    again = learner(normalise=True, threads=2)
    again.restore({name: array.copy() for name, array in interrupted.state().items()})
    assert [again.step() for _ in range(2)] == expected[3:]
    assert same(whole.state(), again.state())
    with pytest.raises(ValueError, match="parameters is"):
        learner().restore(learner().state() | {"parameters": np.zeros(3, np.float32)})


def test_a_diverging_run_stops_with_a_reason_and_keeps_what_it_had() -> None:
    one = learner(learning_rate=1e30)
    while one.finished() is None:
        before = one.parameters.copy()
        one.step()
        assert one.generation < 50
    assert "REINFORCE diverged" in str(one.finished())
    np.testing.assert_array_equal(one.parameters, before)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"network": "lstm:4"}, "name reinforce needs layers with a gradient and without memory"),
        ({"critic": "lstm:4"}, "critic needs layers with a gradient and without memory"),
        ({"critic": "forest"}, "critic: unknown network 'forest'"),
        ({"episodes": 0}, "episodes=0: must"),
        ({"discount": 1.5}, "discount=1.5: must"),
    ],
)
def test_what_it_cannot_do_is_refused_in_a_line(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        learner(**options)


def test_a_run_is_resumed_and_its_champion_verified(tmp_path: Path) -> None:
    few = {"evaluation.selection_episodes": 2, "evaluation.report_episodes": 2, "method.episodes": 2}
    given: dict[str, Any] = {"method": "reinforce", "seed": 5, "video": False, "settings": few}
    whole = evo.run("cartpole", generations=4, out=tmp_path / "whole", **given)
    evo.run("cartpole", generations=2, out=tmp_path / "parts", **given)
    parts = evo.resume(tmp_path / "parts", generations=4, video=False)
    np.testing.assert_array_equal(whole.metrics["policy_loss"], parts.metrics["policy_loss"])
    assert whole.champion.verify().exact
