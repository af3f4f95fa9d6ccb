"""What problems share: their workers evaluate populations, and of most nothing is kept when one is interrupted."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from evo.evaluation.workers import Workers
from evo.genomes.population import Population
from evo.networks import Network
from evo.numerics.running_statistics import ObservationStatistics
from evo.problems.problem import Evaluation, Origin, Problem, unknown_origin
from evo.problems.slices import PopulationWork


class WorkersProblem(Problem):
    """A Problem whose populations are evaluated by its `workers`, through `evaluate_here`."""

    messages: ClassVar[int | None] = None
    """How many distinct messages of an evaluation are kept; None: all."""

    def __init__(self, workers: Workers) -> None:
        self.workers = workers
        self.origin: Origin = unknown_origin

    def evaluate(
        self,
        population: Population,
        seeds: np.ndarray,
        statistics: ObservationStatistics,
        collect: bool = False,
        measured: bool = False,
    ) -> Evaluation:
        """Evaluate every individual on all `seeds`; observations are normalised by `statistics`, kept frozen."""
        found = self.workers.evaluate(PopulationWork(self, population, seeds, statistics, collect, measured))
        return replace(found, errors=found.errors[: self.messages])

    def state(self) -> dict[str, np.ndarray]:
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        pass


class NetworkProblem(WorkersProblem):
    """A Problem whose parameters are a network's."""

    def __init__(self, network: Network, workers: Workers) -> None:
        super().__init__(workers)
        self.network = network

    @property
    def size(self) -> int:
        """Number of parameters."""
        return self.network.size

    def check(self, params: np.ndarray) -> None:
        self.network.check(params)

    def initial(self, random: np.random.Generator) -> np.ndarray:
        """Return the network's initial parameters, float64 (size,)."""
        return self.network.initial(random)

    def cast(self, params: np.ndarray) -> np.ndarray:
        """Return the parameters as float32, the type in which networks compute."""
        return params.astype(np.float32)
