"""Layers against torch's, against themselves one step at a time, and against finite differences."""

from typing import Any

import numpy as np
import pytest

import evo
from evo.autodiff import Program, Tape
from evo.envs.engine.random import streams
from evo.evaluation.collector import Collector
from evo.evaluation.workers import Threads
from evo.networks import CTRNN, GRU, LSTM, Dense, Layer, Network, Recurrent, Shape
from evo.networks.network import propagate
from evo.problems.control import Walking
from tests.support.places import FIXTURES

TORCH = np.load(FIXTURES / "layers.npz")
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


def lived(network: Network, params: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The outputs for one sequence (steps, inputs), one compiled step after the other."""
    memory, scratch = np.zeros(network.memory_size, np.float32), np.zeros(network.scratch_size, np.float32)
    found = np.zeros((len(seen), network.outputs))
    for observation, outputs in zip(seen, found, strict=True):
        nothing, one = np.zeros(network.inputs), np.ones(network.inputs)
        propagate(network.plan, params.astype(np.float32), memory, scratch, observation, nothing, one, np.inf, outputs)
    return found


@pytest.mark.parametrize("name", RECURRENT)
def test_the_step_of_a_recurrent_layer_equals_torchs(name: str) -> None:
    expected = {key: TORCH[f"{name}/{key}"] for key in ("parameters", "inputs", "outputs")}
    network = Network([RECURRENT[name](expected["outputs"].shape[2])], expected["inputs"].shape[2], name, False)
    for place in range(expected["inputs"].shape[1]):
        found = lived(network, expected["parameters"], expected["inputs"][:, place])
        np.testing.assert_allclose(found, expected["outputs"][:, place], rtol=1e-5, atol=1e-5)


def test_a_ctrnn_equals_its_plain_twin() -> None:
    """Beer 1995, equation 1, by Euler's method."""
    network, rng = Network([CTRNN(4)], 3, "", False), np.random.default_rng(7)
    params, seen = rng.normal(size=network.size), rng.normal(size=(8, 3))
    heard, own, theta, rates = np.split(params, [12, 28, 32])
    tau, membrane, expected = 1 + np.exp(-rates), np.zeros(4), []
    for observation in seen:
        firing = np.tanh(membrane + theta)
        membrane = membrane + (observation @ heard.reshape(3, 4) + firing @ own.reshape(4, 4) - membrane) / tau
        expected.append(np.tanh(membrane + theta))
    np.testing.assert_allclose(lived(network, params, seen), expected, rtol=1e-5, atol=1e-5)
    first = 1 + np.exp(-CTRNN(5000).initial((1,), rng)[-5000:])
    assert 1.1 <= first.min() < 1.2
    assert 9.9 < first.max() <= 10


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_one_step_after_the_other_is_the_whole_sequence(name: str) -> None:
    network, rng = Network(DIFFERENTIABLE[name], 3, name, False), np.random.default_rng(5)
    params, seen = rng.normal(size=network.size) * 0.5, rng.normal(size=(6, 2, 3))
    program, inputs, outputs = weighted(network, np.ones((6, 2, network.outputs)), np.float32)
    program.parameters[:], program.value(inputs)[:] = params, seen.reshape(12, 3)
    program.forward()
    expected = program.value(outputs).reshape(6, 2, -1)
    for place in range(2):
        np.testing.assert_allclose(lived(network, params, seen[:, place]), expected[:, place], rtol=1e-5, atol=1e-5)


def _shifted(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    for index in range(outputs.size):
        outputs[index] = inputs[index] + numbers[0] * numbers[1] + numbers[2]


class Shifted(Layer):
    """A layer with numbers of its own: it adds 2 × 3 + 1."""

    @property
    def step(self) -> Any:
        return _shifted

    def shape(self, inputs: Shape) -> Shape:
        return inputs

    def numbers(self, inputs: Shape) -> tuple[int, ...]:
        return 2, 3, 1


def test_a_layer_has_its_numbers() -> None:
    network = Network([Dense(3), Shifted(), Dense(3)], 3, "", False)
    params = np.concatenate([np.eye(3).ravel(), np.zeros(3)] * 2)
    assert lived(network, params, np.arange(3.0)[np.newaxis]).tolist() == [[7.0, 8.0, 9.0]]


@pytest.mark.parametrize("units", [1, 3])
def test_who_remembers_acts_alike_wherever_it_lives(units: int) -> None:
    """In scored episodes, step by step for a learner, and in anyone's own loop: it forgets where an episode ends."""
    task = evo.task("cartpole", steps=40)
    network = Network([CTRNN(units), Shifted(), Dense(1)], task.observation_size, "", False)
    params = np.random.default_rng(3).normal(size=network.size).astype(np.float32)
    problem = Walking(task, network, Threads(1))
    one = problem.rollout(params, 5, problem.no_statistics())
    expected = np.clip(lived(network, params, one.observations[:-1]), task.action_low, task.action_high)
    np.testing.assert_array_equal(one.actions, expected)
    seeds = np.array([5, 6, 5])
    assert problem.returns(np.stack([params, params]), seeds)[:, [0, 2]].tolist() == [[one.total] * 2] * 2

    collector = Collector(task, network, 1, 100, Threads(1))
    blocks = collector.begin(streams(np.arange(1)))
    _, seen = collector.collect(blocks, params, np.zeros(4), np.ones(4))
    ends = np.flatnonzero(seen.marks[0])
    assert len(ends) > 1
    for first, last in zip([0, *(ends[:-1] + 1)], ends, strict=True):
        observations = seen.observations[0, first : last + 1].astype(np.float64)
        np.testing.assert_allclose(
            seen.actions[0, first : last + 1], lived(network, params, observations), rtol=1e-4, atol=1e-4
        )


def test_what_is_no_sequence_is_refused() -> None:
    network, tape = Network([LSTM(2)], 3, "", False), Tape(network_size := 2 * 4 * 6)
    assert network.size == network_size
    with pytest.raises(ValueError, match="10 rows are not a batch in each of 3 steps"):
        network.apply(tape, tape.input(10, 3), 0, 3)
    with pytest.raises(ValueError, match="do not fit a hidden state"):
        tape.empty(2, 3).lstm(tape.empty(2, 2), tape.empty(2, 1))
    with pytest.raises(ValueError, match="which does not fit"):
        tape.input(8, 4).tanh(tape.empty(1, 1))
    for fixed in (tape.input(2, 4), tape.constant(0.0, 2, 4), tape.parameters(0, 2, 4)):
        with pytest.raises(ValueError, match="would take the place of parameters, an input or a constant"):
            fixed.add_affine(tape.parameters(0, 3, 4), tape.input(2, 3))


@pytest.mark.parametrize("layer", [Recurrent, LSTM, GRU, CTRNN])
def test_a_layer_that_remembers_answers_otherwise_the_second_time(layer: type[Any]) -> None:
    network = Network([layer(4)], 2, "", False)
    params = network.initial(np.random.default_rng(0)).astype(np.float32)
    memory, scratch, found = np.zeros(network.memory_size, np.float32), np.zeros(network.scratch_size, np.float32), []
    for _ in range(2):
        outputs = np.zeros(4)
        propagate(network.plan, params, memory, scratch, np.ones(2), np.zeros(2), np.ones(2), np.inf, outputs)
        found.append(outputs)
    assert not np.allclose(*found)
    assert len(network.neurons) == network.size
    assert set(network.neurons) == set(range(4))
    with pytest.raises(ValueError, match="at least one unit"):
        layer(0)
