"""Method: the command line's name of a learner, and how it is built from a configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from evo.algorithms.algorithm import constructed
from evo.envs.reference import load
from evo.learners.evolution import Evolution
from evo.learners.learner import Candidate, Learner
from evo.numerics.randomness import generator
from evo.problems.problem import Problem


@dataclass(frozen=True)
class Method:
    """A way to improve parameters: a class by reference, and the settings that its name implies.

    The class is a search algorithm (it asks and tells; see `evo.algorithms`), which `Evolution` drives, or a learner in
    its own right, taking (problem, seed, start). Its keyword-only arguments are the method's options.
    family: the method whose presets it shares. settings: configuration keys and values, e.g. whether to normalise.
    schedule: the option that takes the budget's steps where it is not set; limit: one that always does.
    """

    reference: str
    summary: str
    family: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    schedule: str | None = None
    limit: str | None = None

    def constructor(self) -> type[Any]:
        """The class. Raises ImportError or ValueError where the reference leads nowhere."""
        return load(self.reference)

    def build(
        self,
        problem: Problem,
        seed: int,
        episodes: int,
        start: Candidate | None,
        racing: bool,
        options: Mapping[str, Any],
    ) -> Learner:
        """A learner at its beginning. Raises ValueError naming an option out of its range.

        episodes: how many each individual of a population is scored on; racing: whether those who are hopeless are
        spared the rest of them. start: what it begins from, in place of fresh parameters and no statistics.
        """
        found = self.constructor()
        if not hasattr(found, "ask"):
            if episodes != 1:
                raise ValueError(f"name {self.family} scores no populations: leave evaluation.episodes at 1")
            return found(problem, seed, start, **options)
        if start is None:
            start = Candidate(problem.initial(generator(seed, "initial parameters")), problem.no_statistics())
        initial = np.asarray(start.params, np.float64)
        known = problem.known(initial, seed) | {"noisy": not problem.deterministic}
        algorithm = constructed(found, initial, seed, known, **options)
        return Evolution(problem, algorithm, seed, episodes, start.statistics, racing)
