"""Optimisers: torch's trajectories, from fixtures that make_optimizer_fixtures.py wrote, in `step` and in descent."""

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from evo.algorithms.strategies.ars import ARS
from evo.algorithms.strategies.openai_es import OpenAIES
from evo.autodiff import Program, Tape
from evo.autodiff.descent import Feeds, Settings, descend
from evo.autodiff.operations import seed_of
from evo.autodiff.team import Team
from evo.networks import Dense
from evo.numerics.randomness import generator
from evo.optimizers import OPTIMIZERS, SGD, Adam, AdamW, ClipUp, Momentum, Nesterov, RMSProp, find_optimizer
from evo.problems.classic_functions import FUNCTIONS
from tests.support.places import FIXTURES

Floats = NDArray[np.float64]

TORCH = np.load(FIXTURES / "optimizers.npz")
STEPS, SIZE, ROWS, LEARNING_RATE, MAX_NORM, L1, L2, DECAY = 20, 6, 8, 0.05, 0.7, 0.02, 0.1, 0.3
KINDS = {"plain": {}, "clipped": {"max_norm": MAX_NORM}, "penalised": {"max_norm": MAX_NORM, "l1": L1, "l2": L2}}

in_torch = pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name != "clipup"])
every_optimizer = pytest.mark.parametrize("name", OPTIMIZERS)


@in_torch
def test_steps_are_torchs(name: str) -> None:
    optimizer, parameters = OPTIMIZERS[name](SIZE, LEARNING_RATE), TORCH["start"].copy()
    for direction, expected in zip(TORCH["directions"], TORCH[f"{name}/given"], strict=True):
        delta = optimizer.step(direction)
        if optimizer.decoupled:
            parameters = (1 - LEARNING_RATE * DECAY) * parameters
        parameters = parameters + delta
        np.testing.assert_allclose(parameters, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_moments_never_become_subnormal(dtype: Any) -> None:
    """Subnormal numbers are slow, and where a gradient stays 0 the moments would stay subnormal for ever."""
    optimizer, tiny = Adam(3, 0.01, beta2=0.9, dtype=dtype), np.finfo(dtype).tiny
    optimizer.step(np.array([1.0, 1e-12, np.nan]))
    for _ in range(8000 if dtype is np.float64 else 1000):
        optimizer.step(np.array([0.0, 0.0, np.nan]))
        moments = np.abs(optimizer.memory[:, :2])
        assert ((moments == 0) | (moments >= tiny)).all()
    assert not optimizer.memory[:, :2].any()
    assert np.isnan(optimizer.memory[:, 2]).all()  # what is not finite stays visible


def _regression(dtype: Any, replicas: int = 1) -> tuple[tuple[Program, ...], Feeds]:
    """Targets as a weighted sum of inputs, in minibatches of ROWS."""
    tape = Tape(SIZE, dtype)
    x, y = tape.input(ROWS // replicas, SIZE), tape.input(ROWS // replicas, 1)
    error = Dense(1, bias=False).apply(tape, x, 0, (SIZE,), 1) - y
    program = tape.program((error * error).mean())
    program.parameters[:] = TORCH["start"]
    return (program, *(program.replica() for _ in range(replicas - 1))), Feeds.into(x, y)


EXAMPLES = np.concatenate([TORCH["inputs"], TORCH["targets"]], axis=2).reshape(STEPS * ROWS, SIZE + 1)
ORDER = np.arange(STEPS * ROWS).reshape(STEPS, ROWS)


# Adam's betas as float32 has them: 1 - 0.999 is off by 1.3e-5 of itself there
EXACT = {"adam": {"beta1": 0.875, "beta2": 0.9921875}, "adamw": {"beta1": 0.875, "beta2": 0.9921875}}


def _path(name: str, kind: str, dtype: Any, options: dict[str, float]) -> np.ndarray:
    """The parameters after each minibatch."""
    programs, feeds = _regression(dtype)
    optimizer, path = OPTIMIZERS[name](SIZE, LEARNING_RATE, **options, dtype=dtype), []
    decay = DECAY if optimizer.decoupled else 0.0
    for rows in ORDER:
        given = Settings(np.full(1, LEARNING_RATE), weight_decay=decay, **KINDS[kind])
        descend(programs, feeds, EXAMPLES.astype(dtype), rows[np.newaxis], optimizer, given)
        path.append(programs[0].parameters.copy())
    return np.array(path)


@pytest.mark.parametrize("kind", KINDS)
@in_torch
def test_descent_is_torchs(name: str, kind: str) -> None:
    """Clipping is torch.nn.utils.clip_grad_norm_; penalties are part of torch's loss."""
    found = _path(name, kind, np.float64, {})
    np.testing.assert_allclose(found, TORCH[f"{name}/{kind}"], rtol=1e-12, atol=1e-14)
    options = EXACT.get(name, {})
    expected = TORCH[f"{name}-exact/{kind}" if options else f"{name}/{kind}"]
    found = _path(name, kind, np.float32, options)
    error = np.linalg.norm(found - expected, axis=1) / np.linalg.norm(expected, axis=1)
    assert error.max() < 1e-6


@pytest.mark.parametrize("kind", KINDS)
@every_optimizer
def test_minibatches_at_once_are_minibatches_one_by_one(name: str, kind: str) -> None:
    programs, feeds = _regression(np.float32)
    optimizer = OPTIMIZERS[name](SIZE, LEARNING_RATE, dtype=np.float32)
    decay = DECAY if optimizer.decoupled else 0.0
    given = Settings(np.full(STEPS, LEARNING_RATE), weight_decay=decay, **KINDS[kind])
    descend(programs, feeds, EXAMPLES.astype(np.float32), ORDER, optimizer, given)
    assert optimizer.steps == STEPS
    np.testing.assert_array_equal(programs[0].parameters, _path(name, kind, np.float32, {})[-1])


@every_optimizer
def test_descent_takes_the_optimisers_own_steps(name: str) -> None:
    programs, feeds = _regression(np.float64)
    optimizer, parameters = OPTIMIZERS[name](SIZE, LEARNING_RATE), TORCH["start"].copy()
    own = copy.copy(optimizer)
    given = Settings(np.full(STEPS, LEARNING_RATE))
    descend(programs, feeds, EXAMPLES, ORDER, optimizer, given)
    for x, y in zip(TORCH["inputs"], TORCH["targets"], strict=True):
        gradient = 2 * x.T @ (x @ parameters - y[:, 0]) / ROWS
        parameters = parameters + own.step(-gradient)
    np.testing.assert_allclose(programs[0].parameters, parameters, rtol=1e-10)
    assert own.steps == optimizer.steps == STEPS
    np.testing.assert_allclose(own.memory, optimizer.memory, rtol=1e-9)


def test_the_speed_limit_of_clipup_falls_with_the_learning_rate() -> None:
    programs, feeds = _regression(np.float64)
    optimizer = ClipUp(SIZE, LEARNING_RATE)
    for share in np.linspace(1.0, 0.05, STEPS):
        before = programs[0].parameters.copy()
        descend(programs, feeds, EXAMPLES, ORDER[:1], optimizer, Settings(np.full(1, LEARNING_RATE * share)))
        moved = np.linalg.norm(programs[0].parameters - before)
        assert moved <= 2 * LEARNING_RATE * share * (1 + 1e-12)
    assert moved == pytest.approx(2 * LEARNING_RATE * share)  # and it was in force


def test_no_norm_is_no_limit() -> None:
    found = []
    for max_norm in (0.0, math.inf, 1e9):
        programs, feeds = _regression(np.float32)
        given = Settings(np.full(STEPS, 1e-3), max_norm)
        descend(programs, feeds, EXAMPLES, ORDER, SGD(SIZE, 1e-3, dtype=np.float32), given)
        found.append(programs[0].parameters.copy())
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


@every_optimizer
def test_a_learning_rate_of_zero_moves_nothing(name: str) -> None:
    """A schedule that falls to zero ends there."""
    programs, feeds = _regression(np.float32)
    optimizer = OPTIMIZERS[name](SIZE, LEARNING_RATE, dtype=np.float32)
    descend(programs, feeds, EXAMPLES, ORDER[:1], optimizer, Settings(np.full(1, LEARNING_RATE)))
    before = programs[0].parameters.copy()
    descend(programs, feeds, EXAMPLES, ORDER[:1], optimizer, Settings(np.zeros(1), weight_decay=DECAY))
    np.testing.assert_array_equal(programs[0].parameters, before)
    assert np.isfinite(optimizer.memory).all()


# What is drawn at random


def _splitmix(word: int) -> int:
    """Steele, Lea & Flood 2014, in plain numbers."""
    word = (word + 0x9E3779B97F4A7C15) % 2**64
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB % 2**64
    return word ^ (word >> 31)


@pytest.mark.parametrize("threads", [1, 2])
def test_seeds_depend_on_seed_step_and_replica_and_on_nothing_else(threads: int) -> None:
    tape = Tape(1)
    x, place = tape.input(4, 1), tape.seed()
    program = tape.program((x * tape.parameters(0, 1, 1)).mean())
    programs, seen = (program, program.replica()), []
    for seed in (0, 7, 2**64 - 1):
        sgd = SGD(1, 0.1, dtype=np.float32)
        for step in range(3):
            one = Settings(np.full(1, 0.1))
            descend(programs, Feeds.into(x), EXAMPLES[:, :1], ORDER[:1], sgd, one, team=Team(threads), seed=seed)
            for replica in range(2):
                drawn = int(seed_of(programs[replica].values, place.at)[0]) % 2**64
                mixed = _splitmix((_splitmix(seed) + step) % 2**64)
                assert drawn == _splitmix((mixed + replica) % 2**64)
                seen.append(drawn)
    assert len(set(seen)) == len(seen) == 18


# As optimisers


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@every_optimizer
def test_restored_goes_on_to_the_bit(name: str, dtype: Any) -> None:
    directions = generator(0, "directions").standard_normal((20, 6))
    whole, early, late = (OPTIMIZERS[name](6, 0.01, dtype=dtype) for _ in range(3))
    expected = [whole.step(direction) for direction in directions]
    for direction in directions[:9]:
        early.step(direction)
    state, held = early.state(), copy.copy(early)
    early.step(directions[9])  # neither a state nor a shallow copy is disturbed by going on
    late.restore(state)
    for direction, delta in zip(directions[9:], expected[9:], strict=True):
        np.testing.assert_array_equal(late.step(direction), delta)
        np.testing.assert_array_equal(held.step(direction), delta)
    assert delta.dtype == dtype
    assert set(state) == {"steps", *late.vectors}
    assert late.steps == 20


@settings(max_examples=50)
@given(arrays(np.float64, (8, 3), elements=st.floats(-1e3, 1e3)), st.floats(0.01, 10), st.floats(0, 1))
def test_clipup_equals_its_plain_twin(directions: Floats, max_speed: float, momentum: float) -> None:
    """Algorithm 1 of Toklu, Liskowski & Srivastava, in its own order."""
    optimizer, velocity = ClipUp(3, 0.3, max_speed, momentum), np.zeros(3)
    for direction in directions:
        length = math.sqrt(float(np.sum(np.square(direction))))
        velocity = momentum * velocity + 0.3 * (direction / length if length > 0 else direction)
        speed = math.sqrt(float(np.sum(np.square(velocity))))
        velocity = velocity * (max_speed / speed) if speed > max_speed else velocity
        np.testing.assert_allclose(optimizer.step(direction), velocity, rtol=1e-12, atol=1e-15)


CONVERGING = {
    "sgd": (0.1, 1e-3),
    "momentum": (0.02, 5e-4),
    "nesterov": (0.02, 5e-4),
    "rmsprop": (0.01, 1e-3),
    "adam": (0.1, 0.02),
    "adamw": (0.1, 0.02),
    "clipup": (0.05, 0.01),
}


def _climbed(
    name: str, learning_rate: float, gradient: Callable[[Floats], Floats], start: Floats, steps: int
) -> Floats:
    """With steps that become smaller, as they must for those whose steps do not become smaller by themselves."""
    optimizer, point = OPTIMIZERS[name](len(start), learning_rate), start
    for done in range(steps):
        point = point + (1 - done / steps) * optimizer.step(-gradient(point))
    return point


@every_optimizer
def test_it_climbs_down_the_sphere_and_the_valley_of_rosenbrock(name: str) -> None:
    def valley(x: Floats) -> Floats:
        across = 200 * (x[1] - x[0] ** 2)
        return np.array([-2 * across * x[0] - 2 * (1 - x[0]), across])

    easy, hard = CONVERGING[name]
    bottom = _climbed(name, easy, lambda x: 2 * x, np.linspace(-2, 2, 7), 600)
    assert FUNCTIONS["sphere"].values(bottom[np.newaxis])[0] < 1e-4
    bottom = _climbed(name, hard, valley, np.array([-1.2, 1.0]), 20_000)
    assert FUNCTIONS["rosenbrock"].values(bottom[np.newaxis])[0] < 1e-3


@every_optimizer
def test_openai_es_follows_any_of_them(name: str) -> None:
    learning_rate = 0.3 if name in ("sgd", "momentum", "nesterov") else 0.05

    def made() -> OpenAIES:
        return OpenAIES(np.ones(5), 0, pairs=8, learning_rate=learning_rate, weight_decay=0.01, optimizer=name)

    def told(algorithm: OpenAIES, generations: int) -> None:
        for _ in range(generations):
            algorithm.tell(-np.sum(np.square(algorithm.ask().dense()), axis=1))

    whole, early, late = made(), made(), made()
    told(whole, 150)
    told(early, 40)
    late.restore(early.state())
    told(late, 110)
    np.testing.assert_array_equal(late.candidates(), whole.candidates())
    assert np.linalg.norm(whole.candidates()) < 0.5


def test_with_adamw_the_decay_of_openai_es_is_apart_from_the_steps() -> None:
    algorithm = OpenAIES([1.0, -2.0], 0, pairs=4, learning_rate=0.1, weight_decay=0.5, optimizer="adamw")
    algorithm.ask()
    algorithm.tell(np.zeros(8))
    np.testing.assert_allclose(algorithm.candidates()[0], np.array([1.0, -2.0]) * (1 - 0.1 * 0.5))


@pytest.mark.parametrize("name", [*OPTIMIZERS, "ars"])
def test_steps_fall_by_the_schedule(name: str) -> None:
    def made(**options: Any) -> OpenAIES | ARS:
        if name == "ars":
            return ARS(np.ones(5), 0, directions=4, **options)
        return OpenAIES(np.ones(5), 0, pairs=4, weight_decay=0.0, optimizer=name, **options)

    def lengths(generations: int, **options: Any) -> list[float]:
        algorithm, found = made(anneal_generations=generations, **options), []
        for _ in range(40):
            algorithm.tell(algorithm.ask().dense().sum(axis=1))
            found.append(algorithm.diagnostics()["update_norm"])
            assert (algorithm.finished() is not None) == (generations == algorithm.generation)
        return found

    never, falling, stepped = lengths(0), lengths(40), lengths(80, schedule="step(0.1, 0.4)")
    assert falling[0] == never[0] == stepped[0] and stepped[31] == never[31]
    assert max(falling[-1], stepped[-1]) < 0.2 * never[-1]
    assert made(schedule="cosine", anneal_generations=2).annealing.schedule.text == "cosine"


# What is refused


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(3, 0.0), "learning_rate=0.0: must be a finite number > 0"),
        (lambda: SGD(-1, 0.1), "size=-1: must be a whole number >= 0"),
        (lambda: Momentum(3, 0.1, 1.1), r"momentum=1.1: must be a number in \[0, 1\]"),
        (lambda: Nesterov(3, 0.1, -0.1), r"momentum=-0.1: must be a number in \[0, 1\]"),
        (lambda: RMSProp(3, 0.1, 2.0), r"decay=2.0: must be a number in \[0, 1\]"),
        (lambda: RMSProp(3, 0.1, epsilon=0.0), "epsilon=0.0: must be a finite number > 0"),
        (lambda: Adam(3, 0.1, beta1=1.0), "beta1=1.0: must be less than 1"),
        (lambda: AdamW(3, 0.1, beta2=-1.0), r"beta2=-1.0: must be a number in \[0, 1\]"),
        (lambda: AdamW(3, 0.1, epsilon=math.nan), "epsilon=nan: must be a finite number > 0"),
        (lambda: ClipUp(3, 0.1, max_speed=0.0), "max_speed=0.0: must be a finite number > 0"),
        (lambda: ClipUp(3, 0.1, momentum=2.0), r"momentum=2.0: must be a number in \[0, 1\]"),
        (lambda: find_optimizer("adm"), "optimizer='adm': must be the name of an optimiser; did you mean 'adam'"),
        (
            lambda: OpenAIES([1.0], 0, optimizer="bfgs"),
            "optimizer='bfgs': must be the name of an optimiser; one of sgd",
        ),
        (lambda: OpenAIES([1.0], 0, schedule="cosine"), "schedule='cosine': give anneal_generations"),
        (lambda: OpenAIES([1.0], 0, anneal_generations=-1), "anneal_generations=-1: must be a whole number >= 0"),
        (lambda: Adam(3, 0.1).step(np.zeros(2)), r"a direction of shape \(2,\): it must be \(3,\)"),
    ],
)
def test_what_is_out_of_range_is_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_descent_refuses_what_does_not_fit() -> None:
    programs, feeds = _regression(np.float32)
    one = Settings(np.full(1, 0.1))
    with pytest.raises(ValueError, match="6 numbers of float64: these programs have 6 parameters of float32"):
        descend(programs, feeds, EXAMPLES, ORDER[:1], SGD(SIZE, 0.1), one)
    with pytest.raises(ValueError, match="5 numbers of float32: these programs have 6"):
        descend(programs, feeds, EXAMPLES, ORDER[:1], SGD(5, 0.1, dtype=np.float32), one)
    with pytest.raises(ValueError, match=r"learning rates of shape \(1,\): there are 20 minibatches"):
        descend(programs, feeds, EXAMPLES, ORDER, SGD(SIZE, 0.1, dtype=np.float32), one)
