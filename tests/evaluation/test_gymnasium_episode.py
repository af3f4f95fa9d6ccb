"""Any environment of Gymnasium's: the same commands, the same promises, a slower path."""

import ast
import math
import os
import time
from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from numba.core.dispatcher import Dispatcher

import evo
from evo.envs.engine.physics import EngineError
from evo.envs.gymnasium_bridge.gymnasium_task import Body
from evo.evaluation import gymnasium_collector as gymnasium_collection
from evo.evaluation import gymnasium_life
from evo.evaluation.exploration import callable_of, gaussian
from evo.evaluation.gymnasium_episode import GymnasiumEvaluator
from evo.evaluation.life import NOT_FINITE, TERMINATED
from evo.evaluation.processes import Died, Processes
from evo.evaluation.workers import Threads
from evo.learners.ppo import PPO
from evo.problems.control import Walking
from evo.runs.tiles import Layout, Tile, TiledFilm
from evo.visualize.frames import pictures
from tests.support.processes import die_once, python

EPISODES = ("evaluation.selection_episodes", "evaluation.report_episodes")
SMALL = {"method.directions": 2, "method.elite_directions": 2, **dict.fromkeys(EPISODES, 2)}
IDS = ("CartPole-v1", "Pendulum-v1", "MountainCarContinuous-v0", "Acrobot-v1", "Blackjack-v1", "Corridor-v0")


class Corridor(gymnasium.Env[Any, Any]):
    """Walk from 0 to `length`, left or right; it draws itself, and fails where it is told to."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": 10}

    def __init__(self, length: int = 5, broken: str = "", render_mode: str | None = None) -> None:
        self.length, self.broken, self.render_mode = length, broken, render_mode
        self.observation_space, self.action_space = spaces.Discrete(length + 1), spaces.Discrete(2, start=3)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        self.at = int(self.np_random.integers(2))
        return self.at, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        assert action in (3, 4)
        self.at = max(0, self.at + (1 if action == 4 else -1))
        if self.broken == "raises" and self.at == 2:
            raise RuntimeError("the floor gave way")
        reward = np.nan if self.broken == "nan" and self.at == 2 else float(self.at == self.length)
        return self.at, reward, self.at == self.length, False, {}

    def render(self) -> Any:
        picture = np.zeros((20, 10 * (self.length + 1), 3), np.uint8)
        picture[:, 10 * self.at : 10 * self.at + 10] = 255
        return picture


class Fog(Corridor):
    """At 2 one sees nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.observation_space = spaces.Box(-np.inf, np.inf, (1,), np.float64)  # type: ignore[assignment]

    def _seen(self) -> Any:
        return np.array([np.nan if self.at == 2 else float(self.at)])

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return self._seen(), {}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return self._seen(), *super().step(action)[1:]


class Clock(Fog):
    """It sees what time it is: never the same twice, in whichever process."""

    def _seen(self) -> Any:
        return np.array([time.monotonic_ns() % 10**9 / 1e9])


class Levers(Corridor):
    def __init__(self) -> None:
        super().__init__()
        self.action_space = spaces.Dict({"left": spaces.Discrete(2)})  # type: ignore[assignment]


gymnasium.register("Fog-v0", f"{__name__}:Fog", max_episode_steps=20)
gymnasium.register("Clock-v0", f"{__name__}:Clock", max_episode_steps=20)
gymnasium.register("Levers-v0", f"{__name__}:Levers")
gymnasium.register("Corridor-v0", f"{__name__}:Corridor", max_episode_steps=20)


def by_hand(name: str, policy: Any, seed: int, **options: Any) -> float:
    """The return of a policy in a loop of one's own."""
    env = gymnasium.make(name, **options)
    observation, _ = env.reset(seed=seed)
    total, over = 0.0, False
    while not over:
        flat = spaces.flatten(env.observation_space, observation)
        action = policy(flat)
        if isinstance(env.action_space, spaces.Box):
            action = action.astype(env.action_space.dtype)
        observation, reward, terminated, truncated, _ = env.step(action)
        total, over = total + float(reward), terminated or truncated
    return total


@pytest.mark.parametrize("name", IDS)
def test_returns_equal_a_loop_of_ones_own_for_any_number_of_processes(name: str, tmp_path: Path) -> None:
    run = evo.run(name, generations=1, out=tmp_path / "run", video=False, threads=1, settings=SMALL)
    champion = run.champion
    seeds = np.array([3, 4])
    returns = champion.evaluate(seeds=seeds).returns
    expected = [by_hand(name, champion.policy(), int(seed)) for seed in seeds]
    np.testing.assert_array_equal(returns, expected)
    task, network = champion.problem.task, champion.network
    population = np.random.default_rng(0).normal(size=(5, network.size))
    known = {"statistics": champion.statistics} if network.normalise else {}
    alone = evo.evaluate(task, network, population, episodes=2, threads=1, **known)
    np.testing.assert_array_equal(evo.evaluate(task, network, population, episodes=2, threads=2, **known), alone)
    one = evo.evaluate(task, network, population[:1], episodes=9, threads=2, **known)  # spread by its episodes
    np.testing.assert_array_equal(one[:, :2], alone[:1])


def test_a_trajectory_is_the_episode_that_was_scored() -> None:
    task = evo.task("Pendulum-v1", g=5.0)
    assert task.options["g"] == 5.0
    network = evo.network("linear", task)
    params = np.random.default_rng(1).normal(size=network.size)
    seen = evo.rollout(task, network, params, seed=9)
    assert len(seen) == 200 and not seen.terminated
    assert seen.total == evo.evaluate(task, network, params, seed=9)[0, 0]
    body = Body(task)  # type: ignore[arg-type]
    observation = body.reset(9)
    for step in range(200):
        np.testing.assert_array_equal(observation, seen.observations[step])
        observation, reward, *_ = body.step(seen.actions[step])
        assert reward == seen.rewards[step]


def test_ppo_goes_on_where_it_was_without_a_copy_of_the_environment() -> None:
    def learner() -> PPO:
        task = evo.task("Acrobot-v1")
        problem = Walking(task, evo.network("mlp:8", task, normalise=True), Threads(1))
        return PPO(problem, 0, environments=2, horizon=60, minibatch=20, epochs=1, critic="mlp:8")

    whole, begun, resumed = learner(), learner(), learner()
    for _ in range(4):
        whole.step()
    for _ in range(2):
        begun.step()
    resumed.restore({name: array.copy() for name, array in begun.state().items()})
    for _ in range(2):
        resumed.step()
    for name, array in whole.state().items():
        np.testing.assert_array_equal(resumed.state()[name], array, err_msg=name)


def test_ppo_says_where_an_environment_cannot_be_taken_up_again() -> None:
    def learner() -> PPO:
        task = evo.task("Clock-v0")
        problem = Walking(task, evo.network("linear", task), Threads(1))
        return PPO(problem, 0, environments=1, horizon=7, minibatch=7, epochs=1, critic="linear")

    begun, resumed = learner(), learner()
    begun.step()
    resumed.restore({name: array.copy() for name, array in begun.state().items()})
    with pytest.raises(EngineError, match="ends elsewhere when the same actions are taken again"):
        resumed.step()


def test_an_observation_that_is_not_finite_spoils_one_episode_of_ppo_and_no_more() -> None:
    task = evo.task("Fog-v0")
    problem = Walking(task, evo.network("linear", task, normalise=True), Threads(1))
    learner = PPO(problem, 0, environments=2, horizon=40, minibatch=20, epochs=1, critic="linear")
    seen = [learner.step() for _ in range(3)]
    assert sum(one["failures"] for one in seen) > 0
    assert np.isfinite(learner.parameters).all()
    assert np.isfinite(learner.statistics.mean).all() and np.isfinite(learner.statistics.m2).all()


def test_ppo_learns_the_corridor(tmp_path: Path) -> None:
    options = {"method.environments": 4, "method.horizon": 64, "method.minibatch": 32, "method.normalise_reward": False}
    run = evo.run("Corridor-v0", method="ppo", steps=6000, out=tmp_path / "run", threads=1, settings=options)
    assert run.champion.evaluate(episodes=10).mean == 1.0
    assert (run.path / "videos" / "champion.mp4").stat().st_size > 0


@pytest.mark.parametrize("module", [gymnasium_collection, gymnasium_life], ids=lambda module: str(module.__name__))
def test_what_python_calls_in_a_helper_is_compiled_once_and_kept(module: Any) -> None:
    def is_compiled(found: Any) -> bool:
        return isinstance(found, Dispatcher)

    tree = ast.parse(Path(module.__file__).read_text())
    plain = [node for node in tree.body if not is_compiled(getattr(module, getattr(node, "name", ""), None))]
    calls = [node.func for part in plain for node in ast.walk(part) if isinstance(node, ast.Call)]
    called = {getattr(module, name.id, None) for name in calls if isinstance(name, ast.Name)}
    compiled = [found for found in called if is_compiled(found)]
    assert compiled
    for found in [*compiled, callable_of(gaussian)]:
        assert type(found._cache).__name__ != "NullCache", found


def test_it_is_filmed_by_itself() -> None:
    task = evo.task("Corridor-v0")
    network = evo.network("linear", task)
    to_the_right = np.tile([0.0, 1.0], 6)  # whatever it sees
    seen = evo.rollout(task, network, to_the_right, seed=0)
    assert seen.terminated and seen.total == 1.0
    shown = np.array([0, len(seen)])
    first, last = pictures(task, seen, shown, 120, 40)
    assert first.shape == last.shape == (40, 120, 3)
    assert last[20, 115].min() > 200 and first[20, 115].max() < 60
    tiled = TiledFilm([Tile(task, seen, name, "", "#0072b2") for name in ("one", "other")], 100.0)
    frames = list(tiled.frames(Layout(2, 120, 80), 2))
    assert len(frames) == len(tiled) > len(seen)
    assert frames[-1].shape == (80, 244, 3)
    np.testing.assert_array_equal(frames[0][40:, :120], frames[0][40:, 124:])


@pytest.mark.parametrize("broken", ["raises", "nan"])
def test_an_environment_that_fails_costs_an_episode(broken: str) -> None:
    task = evo.task("Corridor-v0", broken=broken)
    network = evo.network("linear", task)
    population = np.stack([np.zeros(12), np.tile([0.0, 1.0], 6)]).astype(np.float32)  # the second one gets to 2
    found = Walking(task, network, Threads(1)).returns(population, np.array([0]))
    assert np.isfinite(found[0, 0]) and np.isnan(found[1, 0])
    endings = GymnasiumEvaluator(task, network, Threads(1)).run(  # type: ignore[arg-type]
        population, np.array([0]), np.zeros(6), np.ones(6)
    )
    assert endings.endings[1, 0] > TERMINATED
    assert (endings.endings[1, 0] == NOT_FINITE) == (broken == "nan")
    assert endings.errors == (("RuntimeError: the floor gave way",) if broken == "raises" else ())


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("CartPol-v1", {}, "did you mean 'CartPole-v1'"),
        ("Levers-v0", {}, "takes actions of a Dict space; a Box, Discrete, MultiDiscrete or MultiBinary one is needed"),
        ("FrozenLake-v1", {"map_name": "9x9"}, "Gymnasium does not make it"),
        ("CartPole-v9", {}, "unknown task"),
        ("CartPole-v1", {"gravity": 2.0}, "no option 'gravity'"),
        ("CartPole-v1", {"colour": 2.0}, "no option 'colour'"),
        ("no_such_module:Thing-v0", {}, "no_such_module"),
    ],
)
def test_what_cannot_be_run_is_told(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(evo.EvoError, match=message):
        evo.task(name, **options)


def test_the_command_line_refuses_adversity_for_it(tmp_path: Path) -> None:
    with pytest.raises(evo.EvoError, match=r"unknown key 'task.push'"):
        evo.run("CartPole-v1", generations=1, out=tmp_path / "run", settings={"task.push": 1.0})


def test_what_a_process_was_killed_over_is_done_again(tmp_path: Path) -> None:
    helpers = Processes(1)
    assert helpers.map(die_once, [str(tmp_path / "one")], tries=2) == [7]
    (helper,) = helpers._helpers
    helper.process.kill()  # while it has nothing to do
    helper.process.wait()
    assert helpers.map(math.sqrt, [25.0]) == [5.0]


FORKED = """
import math, os, sys
from evo.evaluation.processes import Processes
idle, busy = Processes(1), Processes(1)
busy.map(math.sqrt, [4.0]), idle.map(math.sqrt, [4.0])
(mine,), (spare,) = busy._helpers, idle._helpers
idle.release()
if (child := os.fork()) == 0:
    own = Processes(2)
    assert own.map(math.sqrt, [9.0, 16.0]) == [3.0, 4.0] and busy.map(math.sqrt, [25.0]) == [5.0]
    assert not {helper.process.pid for helper in own._helpers + busy._helpers} & {mine.process.pid, spare.process.pid}
    del busy
    sys.exit(7)  # which ends the helpers of this process
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
assert mine.process.poll() is None and spare.process.poll() is None
assert idle.map(math.sqrt, [36.0]) == [6.0] and busy.map(math.sqrt, [49.0]) == [7.0]
assert idle._helpers == [spare] and busy._helpers == [mine]
"""


def test_a_fork_has_helpers_of_its_own() -> None:
    python(FORKED)


def test_processes_answer_in_order_raise_what_was_raised_and_may_die() -> None:
    helpers = Processes(2)
    assert helpers.map(math.sqrt, range(20)) == [math.sqrt(number) for number in range(20)]
    assert helpers.map(os._exit, [1, 2, 3]) == [Died(f"its process ended with exit status {one}") for one in (1, 2, 3)]
    with pytest.raises(ValueError, match="math domain error"):
        helpers.map(math.sqrt, [-1.0])
    assert helpers.map(math.sqrt, [9.0]) == [3.0]
    helpers.stop()
    assert helpers.map(math.sqrt, []) == []
