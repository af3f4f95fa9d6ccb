"""Pictures of functions and of answers say what their marks and colours mean."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from evo.datasets import arrays
from evo.evaluation.workers import Threads
from evo.networks import network_from_text
from evo.problems.named_functions import landscape_of
from evo.problems.supervised import Supervised
from evo.visualize.plots import landscape_picture
from evo.visualize.predictions import _confusion, answers_picture


@pytest.mark.parametrize("kind", ["hills", "flat", "half without fitness"])
def test_the_map_of_a_function_tells_what_it_shows(kind: str, tmp_path: Path) -> None:
    def function(x: np.ndarray) -> float:
        if kind == "half without fitness" and x[0] > 0:
            raise ValueError
        return 0.0 if kind == "flat" else -float(x @ x)

    problem = landscape_of("mine:function", function)(dim=2, on_error="worst")
    landscape_picture(problem, np.zeros(2), np.array([[-1.0, 1.0], [0.0, 0.0]]), "a title", tmp_path / "map.svg")
    text = (tmp_path / "map.svg").read_text()
    told = ("lowest", "highest", "fitness, by rank", "champion", "first candidate of each stored generation")
    assert all(f"<!-- {words} -->" in text for words in told)


@pytest.mark.parametrize(("labels", "rotation"), [(["0", "1"], 0), (["apple", "pear"], 90)])
def test_short_names_of_classes_stand_upright(labels: list[str], rotation: int) -> None:
    data = arrays(np.eye(20), [labels[row % 2] for row in range(20)])
    axes = Figure().subplots()
    _confusion(axes, data, np.zeros(len(data.test.targets), int))
    assert [tick.get_text() for tick in axes.get_xticklabels()] == labels
    assert {tick.get_rotation() for tick in axes.get_xticklabels()} == {rotation}
    assert axes.get_title().endswith("number of examples")


def test_names_with_dollars_are_no_mathematics(tmp_path: Path) -> None:
    data = arrays(np.random.default_rng(0).random((20, 4, 5)), [["a$b", "$^$", "$x_"][row % 3] for row in range(20)])
    problem = Supervised(data, network_from_text("linear", 20, 3), Threads(1))
    answers_picture(problem, np.zeros(problem.size, np.float32), "$^$", tmp_path / "answers.svg")
    text = (tmp_path / "answers.svg").read_text()
    assert all(f"<!-- {words} -->" in text for words in ("a$b", "$^$", "$x_"))


def test_a_title_with_dollars_is_no_mathematics(tmp_path: Path) -> None:
    problem = landscape_of("mine:function", lambda x: -float(x @ x))(dim=2)
    landscape_picture(problem, np.zeros(2), np.zeros((0, 2)), "$^$", tmp_path / "map.svg")
    assert "<!-- $^$ -->" in (tmp_path / "map.svg").read_text()
