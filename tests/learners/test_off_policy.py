"""SAC and TD3: that they learn, resume to the bit, and fail as promised; what goes into the replay buffer."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import evo
from evo.envs.engine import interruption
from evo.envs.task import Task
from evo.evaluation.workers import Threads
from evo.learners.learner import Candidate
from evo.learners.off_policy import OffPolicy
from evo.learners.sac import SAC
from evo.learners.td3 import TD3
from evo.networks import Squash
from evo.networks.network import propagate
from evo.numerics.advantages import CUT_OFF, ENDED, FAILED
from evo.numerics.running_statistics import ObservationStatistics
from evo.problems.control import Walking
from evo.problems.problem import evaluate_alone

LEARNERS: dict[str, type[SAC] | type[TD3]] = {"sac": SAC, "td3": TD3}
BOTH = pytest.mark.parametrize("name", LEARNERS)
SMALL = "mlp:16:relu>squash"


def learner(
    name: str, task: str | Task = "pendulum", network: str = SMALL, threads: int = 1, seed: int = 3, **options: Any
) -> OffPolicy:
    made = evo.task(task) if isinstance(task, str) else task
    small = {"capacity": 1000, "warm_up": 40, "horizon": 20, "batch": 64, "critic": "mlp:16:relu"}
    problem = Walking(made, evo.network(network, made, normalise=options.pop("normalise", False)), Threads(threads))
    return LEARNERS[name](problem, seed, options.pop("start", None), **small | options)


def same(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> bool:
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


# Learning


@pytest.mark.parametrize(("name", "steps"), [("sac", 5000), ("td3", 9000)])
def test_it_swings_the_pendulum_up(name: str, steps: int) -> None:
    options = {"warm_up": 500, "horizon": 10, "learning_rate": 1e-3, "critic": "mlp:64,64:relu", "capacity": 20_000}
    one = learner(name, network="mlp:64,64:relu>squash", threads=2, seed=0, **options)
    best = -np.inf
    while one.steps < steps:
        one.step()
        if one.steps % 1000 == 0:  # as a run that chooses its champion
            outcome = evaluate_alone(one.problem, *one.candidates()[0], np.arange(10))
            best = max(best, float(outcome.returns.mean()))
    assert best > -260  # at rest about -1,200; swung up at once about -150


@BOTH
@pytest.mark.parametrize("task", ["pendulum", "Hopper-v5"])
def test_restored_it_goes_on_to_the_bit_whatever_the_threads(name: str, task: str) -> None:
    options = {"environments": 2, "capacity": 150, "horizon": 19}  # so few that the ring comes round
    whole, interrupted = learner(name, task, threads=1, **options), learner(name, task, threads=2, **options)
    expected = [whole.step() for _ in range(6)]
    for _ in range(4):
        interrupted.step()
    again = learner(name, task, threads=2, **options)
    again.restore({name: array.copy() for name, array in interrupted.state().items()})
    rows = [again.step() for _ in range(2)]
    np.testing.assert_equal(rows, expected[4:])  # NaN equals NaN
    assert same(whole.state(), again.state())
    assert whole.updates == again.updates == 6 * 38 - 40
    other = learner(name, task, seed=4, **options)
    other.step()
    assert not np.array_equal(whole.parameters, other.parameters)


@BOTH
def test_interrupted_within_a_step_it_is_as_before(name: str) -> None:
    class Halt(BaseException):
        pass

    one, whole = learner(name, capacity=50), learner(name, capacity=50)
    for each in (one, whole):
        for _ in range(4):
            each.step()
    before = {key: array.copy() for key, array in one.state().items()}
    update = one._update

    def interrupted(*given: Any) -> Any:
        update(*given)
        raise Halt

    one._update = interrupted  # type: ignore[method-assign]
    with pytest.raises(Halt):
        one.step()
    assert same(before, one.state())
    one._update = update  # type: ignore[method-assign]
    interruption.request(Halt())
    with pytest.raises(Halt):
        one.step()
    interruption.forget()
    assert same(before, one.state())
    one.step()
    whole.step()
    assert same(one.state(), whole.state())


@BOTH
def test_an_update_follows_each_step_after_the_warm_up(name: str) -> None:
    one = learner(name, warm_up=30)
    rows = [one.step() for _ in range(3)]
    assert [row["updates"] for row in rows] == [0, 10, 30]
    assert [row["steps"] for row in rows] == [20, 40, 60]
    assert np.isnan(rows[0]["critic_loss"]) and np.isfinite(rows[1]["critic_loss"])
    rarely = learner(name, warm_up=20, updates_per_step=0.25)
    assert [rarely.step()["updates"] for _ in range(4)] == [0, 5, 10, 15]


@BOTH
def test_a_diverging_run_stops_with_a_reason_and_keeps_what_it_had(name: str) -> None:
    one = learner(name, learning_rate=1e30)
    while one.finished() is None:
        before = one.policy()
        row = one.step()
        assert one.generation < 50
    assert one.finished() == (
        f"{name.upper()} diverged: its gradient was no longer finite; try a lower method.learning_rate"
    )
    assert np.isnan(row["critic_loss"])
    np.testing.assert_array_equal(one.policy(), before)
    again = learner(name, learning_rate=1e30)
    again.restore(one.state())
    assert again.finished() == one.finished()


# Experience


@BOTH
def test_the_replay_buffer_holds_what_happened(name: str) -> None:
    """Each row is a transition of the task: the action leads from one observation to the other, for that reward."""
    one = learner(name, evo.task("pendulum", steps=15), warm_up=20, learning_rate=1e-30)
    for _ in range(3):  # uniform actions, then the policy's own
        one.step()
    rows, columns = one.buffer.rows[: one.buffer.size].astype(float), one.columns
    assert len(rows) == 60 and one.steps == 60 and one.episodes == 4
    cosine, sine, speed = rows[:, :3].T
    torque, reward, goes_on = 2.0 * rows[:, columns.action], rows[:, columns.reward], rows[:, columns.continues]
    assert np.abs(torque).max() <= 2.0
    after = np.clip(speed + 0.05 * (15.0 * sine + 3.0 * torque), -8, 8)
    np.testing.assert_allclose(rows[:, -1], after, atol=1e-5)
    angle = np.arctan2(sine, cosine)
    np.testing.assert_allclose(reward, -(angle**2) - 0.1 * speed**2 - 0.001 * torque**2, atol=1e-4)
    np.testing.assert_allclose(rows[:, -3], np.cos(angle + 0.05 * after), atol=1e-5)
    assert goes_on.all()  # an episode that is cut off is worth what would have followed
    ends = np.array([14, 29, 44, 59])
    going = np.setdiff1d(np.arange(59), ends)
    np.testing.assert_array_equal(rows[going, -3:], rows[going + 1, :3])
    assert not (rows[ends[:-1], -3:] == rows[ends[:-1] + 1, :3]).all(axis=1).any()


@BOTH
def test_it_learns_in_an_environment_of_gymnasiums(name: str) -> None:
    """Another process makes the network that acts from its text, and gets the range of actions from the environment."""
    one = learner(name, evo.task("Pendulum-v1"), warm_up=20)
    for _ in range(2):
        one.step()
    rows, columns = one.buffer.rows[:40].astype(float), one.columns
    after = rows[:, 2] + 0.05 * (15.0 * rows[:, 1] + 6.0 * rows[:, columns.action])
    np.testing.assert_allclose(rows[:, -1], np.clip(after, -8, 8), atol=1e-5)
    assert one.updates == 20
    scored = evaluate_alone(one.problem, *one.candidates()[0], np.arange(2))
    assert np.isfinite(scored.returns).all()


@BOTH
def test_what_failed_or_is_not_finite_is_left_out(name: str) -> None:
    one = learner(name)
    _, seen = one._world.collect(one._acting_parameters(), one.statistics, 0)
    seen.marks[0, 3], seen.following[0, 5, 1], seen.rewards[0, 7] = FAILED, np.nan, 1e300
    rows = one._transitions(seen)
    kept = np.delete(np.arange(20), [3, 5, 7])
    np.testing.assert_array_equal(rows[:, :3], seen.observations[0, kept].astype(np.float32))


@BOTH
def test_an_end_is_told_from_a_cut(name: str) -> None:
    one = learner(name, "cartpole", environments=2, horizon=60, warm_up=1000)
    _, seen = one._world.collect(one._acting_parameters(), one.statistics, 0)
    assert (seen.marks == ENDED).any() and not (seen.marks == CUT_OFF).any()
    rows = one._transitions(seen)
    np.testing.assert_array_equal(rows[:, one.columns.continues], seen.marks.ravel() != ENDED)


# The policy


@BOTH
def test_the_champion_acts_within_the_range_of_actions(name: str) -> None:
    one = learner(name, evo.task("pendulum", max_torque=0.7))
    for _ in range(3):
        one.step()
    params = one.policy() * 30.0
    actions = one.problem.rollout(params, 1, one.statistics).actions
    assert 0.69 < np.abs(actions).max() <= 0.7
    squash = one.problem.network.layers[-1]
    assert isinstance(squash, Squash) and squash.text == "squash"


def test_sacs_policy_is_the_mean_of_what_it_draws_from() -> None:
    one = learner("sac")
    for _ in range(3):
        one.step()
    hidden, (weights, bias) = one.acting.size, one._head(one.parameters)  # type: ignore[attr-defined]
    assert hidden == 3 * 16 + 16 + 16 * 2 + 2
    observation = np.array([0.3, -0.8, 1.1])
    first = one.parameters[: 3 * 16].reshape(3, 16)
    activation = np.maximum(observation @ first + one.parameters[48:64], 0.0)
    expected = 2.0 * np.tanh(activation @ weights[:, 0] + bias[0])
    network = one.problem.network
    outputs = np.zeros(1)
    scratch = np.zeros(network.scratch_size, np.float32)
    memory, identity = np.zeros(0, np.float32), (np.zeros(3), np.ones(3), np.inf)
    propagate(network.plan, one.policy(), memory, scratch, observation, *identity, outputs)
    assert outputs[0] == pytest.approx(expected, rel=1e-5)


@BOTH
def test_it_begins_from_a_champion_and_its_statistics(name: str) -> None:
    statistics = ObservationStatistics(10.0, np.array([0.1, 0.2, 0.3]), np.array([10.0, 20.0, 90.0]))
    size = evo.network(SMALL, evo.task("pendulum")).size
    params = np.random.default_rng(0).normal(size=size).astype(np.float32)
    one = learner(name, normalise=True, start=Candidate(params, statistics))
    np.testing.assert_array_equal(one.candidates()[0].params, params)
    raw = learner(name)
    for each in (one, raw):
        each.step()
    assert one.candidates()[0].statistics is statistics
    mean, scale = one.problem.normalisation(statistics)
    first, other = one.buffer.rows[0, :3], raw.buffer.rows[0, :3]
    np.testing.assert_allclose(first, (other - mean) * scale, rtol=1e-5)  # the same reset


# Errors


@BOTH
@pytest.mark.parametrize(
    ("task", "options", "message"),
    [
        (
            "cartpole-discrete",
            {},
            "name {} takes continuous actions, and evo/CartPole-v0 one of 2 choices",
        ),
        (
            "pendulum",
            {"network": "mlp:8"},
            "name {} learns a policy that ends in squash, and network.layers is 'mlp:8'",
        ),
        ("pendulum", {"network": "lstm:8>squash"}, "name {} learns from single transitions, and 'lstm:8>squash' remem"),
        ("pendulum", {"network": "spiking:8>squash"}, "name {} learns from single transitions"),
        ("pendulum", {"normalise": True}, "name {} has no statistics to normalise observations by: set network.norm"),
        ("pendulum", {"critic": "lstm:8"}, "critic: it judges single transitions, and 'lstm:8' remembers"),
        ("pendulum", {"critic": "forest"}, "critic: unknown network 'forest'"),
        ("pendulum", {"capacity": 19}, "capacity=19: must be a whole number >= 20"),
        ("pendulum", {"batch": 0}, "batch=0: must"),
        ("pendulum", {"warm_up": 0}, "warm_up=0: must"),
        ("pendulum", {"updates_per_step": 0.0}, "updates_per_step=0.0: must"),
        ("pendulum", {"target_rate": 2.0}, "target_rate=2.0: must"),
    ],
)
def test_what_it_cannot_do_is_refused_in_a_line(name: str, task: str, options: dict[str, Any], message: str) -> None:
    made = evo.task("cartpole", discrete=True) if task == "cartpole-discrete" else task
    if not isinstance(made, str):
        options = {"network": "mlp:8"}
    with pytest.raises(ValueError, match=message.format(name)):
        learner(name, made, **options)


def test_a_buffer_larger_than_memory_is_refused_before_the_run() -> None:
    with pytest.raises(evo.EvoError, match=r"^a replay buffer of 1,000,000,000,000 steps: that needs .*capacity$"):
        learner("sac", capacity=10**12)


@BOTH
@pytest.mark.parametrize(
    ("part", "array"),
    [
        ("parameters", np.zeros(3, np.float32)),
        ("optimizer0/first_moment", np.zeros(3, np.float32)),
        ("buffer/rows", np.zeros((3, 3), np.float32)),
        ("buffer/end", np.array(7)),
        ("world/blocks", np.zeros((1, 64), np.uint8)),
    ],
)
def test_a_state_that_does_not_fit_is_refused(name: str, part: str, array: np.ndarray) -> None:
    one = learner(name)
    one.step()
    with pytest.raises(ValueError):
        learner(name).restore(one.state() | {part: array})


# Runs


@BOTH
def test_a_run_is_resumed_verified_and_begun_from(name: str, tmp_path: Path) -> None:
    small = {"network.layers": SMALL, "evaluation.selection_episodes": 2, "evaluation.report_episodes": 2}
    own = {f"method.{key}": value for key, value in {"warm_up": 101, "horizon": 50, "batch": 32}.items()}
    own |= {"method.capacity": 300, "method.critic": "mlp:16:relu"}
    given: dict[str, Any] = {"method": name, "seed": 5, "video": False, "settings": small | own}
    whole = evo.run("pendulum", steps=400, out=tmp_path / "whole", **given)
    evo.run("pendulum", steps=200, out=tmp_path / "parts", **given)
    parts = evo.resume(tmp_path / "parts", steps=400, video=False)
    for column in ("critic_loss", "actor_loss", "mean", "updates"):
        np.testing.assert_array_equal(whole.metrics[column], parts.metrics[column])
    assert whole.champion.digest == parts.champion.digest
    assert whole.champion.verify().exact
    again = evo.run(
        start=tmp_path / "whole", method="ppo", steps=600, out=tmp_path / "ppo", video=False, settings=small
    )
    assert again.champion.network_text == SMALL
    back = evo.run(start=tmp_path / "ppo", steps=100, out=tmp_path / "back", **given)
    assert back.champion.verify().exact
