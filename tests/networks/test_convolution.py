"""Picture layers against torch's, against plain loops, and what their text and their errors say."""

import re
from typing import Any

import numpy as np
import pytest

import evo
from evo.autodiff import Tape
from evo.evaluation.workers import Threads
from evo.networks import (
    GRU,
    LSTM,
    AveragePool,
    Conv,
    Dense,
    Flatten,
    Layer,
    MaxPool,
    Network,
    Recurrent,
    Shape,
    network_from_text,
)
from evo.networks.layers.convolution import LANES, STARTS
from evo.problems.control import Walking
from evo.testing import check_network
from evo.testing.network import run_steps
from tests.support.places import FIXTURES

TORCH = np.load(FIXTURES / "convolution.npz")
CASES: dict[str, list[Layer]] = {
    "valid": [Conv(4, 3, "linear")],
    "same": [Conv(4, 3, "linear", padding="same")],
    "same even": [Conv(2, 4, "linear", padding="same")],
    "stride": [Conv(3, 3, "linear", stride=2)],
    "wide stride": [Conv(3, 2, "linear", stride=3)],
    "sequence": [Conv(4, 3, "linear")],
    "sequence same": [Conv(4, 4, "linear", padding="same")],
    "sequence stride": [Conv(4, 3, "linear", stride=2)],
    "pool": [MaxPool(2)],
    "pool of 3": [MaxPool(3)],
    "pool of a sequence": [MaxPool(2)],
    "average": [AveragePool(2)],
    "average of a sequence": [AveragePool(3)],
    "stack": [Conv(3), MaxPool(), Conv(4, 2, "tanh", padding="same"), AveragePool(), Dense(5)],
}


def case(name: str) -> tuple[Network, dict[str, np.ndarray]]:
    keys = ("pictures", "parameters", "outputs", "weights", "by pictures", "by parameters")
    expected = {key: TORCH[f"{name}/{key}"] for key in keys}
    shape = expected["pictures"].shape[1:]
    network = Network(CASES[name], shape, name, False)
    assert network.shapes[-1] == expected["outputs"].shape[1:]
    assert network.size == len(expected["parameters"])
    return network, expected


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("size", range(3, 9))
def test_no_run_leaves_the_memory(size: int, stride: int) -> None:
    """A run ends with a whole lot of places, the last of which nobody asks for: there must be room for them."""
    for layer in (Conv(3, 3, stride=stride), Conv(1, 2, stride=stride), Conv(2, 3, padding="same")):
        for shape in ((size, size, 2), (size, 3), (size,)):
            numbers = layer.numbers(shape)
            height, width, columns, plane = numbers[8:12]
            length = -(-((height - 1) * columns + width) // LANES) * LANES
            assert length <= plane + LANES
            assert 2 * (plane + LANES) + max(numbers[STARTS:]) + length <= layer.memory_size(shape)


def test_a_row_of_features_is_a_sequence_with_one_channel() -> None:
    layers = [Conv(3, padding="same"), MaxPool(), Conv(2, 2), AveragePool(), Dense(1)]
    row, sequence = Network(layers, 9, "", False), Network(layers, (9, 1), "", False)
    assert row.shapes[1:] == sequence.shapes[1:] and row.size == sequence.size
    params = row.initial(np.random.default_rng(1)).astype(np.float32)
    seen = np.random.default_rng(2).normal(size=(1, 9)).astype(np.float32)
    np.testing.assert_array_equal(run_steps(row, params, seen), run_steps(sequence, params, seen))
    check_network(layers, (9,))


def close(found: np.ndarray, expected: np.ndarray, tolerance: float) -> bool:
    return float(np.linalg.norm(found.ravel() - expected.ravel())) <= tolerance * float(np.linalg.norm(expected))


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-10)])
@pytest.mark.parametrize("name", CASES)
def test_a_picture_layer_equals_torchs(name: str, dtype: Any, tolerance: float) -> None:
    network, expected = case(name)
    batch = len(expected["pictures"])
    tape = Tape(network.size + expected["pictures"].size, dtype)
    pictures = tape.parameters(network.size, batch, network.inputs)
    outputs, factors = network.apply(tape, pictures, 0, 1), tape.input(batch, network.outputs)
    program = tape.program((outputs * factors).total().mean() * float(batch))
    program.value(factors)[:] = expected["weights"].reshape(batch, -1)
    program.parameters[:] = np.concatenate([expected["parameters"], expected["pictures"].ravel()])
    program.forward()
    program.backward()
    assert close(program.value(outputs), expected["outputs"], tolerance)
    by_parameters, by_pictures = np.split(program.gradient, [network.size])
    assert close(by_parameters, expected["by parameters"], tolerance)
    assert close(by_pictures, expected["by pictures"], tolerance)


@pytest.mark.parametrize("name", CASES)
def test_the_step_of_a_picture_layer_equals_torchs(name: str) -> None:
    network, expected = case(name)
    pictures = expected["pictures"].reshape(-1, network.inputs).astype(np.float32)
    assert close(run_steps(network, expected["parameters"].astype(np.float32), pictures), expected["outputs"], 1e-5)


def test_a_first_layer_spares_the_gradient_by_its_inputs() -> None:
    network, expected = case("stack")
    tape = Tape(network.size)
    pictures = tape.input(len(expected["pictures"]), network.inputs)
    outputs, factors = network.apply(tape, pictures, 0, 1), tape.input(pictures.rows, network.outputs)
    program = tape.program((outputs * factors).total().mean() * float(pictures.rows))
    program.parameters[:], program.value(factors)[:] = expected["parameters"], expected["weights"]
    program.value(pictures)[:] = expected["pictures"].reshape(pictures.shape)
    program.forward()
    program.backward()
    assert close(program.gradient, expected["by parameters"], 1e-5)
    assert not program.gradients[pictures.at : pictures.at + pictures.rows * pictures.columns].any()


PROMISES: dict[str, tuple[Layer | list[Layer], Shape]] = {
    "valid": (Conv(3), (4, 5, 2)),
    "one place": (Conv(2, 1, "elu"), (2, 3, 2)),
    "the whole picture": (Conv(2, 3), (3, 3, 2)),
    "same": (Conv(2, 3, "tanh", padding="same"), (3, 2, 2)),
    "same, wider than the picture": (Conv(2, 5, padding="same"), (2, 2, 1)),
    "stride": (Conv(2, 2, stride=2), (5, 4, 2)),
    "stride past the kernel": (Conv(2, 2, "linear", stride=3), (6, 5, 2)),
    "sequence": (Conv(2, 3), (5, 2)),
    "sequence same": (Conv(2, 4, padding="same"), (5, 2)),
    "sequence stride": (Conv(2, 2, stride=2), (7, 1)),
    "pool": (MaxPool(), (5, 4, 3)),
    "pool of a sequence": (MaxPool(3), (7, 2)),
    "average": (AveragePool(3), (7, 6, 2)),
    "average of a sequence": (AveragePool(), (5, 2)),
    "flatten": (Flatten(), (2, 2, 2)),
    "dense on a picture": (Dense(2, "relu"), (2, 3, 2)),
    "remembering what was seen": ([Conv(2), MaxPool(), Flatten(), LSTM(2)], (4, 5, 1)),
}


@pytest.mark.parametrize("name", PROMISES)
def test_picture_layers_keep_their_promises(name: str) -> None:
    check_network(*PROMISES[name])


def test_picture_layers_remember_nothing() -> None:
    """Their memory is for computing only: what trains no network that remembers trains them."""
    network = network_from_text("conv:2x3>pool:2>dense:2", (6, 6, 1), 2)
    assert network.memory_size and not network.remembers
    assert network_from_text("conv:2x3>flatten>lstm:2>dense:2", (6, 6, 1), 2).remembers


def test_picture_layers_act_alike_wherever_they_live() -> None:
    """In scored episodes as step by step; what they compute with is theirs alone."""
    task = evo.task("cartpole", steps=30)
    network = Network([Conv(3, padding="same"), MaxPool(), Dense(1)], (4, 1), "", False)
    params = np.random.default_rng(3).normal(size=network.size).astype(np.float32)
    problem = Walking(task, network, Threads(1))
    one = problem.rollout(params, 5, problem.no_statistics())
    actions = run_steps(network, params, one.observations[:-1].astype(np.float32))
    np.testing.assert_array_equal(one.actions, np.clip(actions, task.action_low, task.action_high))
    assert problem.returns(np.stack([params, params]), np.array([5, 6, 5]))[:, [0, 2]].tolist() == [[one.total] * 2] * 2
    assert "sensitivity" in problem.describe(params, 5)


def plain(picture: np.ndarray, weights: np.ndarray, bias: np.ndarray, stride: int) -> np.ndarray:
    """A convolution in plain loops: float32, the bias first, then a term after the other in the order of W."""
    kernel, filters = weights.shape[0], weights.shape[-1]
    height, width = ((side - kernel) // stride + 1 for side in picture.shape[:2])
    outputs = np.zeros((height, width, filters), np.float32)
    for y in range(height):
        for x in range(width):
            total = bias.copy()
            window = picture[y * stride : y * stride + kernel, x * stride : x * stride + kernel]
            for value, row in zip(window.ravel(), weights.reshape(-1, filters), strict=True):
                total += value * row
            outputs[y, x] = total
    return outputs


@pytest.mark.parametrize(
    ("kernel", "channels", "stride", "padding"), [(3, 2, 1, 0), (3, 1, 2, 0), (2, 3, 3, 0), (3, 2, 1, 1)]
)
def test_the_step_sums_in_the_order_of_its_weights(kernel: int, channels: int, stride: int, padding: int) -> None:
    rng = np.random.default_rng(8)
    layer = Conv(5, kernel, "linear", stride, "same" if padding else "valid")
    picture = rng.normal(size=(9, 8, channels)).astype(np.float32)
    network = Network([layer], picture.shape, "", False)
    params = rng.normal(size=network.size).astype(np.float32)
    padded = np.pad(picture, ((padding, padding), (padding, padding), (0, 0)))
    expected = plain(padded, params[:-5].reshape(kernel, kernel, channels, 5), params[-5:], stride)
    assert run_steps(network, params, picture.reshape(1, -1)).tolist() == [expected.ravel().tolist()]


def test_a_filter_is_a_unit() -> None:
    """Its parameters move its own outputs, and no others."""
    network, rng = Network([Conv(3, 2, "linear")], (4, 3, 2), "", False), np.random.default_rng(2)
    params, picture = rng.normal(size=network.size).astype(np.float32), rng.normal(size=(1, 24)).astype(np.float32)
    before = run_steps(network, params, picture).reshape(-1, 3)
    for parameter, unit in enumerate(network.neurons):
        moved = params.copy()
        moved[parameter] += 1
        changed = (run_steps(network, moved, picture).reshape(-1, 3) != before).any(axis=0)
        assert np.flatnonzero(changed).tolist() == [unit]


@pytest.mark.parametrize("layer", [MaxPool(), AveragePool()])
@pytest.mark.parametrize("place", range(4))
def test_a_pool_does_not_hide_what_is_not_a_number(layer: Layer, place: int) -> None:
    picture = np.arange(4, dtype=np.float32)
    picture[place] = np.nan
    network = Network([layer], (2, 2, 1), "", False)
    assert np.isnan(run_steps(network, np.zeros(0, np.float32), picture[np.newaxis])).all()


def test_filters_begin_by_what_they_are_given() -> None:
    """20,000 draws or more: a standard deviation's own is 0.5 %."""
    rng = np.random.default_rng(0)
    for layer, variance in (
        (Conv(400), 2 / 63),
        (Conv(400, activation="tanh"), 1 / 63),
        (Conv(400, initial_weights="zero"), 0),
    ):
        params = layer.initial((9, 9, 7), rng)
        assert np.std(params[:-400]) == pytest.approx(np.sqrt(variance), rel=0.025)
        assert not params[-400:].any()
    assert Conv(400).initial((9, 7), rng)[:-400].std() == pytest.approx(np.sqrt(2 / 21), rel=0.025)


# Text


@pytest.mark.parametrize(
    "layer",
    [
        Conv(8),
        Conv(16, 5, "tanh"),
        Conv(4, 1, "linear", 2),
        Conv(4, padding="same", initial_weights="orthogonal"),
        Conv(4, 8, "elu", 4, "valid", "glorot"),
        MaxPool(3),
        AveragePool(2),
        Flatten(),
    ],
)
def test_a_layer_is_read_as_it_is_written(layer: Layer) -> None:
    network = network_from_text(f"{layer.text}>dense:2", (20, 20, 3), 2)
    assert network.layers[0] == layer


def test_a_chain_of_picture_layers() -> None:
    network = network_from_text("conv:8x3,16x5:same:tanh>pool:2>dense:10", (28, 28, 1), 10)
    assert network.layers[:2] == (Conv(8, 3, "tanh", padding="same"), Conv(16, 5, "tanh", padding="same"))
    assert network.shapes == [(28, 28, 1), (28, 28, 8), (28, 28, 16), (14, 14, 16), (10,)]
    assert network.size == 8 * 10 + 16 * (25 * 8 + 1) + 10 * (14 * 14 * 16 + 1)
    for text in ("conv(8x3, 16x5, same, tanh)", "conv(8x3, 16x5, padding=same, activation=tanh)"):
        assert network_from_text(f"{text}>pool(2)>dense(10)", (28, 28, 1), 10).layers == network.layers
    assert network_from_text("conv(8, kernel=5, stride=2)", (28, 28, 1), 10).layers[0] == Conv(8, 5, stride=2)
    assert network_from_text("conv:8x3", (6, 2), 2).shapes == [(6, 2), (4, 8), (2,)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("conv", "'conv' needs its filters and their size, as in 'conv:8x3,16x3'; got 'conv:'"),
        ("conv:8", "'conv' needs its filters and their size, as in 'conv:8x3'; got 'conv:8'"),
        ("conv:8x5,16", "'conv' needs its filters and their size, as in 'conv:8x5,16x3'; got 'conv:8x5,16'"),
        ("conv:8x0", "as in 'conv:8x3,16x3'; got 'conv:8x0'"),
        ("conv:8x3x1", "as in 'conv:8x3,16x3'; got 'conv:8x3x1'"),
        (
            "conv:8x3:swish",
            "'conv:8x3:swish': 'swish' is neither an activation (linear, tanh, relu, elu) nor an initialisation "
            "(lecun, he, glorot, orthogonal, zero) nor a padding (valid, same) nor a stride (stride2)",
        ),
        ("conv:8x3:stride0", "'stride0' is neither an activation"),
        ("conv:8x3:relu:tanh", "'conv:8x3:relu:tanh': 'relu' and 'tanh' are each an activation; write one"),
        ("conv:8x3:stride2:stride3", "'stride2' and 'stride3' are each a stride; write one"),
        ("conv:8x3:same:stride2", "padding 'same' needs a stride of 1, got 2; 'valid' takes any"),
        ("conv:8x7", "a kernel of 7 does not fit into 6 × 5 × 2: 5 at most, or 'same'"),
        ("conv:8x3>pool:2>conv:8x3", "a kernel of 3 does not fit into 2 × 1 × 8: 1 at most, or 'same'"),
        ("dense:2>conv:8x3", "a kernel of 3 does not fit into 2: 2 at most, or 'same'"),
        ("pool:6", "a pool of 6 does not fit into 6 × 5 × 2: 5 at most"),
        ("pool", "'pool' needs the width of its windows, as in 'pool:2'; got 'pool:'"),
        ("average:0", "'average' needs the width of its windows, as in 'average:2'; got 'average:0'"),
        ("pool:2x2", "'pool' needs the width of its windows, as in 'pool:2'; got 'pool:2x2'"),
        ("flatten:2", "'flatten' takes nothing after it, got 'flatten:2'"),
        ("dense:2:relu:elu", "'dense:2:relu:elu': 'relu' and 'elu' are each an activation; write one"),
    ],
)
def test_a_wrong_text_is_explained(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as raised:
        network_from_text(text, (6, 5, 2), 2)
    assert "\n" not in str(raised.value)


def test_what_fits_a_sequence_is_told() -> None:
    with pytest.raises(ValueError, match=re.escape("a kernel of 7 does not fit into 6 × 2: 6 at most, or 'same'")):
        Conv(3, 7).shape((6, 2))
    with pytest.raises(ValueError, match=re.escape("a pool of 7 does not fit into 6 × 2: 6 at most")):
        MaxPool(7).shape((6, 2))


def test_a_layer_refuses_what_it_cannot_be() -> None:
    for wrong, message in (
        (lambda: Conv(0), "a convolution's filters must be at least 1, got 0"),
        (lambda: Conv(3, 0), "a convolution's kernel must be at least 1, got 0"),
        (lambda: Conv(3, stride=0), "a convolution's stride must be at least 1, got 0"),
        (lambda: Conv(3, activation="sine"), "unknown activation 'sine'; one of linear, tanh, relu, elu"),
        (lambda: Conv(3, padding="full"), "unknown padding 'full'; one of valid, same"),
        (lambda: Conv(3, initial_weights="ones"), "unknown initialisation 'ones'"),
        (lambda: MaxPool(0), "a pool needs a window of at least 1, got 0"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            wrong()


def test_layers_that_remember_take_no_pictures() -> None:
    for layer in (LSTM(2), GRU(2), Recurrent(2)):
        with pytest.raises(ValueError, match=re.escape("takes a row of features, not 4 × 4 × 1: flatten them first")):
            Network([layer], (4, 4, 1), "", False)


def test_a_matrix_is_seen_in_another_shape() -> None:
    tape = Tape(6)
    params = tape.parameters(0, 2, 3)
    program = tape.program((params.reshape(3, 2) * params.reshape(3, 2)).mean())
    program.parameters[:] = np.arange(6)
    assert program.forward() == pytest.approx(55 / 6)
    program.backward()
    np.testing.assert_allclose(program.gradient, np.arange(6) / 3, rtol=1e-6)
    with pytest.raises(ValueError, match=re.escape("(2, 3) is no matrix of 4 × 2")):
        params.reshape(4, 2)
