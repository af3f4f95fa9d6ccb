"""Every creature is an animal of its size, stays where it is left, is stable at full torque, and has senses."""

import importlib
import re

import numpy as np
import pytest

import evo
from evo.benchmarks.stability import shaken
from evo.envs import TASKS
from evo.envs.gymnasium_bridge.task_env import TaskEnv
from evo.envs.task import Task

CREATURES = [name for name, where in TASKS.items() if where.startswith("evo.envs.creatures.")]
WITHOUT_LEGS = ("evo/Inchworm-v0", "evo/Snake-v0")


def made(name: str, **options: object) -> Task:
    task = evo.task(name, **options)
    assert isinstance(task, Task)
    return task


def act(task: Task, seed: int, actions: np.ndarray) -> tuple[float, int]:
    """How far (m) the torso goes in an episode of these actions, and for how many steps."""
    env = TaskEnv(task)
    env.reset(seed=seed)
    start, steps = env.data.qpos[:2].copy(), 0
    for action in actions:
        _, _, terminated, truncated, _ = env.step(action)
        steps += 1
        if terminated or truncated:
            break
    return float(np.linalg.norm(env.data.qpos[:2] - start)), steps


@pytest.mark.parametrize("name", CREATURES)
def test_it_is_a_plausible_animal(name: str) -> None:
    model = made(name).model
    mass = model.body_mass.sum()
    module = importlib.import_module(TASKS[name].partition(":")[0])
    said = re.search(r"(\d+) kg", module.__doc__ or "")
    assert said is not None and abs(mass - int(said[1])) <= 0.5
    assert np.abs(model.actuator_forcerange).max() / mass < 5  # N m/kg
    sensors = {model.sensor(index).name for index in range(model.nsensor)}
    assert {"gyro", "velocimeter", "torso_position"} <= sensors
    feet = {model.site(index).name for index in range(model.nsite)} - {"torso"}
    assert feet <= sensors and bool(feet) == (name not in WITHOUT_LEGS)
    assert {model.camera(index).name for index in range(model.ncam)} == {"side", "quarter"}


@pytest.mark.parametrize("name", CREATURES)
def test_left_alone_it_stays_and_random_actions_lead_nowhere(name: str) -> None:
    task = made(name)
    for seed in range(3):
        distance, steps = act(task, seed, np.zeros((task.steps, task.action_size)))
        assert steps == task.steps
        assert distance < 0.1
    draws = np.random.default_rng(0)
    for seed in range(6):
        assert act(task, seed, draws.uniform(-1, 1, (task.steps, task.action_size)))[0] < 1.0


@pytest.mark.parametrize("name", CREATURES)
def test_it_stays_stable_at_full_torque(name: str) -> None:
    assert shaken(made(name), 4_000) == {"task": name, "steps": 4_000, "unstable": 0}


def test_instability_is_counted() -> None:
    task = made("quadruped")
    task.model.opt.timestep = 0.1
    assert shaken(task, 200)["unstable"] > 0


def test_centipedes_have_as_many_segments_as_asked_for() -> None:
    for segments in (2, 9, 40):
        task = made("centipede", segments=segments)
        assert (task.action_size, task.observation_size) == (4 * segments, 8)
        assert act(task, 0, np.zeros((20, task.action_size)))[1] == 20
    with pytest.raises(evo.EvoError, match="segments must be between 2 and 40, got 41"):
        evo.task("centipede", segments=41)


def test_the_quadruped_s_end_is_a_fall() -> None:
    """It ends with anything but a foot or a lower leg on the ground, or the torso leaning past 60 degrees."""
    env = TaskEnv(made("quadruped"))
    env.reset(seed=0)
    terminated = False
    for _ in range(200):
        terminated = env.step(np.tile([1.0, 1.0], 4))[2]
        if terminated:
            break
    data = env.data
    model = env.model
    touching = {model.geom(geom).name for geom in data.contact.geom.ravel()} - {"floor", ""}
    high = {name for name in touching if not name.endswith(("foot", "shank"))}
    assert terminated == (bool(high) or data.xmat[1, 8] < 0.5)
