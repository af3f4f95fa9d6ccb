"""Parts: the evaluations that make up a generation, kept when a later one fails."""

from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np

from evo.genomes.population import Population
from evo.numerics.running_statistics import ObservationStatistics
from evo.problems.problem import Evaluation, Problem
from evo.storage.states import below


@final
class Parts:
    """Evaluates on a problem and caches the results, so that a repeated generation takes them from the cache.

    Results are cached only on a problem with a `state()`, such as a user's function, which may take hours or return
    another value the second time. Other problems are evaluated again, to the same bits.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._found: list[tuple[np.ndarray, Evaluation]] = []  # seeds, and the evaluation on them
        self._next = 0

    def begin(self, problem: Problem) -> None:
        """Begin a generation at its first evaluation, perhaps a repeated one."""
        self._problem, self._next = problem, 0

    def forget(self) -> None:
        """Clear the cache, once the algorithm was told the generation."""
        self._found = []

    def evaluate(
        self,
        population: Population,
        seeds: np.ndarray,
        statistics: ObservationStatistics,
        collect: bool = False,
        measured: bool = False,
    ) -> Evaluation:
        """Return `problem.evaluate` of the population, or the cached result.

        If the population has grown since, the cached result holds only its first individuals.
        """
        if self._next < len(self._found):
            known, part = self._found[self._next]
            if np.array_equal(known, seeds) and len(part.fitness) <= len(population):
                self._next += 1
                return part
        part = self._problem.evaluate(population, seeds, statistics, collect, measured)
        if self._problem.state():
            self._found[self._next :] = [(np.array(seeds), part)]
            self._next += 1
        return part

    def state(self) -> dict[str, np.ndarray]:
        return {
            f"{number}/{name}": array
            for number, (seeds, part) in enumerate(self._found)
            for name, array in {
                "seeds": seeds,
                "fitness": part.fitness,
                "returns": part.returns,
                "statistics": part.statistics,
                "measures": part.measures,
                "objectives": part.objectives,
                "counts": np.array([part.episodes, part.steps, *part.failures.values()]),
                "failures": _array([*part.failures]),
                "errors": _array(part.errors),
            }.items()
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Resume from `state()`. Raises ValueError for arrays that do not fit this problem."""
        self._found, self._next = [], 0
        width = 1 + 2 * self._problem.no_statistics().mean.size
        while arrays := below(f"{(number := len(self._found))}/", state):
            seeds, fitness, returns, statistics = (arrays[name] for name in _NUMBERS)
            # of a checkpoint that an older version wrote there are none
            beside = [np.array(arrays.get(name, np.zeros((len(fitness), 0)))) for name in ("measures", "objectives")]
            fits = returns.shape == (*fitness.shape, *seeds.shape) and statistics.shape == (len(statistics), width)
            if any(array.dtype != np.float64 for array in (fitness, returns, statistics)):
                raise ValueError(f"part {number}: its fitness, returns or statistics are not float64")
            if not fits or any(one.ndim != 2 or len(one) != len(fitness) for one in beside):
                raise ValueError(
                    f"part {number}: {returns.shape} returns, {fitness.shape} individuals, {seeds.shape} seeds"
                )
            episodes, steps, *times = (int(count) for count in arrays["counts"])
            failures = dict(zip(_texts(arrays["failures"]), times, strict=True))
            errors = tuple(_texts(arrays["errors"]))
            part = Evaluation(fitness, returns, episodes, steps, failures, errors, statistics, *beside)
            self._found.append((seeds, part))


_NUMBERS = "seeds", "fitness", "returns", "statistics"


def _array(lines: Sequence[str]) -> np.ndarray:
    return np.frombuffer("\n".join(lines).encode(), np.uint8)


def _texts(array: np.ndarray) -> list[str]:
    return array.tobytes().decode().split("\n") if array.size else []
