"""Evolution: drives any search algorithm by ask and tell on a walking problem."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from envs.physics import EngineError
from envs.reference import resolve
from evo.algorithms.algorithm import Algorithm
from evo.learners.learner import Candidate
from evo.problems.walking import Walking
from evo.randomness import episode_seeds, generator
from evo.statistics import ObservationStatistics


class Evolution:
    """Every generation: ask for a population, run each individual on the same episodes, tell their fitness.

    episodes: how many an individual is scored on; every generation draws new ones, common to all its individuals.
    Observations are normalised by the statistics of all earlier generations, frozen during one.
    """

    def __init__(self, problem: Walking, algorithm: Algorithm, seed: int, episodes: int = 1) -> None:
        self.problem, self.algorithm, self.seed, self.episodes_each = problem, algorithm, seed, episodes
        self.steps = self.episodes = 0
        self.statistics = problem.no_statistics()

    @property
    def generation(self) -> int:
        return self.algorithm.generation

    def step(self) -> dict[str, float]:
        population = self.algorithm.ask()
        seeds = episode_seeds(self.seed, "training", self.generation, self.episodes_each)
        outcome = self.problem.evaluate(population, seeds, self.statistics, collect=True)
        if np.isnan(outcome.fitness).all():
            reasons = "; ".join([*outcome.failures, *outcome.errors[:1]])
            raise EngineError(f"every individual of generation {self.generation} failed: {reasons}")
        statistics = self.statistics.merged(outcome.statistics)
        self.algorithm.tell(outcome.fitness)
        # Signals are raised only while an evaluation waits (envs.interruption): from here on nothing tears.
        self.statistics = statistics
        self.steps += outcome.steps
        self.episodes += len(population) * len(seeds)
        fitness = outcome.fitness
        return {
            "generation": self.generation,
            "steps": self.steps,
            "episodes": self.episodes,
            "best": float(fitness.max()),
            "mean": float(fitness.mean()),
            "std": float(fitness.std()),
            "failures": sum(outcome.failures.values()),
            **self.algorithm.diagnostics(),
        }

    def finished(self) -> str | None:
        return None

    def candidates(self) -> list[Candidate]:
        return [Candidate(row.astype(np.float32), self.statistics) for row in self.algorithm.candidates()]

    def state(self) -> dict[str, np.ndarray]:
        return {
            "steps": np.array(self.steps),
            "episodes": np.array(self.episodes),
            **{f"statistics/{name}": array for name, array in self.statistics.state().items()},
            **{f"algorithm/{name}": array for name, array in self.algorithm.state().items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        self.algorithm.restore(_below("algorithm/", state))
        self.statistics = ObservationStatistics.restored(_below("statistics/", state))
        self.steps, self.episodes = int(state["steps"]), int(state["episodes"])


def _below(prefix: str, state: Mapping[str, Any]) -> dict[str, Any]:
    return {name.removeprefix(prefix): array for name, array in state.items() if name.startswith(prefix)}


@dataclass(frozen=True)
class EvolutionMethod:
    """A method of the command line that evolves: an algorithm by reference, and the settings that its name implies.

    family: the method whose presets it shares. settings: configuration keys and values, e.g. whether to normalise.
    """

    algorithm: str
    summary: str
    family: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def constructor(self) -> type[Any]:
        """The algorithm's class. Raises ImportError or ValueError where the reference leads nowhere."""
        return resolve(self.algorithm)

    def signature(self) -> inspect.Signature:
        """The algorithm's constructor; its keyword-only arguments are the method's options."""
        return inspect.signature(self.constructor())

    def build(self, problem: Walking, seed: int, episodes: int, options: Mapping[str, Any]) -> Evolution:
        """A learner at its beginning. Raises ValueError naming an option out of its range."""
        initial = problem.network.initial(generator(seed, "initial parameters"))
        algorithm = self.constructor()
        return Evolution(problem, algorithm(initial, seed, **options), seed, episodes)
