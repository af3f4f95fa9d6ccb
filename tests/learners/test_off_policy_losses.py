"""SAC's and TD3's targets, losses and gradients against torch, from what make_off_policy_fixtures.py wrote."""

from typing import Any

import numpy as np
import pytest

from evo.autodiff import Node, Tape
from evo.learners import sac, td3
from evo.learners.off_policy import Batch, Recorded
from evo.networks import Dense, Network, network_from_text
from tests.support.places import FIXTURES

TORCH = np.load(FIXTURES / "off_policy.npz")
ROWS, OBSERVATION, ACTION, HIDDEN = 32, 5, 2, (Dense(16, "relu"), Dense(12, "relu"))
DISCOUNT, RATE = 0.97, 0.01
PRECISIONS = [(np.float32, 1e-5), (np.float64, 1e-10)]


class Recording:
    """An update on a tape, with a batch and noise from the fixtures."""

    def __init__(self, dtype: Any, size: int) -> None:
        self.tape = Tape(size, dtype)
        self.batch = Batch.on(self.tape, ROWS, OBSERVATION, ACTION)
        self.noise = [self.tape.input(ROWS, ACTION) for _ in range(2)]

    def run(self, recorded: Recorded, target: Node, parameters: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        """Run it; return the target, and each stage's gradients of all parameters."""
        program = self.tape.program(recorded.loss)
        program.parameters[:] = parameters
        given = {name: TORCH[f"batch/{name}"] for name in ("observations", "rewards", "continues", "following")}
        given["pairs"] = np.concatenate([given["observations"], TORCH["batch/actions"]], axis=1)
        for name, node in self.batch._asdict().items():
            program.value(node)[:] = given[name]
        for node, name in zip(self.noise, ("next_noise", "noise"), strict=True):
            program.value(node)[:] = TORCH[f"batch/{name}"]
        program.forward()
        self.losses = {name: float(program.value(node)[0, 0]) for name, node in recorded.watched.items()}
        gradients = []
        for stage in recorded.stages:
            part = stage.section
            program._replace(table=program.table[part.first : part.last], loss=part.loss).backward()
            gradients.append(program.gradient.copy())
        return program.value(target), gradients


def close(found: np.ndarray, expected: np.ndarray, tolerance: float) -> None:
    assert np.linalg.norm(found - expected.ravel()) <= tolerance * np.linalg.norm(expected)


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
def test_sac_equals_torch(dtype: Any, tolerance: float) -> None:
    actor = Network((*HIDDEN, Dense(2 * ACTION)), OBSERVATION, "", normalise=False)
    critic = network_from_text("mlp:16,12:relu", OBSERVATION + ACTION, 1)
    places = sac.Places.of(actor, critic)
    one = Recording(dtype, places.size)
    recorded, target = sac.record(one.tape, actor, critic, one.batch, tuple(one.noise), DISCOUNT, -2.0, RATE)
    names = ("critic0", "critic1", "target0", "target1")
    parameters = np.concatenate([TORCH["sac/actor"], [-0.7], *(TORCH[name] for name in names)])
    value, (critics, actors) = one.run(recorded, target, parameters)
    close(value.ravel(), TORCH["sac/target"], tolerance)
    for name in ("critic", "actor", "temperature"):
        assert one.losses[f"{name}_loss"] == pytest.approx(float(TORCH[f"sac/loss/{name}"]), rel=tolerance)
    (first, second), third = places.critics, places.targets[0]
    close(critics[first:second], TORCH["sac/grad/critic0"], tolerance)
    close(critics[second:third], TORCH["sac/grad/critic1"], tolerance)
    close(actors[: actor.size], TORCH["sac/grad/actor"], tolerance)
    close(actors[actor.size : first], TORCH["sac/grad/temperature"], tolerance)
    assert not critics[:first].any() and not critics[third:].any()  # a stage has no gradient of what it does not move
    assert not actors[first:].any()
    moved = [(stage.start, stage.stop, stage.target) for stage in recorded.stages]
    assert moved == [(first, third, third), (0, first, -1)]


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
def test_td3_equals_torch(dtype: Any, tolerance: float) -> None:
    actor = Network((*HIDDEN, Dense(ACTION, "tanh")), OBSERVATION, "", normalise=False)
    critic = network_from_text("mlp:16,12:relu", OBSERVATION + ACTION, 1)
    places = td3.Places.of(actor, critic)
    one = Recording(dtype, places.size)
    smoothing = td3.Smoothing(0.2, 0.3)
    recorded, target = td3.record(one.tape, actor, critic, one.batch, one.noise[0], DISCOUNT, smoothing, RATE, 2)
    parts = ("td3/actor", "critic0", "critic1", "td3/slow", "target0", "target1")
    value, (critics, actors) = one.run(recorded, target, np.concatenate([TORCH[name] for name in parts]))
    close(value.ravel(), TORCH["td3/target"], tolerance)
    for name in ("critic", "actor"):
        assert one.losses[f"{name}_loss"] == pytest.approx(float(TORCH[f"td3/loss/{name}"]), rel=tolerance)
    (first, second), third = places.critics, places.slow_actor
    close(critics[first:second], TORCH["td3/grad/critic0"], tolerance)
    close(critics[second:third], TORCH["td3/grad/critic1"], tolerance)
    close(actors[:first], TORCH["td3/grad/actor"], tolerance)
    assert not critics[:first].any() and not critics[third:].any()
    assert not actors[first:].any()
    moved = [(stage.start, stage.stop, stage.target, stage.every, stage.target_every) for stage in recorded.stages]
    assert moved == [(first, third, places.targets[0], 1, 2), (0, first, third, 2, 2)]
