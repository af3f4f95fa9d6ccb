"""Terrains: seeded, flat at the start, as high as they say, and a task like any other."""

import mujoco
import numpy as np
import pytest
from gymnasium.envs.mujoco.mujoco_env import expand_model_path

import evo
from evo.envs.creatures.terrains import TERRAINS
from evo.envs.gymnasium_bridge.task_env import TaskEnv
from evo.envs.task import Task
from evo.testing import check_task

HILLY = [kind for kind in TERRAINS if kind != "flat"]


def creature(kind: str, seed: int = 0, scale: float = 1.0, name: str = "quadruped") -> Task:
    task = evo.task(name, terrain=kind, terrain_seed=seed, terrain_scale=scale)
    assert isinstance(task, Task)
    return task


def heights(task: Task, along: np.ndarray) -> np.ndarray:
    """Of the ground under points (x, 0.3), by rays from above; NaN where there is none above the floor beneath."""
    data = mujoco.MjData(task.model)
    mujoco.mj_forward(task.model, data)
    found, geom = [], np.zeros(1, np.int32)
    for x in along:
        ray = np.array([x, 0.3, 5.0]), np.array([0.0, 0.0, -1.0])
        distance = mujoco.mj_ray(task.model, data, *ray, np.array([1, 0, 0, 0, 0, 0], np.uint8), 1, 1, geom)
        found.append(5.0 - distance)
    return np.array(found)


@pytest.mark.parametrize("kind", HILLY)
def test_a_creature_on_a_terrain_is_a_task(kind: str) -> None:
    check_task(creature(kind), steps=60)


@pytest.mark.parametrize("kind", HILLY)
def test_every_terrain_is_flat_at_the_start_and_then_what_it_says(kind: str) -> None:
    task = creature(kind)
    assert np.abs(heights(task, np.linspace(-3.5, 0.95, 60))).max() < 1e-9
    course = heights(task, np.linspace(1.05, 16.5, 1500))
    highest, lowest = {
        "slope": (2 * np.tan(np.radians(12)), 0.0),
        "stairs": (0.2, 0.0),
        "rough": (0.1, 0.0),
        "gaps": (0.0, -1.0),
        "slippery": (0.0, 0.0),
        "mixed": (2 * np.tan(np.radians(12)), -1.0),
    }[kind]
    assert highest * 0.75 - 1e-9 <= course.max() <= highest + 1e-6
    assert lowest - 1e-6 <= course.min() <= lowest + 0.03


def test_the_seed_makes_the_random_ones_and_the_scale_how_hard_they_are() -> None:
    along = np.linspace(1.2, 10, 300)
    for kind in ("rough", "gaps", "mixed"):
        one = heights(creature(kind, 1), along)
        np.testing.assert_array_equal(one, heights(creature(kind, 1), along))
        assert (one != heights(creature(kind, 2), along)).any()
    assert 0.4 < heights(creature("rough", scale=0.5), along).max() / heights(creature("rough"), along).max() < 0.6


@pytest.mark.parametrize("name", ["quadruped", "inchworm", "spider"])
def test_ice_is_slippery_and_ground_is_not(name: str) -> None:
    grip = {}
    for kind in ("slippery", "flat"):
        task = creature(kind, name=name)
        data = mujoco.MjData(task.model)
        data.qpos[0] = 2.5
        mujoco.mj_step(task.model, data, 50)
        assert data.ncon > 0
        grip[kind] = data.contact.friction[:, 0].max()
    assert grip == pytest.approx({"slippery": 0.35, "flat": 1.2})


def test_an_episode_ends_where_a_body_touches_the_ground() -> None:
    """A dog without strength falls on its trunk, and the box beneath it says so."""
    task = creature("stairs")
    env = TaskEnv(task)
    env.reset(seed=0)
    standing = env.step(np.zeros(8))[2]
    assert not standing
    limp = evo.task("quadruped", terrain="stairs", strength=0.0)
    assert isinstance(limp, Task)
    env = TaskEnv(limp)
    env.reset(seed=0)
    ends = [env.step(np.zeros(8))[2] for _ in range(60)]
    assert any(ends)
    endless = evo.task("quadruped", strength=0.0, terminate_when_fallen=False)
    assert isinstance(endless, Task)
    env = TaskEnv(endless)
    env.reset(seed=0)
    assert not any(env.step(np.zeros(8))[2] for _ in range(60))


def test_a_terrain_that_is_not_there_is_told() -> None:
    with pytest.raises(evo.EvoError, match=r"terrain must be one of flat, slope, stairs.*got 'lava'"):
        evo.task("spider", terrain="lava")
    with pytest.raises(evo.EvoError, match="terrain_scale must be above 0"):
        evo.task("spider", terrain="stairs", terrain_scale=0.0)


@pytest.mark.parametrize("name", ["hopper.xml", "ant.xml"])
def test_a_creature_of_another_s_stands_on_it_whatever_its_bits_of_contact(name: str) -> None:
    """Gymnasium's creatures have conaffinity 0: they touch what has it."""
    task = evo.task(expand_model_path(name), terrain="stairs")
    assert isinstance(task, Task)
    data = mujoco.MjData(task.model)
    mujoco.mj_step(task.model, data, round(2.0 / task.model.opt.timestep))
    assert data.subtree_com[0, 2] > -0.2
