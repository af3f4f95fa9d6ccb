"""Local search: what optimisers did before evolution, downhill from one point until they are stuck.

Nelder & Mead 1965, "A Simplex Method for Function Minimization"; Powell 1964, "An Efficient Method for Finding the
Minimum of a Function of Several Variables without Calculating Derivatives"; BFGS: Nocedal & Wright 2006, "Numerical
Optimization", section 6.1, its gradients by finite differences. All three are scipy's.
"""

import hashlib
import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from threadpoolctl import threadpool_limits

from envs import interruption
from envs.physics import EngineError
from evo.errors import one_line
from evo.learners.learner import Candidate
from evo.problems.problem import Problem, evaluate_alone
from evo.randomness import episode_seeds, generator
from evo.ranges import positive_number, whole_number

STUCK = "stuck after"  # how many searches
_GROWTH = 1.5  # of the evaluations from one row of metrics to the next: as many rows to a decade everywhere
_NO_LIMIT = 2**62  # of scipy's iterations and evaluations, which are counted here


class _EnoughError(Exception):
    """So far and no further in this step."""


class LocalSearch:
    """One of scipy's local optimisers, from the start until it ends, and then from random points.

    `restarts` (how many more searches, each from another initial point), `tolerance` (scipy's `tol`) and `most_steps`
    (of the problem, in all; by default those of the budget). A noisy problem is held still: all evaluations are of the
    same episodes.

    scipy's loops cannot be stopped and gone on with, but they are functions of the values that they are given. So a
    step begins the search again, gives it the values that it was given before, and then evaluates half as many more.
    """

    minimiser: ClassVar[str]
    unlimited: ClassVar[Mapping[str, Any]] = {"maxiter": _NO_LIMIT, "maxfev": _NO_LIMIT}

    def __init__(
        self,
        problem: Problem,
        seed: int,
        start: Candidate | None = None,
        *,
        restarts: int = 0,
        tolerance: float = 1e-10,
        most_steps: int | None = None,
    ) -> None:
        self.problem, self.seed, self.start = problem, seed, start
        self.restarts = whole_number("restarts", restarts, 0)
        self.tolerance = positive_number("tolerance", tolerance)
        self.most_steps = math.inf if most_steps is None else whole_number("most_steps", most_steps, 1)
        self.statistics = problem.no_statistics() if start is None else start.statistics
        self.generation = self.steps = self.episodes = 0
        self._seeds = episode_seeds(seed, "training", 0, 1)
        self._best, self._best_fitness = np.asarray(self._first(0), np.float64), -math.inf
        self._search = 0  # which one is under way
        self._given: list[float] = []  # fitness of the points that it asked for so far
        self._counted = 0  # of these, how many are in the rows of metrics: the others an interrupted step has left
        self._points = b""  # digest of these points
        self._reason = ""

    def prepare(self) -> None:
        self.problem.prepare()

    def _first(self, search: int) -> np.ndarray:
        """Where a search begins, float64 (size,)."""
        if search == 0 and self.start is not None:
            return np.asarray(self.start.params, np.float64)
        # the first begins where every method begins
        purpose = ("initial parameters",) if search == 0 else ("initial parameters of a restart", search)
        return np.asarray(self.problem.initial(generator(self.seed, *purpose)), np.float64)

    def step(self) -> dict[str, float]:
        enough = max(self.problem.size + 1, math.ceil(_GROWTH * self._counted))
        self._reason = self._go_on(enough)
        fresh = np.array(self._given[self._counted :] or self._given[-1:])
        self.generation += 1
        self.episodes += len(self._given) - self._counted
        self._counted = len(self._given)
        row = {
            "generation": self.generation,
            "steps": self.steps,
            "episodes": self.episodes,
            "best": max(self._given),
            "mean": float(fresh.mean()),
            "std": float(fresh.std()),
            "failures": int(np.isneginf(fresh).sum()),
            "search": self._search + 1,
        }
        if self._reason:
            self._search, self._given, self._points, self._counted = self._search + 1, [], b"", 0
        return row

    def _go_on(self, enough: int) -> str:
        """Search until it asks for more than `enough` values; why it ended before that, or ""."""
        from scipy import optimize

        points, asked, known = hashlib.blake2b(digest_size=16), 0, len(self._given)

        def loss(point: np.ndarray) -> float:
            nonlocal asked
            if asked >= enough or (asked >= known and self.steps >= self.most_steps):
                raise _EnoughError
            if asked >= known:
                self._evaluate(point)
            points.update(np.asarray(point, np.float64).tobytes())
            asked += 1
            if asked == known and points.digest() != self._points:
                raise EngineError("scipy takes other steps here than where this run began; begin it anew")
            self._points = points.digest() if asked >= known else self._points
            return -self._given[asked - 1]  # scipy minimises

        try:
            # the steps of a search must not depend on how many processors its matrix products use
            with threadpool_limits(1, "blas"), np.errstate(all="ignore"):
                first = self._first(self._search)
                found = optimize.minimize(
                    loss, first, method=self.minimiser, tol=self.tolerance, options=self.unlimited
                )
        except _EnoughError:
            return f"{self.most_steps:,} steps" if self.steps >= self.most_steps else ""
        return one_line(Exception(found.message)).rstrip(".")

    def _evaluate(self, point: np.ndarray) -> None:
        interruption.check()
        outcome = evaluate_alone(self.problem, point, self.statistics, self._seeds)
        fitness = float(outcome.fitness[0])
        self.steps += outcome.steps
        self._given.append(-math.inf if math.isnan(fitness) else fitness)
        if fitness > self._best_fitness:
            self._best, self._best_fitness = np.array(point, np.float64), fitness

    def finished(self) -> str | None:
        if self._search <= self.restarts:
            return None
        return f"{STUCK} {self._search} {'searches' if self._search > 1 else 'search'}: {self._reason}"

    def candidates(self) -> list[Candidate]:
        return [Candidate(self.problem.stored(self._best), self.statistics)]

    def state(self) -> dict[str, np.ndarray]:
        return {
            "counts": np.array([self.generation, self.steps, self.episodes, self._search, self._counted]),
            "best": self._best,
            "best_fitness": np.array(self._best_fitness),
            "given": np.array(self._given, np.float64),
            "points": np.frombuffer(self._points, np.uint8),
            "reason": np.frombuffer(self._reason.encode(), np.uint8),
            **{f"problem/{name}": array for name, array in self.problem.state().items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        counts = (int(count) for count in state["counts"])
        self.generation, self.steps, self.episodes, self._search, self._counted = counts
        self._best, self._best_fitness = np.array(state["best"]), float(state["best_fitness"])
        self._given, self._points = state["given"].tolist(), state["points"].tobytes()
        self._reason = state["reason"].tobytes().decode()


class NelderMead(LocalSearch):
    """Nelder and Mead's simplex."""

    minimiser = "Nelder-Mead"


class Powell(LocalSearch):
    """Powell's conjugate directions: one line search after the other."""

    minimiser = "Powell"


class BFGS(LocalSearch):
    """Quasi-Newton steps along gradients by finite differences."""

    minimiser = "BFGS"
    unlimited: ClassVar[Mapping[str, Any]] = {"maxiter": _NO_LIMIT}
