"""Dropout: what share is zero, that nothing is lost on average, and that one seed always draws the same."""

import re
from typing import Any

import numpy as np
import pytest

from evo.autodiff import Node, Program, Tape
from evo.autodiff.operations import seed_of
from evo.networks import Dense, Dropout, LayerNorm, Network, network_from_text
from evo.testing import check_network

ROWS, COLUMNS = 200, 50


def dropped(layers: list[Any], dtype: Any = np.float32) -> tuple[Program, Node]:
    """Parameters of 1 each, as a matrix, through the layers of a tape that is training."""
    tape = Tape(ROWS * COLUMNS, dtype, training=True)
    given = tape.parameters(0, ROWS, COLUMNS)
    outputs = Network(layers, COLUMNS, "", False).apply(tape, given, 0, 1)
    program = tape.program(outputs.total().mean())
    program.parameters[:] = 1
    return program, outputs


def drawn(program: Program, outputs: Node, seed: int) -> np.ndarray:
    seed_of(program.values, program.seed)[0] = seed
    program.forward()
    return program.value(outputs).copy()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.9])
def test_so_many_are_zero_and_the_mean_is_kept(share: float, dtype: Any) -> None:
    program, outputs = dropped([Dropout(share)], dtype)
    found = np.stack([drawn(program, outputs, seed) for seed in range(20)])
    np.testing.assert_allclose(found[found != 0], 1 / (1 - share), rtol=1e-6)
    # 200,000 draws: five times the deviation of their mean
    allowed = 5 * np.sqrt(share * (1 - share) / found.size)
    assert np.mean(found == 0) == pytest.approx(share, abs=allowed)
    assert found.mean() == pytest.approx(1, abs=1e-6 + allowed / (1 - share))


def test_draws_are_independent() -> None:
    """Of rows, columns, and successive seeds: what is zero in one tells nothing of its neighbour."""
    program, outputs = dropped([Dropout(0.5)])
    found = np.stack([drawn(program, outputs, seed) == 0 for seed in range(20)]) * 2.0 - 1
    for axis in range(3):
        first, second = np.delete(found, 0, axis), np.delete(found, -1, axis)
        assert abs(np.mean(first * second)) < 5 / np.sqrt(first.size)


def test_a_seed_always_draws_the_same_and_another_something_else() -> None:
    program, outputs = dropped([Dropout(0.3)])
    first = drawn(program, outputs, 7)
    assert not np.array_equal(first, drawn(program, outputs, 8))
    assert np.array_equal(first, drawn(program, outputs, 7))
    assert np.array_equal(first, drawn(program.replica(), outputs, 7))


def test_two_of_one_tape_draw_differently() -> None:
    program, outputs = dropped([Dropout(0.5), Dropout(0.5)])
    # were they alike, half would be left and not a quarter: 10,000 draws
    assert np.mean(drawn(program, outputs, 3) != 0) == pytest.approx(0.25, abs=5 * np.sqrt(0.25 * 0.75 / 10_000))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_way_back_drops_the_same(dtype: Any) -> None:
    program, outputs = dropped([Dropout(0.4)], dtype)
    found = drawn(program, outputs, 5)
    program.backward()
    np.testing.assert_allclose(program.gradient.reshape(ROWS, COLUMNS), found / ROWS, rtol=1e-6)


def test_gradients_through_dropout_are_finite_differences() -> None:
    network, tape = Network([Dense(4, "tanh"), Dropout(0.5), Dense(2)], 3, "", False), Tape(26, np.float64, True)
    inputs = tape.input(5, 3)
    program = tape.program(network.apply(tape, inputs, 0, 1).total().mean())
    rng = np.random.default_rng(0)
    params = rng.normal(size=network.size)
    program.value(inputs)[:], program.parameters[:] = rng.normal(size=(5, 3)), params
    seed_of(program.values, program.seed)[0] = 11
    program.forward()
    program.backward()
    gradient, small = program.gradient.copy(), 1e-6
    for index in range(network.size):
        both = []
        for way in (small, -small):
            program.parameters[:] = params
            program.parameters[index] += way
            both.append(program.forward())
        assert gradient[index] == pytest.approx((both[0] - both[1]) / (2 * small), rel=1e-6, abs=1e-7)


def test_a_network_that_acts_drops_nothing() -> None:
    tape = Tape(4)
    given = tape.parameters(0, 2, 2)
    assert Dropout(0.5).apply(tape, given, 0, (2,), 1) is given
    check_network([Dropout(0.5), Dense(2)], (3,))
    check_network([Dropout(0.2), LayerNorm()], (2, 3, 2))


def test_dropout_in_words() -> None:
    for layer in (Dropout(0.2), Dropout(0.0), Dropout(1 / 3)):
        assert network_from_text(f"{layer.text}>dense:2", 3, 2).layers[0] == layer


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dropout", "'dropout' needs a share, as in 'dropout:0.2'; got 'dropout:'"),
        ("dropout:half", "'dropout' needs a share, as in 'dropout:0.2'; got 'dropout:half'"),
        ("dropout:1", "a dropout's share is at least 0 and below 1, got 1.0"),
        ("dropout:-0.1", "a dropout's share is at least 0 and below 1, got -0.1"),
        ("dropout:nan", "a dropout's share is at least 0 and below 1, got nan"),
    ],
)
def test_a_wrong_share_is_explained(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        network_from_text(text, 3, 2)
