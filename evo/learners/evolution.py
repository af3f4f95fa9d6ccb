"""Evolution: drives any search algorithm by ask and tell on a walking problem."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from envs.physics import EngineError
from evo.algorithms.algorithm import Algorithm
from evo.learners.learner import Candidate, below
from evo.problems.walking import Walking
from evo.randomness import episode_seeds
from evo.statistics import ObservationStatistics


class Evolution:
    """Every generation: ask for a population, run each individual on the same episodes, tell their fitness.

    episodes: how many an individual is scored on; every generation draws new ones, common to all its individuals.
    Observations are normalised by the statistics of all earlier generations, frozen during one, and of what was seen
    before the first, `statistics`.
    """

    def __init__(
        self,
        problem: Walking,
        algorithm: Algorithm,
        seed: int,
        episodes: int = 1,
        statistics: ObservationStatistics | None = None,
    ) -> None:
        self.problem, self.algorithm, self.seed, self.episodes_each = problem, algorithm, seed, episodes
        self.steps = self.episodes = 0
        self.statistics = problem.no_statistics() if statistics is None else statistics

    @property
    def generation(self) -> int:
        return self.algorithm.generation

    def prepare(self) -> None:
        self.problem.prepare()

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
        return self.algorithm.finished()

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
        self.algorithm.restore(below("algorithm/", state))
        self.statistics = ObservationStatistics.restored(below("statistics/", state))
        self.steps, self.episodes = int(state["steps"]), int(state["episodes"])
