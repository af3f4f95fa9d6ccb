"""Every task is a Gymnasium environment that equals the compiled episode, and Gymnasium's own, to the bit."""

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import evo
from evo.envs import TASKS
from evo.envs.gymnasium_bridge.task_env import TaskEnv, make_env


def made(name: str, **options: object) -> TaskEnv:
    env = gymnasium.make(name if name.startswith("evo/") else f"evo/{name}", **options).unwrapped
    assert isinstance(env, TaskEnv)
    return env


@pytest.mark.parametrize("name", TASKS)
def test_gymnasium_accepts_it(name: str) -> None:
    with warnings.catch_warnings():
        # advice on unbounded observations and asymmetric actions, which Gymnasium's own MuJoCo tasks get too
        warnings.filterwarnings("ignore", message=".*Box (observation|action) space.*", category=UserWarning)
        warnings.filterwarnings("ignore", message=".*rgb_array.*|.*render.*", category=UserWarning)
        check_env(made(name), skip_render_check=True)


@pytest.mark.parametrize("name", TASKS)
def test_it_equals_the_compiled_episode(name: str) -> None:
    task = evo.task(name)
    network = evo.network("linear", task)
    params = np.random.default_rng(1).normal(scale=0.3, size=network.size).astype(np.float32)
    env = made(name)
    for seed in (0, 12345):
        trajectory = evo.rollout(task, network, params, seed=seed)
        observation, _ = env.reset(seed=seed)
        np.testing.assert_array_equal(observation, trajectory.observations[0])
        for step, action in enumerate(trajectory.actions[:200]):
            observation, reward, terminated, _, _ = env.step(action)
            np.testing.assert_array_equal(observation, trajectory.observations[step + 1])
            assert reward == trajectory.rewards[step]
        if len(trajectory) <= 200:
            assert terminated == trajectory.terminated


@pytest.mark.parametrize("name", [name for name in TASKS if not name.startswith("evo/")])
def test_it_equals_gymnasiums_own(name: str) -> None:
    ours, theirs = made(name), gymnasium.make(name).unwrapped
    draws = np.random.default_rng(2)
    for seed in (3, None):  # and the second episode goes on in the same stream
        np.testing.assert_array_equal(ours.reset(seed=seed)[0], theirs.reset(seed=seed)[0])
        for _ in range(50):
            action = draws.uniform(-1, 1, ours.action_space.shape)
            mine, own = ours.step(action), theirs.step(action)
            np.testing.assert_array_equal(mine[0], own[0])
            assert mine[1:3] == own[1:3]
            if mine[2]:
                break


def test_it_draws_itself_without_gl() -> None:
    env = made("HalfCheetah-v5", render_mode="rgb_array", width=96, height=64)
    env.reset(seed=0)
    picture = env.render()
    assert picture.shape == (64, 96, 3)
    assert picture.dtype == np.uint8
    assert picture.std() > 5


def test_rendering_options_pass_through_and_others_are_refused() -> None:
    env = make_env("Hopper-v5", render_mode="rgb_array", camera_name="track", width=32, height=32)
    env.reset(seed=0)
    assert env.render().shape == (32, 32, 3)
    with pytest.raises(TypeError, match="cameraname"):
        make_env("Hopper-v5", cameraname="track")


def test_it_ends_at_the_time_limit() -> None:
    env = made("evo/PointMass-v0", steps=7)
    env.reset(seed=0)
    ends = [env.step(np.zeros(2))[3] for _ in range(7)]
    assert ends == [False] * 6 + [True]
