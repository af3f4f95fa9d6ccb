"""What evo.testing says of tasks that keep their promises, and of those that do not."""

import dataclasses
from typing import Any

import numpy as np
import pytest

import evo
from evo.envs import TASKS
from evo.envs.task import Task
from evo.testing import check_task


@pytest.mark.parametrize("name", TASKS)
def test_every_task_of_ours_passes(name: str) -> None:
    check_task(name, steps=50)


def broken(**changes: Any) -> Task:
    return dataclasses.replace(evo.task("cartpole"), **changes)


def reset_alike(model: Any, data: Any, task: Any, rng: Any) -> None:
    data.qpos[0], data.qpos[1] = 0.01, 0.02


def observe_nothing(model: Any, data: Any, task: Any, obs: Any) -> None:
    obs[:] = np.nan


def advance_to_nowhere(model: Any, data: Any, task: Any, action: Any, out: Any) -> None:
    out.reward = np.inf


def test_a_task_that_ignores_its_seed_is_told() -> None:
    with pytest.raises(AssertionError, match="begin alike"):
        check_task(broken(reset=reset_alike))


def test_numbers_that_are_not_finite_are_told() -> None:
    with pytest.raises(AssertionError, match="not finite"):
        check_task(broken(observe=observe_nothing))
    with pytest.raises(AssertionError, match="not finite"):
        check_task(broken(advance=advance_to_nowhere))


def test_a_name_that_is_no_task_is_the_users_error() -> None:
    with pytest.raises(evo.EvoError, match="HalfCheetah-v5"):
        check_task("HalfCheeta-v5")
