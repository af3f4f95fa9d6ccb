"""Layers that biology suggests, against torch and against plain twins written from their papers."""

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evo.autodiff import Tape
from evo.networks import Dense, Hebbian, Layer, Network, PatternGenerator, Spiking, network_from_text
from evo.networks.network import propagate
from evo.optimizers import Adam
from evo.testing import check_network
from tests.support.places import FIXTURES

TORCH = np.load(FIXTURES / "spiking.npz")
LAYERS: list[tuple[Layer, str]] = [
    (Spiking(1), "spiking:1"),
    (Spiking(7), "spiking:7"),
    (Hebbian(1), "hebbian:1"),
    (Hebbian(5), "hebbian:5"),
    (Hebbian(3, "linear"), "hebbian:3:linear"),
    (Hebbian(3, "relu"), "hebbian:3:relu"),
    (Hebbian(6, "elu"), "hebbian:6:elu"),
    (PatternGenerator(1), "cpg:1"),
    (PatternGenerator(6), "cpg:6"),
]
TWINS_STEPS = 25


def lived(layer: Layer, params: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The outputs (steps, outputs) for inputs (steps, inputs), from an empty memory on."""
    network = Network([layer], seen.shape[1], "", False)
    memory, scratch = np.zeros(network.memory_size, np.float32), np.zeros(network.scratch_size, np.float32)
    found, zero, one = np.zeros((len(seen), network.outputs)), np.zeros(network.inputs), np.ones(network.inputs)
    for inputs, outputs in zip(seen, found, strict=True):
        propagate(network.plan, params.astype(np.float32), memory, scratch, inputs, zero, one, np.inf, outputs)
    return found


def drawn(layer: Layer, inputs: int, steps: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Parameters somewhat away from the initial ones, and inputs; numbers that float32 holds."""
    rng = np.random.default_rng(seed)
    params = layer.initial((inputs,), rng) + 0.3 * rng.normal(size=layer.size((inputs,)))
    return params.astype(np.float32).astype(float), rng.normal(size=(steps, inputs)).astype(np.float32).astype(float)


@pytest.mark.parametrize(("layer", "text"), LAYERS)
def test_a_layer_keeps_its_promises_and_is_what_it_writes(layer: Layer, text: str) -> None:
    for inputs in (1, 4, 9):
        check_network(layer, (inputs,))
    check_network([Dense(3, "tanh"), layer, Dense(2)], (5,))
    assert layer.text == text
    network = network_from_text(text, 4, 2)
    assert network.layers[0] == layer
    assert isinstance(network.layers[1], Dense)
    assert network_from_text(f"{text}>dense:2", 4, 2).size == network.size
    units = layer.neurons((4,))
    assert set(units) == set(range(layer.shape((4,))[0]))
    with pytest.raises(ValueError, match="takes a row of features, not 2 × 2: flatten them first"):
        layer.shape((2, 2))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("spiking", "'spiking' needs the widths of its layers, as in 'spiking:32'; got 'spiking:'"),
        ("spiking:3:relu", "'spiking:3:relu': its units take no 'relu'"),
        ("hebbian:0", "'hebbian' needs the widths of its layers, as in 'hebbian:32'; got 'hebbian:0'"),
        ("hebbian:3:swish", "'swish' is not an activation (linear, tanh, relu, elu)"),
        ("hebbian:3:relu:he", "'hebbian:3:relu:he': 'he' is not an activation"),
        ("cpg", "'cpg' needs the widths of its layers, as in 'cpg:32'; got 'cpg:'"),
        ("cpg:3:relu", "'cpg:3:relu': its units take no 'relu'"),
    ],
)
def test_a_wrong_text_is_explained(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        network_from_text(text, 3, 2)


def test_a_layer_refuses_what_it_cannot_be() -> None:
    with pytest.raises(ValueError, match="a recurrent layer needs at least one unit, got 0"):
        Spiking(0)
    with pytest.raises(ValueError, match="a Hebbian layer needs at least one unit, got 0"):
        Hebbian(0)
    with pytest.raises(ValueError, match="unknown activation 'sine'; one of linear, tanh, relu, elu"):
        Hebbian(3, "sine")
    with pytest.raises(ValueError, match="a pattern generator needs at least one oscillator, got -1"):
        PatternGenerator(-1)


@pytest.mark.parametrize("layer", [Hebbian(3), PatternGenerator(3)])
def test_what_has_no_gradient_says_so(layer: Layer) -> None:
    tape = Tape(layer.size((4,)))
    assert not layer.differentiable
    with pytest.raises(ValueError, match=f"{type(layer).__name__} has no gradient"):
        Network([layer], 4, "", False).apply(tape, tape.input(6, 4), 0, 3)


@pytest.mark.parametrize(("layer", "text"), LAYERS)
def test_a_layer_forgets_where_an_episode_ends(layer: Layer, text: str) -> None:
    """And before that it remembers: to the same inputs it answers otherwise."""
    params, _ = drawn(layer, 4, 1, 3)
    found = lived(layer, params, np.ones((12, 4)))
    assert not np.array_equal(found[0], found[-1])
    assert np.array_equal(lived(layer, params, np.ones((12, 4))), found)


# Bounded, whatever evolves


@settings(max_examples=25)
@given(
    which=st.sampled_from([layer for layer, _ in LAYERS]),
    size=st.sampled_from([1.0, 30.0, 1e3, 1e6, 1e27]),
    loud=st.sampled_from([0.1, 1.0, 100.0]),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_layer_stays_in_bounds(which: Layer, size: float, loud: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    params = size * rng.standard_cauchy(which.size((3,))).clip(-1e3, 1e3)
    seen = loud * rng.normal(size=(3000, 3))
    found = lived(which, params, seen)
    assert np.isfinite(found).all()
    if isinstance(which, Hebbian) and which.activation != "tanh":
        bias = params[3 * which.units : 4 * which.units]
        limit = np.abs(seen).sum(axis=1, keepdims=True) + np.abs(bias)  # no weight is above 1
    else:
        limit = np.ones((1, 1))
    assert (np.abs(found) <= limit * (1 + 1e-5)).all()


# Spiking


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-10)])
def test_spiking_equals_torchs(dtype: Any, tolerance: float) -> None:
    expected, weights = TORCH["outputs"], TORCH["weights"]
    steps, batch, units = expected.shape
    network, tape = Network([Spiking(units)], 4, "", False), Tape(len(TORCH["parameters"]), dtype)
    inputs, factors = tape.input(steps * batch, 4), tape.input(steps * batch, units)
    outputs = network.apply(tape, inputs, 0, steps)
    program = tape.program((outputs * factors).total().mean() * float(steps * batch))
    program.parameters[:], program.value(factors)[:] = TORCH["parameters"], weights.reshape(factors.shape)
    program.value(inputs)[:] = TORCH["inputs"].reshape(inputs.shape)
    program.forward()
    found = program.value(outputs).reshape(expected.shape)
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
    program.backward()
    error = np.linalg.norm(program.gradient - TORCH["gradient"]) / np.linalg.norm(TORCH["gradient"])
    assert error < tolerance


def test_the_step_of_spiking_equals_torchs() -> None:
    expected = TORCH["outputs"]
    for place in range(expected.shape[1]):
        found = lived(Spiking(expected.shape[2]), TORCH["parameters"], TORCH["inputs"][:, place])
        np.testing.assert_allclose(found, expected[:, place], rtol=1e-5, atol=1e-5)


def test_spiking_learns_by_its_surrogate_gradient() -> None:
    """To follow a slow mean of its input; a third better, at least, than where only the layer that hears it learns."""
    steps, batch, rng = 20, 16, np.random.default_rng(3)
    seen = rng.normal(size=(steps, batch, 1))
    slow = np.zeros((steps, batch))
    for time in range(1, steps):
        slow[time] = 0.7 * slow[time - 1] + 0.3 * seen[time, :, 0]
    network = Network([Spiking(12), Dense(1)], 1, "", False)
    tape = Tape(network.size)
    inputs, targets = tape.input(steps * batch, 1), tape.input(steps * batch, 1)
    error = network.apply(tape, inputs, 0, steps) - targets
    program = tape.program((error * error).mean())
    program.value(inputs)[:], program.value(targets)[:] = seen.reshape(-1, 1), slow.reshape(-1, 1)
    first, losses = network.initial(rng), {}
    for frozen in (0, network.sizes[0]):
        program.parameters[:], adam = first, Adam(network.size, 0.01)
        for _ in range(1000):
            program.forward()
            program.backward()
            program.gradient[:frozen] = 0
            program.parameters[:] += adam.step(-program.gradient.astype(float))
        losses[frozen] = program.forward() / slow.var()
    assert losses[0] < 2 / 3 * losses[network.sizes[0]]  # measured on four seeds: 0.27 to 0.49 of it


def test_spiking_begins_as_it_says() -> None:
    units = 4000
    heard, own, bias, leaks, decays = np.split(
        Spiking(units).initial((9,), np.random.default_rng(1)), np.cumsum([9 * units, units * units, units, units])
    )
    shares = 1 / (1 + np.exp(-leaks)), 1 / (1 + np.exp(-decays))
    for share, low, high in zip(shares, (0.5, 0.1), (0.9, 0.5), strict=True):
        assert low <= share.min() < low + 0.01 and high - 0.01 < share.max() <= high
    assert np.std(heard) * 3 == pytest.approx(1.0, abs=0.02)
    assert not own.any()
    params, rng = np.concatenate([heard, own, bias, leaks, decays]), np.random.default_rng(2)
    small = Spiking(64)
    traces = lived(small, small.initial((9,), rng), rng.normal(size=(400, 9)))
    assert -0.3 < traces.mean() < 0.3  # a trace of 0 is a spike every other step
    assert len(params) == Spiking(units).size((9,))


def test_operations_of_spikes_refuse_what_does_not_fit() -> None:
    tape = Tape(3)
    keeping, membrane = tape.parameters(0, 1, 3), tape.input(2, 3)
    with pytest.raises(ValueError, match=re.escape("current (2, 4), (1, 3) and membrane (2, 3) do not fit")):
        tape.input(2, 4).leak(keeping, membrane)
    with pytest.raises(ValueError, match=re.escape("spikes (1, 3), (1, 3) and trace (2, 3) do not fit")):
        tape.input(1, 3).trace(keeping, membrane, membrane)


# Hebbian


def hebbian(params: np.ndarray, seen: np.ndarray, units: int, function: Any) -> np.ndarray:
    """Najarro & Risi 2020, equation 1, beginning with evolved weights."""
    size, found = seen.shape[1] * units, []
    weights, bias, eta, A, B, C, D = np.split(params, np.cumsum([size, units, size, size, size, size]))
    eta, A, B, C, D = (each.reshape(-1, units) for each in (eta, A, B, C, D))
    weights = weights.reshape(-1, units)
    for before in seen:
        weights = weights / max(1.0, np.abs(weights).max())
        after = function(before @ weights + bias)
        pre, post = before[:, np.newaxis], after[np.newaxis]
        weights = weights + eta * (A * pre * post + B * pre + C * post + D)
        found.append(after)
    return np.array(found)


FUNCTIONS = {
    "linear": lambda sums: sums,
    "tanh": np.tanh,
    "relu": lambda sums: np.maximum(sums, 0),
    "elu": lambda sums: np.where(sums > 0, sums, np.expm1(np.minimum(sums, 0))),
}


@pytest.mark.parametrize("activation", FUNCTIONS)
def test_hebbian_equals_its_plain_twin(activation: str) -> None:
    layer = Hebbian(4, activation)
    params, seen = drawn(layer, 3, TWINS_STEPS, 5)
    expected = hebbian(params, seen, 4, FUNCTIONS[activation])
    np.testing.assert_allclose(lived(layer, params, seen), expected, rtol=1e-4, atol=1e-5)
    assert np.abs(expected - expected[0]).max() > 0.1


@pytest.mark.parametrize("activation", FUNCTIONS)
def test_a_hebbian_layer_that_does_not_learn_is_a_dense_layer(activation: str) -> None:
    layer, rng = Hebbian(4, activation), np.random.default_rng(6)
    params = np.concatenate([rng.uniform(-1, 1, 4 * 4), np.zeros(12), rng.normal(size=4 * 12)])
    seen = rng.normal(size=(20, 3))
    assert np.array_equal(lived(layer, params, seen), lived(Dense(4, activation), params[:16], seen))


def test_all_rules_of_a_synapse_belong_to_the_unit_it_leads_into() -> None:
    units = Hebbian(4).neurons((3,))
    synapses, bias, rules = np.split(units, [12, 16])
    assert synapses.reshape(3, 4).tolist() == [[0, 1, 2, 3]] * 3
    assert bias.tolist() == [0, 1, 2, 3]
    assert rules.reshape(5, 3, 4).tolist() == [synapses.reshape(3, 4).tolist()] * 5


# Central pattern generator


def pattern(params: np.ndarray, seen: np.ndarray, count: int) -> np.ndarray:
    """Ijspeert et al. 2007, by Euler's method, all derivatives from the state before; phases unwrapped."""
    heard, bias, frequencies, w, phi = np.split(params, np.cumsum([seen.shape[1] * count, count, count, count * count]))
    w, phi, nu = w.reshape(count, count), phi.reshape(count, count), 0.25 / (1 + np.exp(-frequencies))
    theta, r, speed, found = np.zeros(count), np.zeros(count), np.zeros(count), []
    for inputs in seen:
        aim = 1 / (1 + np.exp(-(inputs @ heard.reshape(-1, count) + bias)))
        pull = r[:, np.newaxis] * w * np.sin(theta[:, np.newaxis] - theta - phi)
        by_phase, by_speed = 2 * np.pi * nu + pull.sum(axis=0), (aim - r) / 4 - speed
        theta, r, speed = theta + by_phase, r + speed, speed + by_speed
        found.append(r * np.cos(theta))
    return np.array(found)


@pytest.mark.parametrize("count", [1, 2, 6])
def test_a_pattern_generator_equals_its_plain_twin(count: int) -> None:
    params, seen = drawn(PatternGenerator(count), 3, TWINS_STEPS, 7)
    expected = pattern(params, seen, count)
    np.testing.assert_allclose(lived(PatternGenerator(count), params, seen), expected, rtol=1e-4, atol=1e-5)


def test_oscillators_find_their_phases() -> None:
    """Coupled, those of the same frequency come to the phase biases; uncoupled they stay together."""
    count, seen = 4, np.zeros((400, 1))
    parts = np.array([0.0, 1.0, 2.5, 4.0])
    biases = (parts[:, np.newaxis] - parts).ravel()
    for coupling, expected in ((0.1, parts), (0.0, np.zeros(count))):
        params = np.concatenate([np.zeros(3 * count), np.full(count * count, coupling), biases])
        found = lived(PatternGenerator(count), params, seen)[-8:]  # a turn at 1 / 8 turn a step
        wave = np.exp(-2j * np.pi * np.arange(8) / 8) @ found
        np.testing.assert_allclose(np.abs(wave) / 4, 0.5, atol=1e-3)
        between = np.angle(wave / wave[0] * np.exp(-1j * expected))
        np.testing.assert_allclose(between, 0.0, atol=1e-3)


def test_a_pattern_generator_begins_at_the_pace_of_a_walk() -> None:
    count = 500
    params = PatternGenerator(count).initial((2,), np.random.default_rng(1))
    frequencies = 0.25 / (1 + np.exp(-params[3 * count : 4 * count]))
    assert 0.05 <= frequencies.min() < 0.06 and 0.14 < frequencies.max() <= 0.15
