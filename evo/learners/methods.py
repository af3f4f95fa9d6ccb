"""Method: the command line's name of a learner, and how it is built from a configuration."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from evo.algorithms.algorithm import build_algorithm
from evo.envs.reference import load
from evo.learners.evolution import Evolution
from evo.learners.learner import Candidate, Learner
from evo.numerics.randomness import generator
from evo.problems.problem import Problem


@dataclass(frozen=True)
class Method:
    """A way to improve parameters: a class by reference, and the settings that its name implies.

    The class is a search algorithm (with `ask` and `tell`; see `evo.algorithms`), which `Evolution` drives, or a
    learner, taking (problem, seed, start). Its keyword-only arguments are the method's options.
    family: the method whose presets it shares. settings: configuration keys and values, e.g. whether to normalise.
    about: a line about it, in place of its class's `summary`. schedule: the option that defaults to the budget's steps;
    limit: the option that always is the budget's steps. action_layer: the word of the action layer that its network
    must end in; "" where any will do.
    """

    reference: str
    family: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    about: str = ""
    schedule: str | None = None
    limit: str | None = None
    action_layer: str = ""

    @property
    def summary(self) -> str:
        """The line about it: what it is, and its source."""
        return self.about or getattr(self.constructor(), "summary", "") or "an algorithm of your own"

    def constructor(self) -> type[Any]:
        """Return the class. Raises ImportError or ValueError where the reference cannot be resolved."""
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
        """Return a new learner. Raises ValueError naming an option out of its range.

        episodes: number that each individual of a population is scored on. racing: whether individuals that cannot
        reach the elite are spared the rest of them. start: where it begins, in place of initial parameters and no
        statistics.
        """
        found = self.constructor()
        if not hasattr(found, "ask") and not hasattr(found, "step"):
            raise ValueError(
                f"name {self.reference} is no method: name a class with ask and tell (an algorithm) or with step (a "
                "learner)"
            )
        if not hasattr(found, "ask"):
            if episodes != 1:
                raise ValueError(f"name {self.family} scores no populations: leave evaluation.episodes at 1")
            self._check_call(found, "a learner takes (problem, seed, start)", problem, seed, start, **options)
            return found(problem, seed, start, **options)
        if start is None:
            start = Candidate(problem.initial(generator(seed, "initial parameters")), problem.no_statistics())
        initial = np.asarray(start.params, np.float64)
        known = problem.describe(initial, seed) | {"noisy": not problem.deterministic}
        taken = {name: known[name] for name in known if name in inspect.signature(found).parameters}
        self._check_call(found, "an algorithm takes (initial, seed)", initial, seed, **taken, **options)
        algorithm = build_algorithm(found, initial, seed, known, **options)
        return Evolution(problem, algorithm, seed, episodes, start.statistics, racing)

    def _check_call(self, found: type[Any], takes: str, *arguments: Any, **options: Any) -> None:
        """Raise ValueError where a class cannot be called with these arguments. takes: what it must take."""
        try:
            inspect.signature(found).bind(*arguments, **options)
        except TypeError as error:
            raise ValueError(
                f"name {self.reference} cannot be built: {error}; the constructor of {takes}, and then its options by "
                "keyword, each with a default"
            ) from error
