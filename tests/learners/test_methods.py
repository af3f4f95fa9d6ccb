"""The table of methods: what each entry says, and that a method of one's own needs one file."""

from pathlib import Path

import numpy as np
import pytest

import evo
from evo.algorithms import ALGORITHMS
from evo.config.resolve import resolve_config
from evo.learners import METHODS, find_method
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
