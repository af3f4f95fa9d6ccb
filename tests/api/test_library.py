"""The library does what its words say: names and objects, statistics, layouts, copies, reprs."""

import copy
import dataclasses
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

import evo
import evo.envs  # which registers evo/…
from evo.algorithms import ALGORITHMS
from evo.api.arguments import task_reference
from evo.envs.task import Task
from evo.networks import NETWORKS, Dense, Residual, Sequential
from evo.networks.layers.layernorm import LayerNorm
from tests.support.places import REFERENCE

SMALL = {"evaluation.selection_episodes": 2, "evaluation.report_episodes": 2}


def pole(*, height: float = 1.0) -> Task:
    """A task of one's own."""
    made = evo.task("cartpole")
    assert isinstance(made, Task)
    return dataclasses.replace(made, name="pole", options={"height": height})


def hill(x: np.ndarray) -> float:
    return -float(x @ x)


@pytest.fixture(scope="module")
def walker() -> evo.Champion:
    return evo.load(REFERENCE / "quadruped").champion


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> evo.Run:
    return evo.run(
        "cartpole", generations=1, out=tmp_path_factory.mktemp("library") / "run", video=False, settings=SMALL
    )


# A network that normalises


def test_a_champion_scores_the_same_by_hand_as_by_itself(walker: evo.Champion) -> None:
    assert walker.normalise
    given = walker.task, walker.network, walker.params
    returns = evo.evaluate(*given, episodes=2, seed=7, statistics=walker.statistics)
    np.testing.assert_array_equal(returns[0], walker.evaluate(seeds=np.array([7, 8])).returns)
    trajectory = evo.rollout(*given, seed=7, statistics=walker.statistics)
    assert trajectory.total == returns[0, 0] == walker.rollout(7).total


def test_what_a_network_normalises_by_is_never_guessed(walker: evo.Champion) -> None:
    given = walker.task, walker.network, walker.params
    for ask in (evo.evaluate, evo.rollout):
        with pytest.raises(evo.EvoError, match="statistics="):
            ask(*given)  # type: ignore[operator]
        with pytest.raises(evo.EvoError, match="normalise=True"):
            ask(walker.task, evo.network("linear", walker.task), walker.params, statistics=walker.statistics)  # type: ignore[operator]
        with pytest.raises(evo.EvoError, match="of 3 observations"):
            ask(*given, statistics=evo.ObservationStatistics(2.0, np.zeros(3), np.ones(3)))  # type: ignore[operator]


def test_collected_statistics_are_those_of_the_observations() -> None:
    params = np.array([[0.3, -0.2, 0.5, 0.1], [0.0, 0.0, 0.0, 0.0]])
    seen = evo.collect_statistics("cartpole", "linear", params, episodes=2, seed=3)
    trips = [evo.rollout("cartpole", "linear", row, seed).observations[:-1] for row in params for seed in (3, 4)]
    assert seen.count == sum(map(len, trips))
    np.testing.assert_allclose(seen.mean, np.concatenate(trips).mean(axis=0), rtol=1e-9)
    collected = evo.evaluate("cartpole", "linear", params, 2, 3, statistics="collect")
    np.testing.assert_array_equal(collected, evo.evaluate("cartpole", "linear", params, 2, 3, statistics=seen))
    again = evo.collect_statistics("cartpole", "linear", params, episodes=2, seed=3, statistics=seen)
    assert again.count > seen.count


# The layout of parameters


def test_a_layout_is_the_network() -> None:
    network = evo.network("dense:5:tanh>lstm:3>dense:1", "cartpole")
    params = np.random.default_rng(0).standard_normal(network.size).astype(np.float32)
    blocks = {(block.layer, block.name): params[block.place].reshape(block.shape) for block in network.layout()}
    seen = evo.rollout("cartpole", network, params, seed=1)
    hidden, cell = np.zeros(3), np.zeros(3)

    def sigmoid(x: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-x))

    for observation, action in zip(seen.observations, seen.actions, strict=False):
        first = np.tanh(observation @ blocks[0, "W"] + blocks[0, "b"])
        gates = np.split(first @ blocks[1, "W"] + hidden @ blocks[1, "U"] + blocks[1, "b"], 4)
        cell = sigmoid(gates[1]) * cell + sigmoid(gates[0]) * np.tanh(gates[2])
        hidden = sigmoid(gates[3]) * np.tanh(cell)
        outputs = hidden @ blocks[2, "W"] + blocks[2, "b"]
        np.testing.assert_allclose(np.clip(outputs, -1, 1), action, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_layer_says_what_its_parameters_are(name: str) -> None:
    text = NETWORKS[name].summary.split()[0].rstrip(":,")  # the example that its line in `evo list` begins with
    shape = {"embedding": (1,)} | dict.fromkeys(("conv", "pool", "average", "flatten"), (12, 12, 1))
    chain = text if name in ("linear", "squash", "graph", "hyperneat", "es-hyperneat") else f"{text}>flatten>dense:1"
    bounds = -np.ones(1), np.ones(1)  # of the actions
    network = evo.networks.network_from_text(chain, shape.get(name, (32,)), 1, bounds=bounds)
    layout = network.layout()
    ends = [block.place.stop for block in layout]
    assert [block.place.start for block in layout] == [0, *ends[:-1]] and ends[-1] == network.size
    assert all(np.prod(block.shape) == block.place.stop - block.place.start for block in layout)
    assert all(block.name != "parameters" for block in layout)


def test_layers_within_a_residual_have_names_of_their_own() -> None:
    network = evo.networks.Network([Residual(LayerNorm(), Dense(4))], 4, "", False)
    assert [block.name for block in network.layout()] == ["0.gain", "0.bias", "1.W", "1.b"]


# Batches


def test_a_batch_policy_is_a_policy_for_each_row() -> None:
    champion = evo.load(REFERENCE / "quadruped").champion
    network = evo.network("lstm:3", champion.task)
    remembering = dataclasses.replace(
        champion,
        network_text="lstm:3",
        candidate=champion.candidate._replace(
            params=np.random.default_rng(0).standard_normal(network.size).astype(np.float32)
        ),
    )
    batch, alone = remembering.batch_policy(3), [remembering.policy() for _ in range(3)]
    draws = np.random.default_rng(1).standard_normal((4, 3, champion.task.observation_size))
    for step, observations in enumerate(draws):
        if step == 2:
            batch.reset(np.array([False, True, False]))
            alone[1].reset()
        expected = [policy(row) for policy, row in zip(alone, observations, strict=True)]
        np.testing.assert_array_equal(batch(observations), expected)
    with pytest.raises(ValueError, match="this policy sees"):
        batch(draws[0, :2])


# Names and objects


def test_a_network_takes_a_task_by_name_and_refuses_what_is_none() -> None:
    assert evo.network("mlp:16", "Hopper-v5").size == evo.network("mlp:16", evo.task("Hopper-v5")).size
    assert evo.network(Dense(1), "cartpole").text == "dense:1>"
    assert evo.network("mlp:8", "xor").outputs == 2
    for wrong in (3, None, ["mlp:8"]):
        with pytest.raises(evo.EvoError, match="a network is a text"):
            evo.network(wrong, "cartpole")  # type: ignore[arg-type]
    with pytest.raises(evo.EvoError, match="a task is a name"):
        evo.network("linear", 3)  # type: ignore[arg-type]


def test_a_task_is_named_by_what_made_it() -> None:
    assert task_reference(evo.task("cartpole", force=8)) == (
        "evo/CartPole-v0",
        {**evo.task("cartpole").options, "force": 8.0},
    )
    assert task_reference(evo.task(pole))[0] == f"{__name__}:pole"
    assert task_reference(hill) == (f"{__name__}:hill", {})
    for changed in (pole(), dataclasses.replace(evo.task("cartpole"), steps=3)):  # type: ignore[type-var]
        with pytest.raises(evo.EvoError, match="made or changed by hand"):
            task_reference(changed)
    heavier = evo.task("cartpole")
    heavier.model.opt.gravity[2] = -20.0  # type: ignore[union-attr]
    with pytest.raises(evo.EvoError, match="made or changed by hand"):
        task_reference(heavier)
    with pytest.raises(evo.EvoError, match="top level"):
        task_reference(lambda x: 0.0)


def test_a_run_takes_objects_and_says_what_they_were(tmp_path: Path) -> None:
    made = evo.run(
        evo.task("cartpole", force=8.0, steps=np.int64(20)),
        method=evo.algorithms.CEM,
        network=evo.network("mlp:2", "cartpole"),
        seed=np.int64(3),  # type: ignore[arg-type]
        generations=np.int64(1),  # type: ignore[arg-type]
        until=np.float32(1e6),  # type: ignore[arg-type]
        out=tmp_path / "run",
        video=np.bool_(False),  # type: ignore[arg-type]
        settings={**SMALL, "method.population_size": np.int64(20), "task.track": np.array(2.0)},
    )
    config = made.config
    named = ("task.name", "task.force", "task.steps", "task.track", "method.name", "method.population_size", "seed")
    assert [config[key] for key in named] == ["evo/CartPole-v0", 8.0, 20, 2.0, "cem", 20, 3]
    assert (config["network.layers"], config["network.normalise"]) == ("mlp:2", False)
    assert made.champion.verify().exact
    assert evo.resume(made, generations=2, video=False).metrics["generation"][-1] == 2
    assert evo.load(made).path == made.path


def test_a_function_is_a_task(tmp_path: Path) -> None:
    made = evo.run(
        hill, dim=2, method="cma-es", generations=2, out=tmp_path / "run", settings="method.population_size=6"
    )
    assert (made.config["task.name"], made.config["method.population_size"]) == (f"{__name__}:hill", 6)


def test_a_population_is_what_ask_gives_and_never_empty() -> None:
    algorithm = evo.algorithms.ARS(np.zeros(4), 0, directions=3)
    population = algorithm.ask()
    expected = evo.evaluate("cartpole", "linear", population.dense())
    np.testing.assert_array_equal(evo.evaluate(Path("cartpole"), Dense(1, bias=False), population), expected)
    for empty in (np.zeros((0, 4)), []):
        with pytest.raises(evo.EvoError, match="params of shape"):
            evo.evaluate("cartpole", "linear", empty)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"episodes": 1.5}, "episodes must be a whole number"),
        ({"seed": 7.9}, "seed must be a whole number"),
        ({"seed": True}, "seed must be a whole number"),
        ({"seed": 2**63}, "seeds end at"),
        ({"threads": "1"}, "threads must be a whole number"),
        ({"params": "linear"}, "params is a str"),
    ],
)
def test_numbers_are_what_they_should_be(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(evo.EvoError, match=said):
        evo.evaluate(**{"task": "cartpole", "network": "linear", "params": np.zeros(4), **wrong})


def test_the_largest_seed_is_the_same_episode_everywhere() -> None:
    params, seed = np.array([0.3, 0.2, 0.1, 0.5]), 2**63 - 1
    assert (
        evo.evaluate("cartpole", "linear", params, seed=seed) == evo.rollout("cartpole", "linear", params, seed).total
    )


def test_options_of_a_task_are_held_to_their_types() -> None:
    with pytest.raises(evo.EvoError, match="ctrl_cost_weight must be a number, got 'a'"):
        evo.task("Hopper-v5", ctrl_cost_weight="a")
    assert evo.task("cartpole", force=np.float32(8)).options["force"] == 8.0
    with pytest.raises(evo.EvoError, match=r"minutes.*nan"):
        evo.run("cartpole", minutes=float("nan"))


@pytest.mark.parametrize("reference", ALGORITHMS.values())
def test_every_algorithm_is_found_in_the_package(reference: str) -> None:
    module, _, name = reference.partition(":")
    assert getattr(evo.algorithms, name).__module__ == module and name in evo.algorithms.__all__


def test_a_star_import_leaves_pythons_own_names() -> None:
    names: dict[str, Any] = {}
    exec("from evo import *\nfrom evo.algorithms import *", names)
    assert "list" not in names and names["CMAES"].__name__ == "CMAES" and callable(evo.list)


# Copies and reprs


def test_copies_are_whole(walker: evo.Champion) -> None:
    hard = evo.task("quadruped", sensor_noise=0.1, removed="front_left_shank", steps=20)
    params = walker.params
    for made in (walker.task, hard):
        expected = evo.evaluate(made, walker.network, params, statistics=walker.statistics)
        for copied in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
            assert copied.reference == made.reference
            found = evo.evaluate(copied, copy.deepcopy(walker.network), params, statistics=walker.statistics)
            np.testing.assert_array_equal(found, expected)
    assert walker.problem is not None
    for champion in (copy.deepcopy(walker), pickle.loads(pickle.dumps(walker))):
        assert champion.digest == walker.digest and champion.rollout(5).total == walker.rollout(5).total
    policy, observation = walker.policy(), np.zeros(walker.task.observation_size)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(policy))(observation), policy(observation))


def test_what_is_printed_is_short(walker: evo.Champion, run: evo.Run) -> None:
    shown = [walker, walker.task, walker.network, walker.statistics, walker.rollout(0), evo.dataset("xor"), run.config]
    shown += [evo.dataset("xor").train, walker.candidate]
    for each in shown:
        assert len(repr(each)) < 200 and "\n" not in repr(each), repr(each)
    assert "selection" in walker.summary() or "chosen by" in walker.summary()
    assert "control steps" in walker.task.summary() and "classes" in evo.dataset("xor").summary()


def test_small_returns_keep_their_digits() -> None:
    from evo.runs.champion import Fitness

    assert str(Fitness(np.array([0.012, 0.0135]))) == "0.0128 ± 0.0007 over 2 episodes"
    assert str(Fitness(np.array([3312.62, 3312.64]))) == "3312.6 ± 0.0 over 2 episodes"


# The episode's length


@pytest.mark.parametrize("name", ["HalfCheetah-v5", "quadruped"])
def test_the_length_of_an_episode_is_an_option_of_every_task(name: str) -> None:
    task = evo.task(name, steps=7)
    assert (task.steps, task.options["steps"]) == (7, 7)
    params = np.random.default_rng(0).standard_normal(task.observation_size * task.outputs)
    seen = evo.rollout(task, "linear", params, seed=3)
    env = gymnasium.make(name if "-v" in name else "evo/Quadruped-v0", max_episode_steps=7)
    observation, _ = env.reset(seed=3)
    total, truncated = 0.0, False
    for step in range(len(seen)):
        np.testing.assert_array_equal(observation, seen.observations[step])
        observation, reward, terminated, truncated, _ = env.step(seen.actions[step])
        total += float(reward)
        assert not terminated
    assert (len(seen), total, truncated) == (7, seen.total, True)
    with pytest.raises(evo.EvoError, match="steps must be a whole number"):
        evo.task(name, steps="7")


def test_the_tests_of_ones_own_parts_take_objects() -> None:
    evo.testing.check_network(Sequential(Dense(3, "tanh"), Dense(2)))
    evo.testing.check_task(pole, steps=10)


def test_without_a_compiler_there_is_one_line(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "evo", "run", "cartpole", "--no-video", "--out", str(tmp_path / "run")]
    ended = subprocess.run(words, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True)
    assert ended.returncode == 2 and "NUMBA_DISABLE_JIT" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_evaluating_loads_neither_gradients_nor_pictures() -> None:
    heavy = "{'evo.autodiff', 'evo.export', 'scipy.linalg', 'PIL.Image', 'imageio_ffmpeg', 'matplotlib'}"
    script = f"import sys, evo; evo.run, evo.evaluate, evo.task('cartpole'); print({heavy} & sys.modules.keys())"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert loaded.stdout == "set()\n"
