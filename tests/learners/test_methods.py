"""The table of methods: what each entry says, and that a method of one's own needs one file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import evo
from evo.algorithms import ALGORITHMS
from evo.config.resolve import resolve_config
from evo.learners import METHODS, find_method
from evo.problems.problem import Problem
from evo.testing import check_algorithm
from examples.own_method import Search


@pytest.mark.parametrize("name", METHODS)
def test_a_method_says_what_it_is_and_who_shares_its_presets(name: str) -> None:
    method = METHODS[name]
    assert method.summary and "\n" not in method.summary and "of your own" not in method.summary
    assert method.family in METHODS
    assert all(key.startswith(("method.", "network.")) for key in method.settings)


def test_every_algorithm_is_a_method_and_is_found_under_its_own_name() -> None:
    assert list(METHODS) == sorted(METHODS)
    for name, reference in ALGORITHMS.items():
        assert METHODS[name].reference == reference
        assert METHODS[name].constructor() is getattr(evo.algorithms, reference.partition(":")[2])
    assert {reference.partition(":")[2] for reference in ALGORITHMS.values()} <= set(evo.algorithms.__all__)


def test_a_method_is_added_by_one_file(tmp_path: Path) -> None:
    check_algorithm(Search)
    found = find_method("examples.own_method:Search")
    assert found is not None and found.summary == Search.summary
    on_a_world = resolve_config(flags={"task.name": "cartpole", "method.name": "examples.own_method:Search"})
    assert on_a_world["budget.steps"] == 2_000_000 and on_a_world["method.children"] == 20
    champions = [
        evo.run("rastrigin", dim=3, method=method, generations=4, video=False, out=tmp_path / str(number)).champion
        for number, method in enumerate(["examples.own_method:Search", Search])
    ]
    assert champions[0].method == champions[1].method == "examples.own_method:Search"
    assert np.array_equal(champions[0].params, champions[1].params)
    again = evo.resume(tmp_path / "0", generations=6, video=False)
    assert again.champion.method == champions[0].method and again.config["budget.generations"] == 6


class Asks:
    def ask(self) -> None: ...

    def tell(self, fitness: np.ndarray) -> None: ...


class WithoutSeed(Asks):
    def __init__(self, initial: np.ndarray, *, width: float = 1.0) -> None: ...


class WithMore(Asks):
    def __init__(self, initial: np.ndarray, seed: int, width: float) -> None: ...


class WithoutStart:
    def __init__(self, problem: Problem) -> None: ...

    def step(self) -> None: ...


@pytest.mark.parametrize(
    ("method", "said"),
    [
        (WithoutSeed, "too many positional arguments; the constructor of an algorithm takes (initial, seed), and then"),
        (WithMore, "missing a required argument: 'width'; the constructor of an algorithm takes (initial, seed), and"),
        (WithoutStart, "too many positional arguments; the constructor of a learner takes (problem, seed, start), and"),
    ],
)
def test_a_method_that_cannot_be_called_as_one_is_refused(method: type[Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(evo.EvoError) as error:
        evo.run("sphere", dim=2, method=method, generations=1, out=tmp_path / "run")
    assert str(error.value).startswith(f"method.name {__name__}:{method.__name__} cannot be built: {said}")
    assert not (tmp_path / "run").exists()
