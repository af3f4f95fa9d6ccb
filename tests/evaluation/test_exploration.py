"""Exploration: actions are distributed as they should be, in our tasks and Gymnasium's, and misfits are refused."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from scipy import stats

import evo
from evo.envs.engine.random import streams
from evo.evaluation.collector import Experience
from evo.evaluation.evaluator import collector_of
from evo.evaluation.exploration import (
    Draw,
    Exploration,
    callable_of,
    gaussian,
    softmax,
    squashed_gaussian,
    uniform,
)
from evo.evaluation.workers import Threads
from evo.networks import network_from_text
from evo.numerics.advantages import FAILED
from tests.support import misbehaving  # noqa: F401 - for the environments that it registers

ENVIRONMENTS, HORIZON = 2, 400
MEANS, LOG_DEVIATIONS = (0.3, -0.8), (-1.0, 0.2)


def bounded() -> Any:
    """Two actions in ranges of their own."""
    bounds = {"action_low": np.array([-2.0, 0.0]), "action_high": np.array([2.0, 1.0])}
    return dataclasses.replace(evo.task("point-mass"), **bounds)


def collected(task: Any, draw: Draw, outputs: np.ndarray, numbers: np.ndarray) -> Experience:
    """What is collected where the network's outputs are always the same, and no step fails."""
    seen = lived(task, draw, outputs, numbers)
    assert not (seen.marks == FAILED).any()
    return seen


def lived(task: Any, draw: Draw, outputs: np.ndarray, numbers: np.ndarray) -> Experience:
    network = network_from_text("mlp:1", task.observation_size, len(outputs))
    params = np.zeros(network.size, np.float32)
    params[-len(outputs) :] = outputs
    collector = collector_of(task, network, ENVIRONMENTS, HORIZON, Threads(1), False, 0)
    identity = np.zeros(task.observation_size), np.ones(task.observation_size)
    exploration = Exploration(draw, streams(np.arange(ENVIRONMENTS)), numbers)
    _, seen = collector.collect(collector.begin(streams(np.arange(ENVIRONMENTS))), params, *identity, exploration)
    return seen


def test_a_squashed_gaussian_is_normal_before_it_is_squashed_and_scaled() -> None:
    seen = collected(bounded(), squashed_gaussian, np.array([*MEANS, *LOG_DEVIATIONS]), np.zeros(0))
    within = (seen.actions.astype(np.float64) - [0.0, 0.5]) / [2.0, 0.5]
    assert np.abs(within).max() < 1.0
    for index in range(2):
        drawn = (np.arctanh(within[:, :, index].ravel()) - MEANS[index]) / np.exp(LOG_DEVIATIONS[index])
        assert stats.kstest(drawn, "norm").pvalue > 0.001


def test_a_squashed_gaussians_deviation_is_bounded() -> None:
    actions = collected(bounded(), squashed_gaussian, np.array([0.5, 0.5, 1e9, -1e9]), np.zeros(0)).actions
    inside = stats.norm(0.5, np.exp(2.0)).cdf(np.arctanh([-0.9, 0.9]))
    count = int((np.abs(actions[:, :, 0] / 2.0) < 0.9).sum())
    assert stats.binomtest(count, actions[:, :, 0].size, inside[1] - inside[0]).pvalue > 0.001
    np.testing.assert_allclose(actions[:, :, 1], 0.5 + 0.5 * np.tanh(0.5), atol=1e-6)


def test_uniform_actions_fill_their_ranges_whatever_the_network_says() -> None:
    actions = collected(bounded(), uniform, np.array([50.0, -50.0]), np.zeros(0)).actions
    for index, (low, width) in enumerate(((-2.0, 4.0), (0.0, 1.0))):
        assert stats.kstest(actions[:, :, index].ravel(), "uniform", (low, width)).pvalue > 0.001


@pytest.mark.parametrize("name", ["ours", "Pendulum-v1"])
@pytest.mark.parametrize(("draw", "numbers"), [(gaussian, [0.7]), (squashed_gaussian, []), (uniform, [])])
def test_every_task_is_given_the_same_draws(name: str, draw: Draw, numbers: list[float]) -> None:
    task = bounded() if name == "ours" else evo.task(name)
    low, high, count = task.action_low, task.action_high, task.action_size
    outputs = np.array([0.25] * count + [-0.5] * count)[: 2 * count if draw is squashed_gaussian else count]
    own = np.array(numbers * count)
    seen = collected(task, draw, outputs, own)
    taken, action = np.zeros(count, np.float32), np.zeros(count)
    for environment, stream in enumerate(streams(np.arange(ENVIRONMENTS))):
        for step in range(HORIZON):
            callable_of(draw)(outputs, own, low, high, stream, taken, action)
            np.testing.assert_array_equal(seen.actions[environment, step], taken)
            np.testing.assert_array_equal(action, np.clip(taken.astype(np.float64), low, high))


def nowhere(outputs: Any, numbers: Any, low: Any, high: Any, rng: Any, taken: Any, action: Any) -> None:
    taken[:] = 0.0
    action[:] = np.nan


@pytest.mark.parametrize("name", ["ours", "Fine-v0"])
def test_no_task_is_given_an_action_that_is_not_finite(name: str) -> None:
    task = bounded() if name == "ours" else evo.task(name)
    seen = lived(task, nowhere, np.zeros(task.outputs), np.zeros(0))
    assert (seen.marks == FAILED).all()
    assert seen.failures == {"an action or a reward was not finite": ENVIRONMENTS * HORIZON}


@pytest.mark.parametrize(
    ("task", "draw", "outputs", "numbers", "message"),
    [
        ("point-mass", softmax, 2, 0, "softmax draws a choice, and the task takes 2 numbers"),
        ("discrete", gaussian, 2, 2, "gaussian draws numbers, and the task takes one of 2 choices"),
        ("discrete", uniform, 2, 0, "uniform draws numbers, and the task takes one of 2 choices"),
        ("point-mass", gaussian, 2, 1, r"gaussian takes 2 deviations, got \(1,\)"),
        ("point-mass", squashed_gaussian, 2, 0, "takes the means and deviations of 2 actions, not 2 outputs"),
        ("unbounded", squashed_gaussian, 4, 0, "draws between the bounds of actions, and the task has an action with"),
        ("unbounded", uniform, 2, 0, "draws between the bounds of actions, and the task has an action without"),
    ],
)
def test_an_exploration_that_does_not_suit_is_refused(
    task: str, draw: Draw, outputs: int, numbers: int, message: str
) -> None:
    made: Any = evo.task("cartpole", discrete=True) if task == "discrete" else evo.task("point-mass")
    if task == "unbounded":
        made = dataclasses.replace(made, action_low=np.array([-1.0, -np.inf]), action_high=np.ones(2))
    with pytest.raises(ValueError, match=message):
        collected(made, draw, np.zeros(outputs), np.zeros(numbers))


@pytest.mark.parametrize("wrong", ["mean", "scale", "streams"])
def test_arrays_of_another_shape_are_refused(wrong: str) -> None:
    task = bounded()
    network = network_from_text("mlp:1", task.observation_size, task.outputs)
    collector = collector_of(task, network, ENVIRONMENTS, 1, Threads(1), False, 0)
    given: dict[str, Any] = {"mean": np.zeros(task.observation_size), "scale": np.ones(task.observation_size)}
    given["streams"] = begun = streams(np.arange(ENVIRONMENTS))
    given[wrong] = given[wrong][:-1]
    exploration = Exploration(gaussian, given.pop("streams"), np.ones(2))
    with pytest.raises(ValueError, match=f"^{wrong} of shape .*; "):
        collector.collect(collector.begin(begun), np.zeros(network.size, np.float32), exploration=exploration, **given)
