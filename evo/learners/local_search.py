"""scipy's local optimisers as learners: Nelder–Mead, Powell, BFGS.

Nelder & Mead 1965, "A Simplex Method for Function Minimization"; Powell 1964, "An Efficient Method for Finding the
Minimum of a Function of Several Variables without Calculating Derivatives"; BFGS: Nocedal & Wright 2006, "Numerical
Optimization", section 6.1, with gradients by finite differences. The implementations are scipy's.
"""

import hashlib
import math
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np

from evo.envs.engine import interruption
from evo.envs.engine.physics import EngineError
from evo.errors import one_line
from evo.learners.learner import Candidate
from evo.numerics.blas_threads import one_thread
from evo.numerics.randomness import episode_seeds, generator
from evo.numerics.validation import positive_number, whole_number
from evo.problems.problem import Problem, evaluate_alone

STUCK = "stuck after"  # followed by the number of searches
_GROWTH = 1.5  # of the evaluations from one row of metrics to the next, for the same number of rows in every decade
_NO_LIMIT = 2**62  # for scipy's iterations and evaluations, which are counted here


class _EnoughError(Exception):
    """Raised to stop scipy's loop when a step has taken its evaluations."""


class _Value(NamedTuple):
    """Result of a point: its fitness, -inf where it failed, and the steps that its evaluation took."""

    fitness: float
    steps: int


class LocalSearch:
    """One of scipy's local optimisers, run from the start until it ends, and then from random points.

    On a noisy problem all evaluations use the same episodes.

    scipy's loops cannot be suspended and resumed, but they depend only on the values that the function returns. So a
    step begins the search again, replays the values known so far, and then evaluates half as many more.

    Args:
        restarts: number of further searches, each from another initial point.
        tolerance: scipy's `tol`, at which a search ends.
        most_steps: env steps or evaluations at most, always those of the budget.
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
        self.most_steps = math.inf if most_steps is None else whole_number("most_steps", most_steps, 0)
        self.statistics = problem.no_statistics() if start is None else start.statistics
        self.generation = self.steps = self.episodes = 0
        self._seeds = episode_seeds(seed, "training", 0, 1)
        self._best, self._best_fitness = self._first(0), -math.inf
        self._search = 0  # index of the current search
        self._given: list[_Value] = []  # values of the current search so far
        self._ahead: list[_Value] = []  # further values of an interrupted step, which no row counts yet
        self._points = b""  # digest of the points of all these
        self._reason = ""

    def prepare(self) -> None:
        self.problem.prepare()

    def _first(self, search: int) -> np.ndarray:
        """Return the point where a search begins, float64 (size,)."""
        if search == 0 and self.start is not None:
            return np.asarray(self.start.params, np.float64)
        # the first search begins where every method begins
        purpose = ("initial parameters",) if search == 0 else ("initial parameters of a restart", search)
        return np.asarray(self.problem.initial(generator(self.seed, *purpose)), np.float64)

    def step(self) -> dict[str, float]:
        from scipy import optimize

        counted, known = len(self._given), [*self._given, *self._ahead]
        enough, checked = max(self.problem.size + 1, math.ceil(_GROWTH * counted)), len(known)
        points, asked = hashlib.blake2b(digest_size=16), 0
        steps, best, best_fitness = self.steps, self._best, self._best_fitness

        def loss(point: np.ndarray) -> float:
            nonlocal asked, steps, best, best_fitness
            if asked >= enough or (asked >= counted and steps >= self.most_steps):
                raise _EnoughError
            if asked == len(known):
                known.append(self._evaluate(point))
            points.update(np.asarray(point, np.float64).tobytes())
            value, asked = known[asked], asked + 1
            if asked == checked and points.digest() != self._points:
                raise EngineError("scipy takes other steps here than where this run began; begin it anew")
            if asked > counted:
                steps += value.steps
                if value.fitness > best_fitness:
                    best, best_fitness = np.array(point, np.float64), value.fitness
            return -value.fitness  # scipy minimises

        reason = ""
        try:
            # scipy's steps must not depend on the number of threads of its matrix products
            with one_thread(), np.errstate(all="ignore"):
                first = self._first(self._search)
                found = optimize.minimize(
                    loss, first, method=self.minimiser, tol=self.tolerance, options=self.unlimited
                )
            reason = one_line(Exception(found.message)).rstrip(".")
        except _EnoughError:
            pass
        except BaseException:
            if asked == len(known):
                self._ahead, self._points = known[counted:], points.digest()
            raise
        if best_fitness == -math.inf:
            raise EngineError(f"every point of the first {len(known)} failed: begin elsewhere, with another seed")
        self.steps, self._best, self._best_fitness, self._reason = steps, best, best_fitness, reason
        self._given, self._ahead, self._points = known, [], points.digest()
        self.generation += 1
        self.episodes += len(known) - counted
        row = self._row([value.fitness for value in known[counted:] or known[-1:]])
        if reason:
            self._search, self._given, self._points = self._search + 1, [], b""
        return row

    def _row(self, fresh: list[float]) -> dict[str, float]:
        """Return a row of metrics; fresh: the fitness of the points of this step."""
        fine = [fitness for fitness in fresh if math.isfinite(fitness)] or [math.nan]
        return {
            "generation": self.generation,
            "steps": self.steps,
            "episodes": self.episodes,
            "best": max(value.fitness for value in self._given),
            "mean": float(np.mean(fine)),
            "std": float(np.std(fine)),
            "failures": sum(not math.isfinite(fitness) for fitness in fresh),
            "search": self._search + 1,
            **self.problem.clocks(self.steps),
        }

    def _evaluate(self, point: np.ndarray) -> "_Value":
        interruption.check()
        outcome = evaluate_alone(self.problem, point, self.statistics, self._seeds)
        fitness = float(outcome.fitness[0])
        return _Value(-math.inf if math.isnan(fitness) else fitness, outcome.steps)

    def finished(self) -> str | None:
        if self._search > self.restarts:
            return f"{STUCK} {self._search} {'searches' if self._search > 1 else 'search'}: {self._reason}"
        return f"{self.most_steps:,} steps" if self.steps >= self.most_steps else None

    def candidates(self) -> list[Candidate]:
        return [Candidate(self.problem.cast(self._best), self.statistics)]

    def state(self) -> dict[str, np.ndarray]:
        return {
            "counts": np.array([self.generation, self.steps, self.episodes, self._search]),
            "best": self._best,
            "best_fitness": np.array(self._best_fitness),
            "given": np.array(self._given, np.float64).reshape(-1, 2),
            "ahead": np.array(self._ahead, np.float64).reshape(-1, 2),
            "points": np.frombuffer(self._points, np.uint8),
            "reason": np.frombuffer(self._reason.encode(), np.uint8),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        self.generation, self.steps, self.episodes, self._search = (int(count) for count in state["counts"])
        self._best, self._best_fitness = np.array(state["best"]), float(state["best_fitness"])
        self._given, self._ahead = (
            [_Value(float(fitness), int(steps)) for fitness, steps in state[name]] for name in ("given", "ahead")
        )
        self._points, self._reason = state["points"].tobytes(), state["reason"].tobytes().decode()


class NelderMead(LocalSearch):
    """Nelder and Mead's simplex."""

    summary = "scipy's simplex search (Nelder & Mead 1965); ends on a local optimum"
    minimiser = "Nelder-Mead"


class Powell(LocalSearch):
    """Powell's conjugate directions: one line search after the other."""

    summary = "scipy's conjugate directions (Powell 1964); ends on a local optimum"
    minimiser = "Powell"


class BFGS(LocalSearch):
    """Quasi-Newton steps with gradients by finite differences."""

    summary = "scipy's quasi-Newton with finite differences; ends on a local optimum"
    minimiser = "BFGS"
    unlimited: ClassVar[Mapping[str, Any]] = {"maxiter": _NO_LIMIT}
