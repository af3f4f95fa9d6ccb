"""DeceptiveMaze: its robot moves and sees as a plain twin does, walls hold it, the goal ends an episode."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evo
from evo.envs.gymnasium_bridge.task_env import TaskEnv
from evo.testing import check_task

Point = tuple[float, float]
ANGLES = (-90, -45, 0, 45, 90, 180)  # of the rangefinders, in degrees
STARTS = {False: (30.0, 22.0), True: (36.0, 184.0)}
GOALS = {False: (270.0, 100.0), True: (31.0, 20.0)}


def segment_distance(point: Point, wall: np.ndarray) -> float:
    """Distance from a point to a wall, by the nearest of many points on it."""
    points = wall[:2] + np.linspace(0, 1, 20_001)[:, None] * (wall[2:] - wall[:2])
    return float(np.min(np.hypot(*(points - point).T)))


def range_to(point: Point, degrees: float, walls: np.ndarray) -> float:
    """What a rangefinder sees, by solving point + away * direction = end + share * wall for each wall."""
    way, nearest = np.array([math.cos(math.radians(degrees)), math.sin(math.radians(degrees))]), 100.0
    for wall in walls:
        matrix = np.stack([way, wall[:2] - wall[2:]], axis=1)
        if abs(np.linalg.det(matrix)) > 1e-9:
            away, share = np.linalg.solve(matrix, wall[:2] - np.array(point))
            if away >= 0 and 0 <= share <= 1:
                nearest = min(nearest, away)
    return nearest / 100


@settings(max_examples=20)
@given(st.booleans(), st.integers(0, 2**20))
def test_it_moves_and_sees_as_a_plain_twin(hard: bool, seed: int) -> None:
    task = evo.task("deceptive-maze", hard=hard, reset_noise_scale=0.0)
    walls, draws = task.record["walls"], np.random.default_rng(seed)
    env = TaskEnv(task)
    seen, _ = env.reset(seed=0)
    (x, y), heading, turning, speed, total = STARTS[hard], 0.0, 0.0, 0.0, 0.0
    goal = GOALS[hard]
    action = draws.uniform(-1, 1, 2)
    for step in range(60):
        bearing = math.degrees(math.atan2(goal[1] - y, goal[0] - x)) - heading
        expected = [range_to((x, y), heading + angle, walls) for angle in ANGLES]
        np.testing.assert_allclose(seen[:6], expected, atol=1e-9)
        assert seen[6:].tolist() == np.eye(4)[int((bearing + 45) % 360 // 90)].tolist()
        if step % 10 == 0:
            action = draws.uniform(-1, 1, 2)
        turning, speed = np.clip(turning + 0.5 * action[0], -3, 3), np.clip(speed + 0.5 * action[1], -3, 3)
        moved = (x + speed * math.cos(math.radians(heading)), y + speed * math.sin(math.radians(heading)))
        heading += turning
        gap = min(segment_distance(moved, wall) for wall in walls) - 8
        if abs(gap) < 1e-4:  # too close for the twin to say
            return
        x, y = moved if gap > 0 else (x, y)
        seen, reward, terminated, _, _ = env.step(action)
        total += float(reward)
        distance = math.hypot(goal[0] - x, goal[1] - y)
        assert total == pytest.approx(300 - distance, abs=1e-7)
        assert terminated == (distance < 5)


@pytest.mark.parametrize("hard", [False, True])
def test_the_robot_is_never_in_a_wall(hard: bool) -> None:
    task = evo.task("deceptive-maze", hard=hard)
    network = evo.network("mlp:4", task)
    population = np.random.default_rng(0).normal(size=(200, network.size))
    returns, ends = evo.evaluate(task, network, population, measures=True)
    walls = task.record["walls"]
    assert min(segment_distance((x, y), wall) for x, y in ends for wall in walls) > 7.99
    left = np.hypot(*(ends - GOALS[hard]).T)
    np.testing.assert_allclose(returns[:, 0], 300 - left, atol=1e-9)
    assert all(low < value < high for end in ends for value, (low, high) in zip(end, task.ranges.values(), strict=True))


@pytest.mark.parametrize("hard", [False, True])
def test_the_goal_ends_the_episode(hard: bool) -> None:
    """From beside the goal, a robot that drives at it is there; from where it begins, one that does so is not."""
    task = evo.task("deceptive-maze", hard=hard, reset_noise_scale=0.0)
    record = task.record.copy()
    record["x"], record["y"] = GOALS[hard][0] - 7, GOALS[hard][1]
    env = TaskEnv(dataclasses.replace(task, record=record))
    env.reset(seed=0)
    steps = [env.step(np.array([0.0, 1.0])) for _ in range(3)]
    assert [terminated for _, _, terminated, _, _ in steps] == [False, False, True]
    assert sum(float(reward) for _, reward, *_ in steps) == pytest.approx(300 - 4)
    assert evo.task("deceptive-maze").steps == 400


@pytest.mark.parametrize("hard", [False, True])
def test_it_is_a_task(hard: bool) -> None:
    check_task(evo.task("deceptive-maze", hard=hard))


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"reset_noise_scale": 9.0}, "reset_noise_scale must be at most 8, got 9"),
        ({"reset_noise_scale": -1.0}, "reset_noise_scale must be a positive number"),
        ({"steps": 0}, "steps must be a positive number"),
        ({"easy": True}, "no option 'easy'"),
    ],
)
def test_impossible_options_are_one_line(options: dict[str, float], why: str) -> None:
    with pytest.raises(evo.EvoError, match=why):
        evo.task("deceptive-maze", **options)
