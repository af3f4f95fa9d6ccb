"""Weights of a graph learn by gradient, and its structure stays as it is."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import evo
from evo.config.build import make_dataset
from evo.evaluation.workers import Threads
from evo.learners.backprop import Backprop
from evo.learners.learner import Candidate
from evo.learners.ppo import PPO
from evo.learners.reinforce import REINFORCE
from evo.networks import Network, network_from_text
from evo.networks.wiring import Wiring
from evo.optimizers import OPTIMIZERS
from evo.problems.control import Walking
from evo.problems.supervised import Supervised
from tests.support.graphs import SMOOTH, connected_wiring, layered_wiring, random_wiring, structure_of

PARITY = make_dataset("xor", {"bits": 4, "sequence": True})
PENALTIES: dict[str, Any] = {"l1": 1e-3, "l2": 1e-2, "weight_decay": 0.1, "max_gradient_norm": 0.5}


def _begin(problem: Any, row: np.ndarray) -> Candidate:
    return Candidate(row.astype(np.float32), problem.no_statistics())


def _check_structure(before: np.ndarray, after: np.ndarray, network: Network) -> None:
    network.check(after)
    first, last = Wiring.of(before), Wiring.of(after)
    assert structure_of(first) == structure_of(last)
    assert not np.array_equal(first.weights, last.weights) and not np.array_equal(first.biases, last.biases)
    assert not np.array_equal(first.responses, last.responses)
    assert ((last.rates >= 2.0**-10) & (last.rates <= 1)).all()


def test_xor_is_learnt_by_the_weights_of_a_graph() -> None:
    data = make_dataset("xor", {})
    network = network_from_text("graph", data.shape, data.outputs)
    problem = Supervised(data, network, Threads(1), 4)
    row = layered_wiring(np.random.default_rng(0), 2, 4, 2).row()
    trained = Backprop(problem, 0, _begin(problem, row), learning_rate=0.02)
    for _ in range(300):
        metrics = trained.step()
    assert -metrics["mean"] < 0.01
    _check_structure(row, trained.candidates()[0].params, network)


def _supervised(row: np.ndarray, threads: int = 1, **options: Any) -> Backprop:
    network = network_from_text("graph:8:recurrent", PARITY.shape, PARITY.outputs)
    problem = Supervised(PARITY, network, Threads(threads), 16)
    return Backprop(problem, 0, _begin(problem, row), **options)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_penalties_leave_the_structure_of_a_recurrent_graph(optimizer: str) -> None:
    row = connected_wiring(np.random.default_rng(0), 1, 5, 2).row()
    trained = _supervised(row, optimizer=optimizer, learning_rate=0.05, **PENALTIES)
    for _ in range(10):
        trained.step()
    after = trained.candidates()[0].params
    _check_structure(row, after, trained.problem.network)
    assert not np.array_equal(Wiring.of(after).rates, Wiring.of(row).rates)


def test_restored_it_goes_on_to_the_bit_whatever_the_threads() -> None:
    row = random_wiring(np.random.default_rng(3), 1, 2, True, activations=SMOOTH[1:]).row()
    whole, parts = _supervised(row, 2, optimizer="adamw", **PENALTIES), _supervised(row, 1)
    for _ in range(2):
        whole.step()
    parts = _supervised(row, 1, optimizer="adamw", **PENALTIES)
    parts.restore({name: np.array(array) for name, array in whole.state().items()})
    whole.step(), parts.step()
    np.testing.assert_array_equal(whole.parameters, parts.parameters)
    damaged = {name: np.array(array) for name, array in whole.state().items()}
    damaged["parameters"][2] = 3
    with pytest.raises(ValueError, match="a graph of 3 nodes"):
        parts.restore(damaged)


@pytest.mark.parametrize("recurrent", [False, True])
def test_ppo_learns_the_weights_of_a_graph(recurrent: bool) -> None:
    task = evo.task("cartpole")
    network = evo.network("graph:8:recurrent" if recurrent else "graph:8", task)
    problem = Walking(task, network, Threads(1))
    make = connected_wiring if recurrent else layered_wiring
    row = make(np.random.default_rng(1), network.inputs, 3, network.outputs).row()
    options: dict[str, Any] = {"environments": 2, "horizon": 32, "segment": 8, "minibatch": 16, "epochs": 2}
    options["critic"] = "graph:4:recurrent" if recurrent else "mlp:4"
    both = [PPO(problem, 0, _begin(problem, row), **options) for _ in range(2)]
    for _ in range(3):
        both[0].step()
    both[1].restore({name: np.array(array) for name, array in both[0].state().items()})
    for ppo in both:
        ppo.step()
    np.testing.assert_array_equal(both[0].parameters, both[1].parameters)
    _check_structure(row, both[0].candidates()[0].params, network)
    ppo = both[0]
    ppo.critic.check(ppo.parameters[len(row) + ppo.deviations :])


def test_reinforce_learns_the_weights_of_a_graph() -> None:
    task = evo.task("cartpole", steps=20)
    network = evo.network("graph", task)
    problem = Walking(task, network, Threads(1))
    row = layered_wiring(np.random.default_rng(1), network.inputs, 3, network.outputs).row()
    trained = REINFORCE(problem, 0, _begin(problem, row), episodes=2)
    for _ in range(2):
        trained.step()
    _check_structure(row, trained.candidates()[0].params, network)


def test_a_run_begins_with_the_graph_of_a_champion(tmp_path: Path) -> None:
    options: dict[str, Any] = {"method": "backprop", "network": "graph", "video": False}
    first = evo.run("xor", generations=1, out=tmp_path / "first", **options)
    row = layered_wiring(np.random.default_rng(0), 2, 4, 2).row().astype(np.float32)
    grown = evo.Champion.from_arrays(first.champion.arrays() | {"params": row}, "grown")
    grown.save(tmp_path / "grown.npz")
    more: dict[str, Any] = {"settings": ["method.learning_rate=0.02"], "start": tmp_path / "grown.npz"}
    whole = evo.run("xor", generations=300, out=tmp_path / "whole", **options, **more)
    _check_structure(row, whole.champion.params, whole.champion.network)
    assert whole.champion.reported_fitness.mean == 1.0
    assert whole.champion.verify().exact
    evo.run("xor", generations=100, out=tmp_path / "parts", **options, **more)
    resumed = evo.resume(tmp_path / "parts", generations=300, video=False)
    assert resumed.champion.digest == whole.champion.digest
