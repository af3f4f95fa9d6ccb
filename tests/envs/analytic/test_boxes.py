"""Boxes: the trials of the paper, what is earned, other resolutions, and what is refused."""

import numpy as np
import pytest

import evo
from evo.envs.gymnasium_bridge.task_env import TaskEnv
from evo.testing import check_task


def _fields(resolution: int, ratio: int) -> list[np.ndarray]:
    """What is seen in each trial, whatever is done."""
    task = evo.task("boxes", resolution=resolution, ratio=ratio)
    environment = TaskEnv(task)
    seen = [environment.reset(seed=0)[0]]
    for _ in range(task.steps - 1):
        seen.append(environment.step(np.array(0))[0])
    return [field.reshape(resolution, resolution) for field in seen]


def _squares(field: np.ndarray, side: int) -> list[tuple[int, int]]:
    """Top left corners of all full squares of this side."""
    spots = range(len(field) - side + 1)
    return [(row, column) for row in spots for column in spots if field[row : row + side, column : column + side].all()]


def test_a_field_has_two_boxes_wholly_in_view() -> None:
    fields = _fields(11, 3)
    assert len(fields) == 75 and len({field.tobytes() for field in fields}) == 75
    smalls = set()
    for field in fields:
        assert field.sum() == 10
        ((row, column),) = _squares(field, 3)
        rest = field.copy()
        rest[row : row + 3, column : column + 3] = 0
        smalls.add(tuple(np.argwhere(rest)[0]))
    assert smalls == {(row, column) for row in range(1, 11, 2) for column in range(1, 11, 2)}


def test_a_higher_resolution_shows_the_same() -> None:
    for small, large in zip(_fields(11, 3), _fields(33, 3), strict=True):
        np.testing.assert_array_equal(large, np.kron(small, np.ones((3, 3))))


@pytest.mark.parametrize(("resolution", "ratio"), [(3, 2), (5, 3), (11, 3), (22, 3), (33, 3)])
def test_the_middle_of_the_larger_box_earns_the_most(resolution: int, ratio: int) -> None:
    task = evo.task("boxes", resolution=resolution, ratio=ratio)
    unit = max(1, resolution // 11)
    environment, side = TaskEnv(task), ratio * unit
    field, _ = environment.reset(seed=0)
    rewards, distances = [], []
    for step in range(task.steps):
        row, column = _squares(field.reshape(resolution, resolution), side)[0]
        off = step % 2 * (row + side // 2 > resolution // 2)  # a unit above the middle in some trials
        place = (row + side // 2 - off * unit) * resolution + column + side // 2
        field, reward, terminated, truncated, _ = environment.step(np.array(place))
        rewards.append(reward)
        distances.append(off if side % 2 else 0)
        assert not terminated and truncated == (step == task.steps - 1)
    if side % 2:
        np.testing.assert_allclose(rewards, -np.square(distances))
    else:
        assert max(rewards) == 0.0 and min(rewards) >= -1.0


def test_returns_and_the_mean_distance() -> None:
    task = evo.task("boxes", resolution=5)
    network = evo.network("linear", task)
    population = np.stack([np.eye(25).ravel(), -np.eye(25).ravel()])  # looks at what it sees, and away from it
    returns, distances = evo.evaluate(task, network, population, measures=True)
    np.testing.assert_allclose(evo.evaluate(task, network, population, episodes=4), np.tile(returns, 4))
    assert returns[0, 0] > returns[1, 0] and 0 < distances[0, 0] < distances[1, 0] < 4


def test_it_is_a_task() -> None:
    check_task(evo.task("boxes", resolution=4))


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"resolution": 2}, "resolution must be 3 to 11, or a multiple of 11 up to 99, got 2"),
        ({"resolution": 12}, "resolution must be"),
        ({"resolution": 110}, "resolution must be"),
        ({"resolution": 3}, "ratio must be from 2 to 2, less than the field's side, got 3"),
        ({"ratio": 1}, "ratio must be from 2 to 10"),
        ({"ratio": 11}, "ratio must be"),
        ({"sides": 3}, "no option 'sides'"),
    ],
)
def test_impossible_fields_are_one_line(options: dict[str, int], why: str) -> None:
    with pytest.raises(evo.EvoError, match=why):
        evo.task("boxes", **options)
