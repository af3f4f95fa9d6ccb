"""Residual connections: their sum, what is nested in them, and chains in parentheses."""

import re
from typing import Any

import numpy as np
import pytest

from evo.networks import GRU, LSTM, Attention, Dense, Layer, LayerNorm, Network, Residual, Shape, network_from_text
from evo.testing import check_network
from evo.testing.network import run_steps

RESIDUALS: dict[str, tuple[Residual, Shape]] = {
    "dense": (Residual(Dense(3, "tanh")), (3,)),
    "wide": (Residual(Dense(9, "relu"), Dense(2)), (2,)),
    "remembering": (Residual(LSTM(5), GRU(3)), (3,)),
    "attention": (Residual(LayerNorm(), Attention(2, 3)), (4,)),
    "nested": (Residual(Dense(4), Residual(LSTM(4)), Residual(Residual(LayerNorm())), Dense(3)), (3,)),
    "grid": (Residual(LayerNorm()), (2, 3)),
}


@pytest.mark.parametrize("name", RESIDUALS)
def test_it_keeps_its_promises(name: str) -> None:
    check_network(*RESIDUALS[name])


@pytest.mark.parametrize("name", RESIDUALS)
def test_it_is_its_inputs_and_what_its_layers_make_of_them(name: str) -> None:
    residual, shape = RESIDUALS[name]
    count, rng = int(np.prod(shape)), np.random.default_rng(1)
    alone = Network(residual.layers, shape, "", False)
    whole = Network([residual], shape, "", False)
    params, seen = (rng.normal(size=whole.size) * 0.5).astype(np.float32), rng.normal(size=(6, count))
    found = run_steps(whole, params, seen.astype(np.float32))
    np.testing.assert_array_equal(found, seen.astype(np.float32) + run_steps(alone, params, seen.astype(np.float32)))
    assert np.array_equal(whole.neurons, alone.neurons)
    first = [network.initial(np.random.default_rng(2)) for network in (whole, alone)]
    assert np.array_equal(*first)


def test_neurons_are_counted_through() -> None:
    residual = Residual(Dense(2, bias=False), Dense(1, bias=False))
    network = Network([Dense(1, bias=False), residual, Dense(2, bias=False)], 1, "", False)
    assert network.neurons.tolist() == [0, 1, 2, 3, 3, 4, 5]


def test_it_has_a_gradient_where_all_inside_have_one() -> None:
    class Opaque(Layer):
        def shape(self, inputs: Shape) -> Shape:
            return inputs

    assert Residual(Dense(3), Residual(LayerNorm())).differentiable
    assert not Residual(Dense(3), Residual(Opaque())).differentiable


def _copy(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    outputs[:] = inputs


class Copy(Layer):
    """What it is given."""

    text = "copy"

    @property
    def step(self) -> Any:
        return _copy

    def shape(self, inputs: Shape) -> Shape:
        return inputs


def test_each_residual_around_a_copy_adds_the_inputs_once_more() -> None:
    layer: Layer = Copy()
    for _ in range(5):
        layer = Residual(layer)
    network = Network([layer], 2, "", False)
    assert run_steps(network, np.zeros(0, np.float32), np.array([[1, 2]], np.float32)).tolist() == [[6, 12]]


# Text


@pytest.mark.parametrize("name", RESIDUALS)
def test_it_is_written_as_it_is_read(name: str) -> None:
    residual, shape = RESIDUALS[name]
    before = "embedding:9x3" if len(shape) > 1 else f"dense:{shape[0]}"
    read = network_from_text(f"{before}>{residual.text}", 2, int(np.prod(shape)))
    assert read.layers[1] == residual


def test_chains_nest() -> None:
    text = "dense:4 > residual( layernorm > residual(dense:8:relu>dense:4) ) > dense:2"
    inner = Residual(Dense(8, "relu"), Dense(4))
    assert network_from_text(text, 3, 2).layers[:2] == (Dense(4), Residual(LayerNorm(), inner))
    assert network_from_text("residual(dense:3)", 3, 2).layers[0] == Residual(Dense(3))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("residual", "'residual' needs layers in parentheses, as in 'residual(layernorm>dense:32)'; got 'residual'"),
        ("residual:dense:3", "'residual' needs layers in parentheses"),
        ("residual(dense:3)x", "'residual' needs layers in parentheses"),
        ("residual(dense:3", "'residual(dense:3': a '(' is never closed"),
        ("dense:3>residual(dense:3))>dense:2", "'dense:3>residual(dense:3))>dense:2': a ')' closes nothing"),
        ("residual(dense:3)(dense:3)", "'dense:3)(dense:3': a ')' closes nothing"),
        ("residual()", "unknown network ''"),
        ("residual(denes:3)", "unknown network 'denes:3'"),
        ("residual(linear>dense:3)", "'residual(linear>dense:3)': 'linear' stands alone"),
        ("residual(dense:5)", "residual(dense:5) makes 5 of 3: to be added they must be alike"),
        ("dense()", "'dense' needs the widths of its layers"),
        ("(dense:3)", "unknown network '(dense:3)'"),
    ],
)
def test_a_wrong_text_is_explained(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as raised:
        network_from_text(text, 3, 2)
    assert "\n" not in str(raised.value)


def test_a_residual_needs_a_layer() -> None:
    with pytest.raises(ValueError, match="a residual needs at least one layer"):
        Residual()
