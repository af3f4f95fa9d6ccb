"""PPO through time: segments begin with what was remembered, what does not count changes nothing, and memory helps."""

import dataclasses
import functools
from typing import Any

import numpy as np
import pytest

import evo
from evo.autodiff import Program, Tape
from evo.autodiff.descent import gather
from evo.envs.engine.compile import njit
from evo.evaluation.collector import Experience
from evo.evaluation.workers import Threads
from evo.learners import ppo as module
from evo.learners.ppo import PPO
from evo.learners.segments import GOES_ON, OBSERVATION, WEIGHT, Examples, weigh
from evo.networks import CTRNN, Layer, Network, Shape
from evo.networks.network import propagate
from evo.numerics.advantages import CUT_OFF, ENDED, FAILED, GOING_ON, standardise
from evo.problems.control import Walking

# actor and critic
PAIRS = {
    "recurrent": ("recurrent:5", "mlp:6"),
    "lstm": ("lstm:4", "lstm:3"),
    "gru": ("dense:4:tanh>gru:3>dense:1", "gru:3"),
    "ctrnn": ("ctrnn:4", "recurrent:3"),
    "spiking": ("spiking:6", "ctrnn:3"),
    "attention": ("dense:4>residual(layernorm>attention:2:6)>attention:1:3>dense:1", "dense:4>attention:2:5>dense:1"),
    "critic alone": ("mlp:5", "lstm:3"),
}


def learner(
    network: str = "lstm:4", critic: str = "gru:3", threads: int = 1, task: Any = "cartpole", **options: Any
) -> PPO:
    made = evo.task(task, **options.pop("task_options", {})) if isinstance(task, str) else task
    settings = {"environments": 2, "horizon": 32, "segment": 8, "minibatch": 16, "epochs": 2} | options
    seed, normalise = settings.pop("seed", 3), settings.pop("normalise", False)
    problem = Walking(made, evo.network(network, made, normalise=normalise), Threads(threads))
    return PPO(problem, seed, critic=critic, **settings)


def shaken(ppo: PPO) -> PPO:
    """With parameters that make a difference: the first ones of an actor hardly act."""
    ppo.parameters += 0.3 * np.random.default_rng(1).standard_normal(len(ppo.parameters)).astype(np.float32)
    return ppo


def lived(ppo: PPO, iterations: int) -> list[tuple[Experience, Examples]]:
    """What is collected and made of it, without learning from it."""
    found = []
    for _ in range(iterations):
        blocks, seen = ppo._collect()
        examples, ppo.critic_memory = ppo._segments(seen, seen.rewards)
        ppo._world.commit(blocks, seen)
        ppo.generation += 1
        found.append((seen, examples))
    return found


def filled(ppo: PPO, table: np.ndarray, rows: np.ndarray) -> Program:
    program = ppo._loss.programs[0]
    program.parameters[:] = ppo.parameters
    gather(ppo._loss.feeds, table, rows, program.values)
    return program


def replayed(network: Network, params: np.ndarray, parts: list[Experience], environment: int) -> list[np.ndarray]:
    """A plain twin: the outputs for all observations of every part, step after step from the first episode on."""
    memory, scratch = np.zeros(network.memory_size, np.float32), np.zeros(network.scratch_size, np.float32)
    nothing, one = np.zeros(network.inputs), np.ones(network.inputs)

    def output(observation: np.ndarray, remembered: np.ndarray) -> np.ndarray:
        outputs = np.zeros(network.outputs)
        propagate(network.plan, params, remembered, scratch, observation.astype(float), nothing, one, np.inf, outputs)
        return outputs

    found = []
    for part in parts:
        horizon, last = part.marks.shape[1], list[np.ndarray]()
        seen, following = part.observations[environment], part.following[environment]
        outputs = np.zeros((horizon + 1, network.outputs))
        for step in range(horizon):
            outputs[step] = output(seen[step], memory)
            if part.marks[environment, step] == CUT_OFF:
                last.append(output(following[step], memory.copy()))
            if part.marks[environment, step] != GOING_ON:
                memory[:] = 0
        outputs[horizon] = output(following[-1], memory.copy())
        found.append(np.stack([*outputs, *last]))
    return found


@pytest.mark.parametrize("name", PAIRS)
def test_segments_begin_with_what_was_remembered(name: str) -> None:
    """Old log-probabilities and values are those of networks that live on from the first step, over iterations."""
    ppo = shaken(learner(*PAIRS[name], task_options={"steps": 18}))
    parts = lived(ppo, 5)
    actor, log_deviation, critic = np.split(ppo.parameters, np.cumsum([ppo.actor.size, 1]))
    marks = np.concatenate([seen.marks for seen, _ in parts])
    assert {CUT_OFF, ENDED} <= set(marks[:, 1:-1].ravel())
    for environment in range(2):
        acted = replayed(ppo.actor, actor, [seen for seen, _ in parts], environment)
        judged = replayed(ppo.critic, critic, [seen for seen, _ in parts], environment)
        for (seen, examples), outputs, values in zip(parts, acted, judged, strict=True):
            score = (seen.actions[environment] - outputs[:32]) / np.exp(log_deviation)
            expected = -0.5 * score**2 - log_deviation - 0.5 * np.log(2 * np.pi)
            found = [examples.column(place).reshape(2, 32)[environment] for place in (-4, -2, -1)]
            np.testing.assert_allclose(found[0], expected[:, 0], rtol=1e-4, atol=1e-4)
            np.testing.assert_allclose(found[2], values[:32, 0], rtol=1e-4, atol=1e-4)
            gains = examples.gains.reshape(2, 32)[environment]
            np.testing.assert_allclose(found[1], gains + found[2], rtol=1e-4, atol=1e-4)
            last = seen.marks[environment, 31] == GOING_ON
            error = seen.rewards[environment, 31] + 0.99 * values[32, 0] - values[31, 0]
            if last:  # what follows on the last step counts for what the critic says of it
                np.testing.assert_allclose(gains[31], error, rtol=1e-4, atol=1e-4)
    # and the tape's own values, from the same beginnings, are these
    rows = np.arange(ppo._size)
    program = filled(ppo, examples.table, rows)
    program.forward()
    expected = examples.column(-1)[rows].T
    np.testing.assert_allclose(program.value(ppo._loss.value).reshape(expected.shape), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", PAIRS)
def test_before_the_first_step_every_ratio_is_one(name: str) -> None:
    ppo = shaken(learner(*PAIRS[name]))
    _, (_, examples) = lived(ppo, 2)
    order = np.arange(len(examples.table)).reshape(-1, ppo._size)
    ppo._standardise(examples, order)
    for rows in order:
        program = filled(ppo, examples.table, rows)
        program.forward()
        found = np.concatenate([program.value(node) for node in ppo._loss.log_probabilities], axis=1)
        np.testing.assert_array_equal(found, examples.column(-4)[rows])
        assert program.value(ppo._loss.watched[3]) == 0.0  # the divergence


@pytest.mark.parametrize("discrete", [False, True])
@pytest.mark.parametrize("name", [name for name in PAIRS if name != "spiking"])
def test_the_gradient_of_the_loss_is_finite_differences(
    name: str, discrete: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "Tape", functools.partial(Tape, dtype=np.float64))
    actor, critic = PAIRS[name]
    if discrete:
        actor = actor.replace(">dense:1", ">dense:2")
    options = {"discrete": discrete, "steps": 21}
    ppo = shaken(learner(actor, critic, task_options=options, entropy_coefficient=0.1))
    _, (seen, examples) = lived(ppo, 2)
    assert (seen.marks[:, :-1] != GOING_ON).any()
    order = np.arange(len(examples.table)).reshape(-1, ppo._size)
    ppo._standardise(examples, order)
    program = filled(ppo, examples.table, order[1])
    # the old policy and the old values are other ones, so that nothing is clipped just at the edge
    params = ppo.parameters.astype(np.float64) + 0.05 * np.random.default_rng(2).standard_normal(program.size)
    program.parameters[:] = params
    program.forward()
    program.backward()
    gradient, small = program.gradient.copy(), 1e-6
    assert np.count_nonzero(gradient) > 0.5 * len(gradient)
    for index in range(len(params)):
        both = []
        for way in (small, -small):
            program.parameters[index] = params[index] + way
            both.append(program.forward())
        program.parameters[index] = params[index]
        assert gradient[index] == pytest.approx((both[0] - both[1]) / (2 * small), rel=1e-5, abs=1e-7), index


def gradient_of(ppo: PPO, table: np.ndarray, rows: np.ndarray) -> np.ndarray:
    program = filled(ppo, table, rows)
    program.forward()
    program.backward()
    return program.gradient.copy()


@pytest.mark.parametrize("name", PAIRS)
def test_steps_that_do_not_count_contribute_nothing(name: str) -> None:
    """A failed step, those that were never taken, and an episode's end beyond the beginning of the next."""
    ppo = shaken(learner(*PAIRS[name]))
    _, seen = ppo._collect()
    seen.marks[0, 4], seen.observations[0, 4] = FAILED, np.nan
    seen.marks[0, 10] = ENDED
    seen.lengths[1] = 11
    examples, _ = ppo._segments(seen, seen.rewards)
    assert examples.counts.reshape(2, 32)[1].sum() == 11
    order = np.arange(len(examples.table)).reshape(-1, ppo._size)
    np.testing.assert_array_equal(examples.counts.any(axis=1), [1, 1, 1, 1, 1, 1, 0, 0])
    ppo._standardise(examples, order[:3])
    weights = examples.column(WEIGHT)[order[:3]]
    np.testing.assert_allclose(weights.mean(axis=(1, 2)), 1.0, rtol=1e-6)
    for rows in order[:3]:
        right, table = gradient_of(ppo, examples.table, rows), examples.table.copy()
        changed = examples._replace(table=table)
        for column in range(OBSERVATION, examples.width):
            changed.column(column)[~examples.counts] = 0.7
        assert np.isfinite(right).all()
        np.testing.assert_array_equal(gradient_of(ppo, table, rows), right)
    # the second segment: with no weight on it, the episode that ends with its step 10 - 8 leaves no trace
    examples.column(WEIGHT)[1, :3] = 0.0
    rows, table = order[0], examples.table.copy()
    changed = examples._replace(table=table)
    assert changed.column(GOES_ON)[1, :4].tolist() == [1, 1, 1, 0]
    for column in range(OBSERVATION, examples.width):
        changed.column(column)[1, :3] = 0.7
    table[1, 8 * examples.width :] = np.minimum(table[1, 8 * examples.width :] + 0.3, 1.0)
    right = gradient_of(ppo, examples.table, rows)
    np.testing.assert_allclose(gradient_of(ppo, table, rows), right, rtol=1e-5, atol=1e-6 * np.abs(right).max())
    changed.column(GOES_ON)[1, 3] = 1.0  # without the mark it does
    assert not np.allclose(gradient_of(ppo, table, rows), right, rtol=1e-3)


def test_weights_and_advantages_of_whole_minibatches_are_those_without_weights() -> None:
    gains = np.random.default_rng(0).normal(size=(3, 10))
    found, weights = weigh(gains, np.ones((3, 10), bool))
    np.testing.assert_allclose(found, standardise(gains), rtol=1e-12)
    np.testing.assert_array_equal(weights, np.ones((3, 10)))
    counts = np.arange(10) < np.array([[7], [4], [1]])
    found, weights = weigh(gains, counts)
    np.testing.assert_allclose(found[0, :7], standardise(gains[:1, :7])[0], rtol=1e-12)
    np.testing.assert_allclose(weights.mean(axis=1), 1.0)
    assert not found[~counts].any()
    assert found[2, 0] == 0.0


def same(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> bool:
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("task", ["cartpole", "CartPole-v1"])
def test_restored_it_goes_on_to_the_bit_whatever_the_threads(task: str) -> None:
    made = functools.partial(learner, task=task, minibatch=64, normalise=True)  # in two shards
    whole = made(threads=1)
    assert len(whole._loss.programs) == 2
    for _ in range(5):
        whole.step()
    interrupted = made(threads=2)
    for _ in range(2):
        interrupted.step()
    again = made(threads=4)
    again.prepare()
    again.restore({name: array.copy() for name, array in interrupted.state().items()})
    for _ in range(3):
        again.step()
    assert whole.critic_memory.any()
    assert same(whole.state(), again.state())
    with pytest.raises(ValueError, match="critic_memory is"):
        made().restore(whole.state() | {"critic_memory": np.zeros((1, 1), np.float32)})


def test_collectors_keep_memories_alike() -> None:
    """Gymnasium's collector keeps the same as ours: the memory before every so many steps, empty where one begins."""
    for task in ("cartpole", "CartPole-v1"):
        ppo = shaken(learner("recurrent:3", task=task))
        seen = lived(ppo, 2)[1][0]
        before, step = seen.memories[:, :, ppo.actor.carried], 8 * np.arange(1, 4)
        assert before.shape == (2, 4, 3)
        fresh = seen.marks[:, step - 1] != GOING_ON
        np.testing.assert_array_equal(before[:, 1:].any(axis=2), ~fresh)


class Forgetful(CTRNN):
    """It remembers, and does not say where."""

    def carried(self, inputs: Shape) -> np.ndarray:
        return np.zeros(0, np.int64)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"segment": 12}, "segment must divide horizon = 32 and minibatch = 16, got 12"),
        ({"segment": 32}, "segment must divide horizon = 32 and minibatch = 16, got 32"),
        ({"segment": 0}, "segment=0: must be"),
        ({"network": "hebbian:4"}, "name ppo: Hebbian has no gradient"),
        ({"critic": "cpg:4"}, "critic: PatternGenerator has no gradient"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        learner(**options)


def test_a_layer_that_can_only_begin_anew_is_refused() -> None:
    task = evo.task("cartpole")
    layers: list[Layer] = [Forgetful(3), evo.networks.Dense(1)]
    network = Network(layers, task.observation_size, "forgetful:3", False)
    assert not network.carried.size
    with pytest.raises(ValueError, match="name ppo: 'forgetful:3' can only begin with an empty memory"):
        PPO(Walking(task, network, Threads(1)), 0)


def test_where_nothing_is_remembered_segments_do_nothing() -> None:
    states = []
    for segment in (1, 7):
        ppo = learner("mlp:8", "mlp:8", segment=segment)
        ppo.step()
        states.append(ppo.state())
    assert same(*states)
    assert "critic_memory" not in states[0]


@njit
def _positions(model: Any, data: Any, task: Any, obs: Any) -> None:
    obs[0], obs[1] = data.qpos[0], data.qpos[1]


def test_a_pole_whose_speed_is_not_seen_takes_a_memory() -> None:
    cartpole = evo.task("cartpole", discrete=True)
    names = cartpole.observation_names[:2]
    blind = dataclasses.replace(cartpole, observe=_positions.py_func, observation_size=2, observation_names=names)
    returns = {}
    for text in ("gru:16", "mlp:32"):
        options = {"environments": 8, "horizon": 128, "segment": 16, "minibatch": 128, "epochs": 6}
        ppo = learner(text, text, task=blind, normalise=True, learning_rate=1e-3, **options)
        while ppo.steps < 100_000:  # gradients are BLAS's: on some processors it takes 90,000, on others 60,000
            ppo.step()
        candidate = ppo.candidates()[0]
        totals = [ppo.problem.rollout(candidate.params, seed, candidate.statistics).total for seed in range(5)]
        returns[text] = np.mean(totals)
    assert returns["gru:16"] > 300
    assert returns["mlp:32"] < 100
