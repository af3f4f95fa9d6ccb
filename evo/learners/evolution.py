"""Evolution: drives any search algorithm by ask and tell on any problem."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from evo.algorithms.algorithm import Algorithm
from evo.envs.engine.physics import EngineError
from evo.errors import EvoError
from evo.genomes.population import Population, Subpopulation, row_of
from evo.learners.learner import Candidate
from evo.learners.parts import Parts
from evo.learners.racing import evaluate_racing
from evo.numerics.randomness import episode_seeds
from evo.numerics.running_statistics import ObservationStatistics, standard_error
from evo.problems.problem import Evaluation, Problem, join_individuals
from evo.storage.states import below

_PATIENCE = 1000  # evaluations: give up where the first ones, this many, all failed
_HAIR = 1e-9  # as a share of the worst fitness
# Fitness of failures before any success: worse than real values, and close enough that tolerances, which are shares of
# the fitness differences, stay below 1e-11.
_HOPELESS = -1e12


class Evolution:
    """Evolution: every generation asks an algorithm for a population, evaluates it, and tells the fitness.

    episodes: number that an individual is scored on; every generation draws new ones, common to all its individuals.
    statistics: of observations before the first generation. Observations are normalised by these and those of all
    earlier generations, frozen during a generation.
    racing: where the algorithm's `decisive` says how many of the best matter to it, individuals that cannot be among
    them are not evaluated further (see `evo.learners.racing`).
    On a deterministic problem the best individual ever seen is the first candidate, before those of the algorithm: its
    fitness is exact.
    An algorithm that `uses` measures or objectives is told them beside the fitness, and its individuals do not race.
    What individuals learned in their lives before (the population's `lesson_steps`) counts like evaluating them.
    An algorithm with `grow` may enlarge its population when it is told how many steps the individuals so far took (see
    `AskTell.grow`).
    """

    def __init__(
        self,
        problem: Problem,
        algorithm: Algorithm,
        seed: int,
        episodes: int = 1,
        statistics: ObservationStatistics | None = None,
        racing: bool = True,
    ) -> None:
        self.problem, self.algorithm, self.seed, self.episodes_each = problem, algorithm, seed, episodes
        # how many of the best matter to the algorithm; None: every rank does, or there is nothing to race over
        decisive = getattr(algorithm, "decisive", None)
        self._uses: frozenset[str] = getattr(algorithm, "uses", frozenset())
        # measures of fewer episodes would not be those of all
        racing = racing and episodes > 1 and not problem.deterministic and not self._uses
        self._decisive = decisive if racing else None
        self._columns: dict[str, int] = {}  # how many measures and objectives there are, once known
        self._parts = Parts(problem)  # of the current generation
        self.steps = self.episodes = 0
        self._taught = 0  # of the steps, those of learning in individuals' lives
        self.statistics = problem.no_statistics() if statistics is None else statistics
        self._best = np.zeros(problem.size if problem.deterministic else 0)
        self._best_fitness = -np.inf
        self._worst = np.inf  # least fitness of any individual that did not fail
        self.errors: tuple[str, ...] = ()  # messages about individuals of the last generation that failed

    @property
    def generation(self) -> int:
        return self.algorithm.generation

    def prepare(self) -> None:
        self.problem.prepare()

    def step(self) -> dict[str, float]:
        seeds = episode_seeds(self.seed, "training", self.generation, self.episodes_each)
        self._parts.begin(self.problem)
        if self._decisive is None:
            population, outcome = self._evaluate_growing(seeds)
        else:
            population = self.algorithm.ask()
            outcome = evaluate_racing(self._parts, population, seeds, self.statistics, self._decisive)
        failed = bool(np.isnan(outcome.fitness).all())
        lost = np.isnan(outcome.returns).any(axis=1) | failed
        if failed or (getattr(self.problem, "tolerant", False) and outcome.failures):
            outcome = self._failed(outcome, failed)
        statistics = self.statistics.merged(outcome.statistics)
        # a failed individual has the worst fitness of the others, which may all be equal
        first = int(np.argmax(np.where(lost & self.problem.deterministic, -np.inf, outcome.fitness)))
        best, best_fitness = self._best, self._best_fitness
        if self.problem.deterministic and not failed and outcome.fitness[first] > best_fitness:
            best, best_fitness = row_of(population, first), float(outcome.fitness[first])
        told = self._told(outcome, failed)
        self.algorithm.tell(outcome.fitness, **told)
        # Signals are raised only while an evaluation waits (evo.envs.engine.interruption): the updates below are not
        # interrupted.
        self._parts.forget()
        self._columns = {name: numbers.shape[1] for name, numbers in told.items()}
        self.statistics = statistics
        self._best, self._best_fitness, self.errors = best, best_fitness, outcome.errors
        self._worst = min(self._worst, float(np.min(outcome.fitness, where=~lost, initial=np.inf)))
        taught = getattr(population, "lesson_steps", 0)
        self._taught += taught
        self.steps += outcome.steps + taught
        self.episodes += outcome.episodes
        fitness = np.full_like(outcome.fitness, np.nan) if failed else outcome.fitness  # no individual has a fitness
        with np.errstate(over="ignore", invalid="ignore"):  # returns may be near the largest float
            mean, std = float(fitness.mean()), float(fitness.std())
        raced = {} if self._decisive is None else {"spared": 1 - outcome.episodes / outcome.returns.size}
        return {
            "generation": self.generation,
            "steps": self.steps,
            "episodes": self.episodes,
            "best": float(fitness[first]),
            "best_se": standard_error(outcome.returns[first]),
            "mean": mean,
            "std": std,
            "failures": sum(outcome.failures.values()),
            **raced,
            # the backward pass multiplies by inputs and by weights: three times the products for what was taught
            **self.problem.clocks(self.steps + 2 * self._taught),
            **self.algorithm.diagnostics(),
        }

    def _told(self, outcome: Evaluation, all_failed: bool) -> dict[str, np.ndarray]:
        """Return what the algorithm is told beside the fitness.

        Raises EvoError where the problem does not say it, EngineError where all failed before it was known to.
        """
        told: dict[str, np.ndarray] = {name: getattr(outcome, name) for name in self._uses}
        for name, numbers in told.items():
            if not numbers.shape[1] and all_failed and name in self._columns:
                told[name] = np.full((len(numbers), self._columns[name]), np.nan)
            elif not numbers.shape[1] and all_failed:
                reasons = "; ".join([*outcome.failures, *outcome.errors[:1]])
                raise EngineError(f"every individual failed before any had {name}, by which is searched: {reasons}")
            elif not numbers.shape[1]:
                raise EvoError(
                    f"{type(self.algorithm).__name__} searches by {name}, and this task has none: take a task with "
                    f"{name}, or a function that returns evo.Outcome(fitness, {name}=...)"
                )
        return told

    def _failed(self, outcome: Evaluation, all_failed: bool) -> Evaluation:
        """Return the outcome with fitness for failed individuals, on a problem that tolerates failures.

        Each of them is slightly worse than the one before, the first than the worst of the others, or the worst so far,
        or a value worse than anything real. (Equal fitness would look like convergence.) Raises EngineError where all
        failed and the problem does not tolerate failures, or where nothing has ever succeeded.
        """
        reasons = "; ".join([*outcome.failures, *outcome.errors[:1]])
        if not getattr(self.problem, "tolerant", False):  # a user's function may be set to tolerate them
            raise EngineError(f"every individual of generation {self.generation} failed: {reasons}")
        tried = self.episodes + outcome.episodes
        if all_failed and np.isinf(self._worst) and tried >= _PATIENCE:
            raise EngineError(f"each of the first {tried:,} evaluations failed: {reasons}")
        if not all_failed and self._decisive is not None:
            return outcome  # an episode that a race left out is no failure
        broken = np.isnan(outcome.returns).any(axis=1) | all_failed
        worst = float(outcome.fitness.min()) if not all_failed else self._worst
        if np.isinf(worst):
            worst = _HOPELESS
        fitness = outcome.fitness.copy()
        fitness[broken] = worst - _HAIR * max(1.0, abs(worst)) * np.arange(1, broken.sum() + 1)
        return replace(outcome, fitness=fitness)

    def _evaluate_growing(self, seeds: np.ndarray) -> tuple[Population, Evaluation]:
        """Evaluate the population, which may grow meanwhile; return it and its evaluation."""
        population, grow = self.algorithm.ask(), getattr(self.algorithm, "grow", None)
        parts, done = list[Evaluation](), 0
        while done < len(population):
            further = Subpopulation(population, np.arange(done, len(population))) if done else population
            parts.append(self._parts.evaluate(further, seeds, self.statistics, True, bool(self._uses)))
            done += len(parts[-1].fitness)
            # growing a population that takes no steps would never end
            if done == len(population) and grow is not None and parts[-1].steps:
                grown = grow(sum(part.steps for part in parts))
                population = population if grown is None else grown
        return population, join_individuals(parts)

    def census(self) -> dict[str, np.ndarray]:
        """Return what the algorithm says of who lives: arrays that a fossil keeps; {} for most."""
        census: dict[str, np.ndarray] = getattr(self.algorithm, "census", dict)()
        return census

    def finished(self) -> str | None:
        return self.algorithm.finished()

    @property
    def current(self) -> int:
        """Index of the candidate that was learned last; on a deterministic problem the best ever comes first."""
        return 0 if np.isinf(self._best_fitness) else 1

    def candidates(self) -> list[Candidate]:
        best = [] if np.isinf(self._best_fitness) else [self._best]
        return [Candidate(self.problem.cast(row), self.statistics) for row in (*best, *self.algorithm.candidates())]

    def individuals(self, most: int) -> list[tuple[int, Candidate]]:
        """Return at most `most` individuals of the next generation by their number from 1, evenly spaced.

        They are a pure function of the state. Raises RuntimeError once the search is over.
        """
        population = self.algorithm.ask()
        chosen = np.linspace(0, len(population) - 1, min(most, len(population))).round().astype(int)
        rows = [(int(index), row_of(population, int(index))) for index in chosen]
        return [(index + 1, Candidate(self.problem.cast(row), self.statistics)) for index, row in rows]

    def state(self) -> dict[str, np.ndarray]:
        return {
            "steps": np.array(self.steps),
            "episodes": np.array(self.episodes),
            "taught": np.array(self._taught),
            "best": self._best,
            "best_fitness": np.array(self._best_fitness),
            "worst": np.array(self._worst),
            **{f"columns/{name}": np.array(count) for name, count in self._columns.items()},
            **{f"parts/{name}": array for name, array in self._parts.state().items()},
            **{f"problem/{name}": array for name, array in self.problem.state().items()},
            **{f"statistics/{name}": array for name, array in self.statistics.state().items()},
            **{f"algorithm/{name}": array for name, array in self.algorithm.state().items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        self.algorithm.restore(below("algorithm/", state))
        self.problem.restore(below("problem/", state))
        self._parts.restore(below("parts/", state))
        self._columns = {name: int(count) for name, count in below("columns/", state).items()}
        self.statistics = ObservationStatistics.restored(below("statistics/", state))
        self.steps, self.episodes = int(state["steps"]), int(state["episodes"])
        self._taught = int(state.get("taught", 0))  # a checkpoint that an older version wrote has none
        self._best, self._best_fitness = np.array(state["best"]), float(state["best_fitness"])
        self._worst = float(state["worst"])
        if self.algorithm.finished() is None:
            self.algorithm.ask()  # asking is repeatable; a state from which no population can be drawn is refused here
