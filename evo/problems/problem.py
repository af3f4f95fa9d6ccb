"""Problem: the protocol of what gives parameters their fitness."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from evo.genomes.population import DensePopulation, Population
from evo.numerics.formatting import LARGEST
from evo.numerics.running_statistics import ObservationStatistics


@dataclass(frozen=True)
class Evaluation:
    """What a population earned.

    fitness: float64 (individuals,), mean return; a failed individual has the worst fitness of the others, and all have
    NaN where all failed. returns: (individuals, episodes), NaN where failed. episodes: how many were lived through.
    steps: taken in them. failures: reason → how many episodes failed of it. errors: distinct messages of the engine.
    statistics: rows (count, mean, M2) of the observations seen, episode by episode in order, failed ones left out.
    """

    fitness: np.ndarray
    returns: np.ndarray
    episodes: int
    steps: int
    failures: dict[str, int]
    errors: tuple[str, ...]
    statistics: np.ndarray


def joined(parts: Sequence[Evaluation], returns: np.ndarray, fitness: np.ndarray) -> Evaluation:
    """What several evaluations come to; returns and fitness are those of all individuals."""
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
    """What its steps are: `env step`, `evaluation`, `example`."""
    measure: str
    """What its fitness is, as it is scored: `return`, or what a data set reports, such as `accuracy`."""
    deterministic: bool
    """Whether a seed changes nothing: what was seen of parameters once is what they are worth."""

    @property
    def size(self) -> int:
        """Number of parameters."""
        ...

    def known(self, params: np.ndarray, seed: int) -> dict[str, Any]:
        """What an algorithm may be told of the parameters: see `evo.algorithms.algorithm.Algorithm`.

        params: those that the search begins from, (size,).
        """
        ...

    def clocks(self, steps: int, passes: int = 1) -> dict[str, float]:
        """What else so many steps come to, by the names of columns in metrics.csv.

        passes: how many times the work of going forward each took; with the way back it is three.
        """
        ...

    def prepare(self) -> None:
        """Compile what is not compiled yet; takes seconds the first time on a machine."""
        ...

    def initial(self, random: np.random.Generator) -> np.ndarray:
        """Parameters to begin from, float64 (size,)."""
        ...

    def stored(self, params: np.ndarray) -> np.ndarray:
        """Parameters as they are evaluated and kept: cast to the type that the problem computes in."""
        ...

    def no_statistics(self) -> ObservationStatistics:
        """Of no observations."""
        ...

    def evaluate(
        self, population: Population, seeds: np.ndarray, statistics: ObservationStatistics, collect: bool = False
    ) -> Evaluation:
        """Every individual on the episodes of all `seeds`, observations normalised by `statistics`, kept frozen.

        collect: whether the statistics of what is seen are wanted. Raises EngineError.
        """
        ...

    def state(self) -> dict[str, np.ndarray]:
        """What an evaluation that broke off had already found, as plain arrays."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from `state()`."""
        ...


def evaluate_alone(
    problem: Problem, params: np.ndarray, statistics: ObservationStatistics, seeds: np.ndarray
) -> Evaluation:
    """One individual, parameters (size,) and what they normalise by, on some episodes."""
    return problem.evaluate(DensePopulation(np.asarray(params, np.float64)[None]), seeds, statistics)


def fitness_of(returns: np.ndarray) -> np.ndarray:
    """Mean over episodes of returns (individuals, episodes), float64 (individuals,).

    An individual with an episode that failed, NaN, or whose returns are larger than can be computed with, is as bad as
    the worst of the others; NaN where all failed. Summed in order of the episodes whatever the array's layout.
    """
    fitness = np.zeros(len(returns))
    with np.errstate(over="ignore", invalid="ignore"):
        for column in range(returns.shape[1]):
            fitness = fitness + returns[:, column]
    fitness = fitness / returns.shape[1]
    failed = ~(np.abs(fitness) <= LARGEST)
    fitness[failed] = np.nan if failed.all() else fitness[~failed].min()
    return fitness
