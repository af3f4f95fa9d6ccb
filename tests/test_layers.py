"""Layers against torch's, against themselves one step at a time, and against finite differences."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evo.autodiff import Program, Tape
from evo.networks import CTRNN, GRU, LSTM, Dense, Layer, Network, Recurrent
from evo.networks.sequential import propagate

TORCH = np.load(Path(__file__).parent / "fixtures" / "layers.npz")
RECURRENT: dict[str, type[Any]] = {"recurrent": Recurrent, "lstm": LSTM, "gru": GRU}
DIFFERENTIABLE: dict[str, list[Layer]] = {
    "dense": [Dense(5, "tanh")],
    **{name: [layer(5)] for name, layer in RECURRENT.items()},
    "ctrnn": [CTRNN(5)],
    "two": [LSTM(4), Dense(3, "relu"), GRU(2)],
}


def weighted(network: Network, weights: np.ndarray, dtype: Any) -> tuple[Program, Any, Any]:
    """The sum of a network's outputs on sequences, (steps, batch, outputs), each times its weight."""
    steps, batch, _ = weights.shape
    tape = Tape(network.size, dtype)
    inputs, factors = tape.input(steps * batch, network.inputs), tape.input(steps * batch, network.outputs)
    outputs = network.apply(tape, inputs, 0, steps)
    program = tape.program((outputs * factors).total().mean() * float(steps * batch))
    program.value(factors)[:] = weights.reshape(steps * batch, -1)
    return program, inputs, outputs


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-10)])
@pytest.mark.parametrize("name", RECURRENT)
def test_a_recurrent_layer_equals_torchs(name: str, dtype: Any, tolerance: float) -> None:
    expected = {key: TORCH[f"{name}/{key}"] for key in ("parameters", "inputs", "outputs", "weights", "gradient")}
    steps, batch, width = expected["inputs"].shape
    network = Network([RECURRENT[name](expected["outputs"].shape[2])], width, name, False)
    assert network.size == len(expected["parameters"])
    program, inputs, outputs = weighted(network, expected["weights"], dtype)
    program.parameters[:] = expected["parameters"]
    program.value(inputs)[:] = expected["inputs"].reshape(steps * batch, width)
    program.forward()
    found = program.value(outputs).reshape(expected["outputs"].shape)
    np.testing.assert_allclose(found, expected["outputs"], rtol=tolerance, atol=tolerance)
    program.backward()
    error = np.linalg.norm(program.gradient - expected["gradient"]) / np.linalg.norm(expected["gradient"])
    assert error < tolerance


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_gradients_are_finite_differences(name: str) -> None:
    network, rng = Network(DIFFERENTIABLE[name], 3, name, False), np.random.default_rng(4)
    program, inputs, _ = weighted(network, rng.normal(size=(4, 2, network.outputs)), np.float64)
    params = rng.normal(size=network.size) * 0.7
    program.parameters[:], program.value(inputs)[:] = params, rng.normal(size=(8, 3))
    program.forward()
    program.backward()
    gradient, differences, small = program.gradient.copy(), np.zeros(network.size), 1e-6
    for index in range(network.size):
        both = []
        for way in (small, -small):
            program.parameters[:] = params
            program.parameters[index] += way
            both.append(program.forward())
        differences[index] = (both[0] - both[1]) / (2 * small)
    np.testing.assert_allclose(gradient, differences, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_one_step_after_the_other_is_the_whole_sequence(name: str) -> None:
    """And an episode that begins anew, with its memory zeroed, repeats itself."""
    network, rng = Network(DIFFERENTIABLE[name], 3, name, False), np.random.default_rng(5)
    params, seen = network.initial(rng).astype(np.float32), rng.normal(size=(6, 2, 3))
    program, inputs, outputs = weighted(network, np.ones((6, 2, network.outputs)), np.float32)
    program.parameters[:], program.value(inputs)[:] = params, seen.reshape(12, 3)
    program.forward()
    expected = program.value(outputs).reshape(6, 2, -1)
    memory, scratch = np.zeros(network.memory_size, np.float32), np.zeros(network.scratch_size, np.float32)
    for _ in range(2):
        for one in range(2):
            memory[:] = 0
            for step in range(6):
                found = np.zeros(network.outputs)
                propagate(network.plan, params, memory, scratch, seen[step, one], np.zeros(3), np.ones(3), found)
                np.testing.assert_allclose(found, expected[step, one], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("layer", [Recurrent, LSTM, GRU, CTRNN])
def test_a_layer_that_remembers_answers_otherwise_the_second_time(layer: type[Any]) -> None:
    network = Network([layer(4)], 2, "", False)
    params = network.initial(np.random.default_rng(0)).astype(np.float32)
    memory, scratch, found = np.zeros(network.memory_size, np.float32), np.zeros(network.scratch_size, np.float32), []
    for _ in range(2):
        outputs = np.zeros(4)
        propagate(network.plan, params, memory, scratch, np.ones(2), np.zeros(2), np.ones(2), outputs)
        found.append(outputs)
    assert not np.allclose(*found)
    assert len(network.neurons) == network.size
    assert set(network.neurons) == set(range(4))
    with pytest.raises(ValueError, match="at least one unit"):
        layer(0)
