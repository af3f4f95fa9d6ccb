"""The tape against torch: values and gradients of every operation, from fixtures that make_torch_fixtures.py wrote."""

import inspect
import os
import threading
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from evo.autodiff import Node, Tape, operations
from evo.autodiff.descent import Feeds, Settings, assess, descend, squared_length
from evo.autodiff.team import Team, barrier
from evo.networks import Dense, network_from_text
from evo.networks.network import propagate
from evo.optimizers import OPTIMIZERS, SGD, Adam
from tests.support.places import FIXTURES

TORCH = np.load(FIXTURES / "torch.npz")
CLOSE = {"rtol": 1e-5, "atol": 1e-6}

UNARY = {
    "tanh": Node.tanh,
    "relu": Node.relu,
    "elu": Node.elu,
    "exp": Node.exp,
    "log_softmax": Node.log_softmax,
    "total": Node.total,
    "mean": Node.mean,
    "clip": lambda node: node.clip(-0.5, 0.7),
}
PAIRS = {
    "add": Node.__add__,
    "subtract": Node.__sub__,
    "multiply": Node.__mul__,
    "minimum": Node.minimum,
    "maximum": Node.maximum,
}


def differentiated(
    operands: list[np.ndarray], weights: np.ndarray, function: Any
) -> tuple[np.ndarray, list[np.ndarray]]:
    """The value of function(operands), and the gradients of the sum of its product with weights."""
    tape, at, nodes = Tape(sum(operand.size for operand in operands)), 0, []
    for operand in operands:
        nodes.append(tape.parameters(at, *operand.shape))
        at += operand.size
    out, factor = function(*nodes), tape.input(*weights.shape)
    program = tape.program((out * factor).mean() * float(weights.size))
    program.parameters[:] = np.concatenate([operand.ravel() for operand in operands])
    program.value(factor)[:] = weights
    program.forward()
    program.backward()
    parts = np.split(program.gradient, np.cumsum([operand.size for operand in operands])[:-1])
    gradients = [part.reshape(operand.shape) for part, operand in zip(parts, operands, strict=True)]
    return program.value(out).copy(), gradients


@pytest.mark.parametrize("name", UNARY)
def test_an_operation_equals_torch(name: str) -> None:
    value, (gradient,) = differentiated([TORCH[f"{name}/first"]], TORCH[f"{name}/weights"], UNARY[name])
    np.testing.assert_allclose(value, TORCH[f"{name}/out"], **CLOSE)
    np.testing.assert_allclose(gradient, TORCH[f"{name}/grad"], **CLOSE)


@pytest.mark.parametrize("kind", ["same", "row", "column", "number"])
@pytest.mark.parametrize("name", PAIRS)
def test_an_operation_of_two_equals_torch_and_broadcasts(name: str, kind: str) -> None:
    stem = f"{name}/{kind}"
    value, gradients = differentiated([TORCH[f"{stem}/a"], TORCH[f"{stem}/b"]], TORCH[f"{stem}/weights"], PAIRS[name])
    np.testing.assert_allclose(value, TORCH[f"{stem}/out"], **CLOSE)
    for gradient, place in zip(gradients, "ab", strict=True):
        np.testing.assert_allclose(gradient, TORCH[f"{stem}/grad_{place}"], **CLOSE)


def test_affine_equals_torch() -> None:
    operands = [TORCH[f"affine/{place}"] for place in "abc"]
    value, gradients = differentiated(operands, TORCH["affine/weights"], Node.affine)
    np.testing.assert_allclose(value, TORCH["affine/out"], **CLOSE)
    for gradient, place in zip(gradients, "abc", strict=True):
        np.testing.assert_allclose(gradient, TORCH[f"affine/grad_{place}"], **CLOSE)


def test_every_operation_has_its_way_back() -> None:
    plain = {
        name: value
        for name, value in vars(operations).items()
        if inspect.isfunction(value) and [*inspect.signature(value).parameters] == ["row", "values", "gradients"]
        if not name.startswith("_") and not name.endswith("_backward")
    }
    assert {"affine", "subtract", "pick"} < plain.keys()
    for name, operation in plain.items():
        assert operations.backward_of(operation).__name__ == f"{name}_backward"


def test_pick_takes_one_column_a_row_and_sends_the_gradient_there() -> None:
    tape = Tape(6)
    scores, chosen = tape.parameters(0, 3, 2), tape.input(3, 1)
    picked = scores.pick(chosen)
    program = tape.program(picked.mean())
    program.parameters[:] = np.arange(6)
    program.value(chosen)[:, 0] = [1, 0, 1]
    assert program.forward() == pytest.approx((1 + 2 + 5) / 3)
    program.backward()
    np.testing.assert_allclose(program.gradient, np.array([0, 1, 1, 0, 0, 1]) / 3)


def test_a_node_used_twice_gets_both_gradients() -> None:
    tape = Tape(1)
    x = tape.parameters(0, 1, 1)
    program = tape.program(x * x * x + x * 2.0)
    program.parameters[:] = 3.0
    assert program.forward() == 33.0
    program.backward()
    assert program.gradient[0] == 3 * 9 + 2


def test_shapes_that_do_not_fit_are_refused() -> None:
    tape = Tape(8)
    with pytest.raises(ValueError, match="do not fit"):
        tape.input(2, 3) + tape.input(3, 2)
    with pytest.raises(ValueError, match="do not fit"):
        tape.input(2, 3).affine(tape.parameters(0, 2, 3))
    with pytest.raises(ValueError, match="there are 8"):
        tape.parameters(4, 2, 3)
    with pytest.raises(ValueError, match="a loss is one number"):
        tape.program(tape.input(1, 1))


@pytest.mark.parametrize("text", ["linear", "mlp:16", "mlp:64,64", "mlp:8,5:relu", "mlp:7,9,3:elu"])
def test_apply_equals_step(text: str) -> None:
    """The network on a batch is the network in the episode, but for rounding."""
    network, rng, count = network_from_text(text, 11, 3), np.random.default_rng(1), 13
    params = rng.normal(size=network.size).astype(np.float32) * 0.5
    observations = rng.normal(size=(count, 11))
    tape = Tape(network.size)
    inputs = tape.input(count, 11)
    outputs = network.apply(tape, inputs, 0, steps=1)
    program = tape.program(outputs.mean())
    program.parameters[:], program.value(inputs)[:] = params, observations
    program.forward()
    memory, scratch = np.zeros(network.memory_size, np.float32), np.zeros(network.scratch_size, np.float32)
    for obs, found in zip(observations, program.value(outputs), strict=True):
        expected = np.zeros(3)
        propagate(network.plan, params, memory, scratch, obs, np.zeros(11), np.ones(11), np.inf, expected)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)  # numbers around 1


def _regression(size: int) -> tuple[Any, Feeds, Node, np.ndarray]:
    """Fit y = 2 x - 1 by one dense unit."""
    tape = Tape(2)
    x, y = tape.input(size, 1), tape.input(size, 1)
    error = Dense(1).apply(tape, x, 0, (x.columns,), 1) - y
    loss = (error * error).mean()
    inputs = np.linspace(-1, 1, 60, dtype=np.float32)
    return tape.program(loss), Feeds.into(x, y), loss, np.stack([inputs, 2 * inputs - 1], axis=1)


def test_descent_fits_a_line() -> None:
    program, feeds, loss, examples = _regression(20)
    rng, adam = np.random.default_rng(0), Adam(2, 0.02, dtype=np.float32)
    for _ in range(300):
        order = rng.permutation(60).reshape(3, 20)
        means = descend((program,), feeds, examples, order, adam, Settings(np.full(3, 0.02), 1.0), (loss,))
    np.testing.assert_allclose(program.parameters, [2, -1], atol=1e-3)
    assert means is not None and means[0] < 1e-5
    assert adam.steps == 900


def test_a_step_of_descent_is_adams_on_the_shortened_gradient() -> None:
    program, feeds, _, examples = _regression(60)
    before = np.array([5.0, 3.0])
    program.parameters[:] = before
    inputs, targets = examples[:, 0].astype(np.float64), examples[:, 1].astype(np.float64)
    error = before[0] * inputs + before[1] - targets
    gradient = np.array([np.mean(2 * error * inputs), np.mean(2 * error)])
    assert np.linalg.norm(gradient) > 0.5
    adam = Adam(2, 0.1, dtype=np.float32)
    descend((program,), feeds, examples, np.arange(60)[None], adam, Settings(np.full(1, 0.1), 0.5))
    shortened = gradient * 0.5 / (np.linalg.norm(gradient) + 1e-6)
    expected = before + Adam(2, 0.1).step(-shortened)
    np.testing.assert_allclose(program.parameters, expected, rtol=1e-6)


def test_descent_says_when_a_gradient_is_not_finite() -> None:
    program, feeds, _, examples = _regression(60)
    program.parameters[:] = np.float32(3e38)
    adam, order = Adam(2, 0.1, dtype=np.float32), np.arange(60)[None]
    assert descend((program,), feeds, examples, order, adam, Settings(np.full(1, 0.1), 0.5)) is None
    assert adam.steps == 0
    assert not adam.memory.any()


@settings(max_examples=30)
@given(count=st.integers(1, 50), size=st.integers(1, 20))
def test_assess_gives_every_example_its_value_whatever_the_minibatch(count: int, size: int) -> None:
    tape = Tape(1)
    x = tape.input(size, 1)
    doubled = x * 2.0
    program = tape.program((doubled * tape.parameters(0, 1, 1)).mean())
    examples = np.arange(count, dtype=np.float32)[:, None]
    found = assess(program, Feeds.into(x), examples, doubled)
    np.testing.assert_array_equal(found, 2 * examples)


@settings(max_examples=50)
@given(st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=40))
def test_squared_length_is_the_sum_of_squares(numbers: list[float]) -> None:
    values = np.array(numbers, np.float32)
    assert squared_length(values) == pytest.approx(float(np.sum(values.astype(np.float64) ** 2)), rel=1e-12)


def _sharded(
    replicas: int, threads: int, size: int = 30, scale: float = 1.0, name: str = "adam"
) -> tuple[Any, np.ndarray, Any]:
    """Parameters, memory and mean loss after 20 minibatches through a small network, cut into shards."""
    network = network_from_text("mlp:5", 3, 1)
    tape = Tape(network.size)
    inputs, targets = tape.input(size // replicas, 3), tape.input(size // replicas, 1)
    error = network.apply(tape, inputs, 0, steps=1) - targets
    loss = (error * error).mean()
    program, rng = tape.program(loss), np.random.default_rng(4)
    program.parameters[:] = rng.normal(size=network.size) * scale
    programs = (program, *(program.replica() for _ in range(replicas - 1)))
    examples = rng.normal(size=(60, 4)).astype(np.float32)
    optimizer = OPTIMIZERS[name](network.size, 0.01, dtype=np.float32)
    order = np.stack([rng.permutation(60)[:size] for _ in range(20)])
    feeds = Feeds.into(inputs, targets)
    rates = Settings(0.01 * np.linspace(1.0, 0.1, 20), 0.5, l1=1e-3, l2=1e-2, weight_decay=0.1)
    means = descend(programs, feeds, examples, order, optimizer, rates, (loss,), Team(threads))
    if means is not None:
        for one in programs:
            np.testing.assert_array_equal(one.parameters, program.parameters)
    return program.parameters.copy(), optimizer.memory, means


@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize("replicas", [1, 2, 3, 5])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_shards_on_several_threads_give_the_same_bits_as_on_one(name: str, replicas: int, threads: int) -> None:
    alone, together = _sharded(replicas, 1, name=name), _sharded(replicas, threads, name=name)
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_minibatch_in_shards_is_the_same_minibatch() -> None:
    whole, shards = _sharded(1, 1), _sharded(3, 1)
    np.testing.assert_allclose(whole[0], shards[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(whole[2], shards[2], rtol=1e-5)


@pytest.mark.parametrize("replicas", [1, 2])
def test_several_threads_say_when_a_gradient_is_not_finite(replicas: int) -> None:
    assert _sharded(replicas, 2, scale=1e30)[2] is None


def test_minibatches_of_another_size_are_refused() -> None:
    program, feeds, _, examples = _regression(20)
    order = np.arange(60)[None]
    with pytest.raises(ValueError, match="these programs take 40"):
        descend((program, program.replica()), feeds, examples, order, SGD(2, 0.1), Settings(np.full(1, 0.1)))


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("name", ["minimum", "maximum"])
def test_what_is_not_a_number_stays_visible(name: str, first: bool) -> None:
    numbers = [np.array([[np.nan]]), np.array([[1.0]])]
    value, _ = differentiated(numbers if first else numbers[::-1], np.ones((1, 1)), PAIRS[name])
    assert np.isnan(value).all()


# Threads that wait for each other


@njit(nogil=True)
def _come(place: Any, worker: int, workers: int, times: int) -> None:
    for _ in range(times):
        barrier(place, worker, workers)


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    _come(0, 0, 1, 0)


@pytest.mark.parametrize("leaver", [0, 1])
def test_nobody_waits_for_a_worker_that_has_left(leaver: int) -> None:
    team, left = Team(2), []

    def run(worker: int, workers: int, place: int) -> None:
        if worker == leaver:
            time.sleep(0.1)  # the other spins no more, and sleeps
            raise MemoryError("no room")
        _come(place, worker, workers, 3)
        left.append(worker)

    with pytest.raises(MemoryError):
        team.work(run)
    assert left == [1 - leaver]
    team.work(lambda worker, workers, place: _come(place, worker, workers, 3))  # and it works on


def test_a_team_that_waits_works_alone_for_a_while() -> None:
    team, seen = Team(2), []

    def slow(worker: int, workers: int, place: int) -> None:
        seen.append(workers)
        if worker:
            time.sleep(0.05)
        _come(place, worker, workers, 1)

    for _ in range(2):  # the first is forgiven: code may have had to be loaded
        team.work(slow)
    assert seen == [2] * 4
    for _ in range(25):
        team.work(slow)
    assert seen[4:24] == [1] * 20
    assert 2 in seen[24:]


@pytest.mark.parametrize(("had", "together"), [((0.9, 0.8), True), ((0.9, 0.3), False)])
def test_a_team_works_together_while_it_has_processors(
    had: tuple[float, float], together: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long its members wait for each other. Every thread has clocks of its own: a second passes in its work."""
    team, seen, clocks = Team(2), [], threading.local()

    def run(worker: int, workers: int, place: int) -> None:
        clocks.busy = had[worker]
        seen.append(workers)

    def passed() -> float:
        worked = hasattr(clocks, "busy")
        clocks.__dict__.clear()
        return float(worked)

    monkeypatch.setattr(time, "perf_counter", passed)
    monkeypatch.setattr(time, "thread_time", lambda: getattr(clocks, "busy", 0.0))
    for _ in range(3):
        team.work(run)
    assert seen == ([2] * 6 if together else [2, 2, 2, 2, 1])


def test_a_team_is_spread_over_the_processors_while_it_works() -> None:
    allowed, seen = os.sched_getaffinity(0), {}
    team = Team(2)

    def run(worker: int, workers: int, place: int) -> None:
        seen[worker] = os.sched_getaffinity(0)
        _come(place, worker, workers, 1)

    team.work(run)
    assert all(len(processors) == 1 and processors <= allowed for processors in seen.values())
    assert len(set.union(*seen.values())) == min(2, len(allowed))
    assert os.sched_getaffinity(0) == allowed


def test_an_operation_without_a_backward_half_is_refused() -> None:
    def alone(row: Any, values: Any, gradients: Any) -> None:
        pass

    tape = Tape(1)
    with pytest.raises(ValueError, match="alone has no backward half: declare one with @gradient_of"):
        tape.record(alone, 1, 1, tape.parameters(0, 1, 1))
