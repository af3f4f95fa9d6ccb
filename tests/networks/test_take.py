"""Take: the first inputs alone, from acting to gradients, files and refusals."""

import re

import numpy as np
import pytest

import evo
from evo.autodiff import Tape
from evo.networks import Take, network_from_text


def test_it_acts_on_the_first_inputs_alone() -> None:
    task = evo.task("cartpole")
    network = evo.network("take:2", task)
    assert network.size == 3 and network.text == "take:2"
    rollout = evo.rollout(task, network, np.array([0.5, 0.25, 0.125]), seed=3)
    expected = np.clip(rollout.observations[:-1, :2] @ [0.5, 0.25] + 0.125, -1, 1)
    np.testing.assert_allclose(rollout.actions[:, 0], expected, rtol=1e-6)


def test_its_gradient_is_that_of_a_network_of_the_first_inputs() -> None:
    seen, gradients = np.random.default_rng(1).standard_normal((4, 5)), []
    for text, columns in (("take:2>mlp:3>dense:2", 5), ("mlp:3", 2)):
        network = network_from_text(text, columns, 2)
        tape = Tape(network.size, np.float64)
        inputs = tape.input(4, columns)
        program = tape.program(network.apply(tape, inputs, 0, steps=1).mean())
        program.parameters[:] = np.random.default_rng(0).standard_normal(network.size)
        program.value(inputs)[:] = seen[:, :columns]
        program.forward()
        program.backward()
        gradients.append(program.gradient.copy())
    np.testing.assert_array_equal(*gradients)
    assert np.count_nonzero(gradients[0]) > 10


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("take", "'take' needs a number of inputs, as in 'take:27'; got 'take:'"),
        ("take:0", "'take' needs a number of inputs, as in 'take:27'; got 'take:0'"),
        ("take:3,4", "'take:3,4': it takes one number, of the first inputs"),
        ("take:9", "'take:9' takes more inputs than the 5 there are"),
        ("take:2:tanh", "'take:2:tanh': its units take no 'tanh'"),
    ],
)
def test_what_it_cannot_take_is_one_line(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        network_from_text(text, 5, 1)
    with pytest.raises(ValueError, match="at least one input, got 0"):
        Take(0)
