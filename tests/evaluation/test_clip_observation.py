"""Normalised observations are kept within bounds wherever a network acts, and where nobody said so they are not.

Numbers beyond one deviation are common, so that here a bound of 0.5 clips many of them.
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tomli_w

import evo
from evo.config.resolve import read_config, resolve_config
from evo.envs.gymnasium_bridge.gymnasium_task import GymnasiumTask
from evo.errors import EvoError
from evo.evaluation.workers import Threads
from evo.learners.ppo import PPO
from evo.learners.segments import network_inputs
from evo.problems.control import Walking
from evo.runs.champion import Champion

CLIP = 0.5
SMALL = {
    "method.environments": 2,
    "method.horizon": 64,
    "method.minibatch": 32,
    "method.epochs": 1,
    "evaluation.selection_episodes": 2,
    "evaluation.report_episodes": 2,
    "network.clip_observation": CLIP,
}


@pytest.mark.parametrize("task", ["Hopper-v5", "Acrobot-v1"], ids=["compiled", "Gymnasium's"])
def test_what_ppo_collects_is_clipped_and_otherwise_as_it_was(task: str) -> None:
    def learner(clip: float) -> PPO:
        world = evo.task(task)
        problem = Walking(world, evo.network("linear", world, normalise=True, clip_observation=clip), Threads(1))
        return PPO(problem, 0, environments=2, horizon=200, minibatch=100, epochs=1, critic="linear")

    free, clipping = learner(math.inf), learner(CLIP)
    free.step()
    clipping.restore(free.state())
    _, clipped = clipping._collect()
    unbounded, bounded = (
        network_inputs(seen, one.problem, one.statistics)
        for one, seen in ((free, free._collect()[1]), (clipping, clipped))
    )
    assert np.abs(unbounded).max() > 2 * CLIP
    assert np.abs(bounded).max() == CLIP
    assert 0.02 < (np.abs(bounded) == CLIP).mean() < 0.98
    # before the first action both see the same world; statistics are of what is observed, not of what is clipped
    np.testing.assert_array_equal(bounded[:, 0], np.clip(unbounded[:, 0], -CLIP, CLIP))
    normalised = (
        clipped.statistics[:, 1 : 1 + clipping.actor.inputs] - clipping.statistics.mean
    ) * clipping.statistics.scale
    assert np.abs(normalised).max() > CLIP


@pytest.fixture(scope="module", params=["cartpole", "Pendulum-v1"], ids=["compiled", "Gymnasium's"])
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("clipped") / "run"
    settings = SMALL | {"network.layers": "linear"}
    evo.run(request.param, method="ppo", generations=5, out=out, video=False, threads=1, settings=settings)
    return out


def test_a_champion_carries_its_bound_and_acts_within_it(trained: Path) -> None:
    champion = evo.load(trained).champion
    assert champion.clip_observation == champion.network.clip_observation == CLIP
    assert champion.verify().exact
    episode, policy = champion.rollout(5), champion.policy()
    mean, scale = champion.walking.normalisation(champion.candidate.statistics)
    weights = champion.params.astype(np.float64).reshape(len(mean), -1)
    clipped = 0
    task = champion.walking.task
    for observation, action in zip(episode.observations, episode.actions, strict=False):
        normalised = (observation - mean) * scale
        clipped += int((np.abs(normalised) > CLIP).sum())
        twin = np.clip(normalised, -CLIP, CLIP) @ weights
        np.testing.assert_allclose(action, np.clip(twin, task.action_low, task.action_high), rtol=1e-5, atol=1e-6)
        taken = task.actions.of(action) if isinstance(task, GymnasiumTask) else action
        np.testing.assert_array_equal(policy(observation), taken)
    assert clipped > 0


def test_a_champion_of_before_is_not_clipped(trained: Path, tmp_path: Path) -> None:
    clipped = evo.load(trained).champion
    old = _told(clipped, {}, tmp_path / "old.npz")
    assert old.clip_observation == math.inf
    assert old.rollout(5).total == replace(clipped, clip_observation=math.inf).rollout(5).total
    assert not np.array_equal(old.rollout(5).actions, clipped.rollout(5).actions)
    again = tmp_path / "again.npz"
    old.save(again)
    assert Champion.load(again).clip_observation == math.inf
    for wrong in ("10", 0.0, -1.0, math.nan, True):
        with pytest.raises(EvoError, match=r"is not a champion: .*clip_observation"):
            _told(clipped, {"clip_observation": wrong}, tmp_path / "wrong.npz")


def _told(champion: Champion, said: Mapping[str, object], path: Path) -> Champion:
    """The champion of a file that says nothing of the bound, or this."""
    arrays = champion.arrays()
    about = tomllib.loads(arrays["about"].tobytes().decode())
    del about["network"]["clip_observation"]
    about["network"] |= said
    np.savez(path, **arrays | {"about": np.frombuffer(tomli_w.dumps(about).encode(), np.uint8)})
    return Champion.load(path)


def test_a_run_that_begins_from_a_champion_keeps_its_bound(trained: Path, tmp_path: Path) -> None:
    settings = {"evaluation.report_episodes": 2, "evaluation.selection_episodes": 2}
    begun = evo.run(
        start=trained, method="ars", generations=0, out=tmp_path / "run", video=False, threads=1, settings=settings
    )
    assert begun.config["network.clip_observation"] == begun.champion.clip_observation == CLIP


def test_ppos_presets_clip_as_others_do_and_a_configuration_of_before_does_not() -> None:
    def of(**flags: object) -> float:
        resolved = resolve_config(flags={name.replace("__", "."): value for name, value in flags.items()})
        return resolved.network.clip_observation

    for task in ("Humanoid-v5", "HalfCheetah-v5", "Walker2d-v5", "evo/Quadruped-v0", "Pendulum-v1"):
        assert of(task__name=task, method__name="ppo") == 10.0
        assert of(task__name=task, method__name="ars") == math.inf
    assert of(task__name="Hopper-v5", method__name="ppo", network__clip_observation=math.inf) == math.inf
    config = resolve_config(flags={"task.name": "Hopper-v5", "method.name": "ppo"})
    again = resolve_config(read_config(config.toml(), "config.toml"))
    assert again.network.clip_observation == 10.0
    lines = [line for line in config.toml().splitlines() if not line.startswith("clip_observation")]
    assert resolve_config(read_config("\n".join(lines), "config.toml")).network.clip_observation == math.inf
    with pytest.raises(EvoError, match=r"network.clip_observation must be at least 0.001, got 0"):
        of(task__name="Hopper-v5", network__clip_observation=0)
