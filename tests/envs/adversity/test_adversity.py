"""Adversity: each kind does to the physics what it says, in the compiled episode, in an environment and in PPO's."""

import copy
import dataclasses
import math
from pathlib import Path
from typing import Any

import gymnasium
import mujoco
import numpy as np
import pytest

import evo
from evo.config.build import make_task
from evo.envs.adversity.adverse import adverse, construct, loss
from evo.envs.gymnasium_bridge.task_env import TaskEnv
from evo.envs.rendering import renderer as raycast
from evo.envs.task import Task
from evo.evaluation.workers import Threads
from evo.learners.ppo import PPO
from evo.problems.control import Walking
from evo.testing import check_task
from evo.visualize.frames import pictures

LEGS = "front_left_thigh|front_right_thigh|hind_left_thigh|hind_right_thigh"
CASES: list[tuple[str, dict[str, Any]]] = [
    ("quadruped", {"mass": (0.5, 2.0), "friction": (0.3, 1.0), "gravity": (0.8, 1.2), "strength": (0.5, 1.0)}),
    ("quadruped", {"locked": "front_left_knee", "removed": "hind_left_thigh"}),
    ("quadruped", {"removed": LEGS, "struck_at": (1.0, 2.5), "mass": (0.8, 1.2), "sensor_delay": 2}),
    ("HalfCheetah-v5", {"locked": "bfoot|ffoot,bshin", "struck_at": 1.0}),
    ("Hopper-v5", {"sensor_noise": 0.1, "sensor_delay": 3}),
    ("HalfCheetah-v5", {"mass": 2.0, "push": 0.5, "push_interval": 0.5}),
    ("cartpole", {"sensor_noise": 0.01, "sensor_delay": 1}),
    ("Walker2d-v5", {"reward_limit": 0.5}),
]


@pytest.mark.parametrize(("name", "adversity"), CASES)
def test_a_task_under_adversity_is_a_task(name: str, adversity: dict[str, Any]) -> None:
    check_task(make_task(name, adversity), steps=60)


def violent(task: Task, seed: int, steps: int) -> tuple[np.ndarray, np.ndarray, TaskEnv]:
    """Observations (steps + 1, ·) and rewards (steps,) under random actions; the environment as it is then."""
    env, random = TaskEnv(task), np.random.default_rng(seed)
    observations, rewards = [env.reset(seed=seed)[0]], []
    for _ in range(steps):
        observation, reward, *_ = env.step(random.uniform(-1, 1, task.action_size))
        observations.append(observation)
        rewards.append(reward)
    return np.array(observations), np.array(rewards), env


def test_a_heavier_humanoid_earns_by_its_speed_not_by_its_mass() -> None:
    """Its reward divides by its mass."""
    plain, heavy = (
        violent(evo.task("Humanoid-v5", **more), 1, 1)[1][0] for more in ({}, {"mass": 2.0, "strength": 2.0})
    )
    assert abs(heavy - plain) < 0.02


def test_a_limit_of_reward_changes_nothing_else() -> None:
    for name, limit in (("HalfCheetah-v5", 0.1), ("cartpole", 0.25)):
        seen, rewards, _ = violent(evo.task(name), 2, 60)
        again, limited, _ = violent(evo.task(name, reward_limit=limit), 2, 60)
        np.testing.assert_array_equal(again, seen)
        np.testing.assert_array_equal(limited, np.minimum(rewards, limit))
        assert (limited < rewards).any()


def test_adversity_upon_adversity_and_names_of_a_task_s_own() -> None:
    with pytest.raises(ValueError, match="under adversity already"):
        adverse(evo.task("quadruped", mass=(0.5, 2.0)), {"push": 1.0})

    changing = dataclasses.replace(evo.task("quadruped"), remodel=lambda model, data, task: None)
    with pytest.raises(ValueError, match="changes its model itself, or has plugins: it can lose nothing on the way"):
        adverse(changing, {"locked": "front_left_knee", "struck_at": 1.0})

    def mine(*, friction: float = 0.7) -> Task:
        return dataclasses.replace(evo.task("cartpole"), options={"friction": friction})

    assert construct(mine, {"friction": 0.3}).options == {"friction": 0.3}


def test_factors_are_those_of_a_model_changed_by_hand() -> None:
    task = evo.task("HalfCheetah-v5")
    model = copy.copy(task.model)
    model.opt.gravity *= 1.25
    model.body_mass *= 2.0
    model.body_inertia *= 2.0
    model.geom_friction[:, 0] *= 0.5
    model.actuator_gainprm *= 0.75
    mujoco.mj_setConst(model, mujoco.MjData(model))
    by_hand = dataclasses.replace(task, model=model)
    by_options = evo.task("HalfCheetah-v5", gravity=1.25, mass=2.0, friction=0.5, strength=0.75)
    for expected, found in zip(violent(by_hand, 3, 100)[:2], violent(by_options, 3, 100)[:2], strict=True):
        np.testing.assert_array_equal(found, expected)


def test_each_episode_draws_its_own_and_the_same_again() -> None:
    task = evo.task("HalfCheetah-v5", mass=(0.5, 2.0))
    env, masses = TaskEnv(task), []
    for seed in [*range(20), 0]:
        env.reset(seed=seed)
        masses.append(float(env._record["factors"][0, 1]))
    assert masses[0] == masses[-1]
    assert len(set(masses)) == 20
    assert 0.5 <= min(masses) < 0.8 and 1.6 < max(masses) <= 2.0
    # the heavier the cheetah, the less far the same actions take it
    network = evo.network("linear", task)
    params = np.random.default_rng(0).normal(size=(3, network.size))
    np.testing.assert_array_equal(
        evo.evaluate(task, network, params, episodes=4, threads=1),
        evo.evaluate(task, network, params, episodes=4, threads=2),
    )
    plain = evo.evaluate(evo.task("HalfCheetah-v5"), network, params, episodes=4)
    assert (evo.evaluate(task, network, params, episodes=4) != plain).all()


def test_sensors_that_are_late() -> None:
    clean, rewards, _ = violent(evo.task("Hopper-v5", terminate_when_unhealthy=False), 1, 30)
    late, same, _ = violent(evo.task("Hopper-v5", terminate_when_unhealthy=False, sensor_delay=4), 1, 30)
    np.testing.assert_array_equal(same, rewards)
    np.testing.assert_array_equal(late[4:], clean[:-4])
    np.testing.assert_array_equal(late[:4], np.repeat(clean[:1], 4, axis=0))


def test_sensors_that_are_noisy() -> None:
    clean, rewards, _ = violent(evo.task("HalfCheetah-v5"), 1, 200)
    noisy, same, _ = violent(evo.task("HalfCheetah-v5", sensor_noise=0.3), 1, 200)
    np.testing.assert_array_equal(same, rewards)
    noise = (noisy - clean).ravel()
    assert abs(noise.mean()) < 4 * 0.3 / np.sqrt(noise.size)
    assert abs(noise.std() / 0.3 - 1) < 0.04
    assert np.unique(noise).size == noise.size


def test_a_push_gives_the_speed_it_says() -> None:
    afloat = {"gravity": 0.0, "friction": 0.001, "push": 0.8, "push_interval": 0.2}
    task = evo.task("quadruped", **afloat)
    env, still = TaskEnv(task), np.zeros(task.action_size)
    env.reset(seed=2)
    speeds = []
    for _ in range(6):
        env.step(still)
        data = mujoco.MjData(task.model)
        env._batch.copy_data(0, data)
        mujoco.mj_forward(task.model, data)  # a step leaves the velocities of its last time step's beginning
        mujoco.mj_subtreeVel(task.model, data)
        speeds.append(data.subtree_linvel[0, :2].copy())
    pushes = np.linalg.norm(np.diff(speeds, axis=0), axis=1)
    np.testing.assert_allclose(pushes[2], 0.8, rtol=0.05)  # the fourth control step of 0.05 s
    np.testing.assert_allclose(np.delete(pushes, 2), 0.0, atol=0.05)


def test_a_locked_joint_stays_and_a_removed_limb_is_gone() -> None:
    task = evo.task("quadruped", locked="front_left_knee", removed="hind_right_thigh")
    whole = evo.task("quadruped")
    leg = [index for index in range(whole.model.nbody) if whole.model.body(index).name.startswith("hind_right")]
    assert len(leg) == 2
    lost = whole.model.body_mass[leg].sum()
    np.testing.assert_allclose(whole.model.body_mass.sum() - task.model.body_mass.sum(), 0.999 * lost)
    for random, name, least, most in ((0, "front_left_knee", 0.0, 0.02), (0, "front_right_knee", 0.1, 2.0)):
        env = violent(task, random, 25)[2]
        data = mujoco.MjData(task.model)
        env._batch.copy_data(0, data)
        angle = abs(float(data.joint(name).qpos[0]))
        assert least <= angle <= most, name
    env.reset(seed=0)
    for _ in range(25):
        env.step(np.zeros(8))
        env._batch.copy_data(0, data)
        touching = {task.model.geom(geom).name for geom in data.contact.geom.ravel()}
        assert not any(name.startswith("hind_right") for name in touching)


def state_of(env: TaskEnv) -> mujoco.MjData:
    data = mujoco.MjData(env.task.model)
    env._batch.copy_data(0, data)
    return data


@pytest.mark.parametrize("factors", [{}, {"mass": 1.3, "friction": 0.6, "strength": 0.8}])
def test_a_limb_lost_on_the_way_is_a_whole_creature_until_then_and_a_lame_one_from_then_on(
    factors: dict[str, float],
) -> None:
    losses, kept_up = {"removed": "hind_left_thigh", "locked": "front_left_knee"}, {"terminate_when_fallen": False}
    whole = TaskEnv(evo.task("quadruped", **factors, **kept_up))
    struck = TaskEnv(evo.task("quadruped", **factors, **losses, struck_at=1.0, **kept_up))
    lame = TaskEnv(evo.task("quadruped", **factors, **losses, **kept_up))
    random = np.random.default_rng(1)
    lame.reset(seed=5)
    np.testing.assert_array_equal(struck.reset(seed=5)[0], whole.reset(seed=5)[0])
    for _ in range(20):
        action = random.uniform(-1, 1, 8)
        for found, expected in zip(struck.step(action), whole.step(action), strict=True):
            np.testing.assert_array_equal(found, expected)
        lame.step(action)
    model, data = copy.copy(lame.model), state_of(struck)
    model.body_mass *= factors.get("mass", 1.0)
    model.body_inertia *= factors.get("mass", 1.0)
    model.geom_friction[:, 0] *= factors.get("friction", 1.0)
    for strengths in (model.actuator_gainprm, model.actuator_biasprm, model.actuator_forcerange):
        strengths *= factors.get("strength", 1.0)
    mujoco.mj_setConst(model, mujoco.MjData(model))
    for _ in range(30):
        action = random.uniform(-1, 1, 8)
        struck.step(action)
        data.ctrl[:] = action
        mujoco.mj_step(model, data, struck.task.frame_skip)
        found = state_of(struck)
        np.testing.assert_array_equal(found.qpos, data.qpos)
        np.testing.assert_array_equal(found.qvel, data.qvel)
    # and an episode that follows begins whole again
    np.testing.assert_array_equal(struck.reset(seed=6)[0], whole.reset(seed=6)[0])
    np.testing.assert_array_equal(struck.step(action)[0], whole.step(action)[0])


def test_each_episode_loses_its_own_limb_at_its_own_time() -> None:
    task = evo.task("quadruped", removed=LEGS, struck_at=(2.0, 6.0))
    env, whole = TaskEnv(task), evo.task("quadruped").model
    steps, gone = [], []
    for seed in range(40):
        env.reset(seed=seed)
        step, model = loss(task, seed)
        assert step == env._record["struck"][0]
        steps.append(step)
        gone.append([model.body(body).name for body in np.flatnonzero(model.body_mass < whole.body_mass)])
    assert 40 <= min(steps) < 50 and 110 < max(steps) <= 120
    assert len(set(steps)) > 20
    assert {names[0] for names in gone} == set(LEGS.split("|"))
    assert all(names[1] == names[0].replace("thigh", "shank") and len(names) == 2 for names in gone)
    # without a time it is gone from the start, and so it is where nothing is drawn
    at_once = evo.task("quadruped", removed="|".join([LEGS.split("|")[0]] * 2))
    assert loss(at_once, 3)[0] == 0
    for found, expected in zip(
        violent(at_once, 1, 10)[:2], violent(evo.task("quadruped", removed=LEGS.split("|")[0]), 1, 10)[:2], strict=True
    ):
        np.testing.assert_array_equal(found, expected)
    network = evo.network("linear", task)
    params = np.random.default_rng(0).normal(size=(3, network.size))
    np.testing.assert_array_equal(
        evo.evaluate(task, network, params, episodes=6, threads=1),
        evo.evaluate(task, network, params, episodes=6, threads=2),
    )


def test_a_film_shows_what_is_lost() -> None:
    task = evo.task("quadruped", removed="front_right_thigh", struck_at=0.5)
    network = evo.network("linear", task)
    problem = Walking(task, network, Threads(1))
    trajectory = problem.rollout(np.zeros(network.size), 0, problem.no_statistics())
    shown = np.array([0, 10, 11, 14])
    found = list(pictures(task, trajectory, shown, 64, 48))
    lame = evo.task("quadruped", removed="front_right_thigh").model
    cameras = raycast.frame_creature(task.model, trajectory.qpos[shown], 64 / 48)
    bodies = [list(raycast.film(model, trajectory.qpos[shown], 64, 48, cameras)) for model in (task.model, lame)]
    for frame, lost in enumerate((False, False, True, True)):
        np.testing.assert_array_equal(found[frame], bodies[lost][frame])
        assert (found[frame] != bodies[not lost][frame]).any()


def test_an_environment_draws_what_is_lost() -> None:
    options = {"removed": "front_right_thigh", "terminate_when_fallen": False, "reset_noise_scale": 0.0}
    env = gymnasium.make("evo/Quadruped-v0", struck_at=0.1, render_mode="rgb_array", width=64, height=48, **options)
    whole, lame = evo.task("quadruped"), evo.task("quadruped", **options)
    env.reset(seed=0)
    shown = []
    for _ in range(4):
        data = state_of(env.unwrapped)  # type: ignore[arg-type]
        camera = raycast.frame_creature(whole.model, data.qpos[None], 64 / 48)[0]
        shown.append(bool((env.render() == raycast.Renderer(lame.model, 64, 48).render(data.qpos, camera)).all()))
        env.step(np.zeros(8))
    assert shown == [False, False, False, True]


STORM = {"mass": (0.5, 2.0), "sensor_noise": 0.05, "push": 0.3, "push_interval": 0.2}
LAMED = {"removed": LEGS, "locked": "front_left_knee", "struck_at": (0.5, 6.0), "terminate_when_fallen": False}


@pytest.mark.parametrize("options", [STORM, {**STORM, **LAMED}])
def test_ppo_goes_on_in_the_same_world_after_an_interruption(options: dict[str, Any]) -> None:
    def learner(threads: int) -> PPO:
        task = evo.task("quadruped", **options)
        problem = Walking(task, evo.network("mlp:8", task, normalise=True), Threads(threads))
        return PPO(problem, 0, environments=3, horizon=40, minibatch=20, epochs=1, critic="mlp:8")

    whole = learner(2)
    for _ in range(4):
        whole.step()
    begun = learner(1)
    for _ in range(2):
        begun.step()
    resumed = learner(1)
    resumed.restore({name: array.copy() for name, array in begun.state().items()})
    for _ in range(2):
        resumed.step()
    for name, array in whole.state().items():
        np.testing.assert_array_equal(resumed.state()[name], array, err_msg=name)


def test_it_is_an_option_of_every_environment() -> None:
    env = gymnasium.make("evo/Hopper-v5", sensor_delay=2, gravity=0.5)
    assert env.unwrapped.task.options["gravity"] == 0.5  # type: ignore[attr-defined]
    env.reset(seed=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mass": (2.0, 1.0)}, r"mass must be .* as in \[0.5, 2.0\], got \(2.0, 1.0\)"),
        ({"friction": -1.0}, "friction must be a factor of at least 0.001"),
        ({"sensor_noise": -0.1}, "sensor_noise must be between 0"),
        ({"sensor_delay": 5000}, "sensor_delay must be between 0 and 1,000"),
        ({"push_interval": 1e300}, "push_interval must be between 0 and 1,000,000"),
        ({"gravity": -math.inf}, "gravity must be a factor, or a range"),
        ({"locked": "knee"}, "locked: no joint 'knee'; there are root, front_left_hip"),
        ({"removed": "tail"}, "removed: no body 'tail'; there are world, torso"),
        ({"removed": "torso"}, "removed: 'torso' is a whole creature"),
        ({"removed": "front_left_thigh|tail"}, "removed: no body 'tail'; there are world, torso"),
        ({"removed": LEGS, "struck_at": (6.0, 2.0)}, r"struck_at must be seconds from 0 to 10, .* got \(6.0, 2.0\)"),
        ({"removed": LEGS, "struck_at": -1.0}, r"struck_at .* a range of them as in \[2.0, 6.0\], got -1.0"),
        ({"locked": "front_left_knee", "struck_at": 10.0}, "struck_at must be seconds from 0 to 10, where the episode"),
        ({"struck_at": 4.0}, "struck_at: nothing is lost then; name joints by locked or limbs by removed"),
        ({"reward_limit": 0.0}, "reward_limit must be above 0, got 0.0"),
    ],
)
def test_bad_adversity_is_told(options: dict[str, Any], message: str) -> None:
    with pytest.raises(evo.EvoError, match=message):
        evo.task("quadruped", **options)


def test_what_moves_without_mujoco_cannot_be_pushed() -> None:
    with pytest.raises(evo.EvoError, match="no motors in MuJoCo"):
        evo.task("cartpole", push=1.0)


TENDON = """
<mujoco><worldbody><geom name="floor" type="plane" size="9 9 1"/><body name="trunk" pos="0 0 1"><freejoint/>
<geom size="0.1"/><body name="arm" pos="0.2 0 0"><joint name="elbow" axis="0 1 0"/>
<geom name="hand" size="0.05" contype="0" conaffinity="0"/></body></body></worldbody>
<contact><pair geom1="floor" geom2="hand"/></contact>
<tendon><fixed name="string"><joint joint="elbow" coef="1"/></fixed></tendon>
<actuator><motor tendon="string" gear="3"/></actuator></mujoco>"""


def test_a_removed_limb_neither_touches_by_a_pair_nor_is_pulled_by_a_tendon(tmp_path: Path) -> None:
    (tmp_path / "arm.xml").write_text(TENDON)
    for options, pulled in (({}, True), ({"removed": "arm"}, False)):
        model = evo.task(str(tmp_path / "arm.xml"), **options).model
        data = mujoco.MjData(model)
        data.ctrl[:] = 1.0
        data.qpos[2] = 0.02
        mujoco.mj_forward(model, data)
        assert (abs(data.qfrc_actuator[6]) > 0) == pulled
        assert ((data.contact.geom == model.geom("hand").id).any()) == pulled
