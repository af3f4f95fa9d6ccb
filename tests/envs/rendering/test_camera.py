"""The camera that follows a creature neither jitters nor loses it."""

import math

import mujoco
import numpy as np
import pytest

import evo
from evo.envs.rendering.renderer import frame_creature
from evo.numerics.randomness import generator

RATE = 30.0  # frames a second
SMOOTHING = 12.0  # frames: the deviation of the Gaussian that the camera's path is averaged with


def jerky_run(name: str) -> tuple[mujoco.MjModel, np.ndarray]:
    """A creature that starts, sprints, stops dead, hops, and turns back, with a shiver: qpos (frames, nq)."""
    model = evo.task(name).model
    speed = np.concatenate([np.zeros(20), np.linspace(0, 2.5, 15), np.full(40, 2.5), np.zeros(25), np.full(40, -2.0)])
    qpos = np.tile(model.qpos0, (len(speed), 1))
    qpos[:, 0] += np.cumsum(speed) / RATE + generator(7, "shiver").normal(0.0, 0.01, len(speed))
    qpos[:, 2] += 0.15 * np.maximum(np.sin(np.arange(len(speed)) / 3.0), 0.0) * (name == "quadruped")
    return model, qpos


@pytest.mark.parametrize("name", ["quadruped", "HalfCheetah-v5"])
@pytest.mark.parametrize("aspect", [16 / 9, 1.0])
def test_the_torso_stays_in_the_middle_half_of_the_picture(name: str, aspect: float) -> None:
    model, qpos = jerky_run(name)
    data, half = mujoco.MjData(model), 0.0
    for positions, camera in zip(qpos, frame_creature(model, qpos, aspect), strict=True):
        data.qpos[:] = positions
        mujoco.mj_kinematics(model, data)
        eye, forward, right, up = camera.axes()
        to_torso, sight = data.xpos[1] - eye, math.tan(0.5 * math.radians(camera.fovy))
        depth = to_torso @ forward
        across, above = to_torso @ right / (depth * sight * aspect), to_torso @ up / (depth * sight)
        half = max(half, abs(across), abs(above))
    assert 0.0 < half < 0.5  # of half the picture's side


@pytest.mark.parametrize("name", ["quadruped", "HalfCheetah-v5"])
def test_the_camera_does_not_jitter(name: str) -> None:
    model, qpos = jerky_run(name)
    cameras = frame_creature(model, qpos)
    path, fastest = np.array([camera.lookat for camera in cameras]), np.abs(np.diff(qpos[:, 0])).max()
    # a path averaged with a Gaussian accelerates by at most its speed times the sum of the weights' differences
    bound = fastest * 2.0 / (SMOOTHING * math.sqrt(2.0 * math.pi))
    assert np.abs(np.diff(path[:, 0], 2)).max() <= 1.05 * bound
    assert np.abs(np.diff(qpos[:, 0], 2)).max() > 5.0 * bound, "the creature itself is jerky"
    assert len({(camera.distance, camera.azimuth, camera.elevation) for camera in cameras}) == 1
