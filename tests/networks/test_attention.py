"""Layers of transformers against torch's, against themselves one step at a time, and small classifiers that learn."""

import math
import re
from typing import Any

import numpy as np
import pytest

from evo.autodiff import Program, Tape
from evo.networks import LSTM, Attention, Dense, Embedding, Layer, LayerNorm, Network, Residual, network_from_text
from evo.numerics import activations
from evo.testing import check_network
from evo.testing.network import run_steps
from tests.support.places import FIXTURES

TORCH = np.load(FIXTURES / "attention.npz")
BLOCK: list[Layer] = [
    Dense(6),
    Residual(LayerNorm(), Attention(2, 4)),
    Residual(LayerNorm(), Dense(24, "relu"), Dense(6)),
    LayerNorm(),
]
LAYERS: dict[str, list[Layer]] = {
    "embedding": [Embedding(5, 6)],
    "layernorm": [LayerNorm()],
    "attention": [Attention(2, 3)],
    "far": [Attention(3)],
    "block": BLOCK,
}


def made(name: str) -> tuple[Network, dict[str, Any]]:
    """The layers of that name, and what torch gives."""
    keys = ("parameters", "inputs", "weights", "outputs", "gradient")
    expected = {key: TORCH[f"{name}/{key}"] for key in keys}
    network = Network(LAYERS[name], expected["inputs"].shape[2], name, False)
    assert network.size == len(expected["parameters"])
    return network, expected


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-10)])
@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_equals_torchs(name: str, dtype: Any, tolerance: float) -> None:
    network, expected = made(name)
    steps, batch, _ = expected["inputs"].shape
    tape = Tape(network.size, dtype)
    inputs, weights = tape.input(steps * batch, network.inputs), tape.input(steps * batch, network.outputs)
    outputs = network.apply(tape, inputs, 0, steps)
    program = tape.program((outputs * weights).total().mean() * float(steps * batch))
    program.parameters[:] = expected["parameters"]
    program.value(inputs)[:] = expected["inputs"].reshape(inputs.shape)
    program.value(weights)[:] = expected["weights"].reshape(weights.shape)
    program.forward()
    found = program.value(outputs).reshape(expected["outputs"].shape)
    np.testing.assert_allclose(found, expected["outputs"], rtol=tolerance, atol=tolerance)
    program.backward()
    error = np.linalg.norm(program.gradient - expected["gradient"]) / np.linalg.norm(expected["gradient"])
    assert error < tolerance


@pytest.mark.parametrize("name", LAYERS)
def test_its_step_equals_torchs(name: str) -> None:
    network, expected = made(name)
    params = expected["parameters"].astype(np.float32)
    for place in range(expected["inputs"].shape[1]):
        found = run_steps(network, params, expected["inputs"][:, place].astype(np.float32))
        np.testing.assert_allclose(found, expected["outputs"][:, place], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        (Embedding(3, 4), (1,)),
        (Embedding(3, 2), (5,)),
        (LayerNorm(), (1,)),
        (LayerNorm(), (7,)),
        ([Embedding(3, 2), LayerNorm()], (2,)),
        (Attention(1), (3,)),
        (Attention(4, 1), (8,)),
        (Attention(2, 2), (4,)),
        (Attention(3, 4), (3,)),
        ([Dense(4), *network_from_text("transformer:4,4,6:2:3", 3, 2).layers[1:]], (3,)),
    ],
)
def test_they_keep_their_promises(layers: Layer | list[Layer], shape: tuple[int, ...]) -> None:
    check_network(layers, shape)


def attended(params: np.ndarray, seen: np.ndarray, heads: int, window: int) -> np.ndarray:
    """The plain twin of attention on one sequence (steps, width), as Vaswani 2017 and Press 2022 write it."""
    width, each = seen.shape[1], seen.shape[1] // heads
    ends = np.cumsum([3 * width * width, 3 * width, width * width])
    heard, bias, mixing, last = np.split(params, ends)
    queries, keys, values = np.split(seen @ heard.reshape(width, 3 * width) + bias, 3, axis=1)
    mixed = np.zeros(seen.shape)
    for now in range(len(seen)):
        past = np.arange(max(0, now - window + 1), now + 1)
        for head in range(heads):
            mine = slice(head * each, (head + 1) * each)
            slope = 2.0 ** (-8.0 * (head + 1) / heads)
            scores = keys[past, mine] @ queries[now, mine] / math.sqrt(each) - slope * (now - past)
            weights = np.exp(scores)
            mixed[now, mine] = weights / weights.sum() @ values[past, mine]
    return mixed @ mixing.reshape(width, width) + last


@pytest.mark.parametrize("window", [1, 5, 20, 100])
def test_the_ring_goes_round_as_the_window_slides(window: int) -> None:
    """Many times the window: the step, the tape, and the plain twin."""
    network, rng, steps = Network([Attention(2, window)], 6, "", False), np.random.default_rng(3), 70
    params, seen = rng.normal(size=network.size) * 0.5, rng.normal(size=(steps, 2, 6))
    tape = Tape(network.size, np.float64)
    inputs = tape.input(2 * steps, 6)
    outputs = network.apply(tape, inputs, 0, steps)
    program = tape.program(outputs.total().mean())
    program.parameters[:], program.value(inputs)[:] = params, seen.reshape(inputs.shape)
    program.forward()
    found = program.value(outputs).reshape(seen.shape)
    for place in range(2):
        expected = attended(params, seen[:, place], 2, window)
        np.testing.assert_allclose(found[:, place], expected, rtol=1e-10, atol=1e-10)
        step = run_steps(network, params.astype(np.float32), seen[:, place].astype(np.float32))
        np.testing.assert_allclose(step, expected, rtol=1e-5, atol=1e-5)


def test_attention_looks_neither_ahead_nor_beyond_its_window() -> None:
    network, rng = Network([Attention(2, 4)], 4, "", False), np.random.default_rng(5)
    params, seen = network.initial(rng).astype(np.float32), rng.normal(size=(12, 4)).astype(np.float32)
    before = run_steps(network, params, seen)
    seen[3] += 1
    changed = np.any(run_steps(network, params, seen) != before, axis=1)
    assert np.flatnonzero(changed).tolist() == [3, 4, 5, 6]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 64])
def test_softmax_is_that_of_float64_but_for_rounding(count: int) -> None:
    rng = np.random.default_rng(count)
    for scale in (0.01, 1.0, 20.0, 300.0):
        scores = (rng.normal(size=count) * scale).astype(np.float32)
        exact = np.exp((scores - scores.max()).astype(np.float64))
        exact /= exact.sum()
        found, wide = scores.copy(), (scores - scores.max()).astype(np.float64)
        activations.softmax(found)
        activations.softmax(wide)
        # what is less than exp(-87) of the greatest is as good as nothing, and counts as that much
        np.testing.assert_allclose(found, exact, rtol=2e-6, atol=2e-38)
        np.testing.assert_allclose(wide, exact, rtol=1e-14)


def test_softmax_keeps_what_is_not_a_number() -> None:
    for index in range(5):
        scores = np.arange(5, dtype=np.float32)
        scores[index] = np.nan
        activations.softmax(scores)
        assert np.isnan(scores).all()


def test_an_exponential_is_within_two_units_in_the_last_place() -> None:
    grid = np.linspace(-87, 0, 1_000_001).astype(np.float32)
    found, exact = grid.copy(), np.exp(grid.astype(np.float64))
    activations._exp_below(found, np.float32(0))
    errors = np.abs(found.astype(np.float64) - exact) / np.spacing(exact.astype(np.float32)).astype(np.float64)
    assert errors.max() < 2.0
    assert found[-1] == 1.0


def test_an_index_means_the_nearest_symbol() -> None:
    network = Network([Embedding(4, 1)], 8, "", False)
    given = np.array([-1e30, -0.2, 0.6, 1.0, 2.9, 3.4, np.inf, np.nan], np.float32)
    found = run_steps(network, np.arange(4, dtype=np.float32), given[np.newaxis])
    assert found.tolist() == [[0, 0, 1, 1, 3, 3, 3, 0]]
    tape = Tape(4)
    inputs = tape.input(1, 8)
    outputs = network.apply(tape, inputs, 0, 1)
    program = tape.program(outputs.total())
    program.parameters[:], program.value(inputs)[:] = np.arange(4), given
    program.forward()
    program.backward()
    assert program.value(outputs).tolist() == found.tolist()
    assert program.gradient.tolist() == [3, 2, 0, 3]


# Learning


def classifier(layers: list[Layer], inputs: np.ndarray, labels: np.ndarray) -> Program:
    """Cross-entropy of what the last step of each sequence (steps, batch, numbers) says."""
    steps, batch, width = inputs.shape
    network = Network(layers, width, "", False)
    tape = Tape(network.size, np.float64)
    seen, chosen = tape.input(steps * batch, width), tape.input(batch, 1)
    outputs = network.apply(tape, seen, 0, steps).part((steps - 1) * batch, batch)
    program = tape.program(-outputs.log_softmax().pick(chosen).mean())
    program.value(seen)[:], program.value(chosen)[:, 0] = inputs.reshape(seen.shape), labels
    return program


@pytest.mark.parametrize(("name", "layers"), [("transformer", BLOCK), ("lstm", [LSTM(6)])])
def test_a_classifier_learns_as_torchs_does(name: str, layers: list[Layer]) -> None:
    expected = {key: TORCH[f"learning {name}/{key}"] for key in ("inputs", "labels", "first", "losses", "last")}
    program, losses = classifier([*layers, Dense(3)], expected["inputs"], expected["labels"]), []
    program.parameters[:] = expected["first"]
    for _ in expected["losses"]:
        losses.append(program.forward())
        program.backward()
        program.parameters[:] -= 0.5 * program.gradient
    np.testing.assert_allclose(losses, expected["losses"], rtol=1e-8)
    np.testing.assert_allclose(program.parameters, expected["last"], rtol=1e-8, atol=1e-8)
    assert losses[-1] < 0.9 * losses[0]


# Parameters and text


def test_they_begin_as_torchs_do() -> None:
    rng, width = np.random.default_rng(0), 64
    assert np.std(Embedding(1000, 16).initial((1,), rng)) == pytest.approx(1.0, abs=0.03)
    assert LayerNorm().initial((2, 2), rng).tolist() == [1, 1, 1, 1, 0, 0, 0, 0]
    ends = np.cumsum([3 * width * width, 3 * width, width * width])
    heard, bias, mixing, last = np.split(Attention(4).initial((width,), rng), ends)
    # 12,288 and 4,096 uniform draws
    assert np.abs(heard).max() == pytest.approx(math.sqrt(6 / (4 * width)), rel=1e-3)
    assert np.abs(mixing).max() == pytest.approx(1 / math.sqrt(width), rel=1e-3)
    assert not bias.any()
    assert not last.any()


def test_a_parameters_neuron_is_where_it_leads() -> None:
    assert Embedding(2, 3).neurons((1,)).tolist() == [0, 1, 2, 0, 1, 2]
    assert LayerNorm().neurons((2,)).tolist() == [0, 1, 0, 1]
    assert Attention(1).neurons((2,)).tolist() == [*range(6)] * 3 + [6, 7] * 3


@pytest.mark.parametrize("layer", [Embedding(64, 16), LayerNorm(), Attention(2), Attention(2, 8)])
def test_a_layer_is_written_as_it_is_read(layer: Layer) -> None:
    assert network_from_text(f"dense:4>{layer.text}", 1, math.prod(layer.shape((4,)))).layers[1] == layer


def test_a_transformer_in_words() -> None:
    def blocks(width: int, attention: Attention) -> list[Layer]:
        whole: Layer = Residual(LayerNorm(), Dense(4 * width, "relu"), Dense(width))
        return [Residual(LayerNorm(), attention), whole]

    usual = [Dense(32), *blocks(32, Attention()), LayerNorm()]
    assert list(network_from_text("transformer:32", 5, 2).layers[:-1]) == usual
    more = [Dense(8), *blocks(8, Attention(2, 9)) * 2, Dense(6), *blocks(6, Attention(2, 9)), LayerNorm()]
    assert list(network_from_text("transformer:8,8,6:2:9", 5, 2).layers[:-1]) == more


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("embedding:64", "'embedding' needs symbols and numbers for each, as in 'embedding:64x16'; got 'embedding:64'"),
        ("embedding:0x4", "an embedding needs at least one symbol and one number for each, got 0 and 4"),
        ("layernorm:3", "'layernorm' takes nothing after it, got 'layernorm:3'"),
        ("attention", "'attention' needs heads, and a window, as in 'attention:4:64'; got 'attention:'"),
        ("attention:4:relu", "'attention' needs heads, and a window, as in 'attention:4:64'; got 'attention:4:relu'"),
        ("attention:0", "attention needs at least one head and one step, got 0 and 64"),
        ("attention:2", "attention:2: 3 numbers are not 2 heads of equal width"),
        ("embedding:4x2>attention:1>dense:2", "Attention takes a row of features, not 3 × 2: flatten them first"),
        ("transformer", "'transformer' needs the widths of its blocks, as in 'transformer:32,32'; got 'transformer:'"),
        ("transformer:30", "attention:4: 30 numbers are not 4 heads of equal width"),
        ("transformer:8:x", "'transformer:8:x': after its widths stand heads and window, as in 'transformer:32:4:64'"),
        ("transformer:8:2:3:4", "'transformer:8:2:3:4': after its widths stand heads and window"),
        ("transformer:8:0", "'transformer:8:0': after its widths stand heads and window"),
    ],
)
def test_a_wrong_text_is_explained(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as raised:
        network_from_text(text, 3, 2)
    assert "\n" not in str(raised.value)
