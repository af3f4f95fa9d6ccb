"""What one sees is what was scored: the recorded poses are those of `evo.rollout`, to float32."""

import functools

import mujoco
import numpy as np
import pytest

import evo
from evo.envs.rendering.geoms import shown_geoms
from evo.envs.task import Task
from evo.problems.control import Trajectory
from evo.visualize.page import Creature, Episode, describe_scene, document, drawn_geoms, record_episode
from evo.visualize.page.packing import unpack
from tests.support.html_pages import content_of


@functools.cache
def lived(name: str, adversity: str = "") -> tuple[Task, Trajectory]:
    """An episode of random parameters; adversity: a limb that is lost after half a second."""
    task = evo.task(name, **({"removed": adversity, "struck_at": 0.5} if adversity else {}))
    network = evo.network("mlp:8", task)
    params = np.random.default_rng(5).normal(size=network.size)
    return task, evo.rollout(task, network, params, seed=7)


def recorded(task: Task, trajectory: Trajectory, seconds: float = 3.0) -> Episode:
    return record_episode(task, drawn_geoms(task.model), trajectory, "champion", 4, seconds)


@pytest.mark.parametrize("name", ["quadruped", "hopper", "reacher", "cartpole"])
def test_poses_on_the_page_equal_those_of_the_episode(name: str) -> None:
    task, trajectory = lived(name)
    scene = describe_scene(task.model, task.control_period)
    html = document("a page", [Creature("mine", scene, [recorded(task, trajectory)], None, [])])
    (creature,) = content_of(html)["creatures"]
    poses = unpack(creature["episodes"][0]["poses"])
    geoms = drawn_geoms(task.model)
    assert len(creature["scene"]["geoms"]) == len(geoms) == poses.shape[1]
    assert len(poses) == min(len(trajectory), round(3.0 / task.control_period)) + 1
    data = mujoco.MjData(task.model)
    for qpos, pose in zip(trajectory.qpos[: len(poses)], poses, strict=True):
        data.qpos[:] = qpos
        mujoco.mj_kinematics(task.model, data)
        np.testing.assert_array_equal(pose[:, :3], data.geom_xpos[geoms].astype(np.float32))
        for row, geom in zip(pose, geoms, strict=True):
            turned = np.empty(9)
            mujoco.mju_quat2Mat(turned, row[3:].astype(float))
            np.testing.assert_allclose(turned, data.geom_xmat[geom], atol=3e-7)


def test_the_return_so_far_ends_at_the_return() -> None:
    task, trajectory = lived("quadruped")
    episode = recorded(task, trajectory, seconds=1e4)
    np.testing.assert_allclose(np.diff(episode.earned), trajectory.rewards, rtol=1e-3, atol=1e-4)
    assert episode.earned[0] == 0 and episode.earned[-1] == pytest.approx(trajectory.total, rel=1e-6)
    assert trajectory.terminated and episode.ending == "ended by the task"
    assert recorded(task, trajectory, seconds=0.1).ending == "shown in part"


def test_feet_touch_where_they_are_on_the_ground() -> None:
    task, trajectory = lived("quadruped")
    episode, geoms = recorded(task, trajectory), drawn_geoms(task.model)
    low = episode.poses[:, :, 2].min(axis=1)
    lowest = episode.poses[:, :, 2].argmin(axis=1)
    for state, geom in enumerate(lowest):
        assert task.model.geom_type[geoms[geom]] == mujoco.mjtGeom.mjGEOM_SPHERE  # a paw
        radius = task.model.geom_size[geoms[geom], 0]
        if abs(low[state] - radius) > 1e-4:
            assert episode.touching[state, geom] == (low[state] < radius)
    assert 0 < episode.touching.mean() < 1


def test_effort_is_the_share_of_the_range_of_each_joint() -> None:
    task, trajectory = lived("quadruped")
    episode, geoms = recorded(task, trajectory), drawn_geoms(task.model)
    assert not episode.effort[0].any()
    for actuator in range(task.model.nu):
        body = task.model.jnt_bodyid[task.model.actuator_trnid[actuator, 0]]
        own = task.model.geom_bodyid[geoms] == body
        share = np.abs(trajectory.actions[: len(episode.effort) - 1, actuator]) / task.action_high[actuator]
        assert own.any()
        for column in np.flatnonzero(own):
            np.testing.assert_allclose(episode.effort[1:, column] / 255, np.minimum(share, 1), atol=1 / 255)


def test_a_limb_that_is_lost_is_missing_from_then_on() -> None:
    limb = "hind_left_shank"
    task, trajectory = lived("quadruped", limb)
    episode = recorded(task, trajectory)
    assert episode.lost == round(0.5 / task.control_period)
    gone = drawn_geoms(task.model)[list(episode.missing)]
    assert len(gone) and {task.model.body(task.model.geom_bodyid[geom]).name for geom in gone} == {limb}
    whole = recorded(*lived("quadruped"))
    assert whole.missing == () and whole.lost == len(whole.poses)


def test_an_episode_that_diverges_is_recorded_as_it_is() -> None:
    task, trajectory = lived("hopper")
    broken = Trajectory(**{**vars(trajectory), "qpos": trajectory.qpos.copy(), "total": float("nan")})
    broken.qpos[3:] = np.nan
    episode = recorded(task, broken)
    assert np.isfinite(episode.poses[:3]).all() and np.isnan(episode.poses[3:, :, :3]).all()
    assert np.isfinite(episode.path).all() and episode.to_json()["total"] is None
    scene = describe_scene(task.model, task.control_period)
    assert content_of(document("broken", [Creature("it", scene, [episode], None, [])]))


def test_all_that_is_shown_is_drawn() -> None:
    for name in ("quadruped", "HalfCheetah-v5", "Humanoid-v5", "Reacher-v5", "Swimmer-v5"):
        task = evo.task(name)
        assert isinstance(task, Task)
        scene = describe_scene(task.model, task.control_period)
        assert len(scene["geoms"]) + len(scene["still"]) == shown_geoms(task.model).sum(), name
