"""Clock: a rhythm beside the inputs."""

import re

import numpy as np
import pytest

import evo
from evo.networks import Clock, network_from_text


def test_it_turns_at_its_tempo_from_zero_in_every_episode() -> None:
    task = evo.task("cartpole")
    network = evo.network("clock:8x2", task)
    assert network.size == 1 + 4 + 4 + 1 and network.remembers and network.text == "clock:8x2"
    params = np.zeros(network.size)
    tempo = 0.3
    params[0], weights = tempo, np.array([0.01, 0.02, -0.01, 0.03, 0.3, 0.1, -0.2, 0.05])
    params[1:9], params[9] = weights, 0.02
    for seed in (0, 1):
        rollout = evo.rollout(task, network, params, seed=seed)
        turns = 2 * np.pi * np.arange(len(rollout.actions)) * np.exp(tempo) / 8
        rhythm = np.stack([np.sin(turns), np.cos(turns), np.sin(2 * turns), np.cos(2 * turns)], axis=1)
        seen = np.hstack([rollout.observations[: len(turns)], rhythm])
        np.testing.assert_allclose(rollout.actions[:, 0], np.clip(seen @ weights + 0.02, -1, 1), atol=1e-4)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "clock",
            "'clock' needs a period in steps, and may have a number of overtones, as in 'clock:64x2'; got 'clock:'",
        ),
        ("clock:1", "a clock needs a period of at least 2 steps and one overtone, got 'clock:1x1'"),
        ("clock:9x0", "at least 2 steps and one overtone, got 'clock:9x0'"),
        ("clock:9.5", "'clock' needs a period in steps"),
        ("clock:9:tanh", "'clock' needs a period in steps"),
        ("embedding:4x2>clock:9", "takes a row of features, not 3 × 2: flatten them first"),
    ],
)
def test_what_is_no_clock_is_one_line(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        network_from_text(f"{text}>flatten>dense:1", 3, 1)


def test_a_tempo_is_never_wild() -> None:
    network = evo.networks.Network([Clock(4)], 1, "", False)
    task = evo.task("cartpole")
    for tempo in (-1e30, 1e30):
        params = np.full(evo.network("clock:4", task).size, tempo)
        assert np.isfinite(evo.rollout(task, "clock:4", params, seed=0).actions).all()
    assert network.outputs == 3
