"""The nearly free tasks follow their equations: against plain twins and closed forms."""

import math
from pathlib import Path

import gymnasium
import numpy as np
import pytest

import evo
from evo.envs.gymnasium_bridge.task_env import TaskEnv


def test_cartpole_follows_barto_sutton_and_anderson() -> None:
    env = TaskEnv(evo.task("cartpole", fall_angle=3.0))
    x, theta, v, omega = (float(number) for number in env.reset(seed=5)[0])
    for push in np.random.default_rng(0).uniform(-1, 1, 60):
        # equations of the paper's appendix, without friction
        total, force = 1.0 + 0.1, 10.0 * push
        inner = (-force - 0.1 * 0.5 * omega**2 * math.sin(theta)) / total
        alpha = (9.8 * math.sin(theta) + math.cos(theta) * inner) / (0.5 * (4 / 3 - 0.1 * math.cos(theta) ** 2 / total))
        acceleration = (force + 0.1 * 0.5 * (omega**2 * math.sin(theta) - alpha * math.cos(theta))) / total
        x, theta = x + 0.02 * v, theta + 0.02 * omega
        v, omega = v + 0.02 * acceleration, omega + 0.02 * alpha
        observation, reward, terminated, _, _ = env.step(np.array([push]))
        np.testing.assert_allclose(observation, [x, theta, v, omega], rtol=1e-9, atol=1e-12)
        assert reward == 1.0
        assert terminated == (abs(x) > 2.4 or abs(theta) > 3.0)
        if terminated:
            break


def test_cartpole_falls_without_help_and_ends() -> None:
    network = evo.network("linear", evo.task("cartpole"))
    trajectory = evo.rollout("cartpole", "linear", np.zeros(network.size, np.float32), seed=1)
    assert trajectory.terminated
    assert abs(trajectory.observations[-1][1]) > math.radians(12)
    assert trajectory.total == len(trajectory)


def test_point_mass_moves_as_the_damped_motion_in_closed_form() -> None:
    env = TaskEnv(evo.task("PointMass", acceleration=3.0, damping=0.7, timestep=0.05))
    start = env.reset(seed=2)[0]
    force = np.array([1.0, -0.5])
    for step in range(1, 31):
        observation, reward, *_ = env.step(force)
        time = 0.05 * step
        final = 3.0 * force / 0.7
        moved = final * (time - (1 - math.exp(-0.7 * time)) / 0.7)
        np.testing.assert_allclose(observation[:2], start[:2] - moved, rtol=1e-9)
        np.testing.assert_allclose(observation[2:], final * (1 - math.exp(-0.7 * time)), rtol=1e-9)
        assert reward == pytest.approx(-np.hypot(*observation[:2]), rel=1e-12)


def test_the_pendulum_is_gymnasiums() -> None:
    ours, theirs, draws = TaskEnv(evo.task("pendulum")), gymnasium.make("Pendulum-v1"), np.random.default_rng(0)
    for seed in range(3):
        observation, other = ours.reset(seed=seed)[0], theirs.reset(seed=seed)[0]
        for step in range(1, 201):
            np.testing.assert_array_equal(observation.astype(np.float32), other)  # theirs are float32
            torque = draws.uniform(-3.0, 3.0, 1)  # beyond the bounds too
            observation, reward, terminated, truncated, _ = ours.step(torque)
            other, expected, *ended, _ = theirs.step(torque)
            assert reward == pytest.approx(float(expected), rel=1e-12)
            assert [terminated, truncated] == ended == [False, step == 200]


def test_a_pendulum_of_other_numbers_is_a_rod_that_turns_about_its_end() -> None:
    env = TaskEnv(evo.task("pendulum", gravity=5.0, length=2.0, mass=0.5, max_torque=1.0, timestep=0.01, steps=60))
    angle = math.atan2(*env.reset(seed=1)[0][[1, 0]])
    speed = float(env.reset(seed=1)[0][2])
    for torque in np.random.default_rng(3).uniform(-1, 1, 60):
        # m l² / 3 · acceleration = m g l / 2 · sin(angle) + torque
        acceleration = (0.5 * 5.0 * 2.0 / 2 * math.sin(angle) + torque) / (0.5 * 4.0 / 3)
        speed += 0.01 * acceleration
        angle += 0.01 * speed
        observation, *_ = env.step(np.array([torque]))
        np.testing.assert_allclose(observation, [math.cos(angle), math.sin(angle), speed], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("task", ["cartpole", "pendulum", "PointMass"])
def test_options_out_of_range_are_refused(task: str) -> None:
    with pytest.raises(evo.EvoError, match="timestep"):
        evo.task(task, timestep=0.0)
    with pytest.raises(evo.EvoError, match="steps"):
        evo.task(task, steps=-1)


@pytest.mark.parametrize(("task", "option"), [("cartpole", "half_length"), ("pendulum", "length")])
@pytest.mark.parametrize("value", [1e-9, 1e300])
def test_a_length_that_cannot_be_drawn_is_refused(task: str, option: str, value: float) -> None:
    with pytest.raises(evo.EvoError, match=f"{option} must be a number from 0.001 to 1000"):
        evo.task(task, **{option: value})


# Choices


def test_a_choice_is_a_push_with_all_the_force() -> None:
    choosing, pushing = TaskEnv(evo.task("cartpole", discrete=True)), TaskEnv(evo.task("cartpole"))
    assert choosing.action_space == gymnasium.spaces.Discrete(2)
    draws = np.random.default_rng(0)
    for seed in range(3):
        np.testing.assert_array_equal(choosing.reset(seed=seed)[0], pushing.reset(seed=seed)[0])
        over = False
        while not over:
            choice = int(draws.integers(2))
            one, other = choosing.step(choice), pushing.step(np.array([2.0 * choice - 1.0]))
            np.testing.assert_array_equal(one[0], other[0])
            assert one[1:4] == other[1:4]
            over = one[2]


def test_a_network_scores_each_choice_and_the_policy_takes_the_best(tmp_path: Path) -> None:
    run = evo.run(
        "cartpole", generations=6, out=tmp_path / "run", video=False, settings={"task.discrete": True, "seed": 1}
    )
    champion = run.champion
    assert champion.network.outputs == 2
    env, policy, seed = TaskEnv(champion.problem.task), champion.policy(), 2_000_000
    observation, total, over = env.reset(seed=seed)[0], 0.0, False
    scores = champion.params.reshape(4, 2)
    while not over:
        choice = policy(observation)
        assert type(choice) is int
        mean, scale = champion.problem.normalisation(champion.candidate.statistics)
        assert choice == np.argmax(((observation - mean) * scale) @ scores)
        observation, reward, terminated, truncated, _ = env.step(choice)
        total, over = total + reward, terminated or truncated
    assert total == champion.reported_fitness.returns[0] == champion.rollout(seed).total


def test_scores_that_are_not_numbers_choose_nothing() -> None:
    task = evo.task("cartpole", discrete=True)
    network = evo.network("linear", task)
    params = np.zeros((2, network.size), np.float32)
    params[1] = np.nan
    returns = evo.evaluate(task, network, params)
    assert np.isnan(returns[:, 0]).tolist() == [False, True]
