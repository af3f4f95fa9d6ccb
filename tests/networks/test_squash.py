"""The action layer with tanh: what it computes, its gradient, and what its text means for a task."""

import math
from typing import Any

import numpy as np
import pytest

import evo
from evo.autodiff import Tape
from evo.networks import Dense, Sequential, Squash, network_for_task, network_from_text
from evo.networks.network import propagate

LOW, HIGH = np.array([-2.0, 0.0, -0.4]), np.array([2.0, 1.0, 0.6])


def outputs_of(network: Any, params: np.ndarray, observation: np.ndarray) -> np.ndarray:
    out, scratch = np.zeros(network.outputs), np.zeros(network.scratch_size, np.float32)
    identity = np.zeros(network.inputs), np.ones(network.inputs), math.inf
    propagate(network.plan, params, np.zeros(network.memory_size, np.float32), scratch, observation, *identity, out)
    return out


def test_it_is_tanh_scaled_to_the_range() -> None:
    network = network_from_text("dense:5:relu>squash", 4, 3, bounds=(LOW, HIGH))
    rng = np.random.default_rng(0)
    params = rng.normal(size=network.size).astype(np.float32)
    weights, bias = (params[block.place].reshape(block.shape) for block in network.layout()[-2:])
    first, offset = (params[block.place].reshape(block.shape) for block in network.layout()[:2])
    for scale in (1.0, 100.0):
        observation = rng.normal(size=4) * scale
        hidden = np.maximum(observation @ first + offset, 0.0)
        expected = 0.5 * (LOW + HIGH) + 0.5 * (HIGH - LOW) * np.tanh(hidden @ weights + bias)
        np.testing.assert_allclose(outputs_of(network, params, observation), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-6)])
def test_apply_equals_step_and_its_gradient_differences(dtype: Any, tolerance: float) -> None:
    network, rng = network_from_text("squash", 4, 3, bounds=(LOW, HIGH)), np.random.default_rng(1)
    params, observations = rng.normal(size=network.size).astype(np.float32), rng.normal(size=(6, 4))
    tape = Tape(network.size, dtype)
    inputs = tape.input(6, 4)
    out = network.apply(tape, inputs, 0, 1)
    program = tape.program((out * out).mean())
    program.parameters[:], program.value(inputs)[:] = params, observations
    program.forward()
    for row, observation in zip(program.value(out), observations, strict=True):
        np.testing.assert_allclose(row, outputs_of(network, params, observation), rtol=1e-5, atol=1e-6)
    program.backward()
    if dtype is np.float64:
        gradient = program.gradient.copy()
        for index in range(network.size):
            losses = []
            for step in (1e-6, -1e-6):
                program.parameters[index] += step
                losses.append(program.forward())
                program.parameters[index] -= step
            assert gradient[index] == pytest.approx((losses[0] - losses[1]) / 2e-6, abs=tolerance)


def test_the_task_gives_the_range() -> None:
    task = evo.task("pendulum", max_torque=0.7)
    network = network_for_task("mlp:8:relu>squash", task)
    last = network.layers[-1]
    assert isinstance(last, Squash)
    assert (last.low, last.high) == ((-0.7,), (0.7,))
    assert network.text == "mlp:8:relu>squash"
    assert not network.initial(np.random.default_rng(0))[-9:].any()  # a creature begins at rest
    assert evo.network("squash", task).size == 3 + 1
    assert evo.network(Sequential(Dense(8, "relu"), Squash()), task).size == network.size


def test_a_champion_with_it_is_replayed_and_trained_by_evolution(tmp_path: Any) -> None:
    few = {"evaluation.selection_episodes": 2, "evaluation.report_episodes": 2, "network.layers": "mlp:4>squash"}
    run = evo.run("pendulum", generations=2, seed=1, out=tmp_path / "run", video=False, settings=few)
    assert run.champion.verify().exact
    assert run.champion.network_text == "mlp:4>squash"


@pytest.mark.parametrize(
    ("text", "bounds", "message"),
    [
        ("squash", None, "'squash' stands at the end, and scales to the actions of a task that takes numbers"),
        ("squash>dense:3", (LOW, HIGH), "'squash' stands at the end"),
        ("squash:2", (LOW, HIGH), "'squash' takes nothing after it, got 'squash:2'"),
        ("squash", (LOW, HIGH * math.inf), "the task has an action without bounds"),
    ],
)
def test_where_it_does_not_fit_it_is_refused(text: str, bounds: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        network_from_text(text, 4, 3, bounds=bounds)


@pytest.mark.parametrize(
    "given", [{"settings": {"network.layers": "mlp:4>squash"}}, {"method": "sac"}, {"method": "td3"}]
)
def test_choices_have_no_range(given: Any) -> None:
    task = evo.task("cartpole", discrete=True)
    message = (
        r"^network.layers: '.*>squash' ends in squash, .* sac and td3; this task takes one of 2 choices: for example"
    )
    with pytest.raises(evo.EvoError, match=message):
        evo.run(task, generations=1, **given)
