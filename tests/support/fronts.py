"""Searches for fronts on functions whose front is known."""

from typing import Any

import numpy as np

from evo.algorithms.multi_objective.front_search import FrontSearch
from evo.algorithms.multi_objective.hypervolume import hypervolume
from evo.numerics.randomness import generator
from evo.problems.named_functions import find_landscape
from evo.problems.objective_functions import ObjectiveLandscape


def landscape(name: str, **options: int) -> ObjectiveLandscape:
    made = find_landscape(name)(**options)
    assert isinstance(made, ObjectiveLandscape)
    return made


def search(made: type[FrontSearch], problem: ObjectiveLandscape, seed: int, generations: int, **options: Any) -> float:
    """Return the share of the front's hypervolume that a search reaches."""
    initial = problem.initial(generator(seed, "start of a test"))
    algorithm: Any = made(initial, seed, **problem.describe(initial, seed), **options)  # type: ignore[call-arg]
    for _ in range(generations):
        fitness, _, objectives = problem.judge(algorithm.ask().dense(), np.zeros(1, np.int64))
        algorithm.tell(fitness[:, 0], objectives=objectives)
    whole = hypervolume(problem.front(5_000), algorithm.reference)
    return float(algorithm.diagnostics()["hypervolume"]) / whole
