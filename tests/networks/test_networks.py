"""Networks against a plain NumPy twin, and what their text forms, parameters and memory promise."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import evo.networks
from evo.networks import NETWORKS, Dense, Layer, Network, Residual, Shape, layers, network_from_text
from evo.networks.network import act, propagate
from evo.networks.parsing import Word
from evo.numerics.activations import ACTIVATIONS as NAMES
from evo.numerics.activations import elu, relu, tanh

Floats = NDArray[Any]

ROUNDING = 2.0**-24  # of float32, relative
TANH_ULP = 6  # units in the last place; 5.72 at most on the grid below


class Acting:
    """A network with its scratch and memory, called from Python."""

    def __init__(self, network: Network, params: Floats) -> None:
        self.network, self.params = network, params.astype(np.float32)
        self.memory = np.zeros(network.memory_size, np.float32)
        self.scratch = np.zeros(network.scratch_size, np.float32)

    def _given(self, obs: Floats, mean: Floats | None, scale: Floats | None) -> tuple[Any, ...]:
        size, clip = self.network.inputs, self.network.clip_observation
        mean, scale = np.zeros(size) if mean is None else mean, np.ones(size) if scale is None else scale
        return self.network.plan, self.params, self.memory, self.scratch, np.asarray(obs, np.float64), mean, scale, clip

    def unbounded(self, obs: Floats, mean: Floats | None = None, scale: Floats | None = None) -> Floats:
        action = np.zeros(self.network.outputs)
        propagate(*self._given(obs, mean, scale), action)
        return action

    def clipped(self, obs: Floats, low: Floats, high: Floats) -> Floats:
        action = np.zeros(self.network.outputs)
        act(*self._given(obs, None, None), low, high, 0, action.copy(), action)
        return action


# The plain twin: float64, and beside each value a bound on what float32 may do to it

ACTIVATIONS: dict[str, Callable[[Floats], Floats]] = {
    "linear": lambda x: x,
    "tanh": lambda x: np.tanh(x),
    "relu": lambda x: np.maximum(x, 0.0),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0.0))),
}
# Relative error of an activation itself; none of them steepens an error in its input.
ACTIVATION_ERRORS = {"linear": 0.0, "relu": 0.0, "tanh": 2 * TANH_ULP * ROUNDING, "elu": 4 * ROUNDING}


def twin(network: Network, params: Floats, obs: Floats) -> tuple[Floats, Floats]:
    """The output in float64 and the most by which float32 may differ from it (Higham 2002, section 3.1)."""
    params = params.astype(np.float32).astype(np.float64)
    values = obs.astype(np.float64)
    errors, at = np.abs(values) * ROUNDING, 0
    for layer in network.layers:
        assert isinstance(layer, Dense)
        rows, columns = len(values), layer.outputs
        weights = params[at : at + rows * columns].reshape(rows, columns)
        at += rows * columns
        bias = params[at : at + columns] if layer.bias else np.zeros(columns)
        at += len(bias) if layer.bias else 0
        size = np.abs(bias) + (np.abs(values) + errors) @ np.abs(weights)
        errors = errors @ np.abs(weights) + size * 1.01 * (rows + 1) * ROUNDING
        values = ACTIVATIONS[layer.activation](bias + values @ weights)
        errors = errors + (np.abs(values) + errors) * ACTIVATION_ERRORS[layer.activation]
    assert at == network.size
    return values, errors


def random_networks() -> list[Network]:
    rng = np.random.default_rng(5)
    found = [network_from_text("linear", int(inputs), int(outputs)) for inputs, outputs in rng.integers(1, 40, (8, 2))]
    for activation in NAMES:
        for depth in range(1, 5):
            widths = ",".join(str(width) for width in rng.integers(1, 70, depth))
            inputs, outputs = rng.integers(1, 40, 2)
            found.append(network_from_text(f"mlp:{widths}:{activation}", int(inputs), int(outputs)))
    return found


@pytest.mark.parametrize("network", random_networks(), ids=lambda network: network.text)
def test_a_network_equals_its_plain_twin_to_rounding(network: Network) -> None:
    rng = np.random.default_rng(6)
    for scale in (0.01, 0.3, 3.0):
        params = rng.normal(size=network.size) * scale
        acting = Acting(network, params)
        for obs in rng.normal(size=(20, network.inputs)):
            expected, bound = twin(network, params, obs)
            assert np.all(np.abs(acting.unbounded(obs) - expected) <= bound)


def test_the_bound_would_catch_a_wrong_weight() -> None:
    network = network_from_text("mlp:16,16", 8, 3)
    rng = np.random.default_rng(0)
    params, obs = rng.normal(size=network.size) * 0.3, rng.normal(size=8)
    expected, bound = twin(network, params, obs)
    for index in rng.choice(network.size, 50, replace=False):
        wrong = params.copy()
        wrong[index] += 0.01
        if not np.all(np.abs(Acting(network, wrong).unbounded(obs) - expected) <= bound):
            break
    else:
        pytest.fail("no changed weight was noticed")


def test_observations_are_normalised_first() -> None:
    network = network_from_text("mlp:8", 5, 2, normalise=True)
    rng = np.random.default_rng(1)
    acting = Acting(network, rng.normal(size=network.size))
    obs, mean, scale = rng.normal(size=5) + 100, rng.normal(size=5) + 100, rng.uniform(0.5, 2, 5)
    assert np.array_equal(acting.unbounded(obs, mean, scale), acting.unbounded((obs - mean) * scale))


def test_normalised_observations_are_clipped_where_the_network_says_so() -> None:
    """The plain twin is numpy.clip; a number that is none stays what it is."""
    rng = np.random.default_rng(3)
    clipping = network_from_text("mlp:8", 5, 2, normalise=True, clip_observation=1.5)
    free = network_from_text("mlp:8", 5, 2, normalise=True)
    bare = network_from_text("mlp:8", 5, 2, clip_observation=1.5)  # normalises nothing, so clips nothing
    params = rng.normal(size=free.size)
    acting, unclipped, plain = Acting(clipping, params), Acting(free, params), Acting(bare, params)
    mean, scale, beyond = rng.normal(size=5), rng.uniform(0.5, 2, 5), 0
    for _ in range(20):
        obs = 3 * rng.normal(size=5)
        normalised = (obs - mean) * scale
        beyond += int((np.abs(normalised) > 1.5).sum())
        twin = np.clip(normalised, -1.5, 1.5)
        assert np.array_equal(acting.unbounded(obs, mean, scale), unclipped.unbounded(twin))
        assert np.array_equal(plain.unbounded(normalised), unclipped.unbounded(normalised))
    assert 20 < beyond < 80
    obs[2] = np.nan
    assert np.isnan(acting.unbounded(obs, mean, scale)).all()
    obs[2] = np.inf
    assert np.isfinite(acting.unbounded(obs, mean, scale)).all()
    for clip in (0.0, -1.0, np.nan):
        with pytest.raises(ValueError, match="clip_observation must be more than 0"):
            network_from_text("linear", 5, 2, clip_observation=clip)


def test_outputs_do_not_depend_on_the_width_they_are_computed_in() -> None:
    """Every unit sums in one order, so a unit alone equals the same unit among many."""
    rng = np.random.default_rng(2)
    for inputs in range(1, 12):
        weights, obs = rng.normal(size=(inputs, 37)).astype(np.float32), rng.normal(size=inputs)
        together = Acting(network_from_text("linear", inputs, 37), weights.ravel()).unbounded(obs)
        alone = [
            Acting(network_from_text("linear", inputs, 1), weights[:, unit].copy()).unbounded(obs)[0]
            for unit in range(37)
        ]
        in_order = np.zeros(37, np.float32)
        for value, row in zip(obs.astype(np.float32), weights, strict=True):
            in_order += value * row
        assert together.tolist() == alone
        assert together.tolist() == in_order.tolist()


# Activations


def _tanh_grid() -> Floats:
    small = np.geomspace(1e-30, 1e-2, 200_001)
    grid = np.concatenate([np.linspace(-12, 12, 2_000_001), small, -small])
    return grid.astype(np.float32)


def test_tanh_is_within_a_few_units_in_the_last_place() -> None:
    grid = _tanh_grid()
    found, exact = grid.copy(), np.tanh(grid.astype(np.float64))
    tanh(found)
    ulp = np.spacing(np.abs(exact).astype(np.float32)).astype(np.float64)
    errors = np.abs(found.astype(np.float64) - exact) / ulp
    assert errors.max() < TANH_ULP
    assert np.abs(found).max() <= 1.0


def test_tanh_is_odd_and_rises() -> None:
    grid = np.linspace(0, 12, 1_000_001).astype(np.float32)
    up, down = grid.copy(), -grid
    tanh(up)
    tanh(down)
    assert np.array_equal(up, -down)
    # a rational approximation may dip by its rounding, never by more
    assert np.diff(up.astype(np.float64)).min() >= -2 * TANH_ULP * ROUNDING


@pytest.mark.parametrize("activation", [tanh, relu, elu])
def test_activations_keep_what_is_not_a_number(activation: Any) -> None:
    values = np.array([np.nan, 0.0, -0.0, 1.0], np.float32)
    activation(values)
    assert np.isnan(values[0])
    assert np.isfinite(values[1:]).all()
    assert values[1] == 0.0


def test_activations_of_infinities() -> None:
    expected = {tanh: [1.0, -1.0], relu: [np.inf, 0.0], elu: [np.inf, -1.0]}
    for activation, results in expected.items():
        values = np.array([np.inf, -np.inf], np.float32)
        activation(values)
        assert values.tolist() == results


# Clipping


def test_act_clips_to_the_bounds() -> None:
    network = network_from_text("linear", 1, 5)
    acting = Acting(network, np.array([5.0, -5.0, 0.25, np.inf, 7.0]))
    low, high = np.array([-1, -0.5, -1, -1, -np.inf]), np.array([1, 0.5, 1, 0.75, np.inf])
    assert acting.clipped(np.ones(1), low, high).tolist() == [1.0, -0.5, 0.25, 0.75, 7.0]


def test_an_action_that_is_not_a_number_is_not_hidden_by_clipping() -> None:
    acting = Acting(network_from_text("linear", 1, 1), np.array([np.nan]))
    assert np.isnan(acting.clipped(np.ones(1), -np.ones(1), np.ones(1)))


# Text, parameters and memory


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("linear", 17 * 6),
        ("mlp:64,64", 18 * 64 + 65 * 64 + 65 * 6),
        ("mlp:1", 18 + 2 * 6),
        ("mlp:32:relu", 18 * 32 + 33 * 6),
    ],
)
def test_parameter_counts(text: str, size: int) -> None:
    network = network_from_text(text, 17, 6)
    assert network.size == size
    assert network.initial(np.random.default_rng(0)).shape == (size,)
    assert (network.inputs, network.outputs, network.text, network.memory_size) == (17, 6, text, 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lstn:3", "unknown network 'lstn:3'; did you mean 'lstm'"),
        ("lstm", "'lstm' needs the widths of its layers, as in 'lstm:32'; got 'lstm:'"),
        ("gru:3:relu", "'gru:3:relu': its units take no 'relu'"),
        ("mlp:8>dense:5", "'mlp:8>dense:5' ends in 5 numbers"),
        ("mlp:8>denes:2", "unknown network 'denes:2' in 'mlp:8>denes:2'"),
        ("lstm:8>>dense:2", "unknown network '' in 'lstm:8>>dense:2'"),
        ("linear>dense:2", "'linear' stands alone; in a chain it is dense:2"),
        ("", "unknown network ''; one of linear, mlp"),
        ("linear:4", "'linear' takes nothing after it, got 'linear:4'"),
        ("mlp", "'mlp' needs the widths of its hidden layers, as in 'mlp:64,64'; got 'mlp:'"),
        ("mlp:", "'mlp' needs the widths of its hidden layers"),
        ("mlp:a", "'mlp' needs the widths of its hidden layers"),
        ("mlp:8,", "'mlp' needs the widths of its hidden layers"),
        ("mlp:0", "'mlp' needs the widths of its hidden layers"),
        ("mlp:-8", "'mlp' needs the widths of its hidden layers"),
        (
            "mlp:8:swish",
            "'mlp:8:swish': 'swish' is neither an activation (linear, tanh, relu, elu) nor an initialisation",
        ),
    ],
)
def test_a_wrong_text_is_explained(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as raised:
        network_from_text(text, 3, 2)
    assert "\n" not in str(raised.value)


def test_a_layer_refuses_what_it_cannot_be() -> None:
    with pytest.raises(ValueError, match="at least one unit, got 0"):
        Dense(0)
    with pytest.raises(ValueError, match="unknown activation 'sine'"):
        Dense(3, "sine")


@pytest.mark.parametrize("text", ["linear", "mlp:64,64"])
def test_a_creature_begins_at_rest(text: str) -> None:
    network = network_from_text(text, 17, 6)
    acting = Acting(network, network.initial(np.random.default_rng(0)))
    assert not acting.unbounded(np.random.default_rng(1).normal(size=17)).any()


def test_hidden_layers_begin_with_unit_variance_and_no_bias() -> None:
    network = network_from_text("mlp:200", 100, 3)
    params = network.initial(np.random.default_rng(0))
    weights, bias = params[: 100 * 200], params[100 * 200 : 101 * 200]
    # 20,000 draws: the standard deviation's own is 0.5 %
    assert np.std(weights) * np.sqrt(100) == pytest.approx(1.0, abs=0.025)
    assert not bias.any()
    assert np.array_equal(params, network.initial(np.random.default_rng(0)))
    assert not np.array_equal(params, network.initial(np.random.default_rng(1)))


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("mlp(64, 32, relu)", "mlp:64,32:relu"),
        ("mlp(8, initial_weights=he, bias=false)", "mlp:8:he:nobias"),
        ("dense(4, relu, he, nobias) > dense(outputs=6)", "dense:4:relu:he:nobias>dense:6"),
        ("lstm(3, 4)", "lstm:3,4"),
        ("gru(units=3)", "gru:3"),
        ("hebbian(3, activation=elu)", "hebbian:3:elu"),
        ("cpg(3)", "cpg:3"),
        ("attention(1, 8)", "attention:1:8"),
        ("attention(heads=1, window=8)", "attention:1:8"),
        ("attention:1:window=8", "attention:1:8"),
        ("dense(4) > dropout(share=0.5) > dense(6)", "dense:4>dropout:0.5>dense:6"),
        ("transformer(4, 6, heads=2, window=9)", "transformer:4,6:2:9"),
        ("residual(layernorm() > dense(5, relu) > dense(17))", "residual(layernorm>dense:5:relu>dense:17)"),
        ("linear()", "linear"),
    ],
)
def test_parentheses_and_colons_say_the_same(text: str, same: str) -> None:
    assert network_from_text(text, 17, 6).layers == network_from_text(same, 17, 6).layers


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dense(64, activations=relu)", "it has no option 'activations'; did you mean 'activation'?"),
        ("dense(64, relu, activation=elu)", "'relu' and 'activation=elu' are each an activation; write one"),
        ("dense(64, activation=swish)", "activation='swish' is not an activation (linear, tanh, relu, elu)"),
        ("dense(64, bias=3)", "bias=3 is not a bias (nobias)"),
        ("lstm(units=2.5)", "units=2.5 must be a whole number"),
        ("lstm(units=0)", "a recurrent layer needs at least one unit, got 0"),
        ("lstm(3, units=2)", "it has no option 'units'"),
        ("attention(1, heads=2)", "'heads' is given twice"),
        ("embedding(width=3)", "'embedding' needs symbols and numbers for each, as in 'embedding:64x16'"),
        ("flatten(3)", "'flatten' takes nothing after it, got 'flatten(3)'"),
        ("transformer(8, head=2)", "it has no option 'head'; did you mean 'heads'?"),
    ],
)
def test_a_wrong_argument_is_explained(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as raised:
        network_from_text(text, 3, 2)
    assert "\n" not in str(raised.value)


@given(st.sampled_from(sorted(NETWORKS)), st.text(alphabet="hestanru:x,>()=[]'\"\\1.9 \n-", max_size=25))
def test_whatever_is_written_is_a_network_or_a_value_error(word: str, rest: str) -> None:
    try:
        network_from_text(f"{word}{rest}", 3, 2)
    except ValueError as error:
        assert "\n" not in str(error)


class Doubled(Dense):
    """A layer of one's own, twice as wide as asked."""

    def __init__(self, half: int, activation: str = "linear") -> None:
        super().__init__(2 * half, activation)


def test_a_layer_of_ones_own_is_called_with_values() -> None:
    here = "tests.networks.test_networks:Doubled"
    network = network_from_text(f"{here}(4, activation=relu) > dense:2", 3, 2)
    assert isinstance(network.layers[0], Doubled)
    assert (network.layers[0].outputs, network.layers[0].activation) == (8, "relu")
    with pytest.raises(ValueError, match=r"Doubled: TypeError: .* unexpected keyword argument 'activations'"):
        network_from_text(f"{here}(4, activations=relu)", 3, 2)
    with pytest.raises(ValueError, match="math:sqrt gives a float: it must give a Layer"):
        network_from_text("math:sqrt(4)", 3, 2)


def test_every_layer_of_the_list_is_a_word_and_public() -> None:
    for name in layers.__all__:
        layer = getattr(evo.networks, name)
        assert name in evo.networks.__all__
        assert layer is Residual or NETWORKS[layer.word].summary == layer.summary
    assert all(word.summary.startswith(name) for name, word in NETWORKS.items())


def test_networks_are_read_from_their_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NETWORKS, "twins", Word("twins: two units", lambda call: [Dense(2)]))
    assert network_from_text("twins", 3, 4).size == 4 * 2 + 3 * 4


def accumulate(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    for index in range(memory.size):
        memory[index] += params[0] * inputs[index]
        outputs[index] = memory[index]


class Accumulator(Layer):
    """A layer that remembers: it emits the running sum of its inputs times one parameter."""

    step = staticmethod(accumulate)  # type: ignore[assignment]

    def shape(self, inputs: Shape) -> Shape:
        return inputs

    def memory_size(self, inputs: Shape) -> int:
        return inputs[0]

    def size(self, inputs: Shape) -> int:
        return 1


def test_layers_keep_separate_memories() -> None:
    network = Network([Accumulator(), Accumulator()], 2, "sums", normalise=False)
    assert (network.size, network.memory_size) == (2, 4)
    acting = Acting(network, np.array([1.0, 10.0]))
    actions = [acting.unbounded(np.array([1.0, 2.0])).tolist() for _ in range(3)]
    # sums of sums: 1, 1+2, 1+2+3
    assert actions == [[10.0, 20.0], [30.0, 60.0], [60.0, 120.0]]
    assert acting.memory.tolist() == [3.0, 6.0, 60.0, 120.0]


# Neurons


@pytest.mark.parametrize("text", ["linear", "mlp:5", "mlp:4,3:relu"])
def test_a_neurons_parameters_are_what_its_value_depends_on(text: str) -> None:
    """Cut off after each layer, the network tells: a unit's output changes with its own parameters and no others."""
    whole = network_from_text(text, 3, 2)
    params, obs = np.random.default_rng(0).uniform(0.5, 1.0, whole.size), np.array([0.3, 0.7, 0.9])
    at = count = 0
    for depth in range(1, len(whole.layers) + 1):
        cut = Network(whole.layers[:depth], 3, text, False)
        for parameter in range(at, cut.size):
            moved = params[: cut.size].copy()
            moved[parameter] += 0.25
            changed = Acting(cut, moved).unbounded(obs) != Acting(cut, params[: cut.size]).unbounded(obs)
            assert np.flatnonzero(changed).tolist() == [whole.neurons[parameter] - count]
        at, count = cut.size, count + cut.outputs
    assert whole.neurons.shape == (whole.size,)


def test_a_layer_without_units_is_handed_over_whole() -> None:
    class Gain(Layer):
        def shape(self, inputs: Shape) -> Shape:
            return inputs

        def size(self, inputs: Shape) -> int:
            return inputs[0]

    network = Network([Gain(), Dense(2, bias=False)], 3, "", False)
    assert network.neurons.tolist() == [0, 0, 0, 1, 2, 1, 2, 1, 2]
