"""Learning in the lives of NEAT's networks: Lamarck's goes into the genes, Baldwin's does not, and both are counted."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import evo
from evo.algorithms import NEAT
from evo.config.build import make_dataset
from evo.errors import EvoError
from evo.evaluation.workers import Threads
from evo.genomes.graph import develop
from evo.genomes.population import row_of
from evo.learners.evolution import Evolution
from evo.learners.methods import Method
from evo.networks import network_from_text
from evo.numerics.randomness import generator
from evo.operators.graph_genes import ARRAYS
from evo.problems.fine_tuning import fine_tune
from evo.problems.supervised import Supervised

NEAT_METHOD = Method("evo.algorithms.genetic.neat:NEAT", "neat")
PEOPLE = 30
VARIANTS: dict[str, dict[str, Any]] = {
    "feed-forward": {},
    "recurrent": {"bias": "node", "activations": "tanh", "mutate_rate": 0.2},
    "biases of nodes": {"bias": "node", "activations": "tanh,gaussian", "add_node": 0.3, "add_link": 0.3},
}


def evolution(learning: str, seed: int = 0, threads: int = 1, network: str = "graph", **options: Any) -> Evolution:
    data = make_dataset("xor", {"bits": 3, "sequence": network != "graph"})
    problem = Supervised(data, network_from_text(network, data.shape, data.outputs), Threads(threads), 8)
    given = {"learning": learning, "population_size": PEOPLE, "learning_rate": 0.05} | options
    learner = NEAT_METHOD.build(problem, seed, 1, None, True, given)
    assert isinstance(learner, Evolution)
    return learner


def network_of(variant: str) -> str:
    return "graph:recurrent" if variant == "recurrent" else "graph"


def algorithm(learner: Evolution) -> NEAT:
    assert isinstance(learner.algorithm, NEAT)
    return learner.algorithm


@pytest.mark.parametrize("variant", VARIANTS)
def test_lamarck_inherits_what_was_learned_and_baldwin_does_not(variant: str) -> None:
    network, options = network_of(variant), VARIANTS[variant]
    born, baldwin, lamarck = (
        algorithm(evolution(learning, network=network, **options)) for learning in ("none", "baldwin", "lamarck")
    )
    for generation in range(6):
        plain, learned, inherited = born.ask(), baldwin.ask(), lamarck.ask()
        if generation == 0:  # the same genes are born
            np.testing.assert_array_equal(learned.values, inherited.values)
            for name in ARRAYS:
                np.testing.assert_array_equal(getattr(learned.genes, name), getattr(plain.genes, name))
        from_genes = develop(learned.genes, baldwin.recurrent)[0]
        assert (from_genes.astype(np.float32) != learned.values).any()  # what was learned stays out of Baldwin's genes
        from_genes = develop(inherited.genes, lamarck.recurrent)[0]
        np.testing.assert_array_equal(from_genes.astype(np.float32), inherited.values)
        for one, population in ((born, plain), (baldwin, learned), (lamarck, inherited)):
            one.tell(np.sin(np.arange(PEOPLE)))
            fittest = row_of(population, int(np.argmax(np.sin(np.arange(PEOPLE)))))
            np.testing.assert_array_equal(one.candidates()[0], fittest)
    assert not np.array_equal(baldwin.ask().values, born.ask().values)


def test_a_life_is_as_it_would_be_alone() -> None:
    """Weights and biases of genes move as `fine_tune` moves them, where it is given the same freedom."""
    learner = evolution("baldwin", learning_steps=1, learning_rate=1e-3)
    born, taught = algorithm(evolution("none")).ask(), algorithm(learner).ask()
    lesson = generator(0, "lessons", 0).integers(2**62)
    problem = learner.problem
    assert isinstance(problem, Supervised)
    for individual in range(1, PEOPLE):  # the first has weights of 0, and by symmetry no gradient
        alone = fine_tune(problem, row_of(born, individual), 1, lesson, 1e-3)
        moved = row_of(taught, individual) != row_of(born, individual).astype(np.float32)
        assert moved.any()
        np.testing.assert_array_equal(row_of(taught, individual)[moved], alone[moved])


@pytest.mark.parametrize("learning", ["baldwin", "lamarck"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_resumed_and_with_other_threads_it_is_the_same_to_the_bit(learning: str, variant: str) -> None:
    network, options = network_of(variant), VARIANTS[variant]
    whole, parts = (evolution(learning, 1, threads, network, **options) for threads in (1, 2))
    for _ in range(3):
        whole.step()
    parts.restore({name: np.array(array) for name, array in whole.state().items()})
    metrics = [[learner.step() for _ in range(3)] for learner in (whole, parts)]
    assert metrics[0] == metrics[1]
    first, second = whole.state(), parts.state()
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)
    np.testing.assert_array_equal(whole.candidates()[0].params, parts.candidates()[0].params)


def test_lessons_count_as_examples_and_as_operations() -> None:
    plain, taught = evolution("none").step(), evolution("lamarck", learning_steps=5).step()
    lessons = 5 * 8 * PEOPLE
    assert plain["steps"] == 8 * PEOPLE and taught["steps"] == plain["steps"] + lessons
    assert taught["flops"] == plain["flops"] * (1 + 3 * lessons / plain["steps"])


def test_weights_stay_within_their_limit() -> None:
    neat = algorithm(evolution("lamarck", learning_rate=5.0, learning_steps=1, weight_limit=2.0))
    assert np.abs(neat.ask().genes.weights).max() == 2.0


def test_lamarck_gets_further_in_as_many_generations() -> None:
    data = make_dataset("spirals", {"examples": 200})
    network = network_from_text("graph", data.shape, data.outputs)
    grows = {"activations": "tanh", "add_node": 0.2, "add_link": 0.2, "learning_rate": 0.05}
    for seed in range(5):
        best = {}
        for learning in ("none", "lamarck"):
            problem = Supervised(data, network, Threads(1), len(data.train))
            given = {"learning": learning, "population_size": PEOPLE} | grows
            learner = NEAT_METHOD.build(problem, seed, 1, None, True, given)
            for _ in range(20):
                best[learning] = learner.step()["best"]
        assert best["lamarck"] > best["none"]


def test_where_nothing_can_be_learned_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(EvoError, match=r"method.learning='lamarck': networks learn in their lives by gradients"):
        evo.run("cartpole", method="neat", generations=1, out=tmp_path / "run", settings=["method.learning=lamarck"])
    with pytest.raises(EvoError, match=r"method.learning='lamark': must be one of none, baldwin, lamarck"):
        evo.run("xor", method="neat", generations=1, out=tmp_path / "run", settings=["method.learning=lamark"])
    for options in ({"learning_steps": 0}, {"learning_steps": 10**9}, {"learning_rate": 0.0}, {"learning_rate": 1e300}):
        with pytest.raises(ValueError, match=next(iter(options))):
            evolution("lamarck", **options)


def test_a_run_that_learns_resumes_to_the_bit(tmp_path: Path) -> None:
    options: dict[str, Any] = {"method": "neat", "video": False, "settings": ["method.learning=baldwin"]}
    whole = evo.run("xor", generations=4, out=tmp_path / "whole", **options)
    evo.run("xor", generations=2, out=tmp_path / "parts", **options)
    resumed = evo.resume(tmp_path / "parts", generations=4, video=False)
    assert resumed.champion.digest == whole.champion.digest and whole.champion.verify().exact


def test_an_interrupted_tell_leaves_what_was_there(monkeypatch: pytest.MonkeyPatch) -> None:
    neat = algorithm(evolution("baldwin"))
    fitness = np.sin(np.arange(PEOPLE))
    neat.ask()
    neat.tell(fitness)
    before = neat.state()

    def interrupted(*arguments: Any) -> None:
        raise KeyboardInterrupt

    neat.ask()
    monkeypatch.setattr(neat.ancestry, "follow", interrupted)
    with pytest.raises(KeyboardInterrupt):
        neat.tell(fitness[::-1])
    for name, array in neat.state().items():
        np.testing.assert_array_equal(array, before[name], err_msg=name)
