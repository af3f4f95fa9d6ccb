"""What one individual learns: its structure stays, its loss falls, and equal seeds learn the same."""

import numpy as np
import pytest

from evo.config.build import make_dataset
from evo.evaluation.workers import Threads
from evo.networks import network_from_text
from evo.networks.wiring import Wiring
from evo.numerics.randomness import selection_seeds
from evo.problems.fine_tuning import fine_tune
from evo.problems.problem import evaluate_alone
from evo.problems.supervised import Supervised
from tests.support.graphs import layered_wiring, structure_of


def _problem(text: str, batch: int | None = 4) -> Supervised:
    data = make_dataset("xor", {})
    return Supervised(data, network_from_text(text, data.shape, data.outputs), Threads(1), batch)


def test_a_graph_learns_xor_and_stays_itself() -> None:
    problem = _problem("graph")
    row = layered_wiring(np.random.default_rng(0), 2, 4, 2).row()
    tuned = fine_tune(problem, row, 300, seed=1)
    both, nothing, seeds = (row, tuned), problem.no_statistics(), selection_seeds(1)
    losses = [-evaluate_alone(problem, each, nothing, seeds).fitness[0] for each in both]
    assert losses[1] < 0.05 < losses[0]
    assert structure_of(Wiring.of(tuned)) == structure_of(Wiring.of(row))
    np.testing.assert_array_equal(tuned, fine_tune(problem, row, 300, seed=1))
    np.testing.assert_array_equal(fine_tune(problem, row, 0, seed=1), row.astype(np.float32))


def test_minibatches_are_those_of_the_seed() -> None:
    problem = _problem("mlp:4", batch=2)
    row = problem.initial(np.random.default_rng(0))
    first, again, other = (fine_tune(problem, row, 5, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_what_cannot_be_trained_is_explained() -> None:
    with pytest.raises(ValueError, match="this one is for scoring"):
        fine_tune(_problem("graph", None), np.zeros(4), 1, 0)
    with pytest.raises(ValueError, match="a graph of 0 inputs"):
        fine_tune(_problem("graph"), np.zeros(4), 1, 0)
    hebbian = _problem("hebbian:2")
    with pytest.raises(ValueError, match="no gradient"):
        fine_tune(hebbian, hebbian.initial(np.random.default_rng(0)), 1, 0)


def test_who_would_not_be_finite_stays_as_it_was() -> None:
    problem = _problem("graph")
    row = layered_wiring(np.random.default_rng(0), 2, 4, 2).row()
    np.testing.assert_array_equal(fine_tune(problem, row, 1, 0, 1e300), row.astype(np.float32))
