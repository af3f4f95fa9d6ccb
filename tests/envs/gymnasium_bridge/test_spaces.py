"""What Gymnasium's environments observe, take and are made of: any space, any option, any number at once."""

import logging
import os
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

import evo
from evo.envs.gymnasium_bridge.gymnasium_task import Body, GymnasiumTask
from evo.envs.gymnasium_bridge.spaces import actions_of, all_finite, flatten
from evo.envs.notes import note
from evo.evaluation.gymnasium_host import Host
from evo.evaluation.workers import Threads
from evo.learners.learner import Candidate
from evo.networks import network_from_text
from evo.problems.control import Walking
from evo.runs.policy import Policy
from tests.support.misbehaving import Fine
from tests.support.processes import wait_for

SMALL = {"method.directions": 1, "method.elite_directions": 1}
SMALL |= {"evaluation.selection_episodes": 2, "evaluation.report_episodes": 2}


class Acting(Fine):
    """Takes actions of the space that it is told; the reward is their sum."""

    SPACES: ClassVar[dict[str, spaces.Space[Any]]] = {
        "whole": spaces.Box(np.array([0, 0]), np.array([3, 20]), dtype=np.int64),
        "bytes": spaces.Box(0, 255, (3,), np.uint8),
        "wide": spaces.Box(-(2**63), 2**63 - 1, (1,), np.int64),
        "half": spaces.Box(-0.1, 0.3, (2,), np.float16),
        "scalar": spaces.Box(-2.0, 2.0, (), np.float32),
        "matrix": spaces.Box(-1.0, 3.0, (2, 3), np.float32),
        "open": spaces.Box(-np.inf, np.inf, (2,), np.float32),
        "half open": spaces.Box(np.array([0.0, -1.0]), np.array([np.inf, 1.0]), dtype=np.float64),
        "many": spaces.MultiDiscrete([3, 2], start=[1, 0]),
        "grid": spaces.MultiDiscrete([[3, 2], [4, 5]]),
        "bits": spaces.MultiBinary(3),
        "choice": spaces.Discrete(3, start=-1),
    }

    def __init__(self, space: str = "whole", render_mode: str | None = None) -> None:
        super().__init__(render_mode=render_mode)
        self.action_space = self.SPACES[space]

    def step(self, action: Any) -> Any:
        assert action in self.action_space
        observation, _, *rest = super().step(action)
        return observation, float(np.clip(np.sum(np.asarray(action, np.float64)), -1e6, 1e6)), *rest


class Parts(Fine):
    """Observes a dict, as environments with goals do."""

    def __init__(self) -> None:
        super().__init__()
        part = spaces.Box(-1.0, 1.0, (2,), np.float32)
        self.observation_space = spaces.Dict({"achieved_goal": part, "desired_goal": spaces.MultiDiscrete([2, 3])})

    def observed(self) -> Any:
        return {"desired_goal": np.array([1, 2]), "achieved_goal": np.array([0.5, -0.5], np.float32)}


class Needy(Fine):
    """Needs `size`, and has options of every type."""

    def __init__(
        self,
        size: int,
        start: list[float] | None = None,
        layers: tuple[int, ...] = (1, 2),
        names: list[str] = ["a"],  # noqa: B006
        rewards: dict[str, Any] = {"alive": 1.0, "far": 2.0},  # noqa: B006
        scale: float = 1,
        **others: Any,
    ) -> None:
        super().__init__()
        assert isinstance(layers, tuple) and isinstance(names, list)
        self.worth = size + sum(start or []) + 10 * sum(layers) + len(names) + rewards["alive"] + scale
        self.worth += others.get("bonus", 0.0)

    def step(self, action: Any) -> Any:
        observation, _, *rest = super().step(action)
        return observation, float(self.worth), *rest


for _kind in (Acting, Parts, Needy):
    gymnasium.register(f"{_kind.__name__}-v0", f"{__name__}:{_kind.__name__}", max_episode_steps=20)


def gymnasium_task(name: str, **options: Any) -> GymnasiumTask:
    task = evo.task(name, **options)
    assert isinstance(task, GymnasiumTask)
    return task


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("name", Acting.SPACES)
def test_actions_are_of_their_space_from_end_to_end(name: str, scale: bool) -> None:
    space = Acting.SPACES[name]
    actions = actions_of(space, scale)
    random = np.random.default_rng(0)
    middle = [np.clip(random.normal(size=len(actions.low)) * 3, actions.low, actions.high) for _ in range(20)]
    if actions.choices:
        middle = [np.array([float(choice)]) for choice in range(actions.choices)]
    ends = (np.nan_to_num(end, neginf=-1e30, posinf=1e30) for end in (actions.low, actions.high))
    for values in (*ends, *middle):
        assert actions.of(values) in space
    if name in ("whole", "bytes", "many", "grid", "bits"):  # the nearest whole number, the ends included
        np.testing.assert_array_equal(np.ravel(actions.of(actions.low)), actions.least)
        np.testing.assert_array_equal(np.ravel(actions.of(actions.high)), actions.most)
    if name == "whole":
        values = np.array([0.9, 19.2]) if not scale else np.array([2 / 3 * 0.9 - 1, 19.2 / 10 - 1])
        np.testing.assert_array_equal(actions.of(values), [1, 19])
    if name == "half open":
        np.testing.assert_array_equal(actions.scaled, [False, scale])
    if name in ("open", "wide"):
        assert not actions.scaled.any()


@pytest.mark.parametrize("name", Acting.SPACES)
def test_a_policy_of_any_space_earns_in_ones_own_loop_what_was_scored(name: str) -> None:
    task = gymnasium_task("Acting-v0", space=name)
    problem = Walking(task, evo.network("linear", task), Threads(1))
    params = np.random.default_rng(1).normal(size=problem.size).astype(np.float32)
    policy = Policy(problem, Candidate(params, problem.no_statistics()))
    env = gymnasium.make("Acting-v0", space=name)
    observation, _ = env.reset(seed=3)
    total, over = 0.0, False
    while not over:
        action = policy(observation)
        assert action in env.action_space
        observation, reward, over, *_ = env.step(action)
        total += float(reward)
    assert problem.returns(params[None], np.array([3]))[0, 0] == total


@pytest.mark.parametrize("name", ["Blackjack-v1", "Parts-v0", "FrozenLake-v1"])
def test_a_policy_takes_what_the_environment_gives(name: str) -> None:
    task = gymnasium_task(name)
    problem = Walking(task, evo.network("linear", task), Threads(1))
    policy = Policy(problem, Candidate(np.ones(problem.size, np.float32), problem.no_statistics()))
    env = gymnasium.make(name)
    given, _ = env.reset(seed=1)
    flat = spaces.flatten(env.observation_space, given)
    np.testing.assert_array_equal(policy(given), policy(np.asarray(flat, np.float64)))
    np.testing.assert_array_equal(flatten(env.observation_space, given), flat)
    with pytest.raises(ValueError, match=f"{name} observes"):
        policy(np.ones(99))


def test_the_network_reaches_the_whole_range_and_old_files_mean_what_they_meant() -> None:
    scaled, plain = gymnasium_task("Pendulum-v1"), gymnasium_task("Pendulum-v1", scale_actions=False)
    assert (scaled.action_low, scaled.action_high) == (-1.0, 1.0)
    assert (plain.action_low, plain.action_high) == (-2.0, 2.0)
    assert [scaled.actions.of(np.array([value]))[0] for value in (-1.0, 0.5, 1.0)] == [-2.0, 1.0, 2.0]
    assert plain.actions.of(np.array([0.5]))[0] == 0.5
    from evo.config.resolve import resolve_config

    begun = {"task.name": "Pendulum-v1", "budget.generations": 1}
    assert resolve_config(begun)["task.scale_actions"] is True
    assert resolve_config({"evo": "0.1", **begun})["task.scale_actions"] is False


def test_a_champion_from_before_actions_were_scaled_keeps_its_score(tmp_path: Path) -> None:
    settings = {**SMALL, "task.scale_actions": False, "task.max_episode_steps": 30}
    run = evo.run("Pendulum-v1", generations=1, out=tmp_path / "run", video=False, threads=1, settings=settings)
    champion = run.champion
    arrays = champion.arrays()
    old = arrays["about"].tobytes().decode().replace("scale_actions = false\n", "")
    assert len(old) < len(arrays["about"])
    again = type(champion).from_arrays(arrays | {"about": np.frombuffer(old.encode(), np.uint8)}, "old")
    assert again.verify().exact
    assert len(again.rollout(0)) == 30


def test_options_of_every_type_are_given_and_recorded(tmp_path: Path) -> None:
    with pytest.raises(evo.EvoError, match="Needy-v0: its environment needs size: give it, as in --set task"):
        evo.task("Needy-v0")
    settings = [f"{key}={value}" for key, value in SMALL.items()]
    settings += ["task.size=3", "task.start=[1.0, 2.0]", "task.layers=[3]", "task.rewards={alive = 5.0}"]
    settings += ["task.bonus=100", "task.scale=0.5"]
    run = evo.run("Needy-v0", generations=1, out=tmp_path / "run", video=False, threads=1, settings=settings)
    worth = 5 * (3 + 3.0 + 30 + 1 + 5.0 + 0.5 + 100)
    assert run.champion.score == worth
    assert evo.load(run.path).champion.evaluate(2).returns.tolist() == [worth] * 2
    again = evo.run(config=run.path / "config.toml", out=tmp_path / "again", video=False, threads=1)
    assert again.champion.score == worth
    one = evo.run(
        config=run.path / "config.toml",
        settings=["task.rewards.alive=6.0", "task.names=[]"],
        out=tmp_path / "one",
        video=False,
        threads=1,
    )
    assert one.champion.score == worth
    with pytest.raises(evo.EvoError, match=r"task\.layers must be a list, got 3"):
        evo.run("Needy-v0", generations=1, out=tmp_path / "bad", settings=["task.size=1", "task.layers=3"])


MODULE = """
import gymnasium, pathlib
from tests.support.misbehaving import Fine
class Mine(Fine):
    def step(self, action):
        observation, _, *rest = super().step(action)
        return observation, {reward}, *rest
    def close(self):
        pathlib.Path({closed!r}).touch()
gymnasium.register("Mine-v0", "own_environment:Mine", max_episode_steps=20)
"""


def test_a_class_that_was_edited_is_the_new_one_and_what_is_made_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib

    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / "own_environment.py"
    for threads, reward in ((1, 1.0), (1, 20.0), (2, 20.0)):
        file.write_text(MODULE.format(reward=reward, closed=str(tmp_path / "closed")))
        sys.modules.pop("own_environment", None)
        gymnasium.registry.pop("Mine-v0", None)
        importlib.invalidate_caches()
        importlib.import_module("own_environment")
        found = evo.evaluate(gymnasium_task("Mine-v0"), "linear", np.zeros((2, 8)), threads=threads)
        np.testing.assert_array_equal(found, [[5 * reward]] * 2)
    wait_for((tmp_path / "closed").exists)  # helpers close what they keep while nobody waits for them

    class Here(Fine):  # within a function: no other process can make it
        def __init__(self) -> None:
            super().__init__()
            made.append(self)

        def close(self) -> None:
            closed.append(self)

    made: list[Any] = []
    closed: list[Any] = []
    gymnasium.register("Here-v0", Here, max_episode_steps=20)
    host = Host(gymnasium_task("Here-v0"), 2)
    assert host.count == 1
    assert evo.evaluate(gymnasium_task("Here-v0"), "linear", np.zeros((2, 8))).tolist() == [[5.0]] * 2
    assert len(made) == len(closed) == 3
    gymnasium.registry.pop("Here-v0")


def test_threads_have_environments_of_their_own() -> None:
    class Alone(Fine):
        def step(self, action: Any) -> Any:
            barrier.wait(60)  # both are in the middle of an episode
            return super().step(action)

    barrier, found = threading.Barrier(2), dict[int, Any]()
    gymnasium.register("Alone-v0", Alone, max_episode_steps=20)
    task = gymnasium_task("Alone-v0")
    problem = Walking(task, network_from_text("linear", 4, 2), Threads(1))

    def score(number: int) -> None:
        found[number] = problem.returns(np.zeros((1, problem.size), np.float32), np.array([number]))

    threads = [threading.Thread(target=score, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0].tolist() == found[1].tolist() == [[5.0]]
    gymnasium.registry.pop("Alone-v0")


def test_where_a_function_goes_a_run_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    function = "import os\ndef far(x) -> float:\n    os.chdir('/')\n    return -float(x @ x)\n"
    (tmp_path / "wandering.py").write_text(function)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    run = evo.run("wandering:far", dim=2, generations=1, out="here", threads=1)
    assert os.getcwd() == "/"
    assert run.path == tmp_path / "here"
    assert (tmp_path / "here" / "champion.npz").exists()


def test_names_and_packages_that_are_missing_are_helped_with(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    note.cache_clear()
    with pytest.raises(evo.EvoError, match="did you mean 'MountainCar-v0'"):
        evo.task("MountainCar")
    monkeypatch.setitem(sys.modules, "Box2D", None)
    with pytest.raises(evo.EvoError, match=r'LunarLander-v3.*pip install "\.\[classic\]"'):
        evo.task("LunarLander-v3")
    caplog.set_level(logging.INFO, "evo")
    for _ in range(2):
        evo.task("Hopper-v4")
    slow = "Hopper-v4 is run by Gymnasium itself, step by step: Hopper-v5 is compiled, and much faster"
    assert caplog.messages == [slow]
    with pytest.raises(evo.EvoError, match=r"Hopper-v5 takes no evaluation\.step_timeout"):
        evo.run("Hopper-v5", step_timeout=1.0)


def test_environments_and_specs_are_taken_by_their_registration() -> None:
    env = gymnasium.make("Pendulum-v1", g=5.0, max_episode_steps=30)
    task = evo.task(env)
    assert isinstance(task, GymnasiumTask)
    assert (task.name, task.steps, task.options["g"], task.options["scale_actions"]) == ("Pendulum-v1", 30, 5.0, True)
    assert evo.task(gymnasium.spec("Pendulum-v1")).steps == 200
    again = evo.task(evo.task("Pendulum-v1", scale_actions=False, max_episode_steps=7))
    assert (again.steps, float(again.action_high[0])) == (7, 2.0)  # type: ignore[index]
    with pytest.raises(evo.EvoError, match=r"was not made by gymnasium\.make"):
        evo.task(Fine())
    with pytest.raises(evo.EvoError, match="Pendulum-v1 in RescaleAction is not what is registered"):
        evo.task(gymnasium.wrappers.RescaleAction(env, np.float32(-1.0), np.float32(1.0)))
    with pytest.raises(evo.EvoError, match="Gone-v0 is not registered like this"):
        evo.task(gymnasium.envs.registration.EnvSpec("Gone-v0", "nowhere:Gone"))


@pytest.mark.parametrize("size", [2, 500])
def test_numbers_are_finite_however_large(size: int) -> None:
    numbers = np.full(size, 1e308)
    assert all_finite(numbers)
    for one in (np.nan, np.inf, -np.inf):
        numbers[-1] = one
        assert not all_finite(numbers)


@pytest.mark.parametrize("shape", [(3,), (2, 3)])
def test_what_is_of_the_declared_kind_is_copied(shape: tuple[int, ...]) -> None:
    for dtype in (np.float32, np.float64, np.uint8):
        observation = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
        flat = flatten(spaces.Box(0, 9, shape, dtype), observation)
        observation[:] = 7  # many environments write into what they gave
        np.testing.assert_array_equal(flat, np.arange(np.prod(shape)))
        assert flat.dtype == np.float64


def test_what_an_environment_draws_is_bytes_whatever_its_numbers() -> None:
    body = Body.__new__(Body)
    body._seconds = None
    shades = np.linspace(0, 1, 12).reshape(2, 2, 3)
    whole = np.round(255 * shades).astype(np.uint8)
    for drawn in (shades, shades.astype(np.float32), whole, 255 * shades, whole.astype(np.int64)):
        body.env = SimpleNamespace(render=lambda drawn=drawn: drawn)  # type: ignore[assignment]
        assert np.array_equal(body.picture(), whole)
    body.env = SimpleNamespace(render=lambda: np.array([[[-3, 300, 7]]]))  # type: ignore[assignment]
    assert body.picture().tolist() == [[[0, 255, 7]]]
