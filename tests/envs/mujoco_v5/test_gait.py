"""What Gymnasium's walkers measure: equal to a plain computation from the states of their episodes."""

import math

import mujoco
import numpy as np
import pytest

import evo

WALKERS = {"Walker2d-v5": 2, "Hopper-v5": 1, "HalfCheetah-v5": 2, "Ant-v5": 4, "Humanoid-v5": 2, "Swimmer-v5": 0}


@pytest.mark.parametrize(("name", "feet"), WALKERS.items())
def test_measures_are_named_with_ranges(name: str, feet: int) -> None:
    task = evo.task(name)
    assert task.measures[-3 - feet :][:3] == ("height", "energy", "speed")
    assert sum(one.endswith("foot") for one in task.measures) == feet
    ranges = [task.ranges[one] for one in task.measures]
    assert all(low < high and math.isfinite(high - low) for low, high in ranges)


@pytest.mark.parametrize("name", ["Walker2d-v5", "Ant-v5"])
def test_they_equal_what_the_states_of_the_episode_say(name: str) -> None:
    task = evo.task(name)
    network = evo.network("linear", task)
    policy = 0.1 * np.random.default_rng(0).standard_normal(network.size)
    _, measures = evo.evaluate(task, network, policy, episodes=1, seed=3, measures=True)
    episode = evo.rollout(task, network, policy, seed=3)
    found = dict(zip(task.measures, measures[0], strict=True))
    steps = len(episode)
    assert found["x"] == episode.qpos[steps, 0]
    np.testing.assert_allclose(found["speed"], found["x"] / (steps * task.control_period), rtol=1e-9)
    np.testing.assert_allclose(found["energy"], np.square(episode.actions[:steps]).mean(), rtol=1e-9)
    model, data, heights = task.model, mujoco.MjData(task.model), []
    feet = [found[name] for name in task.measures if name.endswith("foot")]
    for qpos in episode.qpos[1 : steps + 1]:
        data.qpos[:] = qpos
        mujoco.mj_forward(model, data)
        heights.append(data.xpos[1, 2])
    # the engine's contacts and positions are those before the last time step of a control step
    assert found["height"] == pytest.approx(np.mean(heights), rel=0.02)
    assert all(0 <= share <= 1 for share in feet) and sum(feet) > 0


def test_a_standing_ant_has_all_feet_on_the_ground_and_spends_nothing() -> None:
    task = evo.task("Ant-v5", reset_noise_scale=0.0)
    network = evo.network("linear", task)
    _, measures = evo.evaluate(task, network, np.zeros(network.size), episodes=1, seed=0, measures=True)
    found = dict(zip(task.measures, measures[0], strict=True))
    assert found["energy"] == 0 and abs(found["x"]) < 0.05
    assert all(found[foot] > 0.9 for foot in task.measures if foot.endswith("foot"))
