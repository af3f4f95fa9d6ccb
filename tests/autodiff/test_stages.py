"""What off-policy learners need of the tape: operations against torch, and several losses, each with its optimiser."""

import copy
from typing import Any

import numpy as np
import pytest

from evo.autodiff import Node, Tape
from evo.autodiff.descent import Feeds
from evo.autodiff.stages import Stage, update
from evo.autodiff.team import Team
from evo.networks import network_from_text
from evo.optimizers import Adam, ClipUp
from tests.support.places import FIXTURES

TORCH = np.load(FIXTURES / "off_policy.npz")
OPERATIONS = {"log": Node.log, "softplus": Node.softplus, "take": lambda node: node.take(1, 2)}
PRECISIONS = [(np.float32, 1e-5), (np.float64, 1e-10)]


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_equals_torch(name: str, dtype: Any, tolerance: float) -> None:
    given = TORCH[f"{name}/first"]
    tape = Tape(given.size, dtype)
    out = OPERATIONS[name](tape.parameters(0, *given.shape))
    factor = tape.input(*out.shape)
    program = tape.program((out * factor).mean() * float(out.rows * out.columns))
    program.parameters[:], program.value(factor)[:] = given.ravel(), TORCH[f"{name}/weights"]
    program.forward()
    program.backward()
    np.testing.assert_allclose(program.value(out), TORCH[f"{name}/out"], rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(program.gradient, TORCH[f"{name}/grad"].ravel(), rtol=tolerance, atol=tolerance)


def test_softplus_does_not_overflow() -> None:
    tape = Tape(3)
    out = tape.parameters(0, 1, 3).softplus()
    program = tape.program(out.mean())
    program.parameters[:] = [-500.0, 0.0, 500.0]
    program.forward()
    program.backward()
    np.testing.assert_allclose(program.value(out)[0], [0.0, np.log(2.0), 500.0])
    np.testing.assert_allclose(program.gradient, np.array([0.0, 0.5, 1.0]) / 3, rtol=1e-6)


def test_concat_puts_side_by_side_and_sends_each_its_gradient() -> None:
    tape = Tape(10)
    first, second, factor = tape.parameters(0, 2, 3), tape.parameters(6, 2, 2), tape.input(2, 5)
    both = first.concat(second)
    program = tape.program((both * factor).mean() * 10.0)
    program.parameters[:], program.value(factor)[:] = np.arange(10), np.arange(10).reshape(2, 5)
    program.forward()
    program.backward()
    np.testing.assert_array_equal(program.value(both), [[0, 1, 2, 6, 7], [3, 4, 5, 8, 9]])
    np.testing.assert_allclose(program.gradient, [0, 1, 2, 5, 6, 7, 3, 4, 8, 9])
    with pytest.raises(ValueError, match="side by side"):
        first.concat(tape.input(3, 1))
    with pytest.raises(ValueError, match="columns 2 to 4 of 3"):
        first.take(2, 2)


def test_no_gradient_passes_what_is_detached_or_frozen() -> None:
    tape = Tape(3)
    one, other = tape.parameters(0, 1, 1), tape.parameters(1, 1, 1)
    with tape.frozen():
        third = tape.parameters(2, 1, 1)
    program = tape.program(one * (other * other).detach() * third + other.detach() * one)
    program.parameters[:] = [2.0, 3.0, 5.0]
    assert program.forward() == 2 * 9 * 5 + 3 * 2
    program.backward()
    np.testing.assert_array_equal(program.gradient, [9 * 5 + 3, 0, 0])
    with pytest.raises(ValueError, match="depends on parameters"):
        tape.program((third * third).mean())


@pytest.mark.parametrize("activation", ["tanh", "relu", "elu"])
def test_the_activation_of_a_sum_is_the_activation_after_it(activation: str) -> None:
    found = []
    for within in (True, False):
        tape = Tape(2 * 5 + 5 + 4 * 2)
        inputs, weights, bias = tape.parameters(15, 4, 2), tape.parameters(0, 2, 5), tape.parameters(10, 1, 5)
        if within:
            out = inputs.affine(weights, bias, activation=activation)
        else:
            out = inputs.affine(weights, bias).activate(activation)
        program = tape.program((out * out).mean())
        program.parameters[:] = np.random.default_rng(0).normal(size=program.size)
        program.forward()
        program.backward()
        found.append((program.value(out).copy(), program.gradient.copy()))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][1], found[1][1])


def test_normals_are_drawn_by_the_seed() -> None:
    tape = Tape(1)
    one, other = tape.normal(100, 50), tape.normal(100, 50)
    program = tape.program((one + other).mean() * tape.parameters(0, 1, 1))
    drawn = []
    for seed in (1, 2, 1):
        program.value(tape.seed()).view(np.int64)[0, 0] = seed
        program.forward()
        drawn.append(np.concatenate([program.value(one), program.value(other)]).ravel())
    np.testing.assert_array_equal(drawn[0], drawn[2])
    assert np.isin(drawn[0], drawn[1]).mean() < 0.01  # float32 repeats a few
    assert len(np.unique(drawn[0])) > 9_900
    assert abs(drawn[0].mean()) < 4 / 100
    assert drawn[0].std() == pytest.approx(1.0, abs=0.03)


class Fit:
    """A critic fitted to targets, with a slow copy; an actor that climbs the critic in every second update."""

    def __init__(self, dtype: Any = np.float32, shards: int = 2) -> None:
        self.critic, self.actor = network_from_text("mlp:8:relu", 2, 1), network_from_text("linear", 1, 1)
        count, rows = self.critic.size, 16 // shards
        self.slow, self.at, self.count = count, 2 * count, count
        tape = Tape(self.at + 1, dtype)
        pairs, states, targets = tape.input(rows, 2), tape.input(rows, 1), tape.input(rows, 1)
        error = self.critic.apply(tape, pairs, 0, 1) - targets
        self.losses = [(error * error).mean()]
        stages = [Stage(tape.stage(self.losses[0]), 0, count, target=count, rate=0.1, target_every=2)]
        action = self.actor.apply(tape, states, self.at, 1) + tape.normal(rows, 1) * 0.0
        with tape.frozen():
            self.losses.append(-self.critic.apply(tape, states.concat(action), 0, 1).mean())
        stages.append(Stage(tape.stage(self.losses[1]), self.at, self.at + 1, every=2))
        self.stages, program = tuple(stages), tape.program(self.losses[1])
        self.programs = (program, *(program.replica() for _ in range(shards - 1)))
        inputs = (pairs, states, targets)
        places = [np.array(one) for one in ((0, 0, 2), (2, 1, 1), [node.at for node in inputs])]
        self.feeds = Feeds(*places, rows)
        self.optimizers = (Adam(count, 0.01, dtype=dtype), Adam(1, 0.02, dtype=dtype))
        rng = np.random.default_rng(5)
        self.programs[0].parameters[:] = rng.normal(size=self.at + 1) * 0.5
        self.examples = rng.normal(size=(40, 3)).astype(np.float32)
        self.order = rng.integers(40, size=(7, 16))

    def update(self, first: int = 0, last: int = 7, threads: int = 1) -> Any:
        given = self.stages, self.optimizers, first, tuple(self.losses), Team(threads), 9
        return update(self.programs, self.feeds, self.examples, self.order[first:last], *given)


def test_stages_are_the_plain_loop() -> None:
    """The plain twin: each loss on a tape of its own, an optimiser's steps, and a moving average."""
    fit, twin = Fit(np.float64), Fit(np.float64, shards=1)
    params, (critic, actor) = twin.programs[0].parameters, copy.deepcopy(fit.optimizers)
    expected, climbed = [], []
    for number, rows in enumerate(fit.order, 1):
        (program,), (first, second) = twin.programs, (stage.section for stage in twin.stages)
        chosen = twin.examples[rows]
        for column, width, at in zip(*twin.feeds[:3], strict=True):
            program.values[at : at + 16 * width] = chosen[:, column : column + width].ravel()
        program.forward()
        expected.append(program.values[first.loss])
        program._replace(table=program.table[: first.last], loss=first.loss).backward()
        params[: twin.count] += critic.step(-program.gradient[: twin.count])
        if number % 2 == 0:
            program.forward()
            climbed.append(program.values[second.loss])
            program._replace(table=program.table[second.first :], loss=second.loss).backward()
            params[twin.at :] += actor.step(-program.gradient[twin.at :])
            slow = params[twin.slow : twin.at]
            slow += 0.1 * (params[: twin.count] - slow)
    sums, counts = fit.update()
    np.testing.assert_allclose(fit.programs[0].parameters, params, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(sums, [sum(expected), sum(climbed)], rtol=1e-10)
    np.testing.assert_array_equal(counts, [7, 3])
    assert [one.steps for one in fit.optimizers] == [7, 3]


def test_any_number_of_threads_and_of_calls_gives_the_same_bits() -> None:
    whole, parts = Fit(), Fit()
    found = whole.update(threads=2)
    found_in_parts = parts.update(0, 3) + parts.update(3, 7)
    np.testing.assert_allclose(found, found_in_parts, rtol=1e-12)
    for one, other in zip(whole.programs, parts.programs, strict=True):
        np.testing.assert_array_equal(one.parameters, other.parameters)
    np.testing.assert_array_equal(whole.programs[0].parameters, whole.programs[1].parameters)
    for one, other in zip(whole.optimizers, parts.optimizers, strict=True):
        np.testing.assert_array_equal(one.memory, other.memory)
        assert one.steps == other.steps


def test_a_gradient_that_is_not_finite_changes_no_optimiser() -> None:
    fit = Fit()
    fit.update(0, 2)
    fit.examples[fit.order[4, 0], 2] = np.inf
    before = [(one.memory.copy(), one.steps) for one in fit.optimizers]
    assert fit.update(2, 7) is None
    for one, (memory, steps) in zip(fit.optimizers, before, strict=True):
        np.testing.assert_array_equal(one.memory, memory)
        assert one.steps == steps


def test_what_does_not_fit_is_refused() -> None:
    fit = Fit()
    fit.order = fit.order[:, 1:]
    with pytest.raises(ValueError, match="minibatches of 15"):
        fit.update()
    fit = Fit()
    fit.optimizers = (fit.optimizers[0], Adam(2, 0.1, dtype=np.float32))
    with pytest.raises(ValueError, match="an optimiser of 2 numbers for 1"):
        fit.update()
    fit.optimizers = (fit.optimizers[0], ClipUp(1, 0.1, dtype=np.float32))
    with pytest.raises(ValueError, match="greatest speed"):
        fit.update()
