"""One attempt of a restart scheme: a strategy run until it converges."""

from collections.abc import Mapping
from typing import Any, Protocol, final

import numpy as np
from numpy.typing import NDArray

from evo.algorithms import ALGORITHMS
from evo.algorithms.algorithm import Algorithm
from evo.algorithms.convergence import FitnessHistory
from evo.algorithms.footprint import check_footprint
from evo.envs.reference import resolve
from evo.genomes.bounds import Box
from evo.numerics.randomness import generator
from evo.numerics.validation import number_between, positive_number

# Strategies that take a step-size, a population and bounds, and that stop by themselves.
STRATEGIES = {name: ALGORITHMS[name] for name in ("cma-es", "sep-cma-es", "lm-ma-es", "snes", "xnes")}

SPENT = "its share of the evaluations is spent"


class Strategy(Algorithm, Protocol):
    """An algorithm that keeps a history of its fitness."""

    history: FitnessHistory


@final
class Attempt:
    """The present attempt, and the outcome of the best earlier one.

    Attempts are compared by `FitnessHistory.level`, the median of their last generations: where fitness is noisy the
    best of a single one is luck, and the more so the larger the population.

    algorithm: a name in STRATEGIES. The first attempt begins at `initial`, (parameters,), later ones around it, with
    deviation `spread`, all of them within `low` and `high`. Raises ValueError for an option out of its range.
    """

    def __init__(
        self,
        algorithm: str,
        initial: NDArray[np.float64],
        seed: int,
        spread: float,
        low: float | None,
        high: float | None,
    ) -> None:
        if algorithm not in STRATEGIES:
            raise ValueError(f"algorithm={algorithm!r}: must be one of {', '.join(STRATEGIES)}")
        self.algorithm, self.initial, self.seed = algorithm, initial, seed
        self.bounds, self.box = {"low": low, "high": high}, Box(low, high, initial)
        self.spread = number_between("spread", spread, 0)
        self.fittest, self.fitness = initial, -np.inf  # the final mean and the level of the best finished attempt
        self.evaluations, self.latest = 0, -np.inf  # of this attempt: its count of evaluations, and its level

    def begin(self, number: int, population_size: int, sigma: float) -> None:
        """Begin attempt `number`, with its own population and first step-size."""
        random = generator(self.seed, "restart", number)
        start = self.initial
        if number:
            around = self.spread * random.standard_normal(self.initial.size)
            start = self.box.inside(self.box.outside(self.initial) + around)
        seed = int(random.integers(2**62)) if number else self.seed
        positive_number("sigma", sigma)
        self.number, self.population_size, self.sigma = number, population_size, sigma
        self.evaluations, self.latest = 0, -np.inf
        made = resolve(self.algorithm, STRATEGIES)
        check_footprint(made, start.size, {"population_size": population_size})
        self.strategy: Strategy = made(start, seed, sigma=sigma, population_size=population_size, **self.bounds)

    def tell(self, fitness: NDArray[np.float64], most: float = np.inf) -> str | None:
        """Tell the strategy its fitness; return why the attempt is over, or None.

        most: evaluations, after which it is over in any case.
        """
        self.strategy.ask()  # a strategy that was just restored has not been asked yet
        self.strategy.tell(fitness)
        self.evaluations, self.latest = self.evaluations + len(fitness), self.strategy.history.level()
        reason = self.strategy.finished() or (SPENT if self.evaluations >= most else None)
        if reason and self.latest > self.fitness:
            self.fittest, self.fitness = self.strategy.candidates()[0], self.latest
        return reason

    def candidates(self) -> NDArray[np.float64]:
        """Return the candidates of the present attempt and the best finished one, that of the higher level first."""
        present, over = self.strategy.candidates(), self.fittest[np.newaxis]
        if not self.number:
            return present
        return np.concatenate([over, present] if self.fitness > self.latest else [present, over])

    def state(self) -> dict[str, NDArray[Any]]:
        """Return everything that changes, as copies."""
        return {
            "number": np.array(self.number, np.int64),
            "population_size": np.array(self.population_size, np.int64),
            "sigma": np.array(self.sigma),
            "evaluations": np.array(self.evaluations, np.int64),
            "latest": np.array(self.latest),
            "fittest": self.fittest.copy(),
            "fitness": np.array(self.fitness),
            **{f"strategy_{name}": array for name, array in self.strategy.state().items()},
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Restore a `state()` exactly."""
        self.begin(int(state["number"]), int(state["population_size"]), float(state["sigma"]))
        self.evaluations, self.latest = int(state["evaluations"]), float(state["latest"])
        self.fittest, self.fitness = np.array(state["fittest"]), float(state["fitness"])
        self.strategy.restore({name: state[f"strategy_{name}"] for name in self.strategy.state()})
