"""Problem: the protocol of what gives parameters their fitness."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from evo.errors import EvoError
from evo.evaluation.workers import Workers
from evo.genomes.population import DensePopulation, Population
from evo.numerics.formatting import LARGEST
from evo.numerics.running_statistics import ObservationStatistics

_NONE = np.zeros((0, 0))
# Returns the configuration that a problem is made from, and whether it is for training or for scoring. Raises EvoError
# where no other process can make it.
Origin = Callable[[], tuple[str, bool]]


@dataclass(frozen=True)
class Evaluation:
    """Results of a population.

    fitness: float64 (individuals,), mean return; a failed individual has the worst fitness of the others; where all
    failed, all have NaN.
    returns: (individuals, episodes), NaN where failed.
    episodes, steps: how many were run and taken.
    measures: how it was done, float64 (individuals, measures), means over the episodes, NaN where one failed; without
    columns where they were not asked for.
    objectives: float64 (individuals, objectives), each maximised, NaN as for measures; without columns where there is
    only the fitness.
    failures: reason → number of episodes that failed for it.
    errors: distinct messages of the engine.
    statistics: rows (count, mean, M2) of the observations, episode by episode in order, without failed ones.
    """

    fitness: np.ndarray
    returns: np.ndarray
    episodes: int
    steps: int
    failures: dict[str, int]
    errors: tuple[str, ...]
    statistics: np.ndarray
    measures: np.ndarray = field(default_factory=lambda: _NONE)
    objectives: np.ndarray = field(default_factory=lambda: _NONE)


def join_individuals(parts: Sequence[Evaluation]) -> Evaluation:
    """Return the evaluation of all the individuals of several, in order."""
    if len(parts) == 1:
        return parts[0]
    returns = np.concatenate([part.returns for part in parts])
    measures, objectives = (_stack([getattr(part, name) for part in parts]) for name in ("measures", "objectives"))
    return replace(add(parts, returns, fitness_of(returns)), measures=measures, objectives=objectives)


def _stack(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Return arrays (individuals, numbers) above each other; without columns are those of failures alone: NaN."""
    columns = max(array.shape[1] for array in arrays)
    failed = [np.full((len(array), columns - array.shape[1]), np.nan) for array in arrays]
    return np.concatenate([np.hstack(both) for both in zip(arrays, failed, strict=True)])


def unknown_origin() -> tuple[str, bool]:
    """Raise EvoError: the origin of a problem of objects."""
    raise EvoError("only threads can evaluate this problem: no configuration names what it was made of")


def add(parts: Sequence[Evaluation], returns: np.ndarray, fitness: np.ndarray) -> Evaluation:
    """Return the sum of several evaluations, with the returns and fitness of all individuals, and no measures."""
    return Evaluation(
        fitness=fitness,
        returns=returns,
        episodes=sum(part.episodes for part in parts),
        steps=sum(part.steps for part in parts),
        failures=dict(sum((Counter(part.failures) for part in parts), Counter())),
        errors=tuple(dict.fromkeys(message for part in parts for message in part.errors)),
        statistics=np.concatenate([part.statistics for part in parts]),
    )


class Problem(Protocol):
    """What a learner improves parameters on. An episode is one scoring under one seed."""

    step_unit: str
    """The unit of its steps: `env step`, `evaluation`, `example`."""
    metric: str
    """The quantity that its fitness is when scored: `return`, or what a data set reports, such as `accuracy`."""
    deterministic: bool
    """Whether the seed has no effect, so that one evaluation of parameters gives their exact fitness."""
    workers: Workers
    """Where populations are evaluated."""
    origin: Origin
    """What another process makes it from."""

    @property
    def size(self) -> int:
        """Number of parameters."""
        ...

    @property
    def measures(self) -> tuple[str, ...]:
        """The names of what it can say of how it was done; empty where it says nothing, or nobody knows the names."""
        ...

    def describe(self, params: np.ndarray, seed: int) -> dict[str, Any]:
        """Return what an algorithm may know of the parameters: see `evo.algorithms.algorithm.Algorithm`.

        params: where the search begins, (size,).
        """
        ...

    def clocks(self, steps: int, passes: int = 1) -> dict[str, float]:
        """Return other measures of `steps` steps, by names of columns in metrics.csv.

        passes: cost of a step as a multiple of the forward pass; three with the backward pass.
        """
        ...

    def prepare(self) -> None:
        """Compile what is not compiled yet; takes seconds the first time on a machine."""
        ...

    def initial(self, random: np.random.Generator) -> np.ndarray:
        """Return initial parameters, float64 (size,)."""
        ...

    def cast(self, params: np.ndarray) -> np.ndarray:
        """Return parameters as they are evaluated and stored: cast to the type in which the problem computes."""
        ...

    def check(self, params: np.ndarray) -> None:
        """Raise ValueError where parameters of one individual, (parameters,), are not such as it evaluates."""
        ...

    def no_statistics(self) -> ObservationStatistics:
        """Return statistics of no observations."""
        ...

    def evaluate(
        self,
        population: Population,
        seeds: np.ndarray,
        statistics: ObservationStatistics,
        collect: bool = False,
        measured: bool = False,
    ) -> Evaluation:
        """Evaluate every individual on all `seeds`; observations are normalised by `statistics`, kept frozen.

        collect: whether to return statistics of the observations. measured: whether to return measures and objectives.
        Its `workers` do it: the result depends on neither who nor how many they are. Raises EngineError, EvoError.
        """
        ...

    def evaluate_here(
        self,
        population: Population,
        seeds: np.ndarray,
        statistics: ObservationStatistics,
        collect: bool,
        measured: bool,
    ) -> Evaluation:
        """Return what `evaluate` does, computed in this process; no individual's returns depend on the others."""
        ...

    def slice_shape(self, episodes: int) -> tuple[int, int]:
        """Return how many individuals, and how many episodes of each, make a slice of work for other processes.

        episodes: of each individual. Only a slice of one individual may have fewer episodes.
        """
        ...

    def state(self) -> dict[str, np.ndarray]:
        """Return the partial results of an interrupted evaluation, as plain arrays."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Resume from `state()`."""
        ...


def evaluate_alone(
    problem: Problem,
    params: np.ndarray,
    statistics: ObservationStatistics,
    seeds: np.ndarray,
    measured: bool = False,
) -> Evaluation:
    """Evaluate one individual, parameters (size,) and the statistics that normalise, on some episodes."""
    alone = DensePopulation(np.asarray(params, np.float64)[None])
    return problem.evaluate(alone, seeds, statistics, measured=measured)


def fitness_of(returns: np.ndarray) -> np.ndarray:
    """Return the mean over episodes of returns (individuals, episodes), float64 (individuals,).

    An individual with a failed episode, NaN, or whose returns are larger than can be computed with, is as bad as the
    worst of the others; NaN where all failed. Summed in order of the episodes whatever the array's layout.
    """
    fitness = np.zeros(len(returns))
    with np.errstate(over="ignore", invalid="ignore"):
        for column in range(returns.shape[1]):
            fitness = fitness + returns[:, column]
    fitness = fitness / returns.shape[1]
    failed = ~(np.abs(fitness) <= LARGEST)
    fitness[failed] = np.nan if failed.all() else fitness[~failed].min()
    return fitness
