"""The quadruped is an animal of its size, stands, stays stable at full torque, and goes nowhere by accident."""

import mujoco
import numpy as np
import pytest

import evo
from envs.gym import TaskEnv


@pytest.fixture(scope="module")
def env() -> TaskEnv:
    return TaskEnv(evo.task("quadruped"))


def act(env: TaskEnv, seed: int, actions: np.ndarray) -> tuple[float, int]:
    """How far (m) the torso goes in an episode of these actions, and for how many steps."""
    env.reset(seed=seed)
    env._batch.copy_data(0, env.data)
    start = env.data.qpos[:2].copy()
    steps = 0
    for action in actions:
        _, _, terminated, truncated, _ = env.step(action)
        steps += 1
        if terminated or truncated:
            break
    env._batch.copy_data(0, env.data)
    return float(np.linalg.norm(env.data.qpos[:2] - start)), steps


def test_it_is_a_plausible_animal(env: TaskEnv) -> None:
    mass = env.model.body_mass.sum()
    assert 8 < mass < 16  # kg, a medium dog
    torque = np.abs(env.model.actuator_forcerange).max()
    assert torque / mass < 3  # N m/kg
    trunk = env.model.geom("trunk")
    assert 0.35 < 2 * (trunk.size[0] + trunk.size[1]) < 0.7  # m
    names = {env.model.sensor(index).name for index in range(env.model.nsensor)}
    assert {"gyro", "velocimeter", "front_left_foot", "hind_right_foot"} <= names
    assert {env.model.camera(index).name for index in range(env.model.ncam)} >= {"side", "quarter"}


def test_left_alone_it_stands(env: TaskEnv) -> None:
    for seed in range(3):
        distance, steps = act(env, seed, np.zeros((env.task.steps, 8)))
        assert steps == env.task.steps
        assert distance < 0.1


def test_random_actions_lead_nowhere(env: TaskEnv) -> None:
    draws = np.random.default_rng(0)
    for seed in range(6):
        assert act(env, seed, draws.uniform(-1, 1, (env.task.steps, 8)))[0] < 0.5


def test_it_stays_stable_at_full_torque() -> None:
    model = evo.task("quadruped").model
    model.actuator_biasprm[:] = 0  # servos off: bare torque, as much as they can give
    model.actuator_gainprm[:, 0] = model.actuator_forcerange[:, 1]
    data, draws = mujoco.MjData(model), np.random.default_rng(1)
    for step in range(20_000):
        if step % 5 == 0:
            data.ctrl[:] = draws.choice([-1.0, 1.0], 8)
        mujoco.mj_step(model, data)
    assert data.warning.number.sum() == 0
    assert data.time > 20_000 * model.opt.timestep * 0.99  # MuJoCo never reset it


def test_the_camera_and_the_reward_agree_on_forward(env: TaskEnv) -> None:
    """A step forward is along +x and earns; the torso on the ground ends the episode."""
    env.reset(seed=0)
    data = mujoco.MjData(env.model)
    data.qpos[2] = 0.05
    mujoco.mj_kinematics(env.model, data)
    lying = TaskEnv(evo.task("quadruped"))
    lying.reset(seed=0)
    for _ in range(200):
        action = np.tile([1.0, 1.0], 4)
        _, _, terminated, _, _ = lying.step(action)
        if terminated:
            break
    lying._batch.copy_data(0, data)
    assert terminated == (data.qpos[2] < 0.2 or data.xmat[1, 8] < 0.5)
