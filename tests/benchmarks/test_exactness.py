"""Our episodes are Gymnasium's, to the bit, whatever the options; and do not depend on threads or on the split."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import gymnasium
import numpy as np
import pytest

from evo.benchmarks import bench, exactness
from evo.benchmarks.exactness import CASES, Case, Exactness, cases, check, check_invariance, train_policy
from evo.config.build import make_compiled_task, make_network
from evo.diagnosis import machine as examination
from evo.evaluation.workers import Threads
from evo.problems.control import Walking
from tests.support.machines import MACHINES
from tests.support.processes import python


def _name(case: Case) -> str:
    return f"{case.task}-{next(iter(case.options), 'default')}"


def _assert_exact(found: Exactness) -> None:
    assert found.first == ""
    assert found.mismatches == 0


@pytest.mark.parametrize("task", CASES)
def test_whole_episodes_are_gymnasiums(task: str) -> None:
    found = check(task, {}, (0, 2**40 + 1), training=2_000)
    _assert_exact(found)
    assert found.steps > check(task, {}, (0, 2**40 + 1)).steps  # the trained policy's are added


def test_the_trained_policy_has_learned() -> None:
    """It holds the pendulum longer than no force does."""
    task = make_compiled_task("InvertedPendulum-v5", {})
    params = train_policy("InvertedPendulum-v5", 20_000)
    problem = Walking(task, make_network("linear", task, False), Threads(1))
    seeds = np.arange(10)
    assert problem.returns(params, seeds).mean() > 2 * problem.returns(np.zeros_like(params), seeds).mean()


@pytest.mark.parametrize("task", ["Hopper-v5", "Walker2d-v5"])
def test_fallen_bodies_move_on_as_gymnasiums(task: str) -> None:
    """Without termination a fallen body struggles for the whole episode, with many contacts."""
    found = check(task, {"terminate_when_unhealthy": False}, (3,), 400)
    _assert_exact(found)
    assert found.steps == 5 * 400


def test_squares_are_numpys() -> None:
    """Of a number they are not products: in this episode one reward differed in its last bit."""
    _assert_exact(check("InvertedDoublePendulum-v5", {"healthy_reward": 2.3}, (13,)))


@pytest.mark.parametrize("case", cases(), ids=_name)
def test_every_option_acts_as_in_gymnasium(case: Case) -> None:
    _assert_exact(check(case.task, case.options, (11,), 200))


def test_every_option_of_every_constructor_has_a_case() -> None:
    for task, options in CASES.items():
        assert set(options) == set(make_compiled_task(task, {}).options), task


# Gymnasium takes it and does not use it.
UNUSED = [Case("HumanoidStandup-v5", {"uph_cost_weight": 3.0})]


class _Episode(NamedTuple):
    rewards: list[float]
    states: list[Any]


def _gymnasium_episode(task: str, options: Mapping[str, Any]) -> _Episode:
    environment: Any = gymnasium.make(task, disable_env_checker=True, **options).unwrapped
    observation, _ = environment.reset(seed=5)
    found = _Episode([], [observation.tolist()])
    for action in np.random.default_rng(0).uniform(-1, 1, (200, environment.model.nu)):
        observation, reward, terminated, _, _ = environment.step(action)
        found.rewards.append(float(reward))
        found.states.append(observation.tolist())
        if terminated:
            break
    environment.close()
    return found


@pytest.mark.parametrize("case", [case for case in cases() if case.options], ids=_name)
def test_every_case_differs_from_the_default(case: Case) -> None:
    """An option whose case changed nothing would prove nothing."""
    changed = _gymnasium_episode(case.task, case.options) != _gymnasium_episode(case.task, {})
    assert changed == (case not in UNUSED)


@pytest.mark.parametrize("task", CASES)
def test_threads_and_splits_change_nothing(task: str) -> None:
    _assert_exact(check_invariance(make_compiled_task(task, {}), (0, 1), 100))


def test_a_difference_is_found_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = make_compiled_task("HalfCheetah-v5", {"ctrl_cost_weight": 0.2})
    monkeypatch.setattr(exactness, "make_compiled_task", lambda name, options: changed)
    found = check("HalfCheetah-v5", {}, (0,), 5)
    assert found.mismatches == 5 * 5 + 5  # each reward and return of five policies
    assert found.first.startswith("linear x 0.01, seed 0, step 0: the reward [0] is ")


OTHER_MACHINE = """
import hashlib
import numpy as np
from evo.config.build import make_compiled_task, make_network
from evo.envs.engine.random import streams
from evo.evaluation.episode import Evaluator
from evo.evaluation.workers import Threads
from evo.benchmarks.exactness import check

for task in ("Reacher-v5", "Pusher-v5"):
    found = check(task, {}, (0, 1), 50)
    assert not found.mismatches, found.first

task = make_compiled_task("Reacher-v5", {})
network = make_network("mlp:16,16", task, False)
params = np.random.default_rng(0).normal(size=(4, network.size)).astype(np.float32)
evaluator = Evaluator(task, network, Threads(2))
episodes = evaluator.run(params, streams(np.arange(2)), np.zeros(10), np.ones(10), recording=True)
actions = episodes.trajectories.actions
print(hashlib.sha256(actions.tobytes()).hexdigest(), np.ptp(actions))
"""


def test_other_processors_are_exact_too() -> None:
    """Gymnasium's rewards differ between these in their last bit, and ours with them; what is only ours differs
    nowhere."""
    assert len({python(OTHER_MACHINE, **environment) for environment in MACHINES}) == 1


def test_the_machine_is_named_and_what_is_only_close_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = ["processor", "libc", "BLAS", "NumPy", "Numba", "arithmetic"]
    assert [line.partition(":")[0] for line in bench.arithmetic().splitlines()] == facts
    assert examination._exactness()[0]
    for module in (bench, examination):
        monkeypatch.setattr(module, "unlike", lambda: ["np.dot is odd: rewards"])
    assert bench.arithmetic().splitlines()[-1] == "close, not equal to the bit: np.dot is odd: rewards"
    assert examination._exactness() == (False, "close to Gymnasium's, not equal to the bit: np.dot is odd: rewards")
