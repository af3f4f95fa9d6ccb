"""Safe mutation: gradients of what networks do, by finite differences and by hand, and the steps they allow."""

from pathlib import Path

import numpy as np
import pytest

import evo
from evo.evaluation.workers import Threads
from evo.networks import Network, network_from_text
from evo.numerics.randomness import generator
from evo.operators.safe_mutation import safe_mutation
from evo.problems.control import Walking
from evo.problems.sensitivity import Sensitivity


def outputs_of(network: Network, params: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Of an MLP of one hidden layer of three tanh units and two outputs, in float64: (experiences, 2)."""
    inputs, hidden = seen.shape[1], 3
    first = params[: inputs * hidden].reshape(inputs, hidden)
    rest = params[inputs * hidden :]
    bias, rest = rest[:hidden], rest[hidden:]
    second, last = rest[: 2 * hidden].reshape(hidden, 2), rest[2 * hidden :]
    return np.tanh(seen @ first + bias) @ second + last


def test_sensitivity_is_the_gradient_of_the_outputs() -> None:
    network, random = network_from_text("mlp:3", 4, 2), generator(1, "sensitivity")
    seen, params = random.standard_normal((20, 4)), random.standard_normal((3, network.size))
    found = Sensitivity(network, lambda: seen)(params)
    for row, individual in zip(found, params, strict=True):
        slopes = np.empty((network.size, 2))
        for parameter in range(network.size):
            step = np.zeros(network.size)
            step[parameter] = 1e-5
            higher, lower = (outputs_of(network, individual + sign * step, seen).mean(axis=0) for sign in (1, -1))
            slopes[parameter] = (higher - lower) / 2e-5
        np.testing.assert_allclose(row, np.sqrt(np.sum(np.square(slopes), axis=1)), rtol=1e-3, atol=1e-5)


def test_of_a_linear_policy_it_is_the_mean_observation() -> None:
    network, seen = network_from_text("linear", 3, 2), generator(2, "seen").standard_normal((8, 3))
    found = Sensitivity(network, lambda: seen)(np.zeros((1, network.size)))
    np.testing.assert_allclose(found[0].reshape(3, 2), np.tile(np.abs(seen.mean(axis=0))[:, None], (1, 2)), rtol=1e-5)


def test_steps_are_divided_by_it() -> None:
    population = np.zeros((2000, 3))
    sensitivity = np.array([10.0, 1.0, 0.0])
    moved = safe_mutation(
        generator(3, "mutation"),
        population,
        sensitivity=lambda genomes: np.tile(sensitivity, (len(genomes), 1)),
        least=0.1,
    )
    np.testing.assert_allclose(moved.std(axis=0), 0.02 / np.array([10, 1, 0.1]), rtol=0.06)
    with pytest.raises(ValueError, match=r"sensitivity gave shape \(2000,\)"):
        safe_mutation(generator(3, "mutation"), population, sensitivity=lambda genomes: genomes[:, 0])
    with pytest.raises(ValueError, match="least"):
        safe_mutation(generator(3, "mutation"), population, sensitivity=np.ones_like, least=0.0)


@pytest.mark.parametrize("normalise", [True, False])
def test_experiences_are_observations_of_the_first_individual(normalise: bool) -> None:
    task = evo.task("pointmass")
    problem = Walking(task, evo.network("mlp:4", task, normalise), Threads(1))
    params = problem.initial(generator(4, "initial parameters"))
    known = problem.describe(params, 4)
    np.testing.assert_array_equal(known["groups"], problem.network.neurons)
    program, _ = known["sensitivity"]._program
    again, _ = problem.describe(params, 4)["sensitivity"]._program
    np.testing.assert_array_equal(program.values, again.values)
    other, _ = problem.describe(params, 5)["sensitivity"]._program
    assert not np.array_equal(program.values, other.values)


def test_a_genetic_algorithm_mutates_safely(tmp_path: Path) -> None:
    settings = {
        "method.mutate": "safe:sigma=0.2",
        "method.population_size": 16,
        "method.select": "truncation:truncation=4",
    }
    options = {"method": "ga", "network": "mlp:4", "settings": settings, "video": False, "threads": 1}
    whole = evo.run("pointmass", generations=6, out=tmp_path / "whole", **options)
    evo.run("pointmass", generations=3, out=tmp_path / "parts", **options)
    parts = evo.resume(tmp_path / "parts", generations=6, video=False, threads=1)
    np.testing.assert_array_equal(whole.metrics["mean"], parts.metrics["mean"])
    assert whole.metrics["best"][-1] > whole.metrics["best"][0]


def test_it_needs_a_network(tmp_path: Path) -> None:
    with pytest.raises(evo.EvoError, match=r"method\.mutate: safe needs sensitivity"):
        evo.run("sphere", method="ga", settings={"method.mutate": "safe"}, out=tmp_path / "run", video=False)
