"""MO-CMA-ES: its update equals a plain twin, its selection keeps hypervolume, and it reaches known fronts."""

import math

import numpy as np
import pytest

from evo.algorithms.algorithm import build_algorithm
from evo.algorithms.multi_objective.dominance import rank_fronts
from evo.algorithms.multi_objective.hypervolume import hypervolume
from evo.algorithms.multi_objective.mo_cma_es import MOCMAES
from evo.errors import EvoError
from tests.support.fronts import landscape, search


@pytest.mark.parametrize(("name", "share"), [("zdt1", 0.985), ("zdt2", 0.97), ("dtlz2", 0.9)])
def test_it_reaches_known_fronts(name: str, share: float) -> None:
    assert search(MOCMAES, landscape(name), 0, 250) > share


def judge(rows: np.ndarray) -> np.ndarray:
    """Two bowls that are rotated and a hundred times longer than wide."""
    turned = rows @ np.array([[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]])
    scale = np.array([1.0, 100.0, 10.0])
    return np.stack([-(scale * (turned - at) ** 2).sum(axis=1) for at in (0.5, -0.5)], axis=1)


def test_the_update_equals_a_plain_twin() -> None:
    n, mu = 3, 6
    algorithm = MOCMAES(np.zeros(n), 3, population_size=mu, sigma=0.7)
    asked = algorithm.ask().dense()
    algorithm.tell(np.zeros(mu), objectives=judge(asked))
    sigmas, successes = [0.7] * mu, [2 / 11] * mu
    C, paths = [np.eye(n)] * mu, [np.zeros(n)] * mu
    x = algorithm.individuals
    p_target, d = 2 / 11, 1 + n / 2
    c_p, c_c, c_cov = p_target / (2 + p_target), 2 / (n + 2), 2 / (n**2 + 6)
    succeeded = 0
    for _ in range(40):
        children = algorithm.ask().dense()
        algorithm.tell(np.zeros(mu), objectives=judge(children))
        rows = np.concatenate([x, children])
        survivors = [int(np.flatnonzero((rows == row).all(axis=1))[0]) for row in algorithm.individuals]
        new = []
        for k in range(mu):
            success = float(mu + k in survivors)
            succeeded += success > 0
            y = (children[k] - x[k]) / sigmas[k]
            successes[k] = (1 - c_p) * successes[k] + c_p * success
            sigmas[k] *= math.exp((successes[k] - p_target) / (d * (1 - p_target)))
            if successes[k] < 0.44:
                path = (1 - c_c) * paths[k] + math.sqrt(c_c * (2 - c_c)) * y
                new.append((path, (1 - c_cov) * C[k] + c_cov * np.outer(path, path)))
            else:
                path = (1 - c_c) * paths[k]
                new.append((path, (1 - c_cov) * C[k] + c_cov * (np.outer(path, path) + c_c * (2 - c_c) * C[k])))
        C, paths = (
            [(new[place - mu] if place >= mu else (paths[place], C[place]))[part] for place in survivors]
            for part in (1, 0)
        )
        sigmas, successes = ([values[place % mu] for place in survivors] for values in (sigmas, successes))
        x = algorithm.individuals
        np.testing.assert_allclose(algorithm.sigmas, sigmas, rtol=1e-10)
        np.testing.assert_allclose(algorithm.successes, successes, rtol=1e-10)
        np.testing.assert_allclose(algorithm.paths, paths, rtol=1e-8, atol=1e-12)
        found = np.einsum("kij,klj->kil", algorithm.factors, algorithm.factors)
        np.testing.assert_allclose(found, C, rtol=1e-8, atol=1e-12)
    assert succeeded > 20


def test_children_are_distributed_as_their_parents_say() -> None:
    algorithm = MOCMAES(np.zeros(2), 0, population_size=4_000, sigma=0.5)
    rows = algorithm.ask().dense()
    algorithm.tell(np.zeros(4_000), objectives=np.arange(8_000.0).reshape(4_000, 2))
    factor = np.array([[2.0, 0.0], [-1.0, 0.5]])
    algorithm.factors = np.tile(factor, (4_000, 1, 1))
    steps = (algorithm.ask().dense() - algorithm.individuals) / 0.5
    assert abs(np.std(rows) - 0.5) < 0.02
    np.testing.assert_allclose(np.cov(steps.T), factor @ factor.T, atol=0.25)


def test_what_adds_least_hypervolume_goes_and_the_ends_stay() -> None:
    """Of ten points of a curve five stay; none of 500 random choices of five is much better."""
    algorithm = MOCMAES(np.zeros(2), 0, population_size=5)
    first = np.linspace(0, 1, 10)[[0, 1, 2, 5, 9]]
    objectives = np.stack([first, 1 - first**2], axis=1)
    algorithm.ask()
    algorithm.tell(np.zeros(5), objectives=objectives)
    algorithm.ask()
    more = np.array([0.25, 0.5, 0.6, 0.8, 0.9])
    algorithm.tell(np.zeros(5), objectives=np.stack([more, 1 - more**2], axis=1))
    kept = algorithm.objectives
    assert {tuple(row) for row in (objectives[0], objectives[4])} <= {tuple(row) for row in kept}
    every = np.concatenate([objectives, np.stack([more, 1 - more**2], axis=1)])
    reference = np.array([-1.0, -1.0])
    random = np.random.default_rng(0)
    some = [hypervolume(every[random.permutation(10)[:5]], reference) for _ in range(500)]
    assert hypervolume(kept, reference) > 0.99 * max(some)
    assert (rank_fronts(kept) == 0).all()


def test_its_matrices_are_told_of_beforehand() -> None:
    with pytest.raises(EvoError, match=r"MOCMAES on 100,000 parameters.*that needs .* of memory"):
        build_algorithm(MOCMAES, np.zeros(100_000), 0, {})
