"""Supervised: what a network earns on a data set is what a plain twin says, whatever the threads and the chunks."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import logsumexp

import evo
from evo.autodiff import Tape
from evo.autodiff.descent import gather
from evo.datasets import Dataset, Split, arrays, minibatch
from evo.errors import EvoError
from evo.evaluation.forward_pass import Examiner
from evo.evaluation.workers import Threads
from evo.genomes.population import DensePopulation
from evo.networks import network_from_text
from evo.numerics.randomness import generator, report_seeds, selection_seeds
from evo.problems.problem import evaluate_alone
from evo.problems.supervised import NOT_FINITE, Supervised

RNG = np.random.default_rng(6)
ONE_HOT = RNG.normal(size=(90, 3))
DATA: dict[str, Dataset] = {
    "classes": arrays(ONE_HOT, ONE_HOT.argmax(axis=1)),
    "numbers": arrays(ONE_HOT, ONE_HOT[:, :2] * [1.0, -2.0]),
    "sequence": arrays(RNG.normal(size=(60, 5, 2)), RNG.integers(0, 2, 60), sequence=True),
    "each step": arrays(RNG.normal(size=(60, 5, 2)), RNG.integers(0, 3, (60, 5)), sequence=True),
}
NETWORKS = {"classes": "mlp:7:relu", "numbers": "mlp:7", "sequence": "lstm:4", "each step": "gru:4"}


def supervised(kind: str, batch: int | None = None, threads: int = 1) -> Supervised:
    data = DATA[kind]
    network = network_from_text(NETWORKS[kind], data.shape, data.outputs, symbols=data.symbols)
    return Supervised(data, network, Threads(threads), batch)


def population(problem: Supervised, individuals: int = 5) -> DensePopulation:
    random = generator(2, "population")
    rows = [problem.initial(random) + 0.4 * random.standard_normal(problem.size) for _ in range(individuals)]
    return DensePopulation(np.array(rows).astype(np.float32).astype(np.float64))


def outputs_of(problem: Supervised, params: np.ndarray, split: Split) -> np.ndarray:
    """What `apply` makes of all examples, float64 (examples, predictions, outputs)."""
    data = problem.dataset
    tape = Tape(problem.size, np.float64)
    inputs = tape.input(data.steps * len(split), problem.network.inputs)
    outputs = problem.network.apply(tape, inputs, 0, data.steps)
    program = tape.program(outputs.total().mean())
    program.parameters[:] = params
    program.value(inputs)[:] = split.inputs.transpose(1, 0, 2).reshape(inputs.shape)
    program.forward()
    found = program.value(outputs).reshape(data.steps, len(split), -1)
    return found[data.steps - data.predictions :].transpose(1, 0, 2).copy()


def twin_losses(problem: Supervised, params: np.ndarray, split: Split) -> tuple[np.ndarray, np.ndarray]:
    """Losses and hits of all examples, float64 (examples,)."""
    outputs = outputs_of(problem, params, split)
    if problem.dataset.loss == "squared error":
        return np.mean((outputs - split.targets) ** 2, axis=(1, 2)), np.zeros(len(split))
    classes = split.targets.astype(int)
    losses = logsumexp(outputs, axis=2) - np.take_along_axis(outputs, classes, axis=2)[:, :, 0]
    return losses.mean(axis=1), (outputs.argmax(axis=2) == classes[:, :, 0]).mean(axis=1)


@pytest.mark.parametrize("kind", DATA)
def test_fitness_in_training_is_minus_the_loss_on_the_minibatch_of_the_seed(kind: str) -> None:
    problem, seeds = supervised(kind, batch=16), np.array([2**32 + 5, 2**32 + 9])
    people = population(problem)
    found = problem.evaluate(people, seeds, problem.no_statistics())
    for individual, params in enumerate(people.dense()):
        losses, _ = twin_losses(problem, params, problem.dataset.train)
        for column, seed in enumerate(seeds):
            rows = minibatch(len(losses), 16, seed)
            assert len(set(rows)) == 16
            assert found.returns[individual, column] == pytest.approx(-losses[rows].mean(), rel=2e-5)
    assert found.steps == 5 * 2 * 16 and found.episodes == 10 and not found.failures
    assert not np.array_equal(found.returns[:, 0], found.returns[:, 1])


@pytest.mark.parametrize("kind", DATA)
def test_scored_it_is_what_the_data_set_reports_on_the_split_of_the_seed(kind: str) -> None:
    problem = supervised(kind)
    params = population(problem, 1).dense()[0]
    for seeds, split in ((selection_seeds(2), problem.dataset.validation), (report_seeds(3), problem.dataset.test)):
        losses, hits = twin_losses(problem, params, split)
        wanted = hits.mean() if problem.dataset.labels else -math.sqrt(losses.mean()) * problem.dataset.scale
        outcome = evaluate_alone(problem, params, problem.no_statistics(), seeds)
        np.testing.assert_allclose(outcome.returns, np.full((1, len(seeds)), wanted), rtol=2e-5)
        assert outcome.steps == len(split), "the same examples are answered once"


def test_bits_are_reported_of_text() -> None:
    data = evo.dataset("text", length=16)
    problem = Supervised(data, network_from_text("gru:4", data.shape, data.outputs, symbols=data.symbols), Threads(2))
    nothing = np.zeros(problem.size)
    bits = evaluate_alone(problem, nothing, problem.no_statistics(), selection_seeds(1)).fitness[0]
    assert bits == pytest.approx(-math.log2(data.symbols), rel=1e-6), "who knows nothing needs log2 of the symbols"


@pytest.mark.parametrize("kind", DATA)
def test_threads_and_chunks_change_no_bit(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds, alone = np.array([2**32]), supervised(kind, batch=41)
    people = population(alone, 7)
    expected = alone.evaluate(people, seeds, alone.no_statistics()).returns
    together = supervised(kind, batch=41, threads=2)
    np.testing.assert_array_equal(together.evaluate(people, seeds, together.no_statistics()).returns, expected)
    one = [evaluate_alone(together, row, together.no_statistics(), seeds).returns[0] for row in people.dense()]
    np.testing.assert_array_equal(np.array(one), expected)
    monkeypatch.setattr(Examiner, "capacity", lambda *_: 2)
    np.testing.assert_array_equal(together.evaluate(people, seeds, together.no_statistics()).returns, expected)


@pytest.mark.parametrize("kind", DATA)
def test_the_loss_on_a_tape_is_that_of_the_evaluation(kind: str) -> None:
    problem = supervised(kind, batch=8)
    params, tape = population(problem, 1).dense()[0], Tape(problem.size)
    loss, feeds = problem.loss(tape, 8)
    program = tape.program(loss)
    program.parameters[:] = params
    examples = problem.examples(problem.dataset.train)
    assert examples.shape == (len(problem.dataset.train), int(feeds.columns.sum()))
    losses, _ = twin_losses(problem, params, problem.dataset.train)
    for start in (0, 8):
        gather(feeds, examples, np.arange(start, start + 8), program.values)
        assert program.forward() == pytest.approx(losses[start : start + 8].mean(), rel=2e-5)


def test_answers_are_the_outputs() -> None:
    problem = supervised("each step", threads=2)
    params = population(problem, 1).dense()[0]
    answers = problem.answers(params, problem.dataset.test)
    assert answers.outputs is not None
    np.testing.assert_allclose(answers.outputs[0], outputs_of(problem, params, problem.dataset.test), atol=1e-5)


def test_who_answers_what_is_not_finite_has_failed() -> None:
    problem = supervised("classes", batch=16)
    people = population(problem).dense().copy()
    people[2] = np.inf
    outcome = problem.evaluate(DensePopulation(people), np.array([2**32]), problem.no_statistics())
    assert outcome.failures == {NOT_FINITE: 1} and np.isnan(outcome.returns[2, 0])
    assert outcome.fitness[2] == np.delete(outcome.fitness, 2).min()


def test_a_batch_of_everything_is_deterministic() -> None:
    problem = supervised("classes", batch=10_000)
    assert problem.deterministic and not supervised("classes", batch=16).deterministic
    params, seeds = population(problem, 1).dense()[0], np.array([2**32, 2**32 + 1])
    first, second = evaluate_alone(problem, params, problem.no_statistics(), seeds).returns[0]
    assert first == pytest.approx(second, rel=1e-12), "the same examples, in another order"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"network": "dense:4>dense:7"}, "ends in 7 numbers, and 3 are needed"),
        ({"network": "conv:8x5"}, "a kernel of 5 does not fit into 3"),
        ({"network": 5}, "a network is a text such as"),
        ({"network": "mlp:99999999999"}, "larger than any network"),
        ({"network": "mlp:99999,99999"}, "too large"),
        ({"network": "mlp:4", "epochs": "3"}, "epochs must be a number"),
        (
            {"network": "mlp:4", "epochs": None, "minutes": 1, "settings": {"method.schedule": "cosine"}},
            "give epochs or steps",
        ),
        ({"network": "mlp:8", "settings": {"evaluation.batch": 0}}, "evaluation.batch must be at least 1"),
        ({"network": "mlp:8", "settings": {"network.normalise": True}}, "a data set, which is prepared as it is made"),
        ({"network": "mlp:8", "settings": {"training.seed": 3}}, "it takes no training.seed"),
        ({"network": "mlp:8", "method": "ppo"}, "ppo"),
        ({"network": "mlp:8", "epochs": -1}, "epochs must be a number from 0 up"),
    ],
)
def test_what_does_not_fit_is_one_line(
    settings: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EvoError, match=message) as caught:
        evo.run(DATA["classes"], **{"method": "adam", "epochs": 1, "out": "run"} | settings)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()
