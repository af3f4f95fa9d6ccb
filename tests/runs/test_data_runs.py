"""Runs on data sets, from the outside: five calls, resumed equals uninterrupted, champions that answer, pictures."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import evo
from evo.datasets import Split
from evo.errors import EvoError
from evo.visualize.predictions import continue_text
from tests.support.forks import command

RNG = np.random.default_rng(9)
INPUTS = RNG.normal(size=(120, 3)).astype(np.float32)
FAST = {"method.pairs": 4}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_five_calls_learn_digits(tmp_path: Path) -> None:
    digits = evo.dataset("digits")
    network = evo.Sequential(evo.Flatten(), evo.Dense(128, "relu"), evo.Dropout(0.2), evo.Dense(10))
    run = evo.run(digits, network=network, method="adam", epochs=6)
    assert run.champion.evaluate(digits.test).mean >= 0.93
    assert run.plot("digits.png").exists()
    assert run.champion.evaluate(digits.test).mean == run.champion.reported_fitness.mean
    assert run.config["network.layers"] == "flatten>dense:128:relu>dropout:0.2>dense:10"
    assert str(run.champion.reported_fitness).endswith("% accuracy")


@pytest.mark.parametrize("method", ["adam", "openai-es"])
def test_resumed_equals_uninterrupted(method: str) -> None:
    settings = {"method.anneal_steps": 10**6} if method == "adam" else FAST
    data = evo.dataset(inputs=INPUTS, targets=INPUTS[:, 0] * INPUTS[:, 1])
    whole = evo.run(data, network="mlp:6", method=method, generations=6, seed=2, settings=settings, out="whole")
    evo.run(data, network="mlp:6", method=method, generations=3, seed=2, settings=settings, out="halves")
    halves = evo.resume("halves", generations=6)
    for column in whole.metrics.keys() - {"wall_s", "cpu_s", "selection_s", "selection_cpu_s"}:
        np.testing.assert_array_equal(whole.metrics[column], halves.metrics[column], err_msg=column)
    np.testing.assert_array_equal(whole.champion.params, halves.champion.params)
    assert whole.champion.verify().exact
    other = evo.run(data, network="mlp:6", method=method, generations=6, seed=3, settings=settings, out="other")
    assert not np.array_equal(other.champion.params, whole.champion.params)


def test_a_champion_answers_in_the_users_own_unit() -> None:
    houses = evo.dataset("houses")
    champion = evo.run(houses, method="adam", epochs=3, out="run").champion
    told = champion.predict(houses.test.inputs[:, 0])
    truth = houses.test.targets * houses.scale + houses.offset
    error = float(np.sqrt(np.mean((told - truth) ** 2)))
    assert error == pytest.approx(-champion.evaluate(houses.test).mean, rel=1e-5)
    assert str(champion.reported_fitness) == f"error {error:.3g} (1000 $)"
    for wrong in (Split(houses.test.inputs[:, :, :5].copy(), houses.test.targets), evo.dataset("digits").test):
        with pytest.raises(EvoError, match="these examples are not houses's"):
            champion.evaluate(wrong)
    with pytest.raises(EvoError, match="its champion answers examples, and does not act"):
        champion.policy()


def test_data_of_ones_own_are_found_again(tmp_path: Path) -> None:
    data = evo.dataset(inputs=INPUTS, targets=(INPUTS[:, 0] > 0).astype(int))
    run = evo.run(data, network="mlp:8", method="adam", epochs=20, out="run")
    assert run.champion.evaluate(data.test).mean > 0.8
    kept = Path(run.config["task.name"])
    assert kept.is_absolute() and kept.parent == tmp_path / "runs" / "data"
    again = evo.dataset(kept)
    assert again.digest == data.digest == run.config["data.digest"]
    evo.dataset(inputs=INPUTS[::-1].copy(), targets=(INPUTS[:, 0] > 0).astype(int)).save(kept)
    with pytest.raises(EvoError, match="are no longer those that this run began with"):
        evo.resume("run", epochs=30)


@pytest.mark.parametrize(
    ("task", "options"),
    [
        ("digits", {"network": "mlp:8:relu"}),
        ("digits", {"network": "lstm:4", "settings": ["task.sequence=true"]}),
        ("signs", {"network": "conv:4x5:stride2>dense:2", "settings": ["task.examples=100"]}),
        ("spirals", {"network": "mlp:8"}),
        ("houses", {"network": "mlp:8"}),
        ("memory", {"network": "gru:4"}),
        ("text", {"network": "gru:8", "settings": ["task.length=8"]}),
    ],
)
def test_what_it_answers_is_drawn(task: str, options: dict[str, object]) -> None:
    run = evo.run(task, **{"method": "adam", "generations": 1, "out": "run"} | options)  # type: ignore[arg-type]
    drawn = Path("run/plots/answers.png")
    picture = np.asarray(Image.open(drawn).convert("L"), float)
    assert picture.shape[0] > 400 and picture.std() > 10
    assert evo.replay("run") == drawn.absolute() or evo.replay("run").samefile(drawn)
    assert evo.replay("run", "other.png").exists()
    if task == "text":
        problem, params = run.champion.supervised, run.champion.params
        begun = problem.dataset.test.inputs[0].ravel()
        twice = [continue_text(problem, params, begun, 20) for _ in range(2)]
        assert len(twice[0]) == 20 and twice[0] == twice[1]
    with pytest.raises(EvoError, match="there is no film of it, only a picture"):
        evo.replay("run", evolution=True)


def test_the_command_line_learns_and_says_so(tmp_path: Path) -> None:
    def told(*words: str) -> str:
        ended = command(*words, folder=tmp_path)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    first = told("run", "xor", "--network", "mlp:8", "--epochs", "400", "--out", "x", "-q", "--set", "task.bits=2")
    assert "100.0 % accuracy never seen in training" in first and "picture" in first
    assert "reproduces its score exactly: 1" in told("replay", "x")
    assert "held-out" in told("run", "xor", "--method", "openai-es", "--generations", "2", "--out", "y")
    assert "spirals" in told("list")
    assert "ok" in told("doctor")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["digitz"], "unknown task 'digitz'; did you mean 'digits'?"),
        (["missing.csv"], "missing.csv"),
        (["text", "--network", "dense:16>dense:87"], "symbols: begin it with embedding:"),
        (["text", "--set", "task.lenght=8"], "did you mean 'task.length'"),
        (["houses", "--method", "ppo"], "ppo needs a world, and this task is not one"),
        (["houses", "--method", "persistent-es"], "persistent-es"),
    ],
)
def test_mistakes_are_one_line(words: list[str], message: str, tmp_path: Path) -> None:
    ended = command("run", *words, folder=tmp_path)
    assert ended.returncode == 2
    assert message in ended.stderr and ended.stderr.startswith("evo: ") and ended.stderr.count("\n") == 1
    assert not Path("runs").exists()


def test_a_data_set_that_was_changed_in_memory_is_what_is_learned_from(tmp_path: Path) -> None:
    whole = evo.dataset("spirals")
    small = dataclasses.replace(whole, train=Split(whole.train.inputs[:20].copy(), whole.train.targets[:20].copy()))
    run = evo.run(small, network="mlp:4", method="adam", epochs=3, out="run")
    assert run.config["data.digest"] == small.digest != whole.digest
    assert run.metrics["steps"].tolist() == [20, 40, 60]
    assert run.config["task.name"].endswith(f"{small.digest}.npz")


def test_a_champion_refuses_examples_that_it_was_not_made_with(tmp_path: Path) -> None:
    rows = "\n".join(f"{value:.3f},{value * 2 - 1:.3f}" for value in RNG.normal(size=40))
    Path("mine.csv").write_text(f"x,y\n{rows}\n")
    run = evo.run("mine.csv", network="mlp:4", method="adam", epochs=3, out="run")
    assert run.config["task.name"] == str(tmp_path / "mine.csv")
    with open("mine.csv", "a") as file:
        file.write("0.5,0.0\n")
    # `run` itself holds the examples that it made
    for asked in (
        lambda: evo.load("run").champion.evaluate(1),
        lambda: evo.replay("run"),
        lambda: evo.resume("run", epochs=5),
    ):
        with pytest.raises(EvoError, match="are no longer those that"):
            asked()


def test_classes_that_there_are_none_of_are_refused() -> None:
    champion = evo.run("xor", network="mlp:4", method="adam", epochs=3, out="run").champion
    wrong = Split(np.zeros((3, 1, 2), np.float32), np.full((3, 1, 1), 5000, np.float32))
    with pytest.raises(EvoError, match="classes must be whole numbers from 0 to 1"):
        champion.evaluate(wrong)
    wrong_inputs: list[Any] = [np.zeros((0, 2)), np.full((2, 2), np.nan), np.full((2, 2), 1e300), np.zeros((2, 3)), 5]
    for inputs in wrong_inputs:
        with pytest.raises(EvoError, match="inputs of xor"):
            champion.predict(inputs)


def test_adamw_lets_weights_decay_and_the_budget_makes_the_schedule() -> None:
    adam, adamw = (
        evo.run("spirals", network="mlp:4", method=method, epochs=4, out=method).metrics["mean"]
        for method in ("adam", "adamw")
    )
    assert not np.array_equal(adam, adamw)
    timed = evo.run("spirals", network="mlp:4", method="adam", generations=3, out="timed")
    assert timed.config["method.schedule"] == "constant"
    assert len(set(timed.metrics["learning_rate"])) == 1


def test_a_folder_does_not_take_a_tasks_name(tmp_path: Path) -> None:
    (tmp_path / "quadruped").mkdir()
    assert evo.task("quadruped").name == "evo/Quadruped-v0"


def test_the_picture_of_a_champion_file_is_drawn() -> None:
    run = evo.run("xor", network="mlp:4", method="adam", epochs=3, out="run")
    assert evo.replay(run.path / "champion.npz").suffix == ".png"
