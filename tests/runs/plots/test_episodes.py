"""What plots show of episodes is what the tasks measured of them, and what plain MuJoCo computes."""

from dataclasses import replace

import mujoco
import numpy as np
import pytest

import evo
from evo.errors import EvoError
from evo.runs.plots.effort import energy, power, torques
from evo.runs.plots.gait import contacts
from evo.runs.plots.path import centre_of_mass, measured_path
from evo.runs.plots.phase import joints_of
from evo.runs.plots.subject import Subject, subject_of
from evo.runs.run import Run
from tests.support.places import REFERENCE


@pytest.fixture(scope="module", params=["quadruped", "half-cheetah"])
def subject(request: pytest.FixtureRequest) -> Subject:
    return subject_of(Run(REFERENCE / request.param))


def measured(subject: Subject) -> dict[str, float]:
    """The task's measures, by another way than the recorded episode: the champion evaluated on its seed."""
    return dict(subject.champion.evaluate(seeds=np.array([subject.episode.seed])).measures)


def test_shares_of_contact_are_the_measured_ones(subject: Subject) -> None:
    task, touching, found = subject.world, contacts(subject), measured(subject)
    assert touching.shape == (len(task.feet), len(subject.episode)) and len(task.feet) >= 2
    np.testing.assert_allclose(touching.mean(axis=1), [found[foot] for foot in task.feet], rtol=0, atol=1e-12)


def test_the_path_ends_where_the_task_measures_it(subject: Subject) -> None:
    found, path = measured(subject), measured_path(subject)
    assert path is not None and path.shape == (len(subject.episode), 2)
    assert (path[-1, 0], path[-1, 1]) == (found["x"], found.get("y", 0.0))
    assert path[-1, 0] == subject.episode.qpos[-1, 0]


def test_the_centre_of_mass_is_the_mean_of_the_bodies_by_their_mass(subject: Subject) -> None:
    task, path = subject.world, centre_of_mass(subject)
    data, mass = mujoco.MjData(task.model), task.model.body_mass
    assert len(path) == len(subject.episode) + 1
    for state in (0, len(path) // 2, len(path) - 1):
        data.qpos[:] = subject.episode.qpos[state]
        mujoco.mj_kinematics(task.model, data)
        mujoco.mj_comPos(task.model, data)
        np.testing.assert_allclose(path[state], mass[1:] @ data.xipos[1:] / mass[1:].sum(), rtol=0, atol=1e-12)


def test_power_and_energy_are_the_measured_ones() -> None:
    subject = subject_of(Run(REFERENCE / "quadruped"))
    task, spent = subject.world, power(subject)
    mean = measured(subject)["power"]
    assert spent.mean() == pytest.approx(mean, rel=1e-12)
    duration = len(subject.episode) * task.control_period
    assert energy(subject)[-1] == pytest.approx(mean * duration, rel=1e-12)


def test_recorded_forces_are_of_the_actions_that_were_scored() -> None:
    # half-cheetah's motors exert their control, of which the task measures the mean square as energy
    subject = subject_of(Run(REFERENCE / "half-cheetah"))
    episode = subject.episode
    np.testing.assert_array_equal(episode.forces, episode.actions)
    assert np.mean(np.square(episode.forces)) == pytest.approx(measured(subject)["energy"], rel=1e-12)
    gears = subject.world.model.actuator_gear[:, 0]
    np.testing.assert_array_equal(torques(subject), episode.actions * gears)
    assert gears.tolist() == [120.0, 90.0, 60.0, 120.0, 60.0, 30.0]


def test_velocities_of_actuators_are_those_of_their_joints_by_the_gear() -> None:
    # MuJoCo computes them at the beginning of the last time step, whose end is the recorded state
    subject = subject_of(Run(REFERENCE / "half-cheetah"))
    model, episode = subject.world.model, subject.episode
    data = mujoco.MjData(model)
    data.qpos[:], data.qvel[:] = episode.qpos[100], episode.qvel[100]
    for _ in range(subject.world.frame_skip):
        data.ctrl[:] = episode.actions[100]
        mujoco.mj_step(model, data)
    np.testing.assert_allclose(data.actuator_velocity, episode.speeds[100], rtol=1e-3, atol=1e-3 * 120)


def test_phase_portraits_are_of_the_driven_joints(subject: Subject) -> None:
    model = subject.world.model
    assert len(joints_of(model)) == model.nu
    assert not {int(model.jnt_type[joint]) for joint in joints_of(model)} & {0, 1}  # neither free nor ball


def test_a_task_keeps_its_feet_under_adversity_and_names_only_what_it_measures() -> None:
    for options in ({}, {"push": 0.5}):
        task = evo.task("quadruped", **options)
        assert task.feet == task.measures[4:]  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="feet paw are not among its measures"):
        replace(task, feet=("paw",))  # type: ignore[type-var]


def test_an_episode_of_choice_is_plotted() -> None:
    run = Run(REFERENCE / "quadruped")
    first, other = (Subject(run.champion, run, "", seed=seed) for seed in (7, 8))
    assert (first.episode.seed, other.episode.seed) == (7, 8)
    assert contacts(first).tolist() != contacts(other).tolist()


def test_heights_are_drawn_of_what_leaves_its_height() -> None:
    for name, drawn in (("swimmer", False), ("half-cheetah", True), ("cartpole", True)):
        text = evo.plot(REFERENCE / name, kind="path", seconds=1.0).text()
        assert ("height of the centre of mass" in text) is drawn, name
        assert "path of the centre of mass" in text


def test_without_feet_there_is_no_gait() -> None:
    with pytest.raises(EvoError, match=r"CartPole-v0 has no feet to draw a gait of: it measures nothing"):
        contacts(subject_of(Run(REFERENCE / "cartpole")))
