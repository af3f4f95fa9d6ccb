"""Evolution: drives any search algorithm by ask and tell on any problem."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from evo.algorithms.algorithm import Algorithm
from evo.envs.engine.physics import EngineError
from evo.genomes.population import Population, Subpopulation
from evo.learners.learner import Candidate, below
from evo.learners.parts import Parts
from evo.learners.racing import evaluate_racing
from evo.numerics.randomness import episode_seeds
from evo.numerics.running_statistics import ObservationStatistics, standard_error
from evo.problems.problem import Evaluation, Problem, fitness_of, joined

_PATIENCE = 1000  # evaluations: where all of so many failed, all will
_HAIR = 1e-9  # of the worst fitness
# Fitness of failures while nobody has succeeded: worse than real values, and so near that tolerances, which are shares
# of the differences met, stay below 1e-11.
_HOPELESS = -1e12


class Evolution:
    """Every generation: ask for a population, run each individual on the same episodes, tell their fitness.

    episodes: how many an individual is scored on; every generation draws new ones, common to all its individuals.
    Observations are normalised by the statistics of all earlier generations, frozen during one, and of what was seen
    before the first, `statistics`. Where the problem is deterministic, the best individual ever seen is offered as
    champion before what the algorithm offers: nothing about it can be luck.
    An algorithm that has `grow` may ask for more individuals of a generation when it is told what those before them
    took (see `AskTell.grow`).
    racing: where an algorithm says by `decisive` how many of the best matter to it, those who cannot be among them are
    evaluated no further (see `evo.learners.racing`).
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
        self._decisive = decisive if racing and episodes > 1 and not problem.deterministic else None
        self._parts = Parts(problem)  # of the generation under way
        self.steps = self.episodes = 0
        self.statistics = problem.no_statistics() if statistics is None else statistics
        self._best = np.zeros(problem.size if problem.deterministic else 0)
        self._best_fitness = -np.inf
        self._worst = np.inf  # fitness, of those that did not fail
        self.errors: tuple[str, ...] = ()  # what was wrong with individuals of the last generation

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
        # one that failed is as bad as the worst of the others, and they may all be that
        first = int(np.argmax(np.where(lost & self.problem.deterministic, -np.inf, outcome.fitness)))
        best, best_fitness = self._best, self._best_fitness
        if self.problem.deterministic and not failed and outcome.fitness[first] > best_fitness:
            best, best_fitness = np.empty(self.problem.size), float(outcome.fitness[first])
            population.row(first, best)
        self.algorithm.tell(outcome.fitness)
        # Signals are raised only while an evaluation waits (evo.envs.engine.interruption): from here on nothing tears.
        self._parts.forget()
        self.statistics = statistics
        self._best, self._best_fitness, self.errors = best, best_fitness, outcome.errors
        self._worst = min(self._worst, float(np.min(outcome.fitness, where=~lost, initial=np.inf)))
        self.steps += outcome.steps
        self.episodes += outcome.episodes
        fitness = np.full_like(outcome.fitness, np.nan) if failed else outcome.fitness  # nobody earned anything
        with np.errstate(over="ignore", invalid="ignore"):  # returns may be near the largest number there is
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
            **self.problem.clocks(self.steps),
            **self.algorithm.diagnostics(),
        }

    def _failed(self, outcome: Evaluation, all_failed: bool) -> Evaluation:
        """The outcome of a problem that bids to go on where individuals fail.

        Each of them is a hair worse than the one before, the first than the worst of the others, or the worst so far,
        or what is worse than anything real. (Were they equally fit, that would look as if the search were at its end.)
        Raises EngineError where all failed and the problem bids nothing of the kind, or where nobody has ever
        succeeded.
        """
        reasons = "; ".join([*outcome.failures, *outcome.errors[:1]])
        if not getattr(self.problem, "tolerant", False):  # of a user's own function, which may be asked to be
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
        """The population asked for, which may grow as it is evaluated, and what it earned."""
        population, grow = self.algorithm.ask(), getattr(self.algorithm, "grow", None)
        parts, done = list[Evaluation](), 0
        while done < len(population):
            further = Subpopulation(population, np.arange(done, len(population))) if done else population
            parts.append(self._parts.evaluate(further, seeds, self.statistics, collect=True))
            done += len(parts[-1].fitness)
            # where nothing took a step, more of the same would never come to an end
            if done == len(population) and grow is not None and parts[-1].steps:
                grown = grow(sum(part.steps for part in parts))
                population = population if grown is None else grown
        if len(parts) == 1:
            return population, parts[0]
        returns = np.concatenate([part.returns for part in parts])
        return population, joined(parts, returns, fitness_of(returns))

    def finished(self) -> str | None:
        return self.algorithm.finished()

    @property
    def current(self) -> int:
        """Which of the candidates is what it learned last; the best of all comes first where that is known."""
        return 0 if np.isinf(self._best_fitness) else 1

    def candidates(self) -> list[Candidate]:
        best = [] if np.isinf(self._best_fitness) else [self._best]
        return [Candidate(self.problem.stored(row), self.statistics) for row in (*best, *self.algorithm.candidates())]

    def state(self) -> dict[str, np.ndarray]:
        return {
            "steps": np.array(self.steps),
            "episodes": np.array(self.episodes),
            "best": self._best,
            "best_fitness": np.array(self._best_fitness),
            "worst": np.array(self._worst),
            **{f"parts/{name}": array for name, array in self._parts.state().items()},
            **{f"problem/{name}": array for name, array in self.problem.state().items()},
            **{f"statistics/{name}": array for name, array in self.statistics.state().items()},
            **{f"algorithm/{name}": array for name, array in self.algorithm.state().items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        self.algorithm.restore(below("algorithm/", state))
        self.problem.restore(below("problem/", state))
        self._parts.restore(below("parts/", state))
        self.statistics = ObservationStatistics.restored(below("statistics/", state))
        self.steps, self.episodes = int(state["steps"]), int(state["episodes"])
        self._best, self._best_fitness = np.array(state["best"]), float(state["best_fitness"])
        self._worst = float(state["worst"])
        if self.algorithm.finished() is None:
            self.algorithm.ask()  # it is the same when it is evaluated: a state that proposes none is refused here
