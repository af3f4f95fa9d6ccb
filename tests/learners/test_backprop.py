"""Backprop learns, resumes to the bit, and stops as it was told."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import evo
from evo.datasets import arrays
from evo.envs.engine import interruption
from evo.errors import EvoError
from evo.evaluation.workers import Threads
from evo.learners import METHODS
from evo.learners.backprop import DIVERGED, Backprop
from evo.networks import network_from_text
from evo.problems.supervised import Supervised

RNG = np.random.default_rng(8)
POINTS = RNG.normal(size=(200, 2)).astype(np.float32)
RINGS = arrays(POINTS, (np.hypot(*POINTS.T) > 1.1).astype(int))


def learner(seed: int = 1, threads: int = 1, batch: int = 16, network: str = "mlp:16:relu", **options: Any) -> Backprop:
    made = network_from_text(network, RINGS.shape, RINGS.outputs)
    return Backprop(Supervised(RINGS, made, Threads(threads), batch), seed, **options)


def same(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> bool:
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


ADAPTIVE = ("rmsprop", "adam", "adamw")
OPTIMIZERS = ("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw", "clipup")


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_it_learns_with_every_optimiser(optimizer: str) -> None:
    trained = learner(optimizer=optimizer, learning_rate=0.01 if optimizer in ADAPTIVE else 0.1)
    losses = [-trained.step()["mean"] for _ in range(40)]
    assert losses[-1] < 0.4 * losses[0]
    assert trained.steps == 40 * len(RINGS.train), "who fills up the last minibatch is not counted again"


def test_every_example_has_its_turn_once_an_epoch() -> None:
    trained = learner(batch=35)
    order = trained._order()
    assert order.shape == (4, 35) and set(order.ravel()) == set(range(140))
    assert len(set(order.ravel()[:140])) == 140
    trained.step()
    assert not np.array_equal(trained._order(), order)


@pytest.mark.parametrize("options", [{}, {"optimizer": "momentum", "l1": 1e-4, "l2": 1e-3, "patience": 3}])
def test_restored_it_goes_on_to_the_bit_whatever_the_threads(options: dict[str, Any]) -> None:
    network = "dense:16:relu>dropout:0.3>dense:2"
    whole = learner(network=network, threads=2, **options)
    for _ in range(3):
        whole.step()
    halfway = {name: np.array(array) for name, array in whole.state().items()}
    for _ in range(3):
        row = whole.step()
    again = learner(network=network, **options)
    again.restore(halfway)
    for _ in range(3):
        repeated = again.step()
    assert repeated == row
    assert same(again.state(), whole.state())


def test_different_seeds_differ() -> None:
    first, second = learner(seed=1), learner(seed=2)
    assert not np.array_equal(first.parameters, second.parameters)
    assert first.step() != second.step()


def test_interrupted_within_an_epoch_it_is_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    trained = learner()
    trained.step()
    before = {name: np.array(array) for name, array in trained.state().items()}
    monkeypatch.setattr("evo.learners.backprop._AT_ONCE", 16)
    calls = iter([None, None])

    def check() -> None:
        if next(calls, "stop") == "stop":
            raise KeyboardInterrupt

    monkeypatch.setattr(interruption, "check", check)
    with pytest.raises(KeyboardInterrupt):
        trained.step()
    assert same(trained.state(), before)
    monkeypatch.undo()
    assert trained.step() == learner_after(2)


def learner_after(epochs: int) -> dict[str, float]:
    fresh = learner()
    for _ in range(epochs):
        row = fresh.step()
    return row


def test_penalties_and_decay_keep_weights_small() -> None:
    plain, *others = (learner(**options) for options in ({}, {"l1": 0.01}, {"l2": 0.1}, {"weight_decay": 10.0}))
    for each in (plain, *others):
        for _ in range(30):
            each.step()
    for each in others:
        assert np.linalg.norm(each.parameters) < 0.8 * np.linalg.norm(plain.parameters)
    assert (np.abs(others[0].parameters) < 1e-2).mean() > (np.abs(plain.parameters) < 1e-2).mean()


def test_patience_ends_and_offers_the_best() -> None:
    trained = learner(patience=4, network="mlp:64:relu", learning_rate=0.03)
    scores = []
    while trained.finished() is None:
        trained.step()
        scores.append(trained._best_score)
        assert trained.generation < 500
    assert trained.finished() == "no better on the validation split for 4 epochs"
    assert scores[-5] == scores[-1] and len(scores) >= 5
    assert not np.array_equal(trained.candidates()[0].params, trained.parameters)


def test_one_that_diverges_stops_with_a_reason_and_keeps_what_it_had() -> None:
    trained = learner(optimizer="sgd", learning_rate=1e30)
    for _ in range(50):
        if trained.finished():
            break
        trained.step()
    assert trained.finished() == DIVERGED
    assert np.isfinite(trained.candidates()[0].params).all()


def test_the_schedule_stretches_over_the_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = evo.run(
        RINGS, network="mlp:4", method="sgd", epochs=10, settings=["method.schedule=linear"], out=tmp_path / "r"
    )
    assert run.config["method.anneal_steps"] == run.config["budget.steps"] == 10 * len(RINGS.train)
    sizes = run.metrics["learning_rate"]
    assert (np.diff(sizes) < 0).all() and 0 <= sizes[-1] < 0.15 * sizes[0]


def test_a_step_is_torchs() -> None:
    """Plain gradient descent on everything at once: the parameters after it, by the tape's own gradient checked in
    test_layers, are theta - step size × gradient of the mean loss."""
    trained = learner(batch=140, optimizer="sgd", learning_rate=0.5)
    before = trained.parameters.astype(np.float64)
    trained.step()
    loss = trained._loss
    loss.programs[0].parameters[:] = before
    problem = trained.problem
    assert isinstance(problem, Supervised)

    def mean_loss(params: np.ndarray) -> float:
        answers = problem.answers(params, RINGS.train)
        return float(answers.losses.mean())

    change = trained.parameters - before
    small = 1e-2
    for index in np.random.default_rng(0).choice(len(before), 12, replace=False):
        both = []
        for way in (small, -small):
            moved = before.copy()
            moved[index] += way
            both.append(mean_loss(moved))
        assert change[index] == pytest.approx(-0.5 * (both[0] - both[1]) / (2 * small), abs=2e-3)


@pytest.mark.parametrize(
    ("task", "options", "message"),
    [
        ("quadruped", {"method": "adam"}, "backprop needs a data set, and this task is not one"),
        ("rastrigin", {"method": "sgd"}, "backprop needs a data set, and this task is not one"),
        ("xor", {"method": "adam", "network": "hebbian:4"}, "the layer hebbian:4 has none"),
        ("xor", {"method": "adam", "settings": ["method.optimizer=adem"]}, "did you mean 'adam'"),
        ("xor", {"method": "adam", "settings": ["method.schedule=cosin"]}, "did you mean 'cosine'"),
        ("xor", {"method": "adam", "settings": ["method.learning_rate=0"]}, "learning_rate=0"),
        ("xor", {"method": "adam", "settings": ["method.patience=-1"]}, "patience=-1"),
        ("quadruped", {"method": "ars", "epochs": 3}, "has no epochs"),
    ],
)
def test_what_cannot_be_trained_is_one_line(task: str, options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(EvoError, match=message):
        evo.run(task, **options, out=tmp_path / "run")


def test_every_optimiser_is_a_method() -> None:
    found = {name for name, method in METHODS.items() if method.constructor() is Backprop}
    assert found == {*OPTIMIZERS, "backprop"} - {"clipup"}
