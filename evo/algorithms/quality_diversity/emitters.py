"""Emitters: several CMA-ES strategies that share an archive, and are ranked by what they improve in it.

Fontaine, Togelius, Nikolaidis & Hoover 2020, "Covariance Matrix Adaptation for the Rapid Illumination of Behavior
Space". The strategies are our own CMA-ES and sep-CMA-ES. Their weights are all positive, and are made anew for the
number of parents that a generation has.
"""

import copy
import functools
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.quality_diversity.archive import Archive
from evo.algorithms.quality_diversity.map_search import MapSearch
from evo.algorithms.quality_diversity.measured import Known
from evo.algorithms.quality_diversity.pools import rows_of
from evo.algorithms.strategies.cma_es import CMAES
from evo.algorithms.strategies.cma_parameters import CMAParameters
from evo.algorithms.strategies.sep_cma_es import SepCMAES
from evo.genomes.population import SampledPopulation
from evo.numerics.randomness import generator
from evo.numerics.validation import positive_number, whole_number

Floats = NDArray[np.float64]
Strategy = CMAES | SepCMAES

STRATEGIES: dict[str, type[Strategy]] = {"cma-es": CMAES, "sep-cma-es": SepCMAES}
_LEAST_SIGMA, _MOST_RATIO, _FLAT = 1e-11, 1e7, 1e-12  # pyribs' criteria: length of axes, their ratio, improvements


@functools.lru_cache(maxsize=1024)
def _parameters(size: int, parents: int, separable: bool) -> CMAParameters:
    """Return the strategy parameters of that many parents, all of positive weight."""
    return CMAParameters(size, 2 * parents, active=False, separable=separable)


@final
class EmittedPopulation:
    """The individuals of all emitters, those of an emitter together; `parts` are the populations of the strategies."""

    def __init__(self, parts: list[SampledPopulation]) -> None:
        self.parts = parts
        self._rows = np.concatenate([part.dense() for part in parts]).view()
        self._rows.flags.writeable = False

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def size(self) -> int:
        return int(self._rows.shape[1])

    def row(self, individual: int, out: NDArray[Any]) -> None:
        np.copyto(out, self._rows[individual], casting="same_kind")

    def dense(self) -> Floats:
        return self._rows


@final
class Emitters:
    """The strategies of all emitters, (emitters,), and how often each has begun anew."""

    def __init__(
        self, count: int, strategy: str, initial: Floats, seed: int, sigma: float, population_size: int
    ) -> None:
        self._made, self._separable = STRATEGIES[strategy], strategy == "sep-cma-es"
        self._seed, self._sigma, self._population_size = seed, sigma, population_size
        self.restarts: tuple[int, ...] = (0,) * count
        self.strategies = tuple(self._begin(index, 0, initial) for index in range(count))

    def _begin(self, index: int, restart: int, start: Floats) -> Strategy:
        seed = int(generator(self._seed, "emitter", index, restart).integers(2**62))
        return self._made(start, seed, sigma=self._sigma, population_size=self._population_size)

    def propose(self) -> EmittedPopulation:
        return EmittedPopulation([strategy.propose() for strategy in self.strategies])

    def adapt(self, index: int, asked: SampledPopulation, parents: NDArray[np.intp]) -> None:
        """Adapt a strategy to the parents among the individuals that it asked for, best first."""
        strategy = copy.copy(self.strategies[index])  # its attributes are replaced, so the one before stays as it was
        strategy.parameters = _parameters(strategy.initial.size, len(parents), self._separable)
        strategy.adapt(asked.steps, asked.noise, parents)
        strategy.generation += 1
        self.strategies = (*self.strategies[:index], strategy, *self.strategies[index + 1 :])

    def begin_anew(self, index: int, start: Floats) -> None:
        """Replace a strategy by a new one that begins at `start`, (parameters,)."""
        restart = self.restarts[index] + 1
        self.restarts = (*self.restarts[:index], restart, *self.restarts[index + 1 :])
        self.strategies = (
            *self.strategies[:index],
            self._begin(index, restart, start),
            *self.strategies[index + 1 :],
        )

    def is_exhausted(self, index: int) -> bool:
        """Return whether a strategy's steps are too small to matter, or too unequal in length to compute with."""
        strategy = self.strategies[index]
        lengths = strategy.lengths if isinstance(strategy, CMAES) else np.sqrt(strategy.variances)
        longest, shortest = float(np.max(lengths)), float(np.min(lengths))
        return strategy.sigma * longest < _LEAST_SIGMA or longest > _MOST_RATIO * shortest

    def hold(self) -> tuple[Any, ...]:
        return self.strategies, self.restarts

    def put_back(self, held: tuple[Any, ...]) -> None:
        self.strategies, self.restarts = held

    def state(self) -> dict[str, NDArray[Any]]:
        """Return everything that changes, as copies, with an axis of emitters before the others."""
        states = [strategy.state() for strategy in self.strategies]
        names = [name for name in states[0] if not name.startswith("history")]  # emitters keep none
        stacked = {name: np.stack([state[name] for state in states]) for name in names}
        return {"restarts": np.array(self.restarts, np.int64), **stacked}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        self.restarts = tuple(int(restart) for restart in state["restarts"])
        strategies = list[Strategy]()
        for index, restart in enumerate(self.restarts):
            strategy = self._begin(index, restart, self.strategies[index].initial)
            own = {name: state[name][index] for name in state if name != "restarts"}
            strategy.restore(strategy.state() | own)
            strategies.append(strategy)
        self.strategies = tuple(strategies)


class EmitterSearch(MapSearch[EmittedPopulation]):
    """A search by emitters; a subclass is final and says by `select` who are parents.

    It lists the options again, in its own constructor: `emitters`, `population_size` of each, `sigma` of the first
    steps, `strategy`, and those of `MapSearch`.
    """

    rank_based = False
    remembered = ("archive", "seen", "outside", "emitters")

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        measured: Known,
        *,
        emitters: int,
        population_size: int,
        sigma: float,
        strategy: str,
        measures: str,
        ranges: str,
        archive: str,
        qd_offset: float,
        offered: int,
        learning_rate: float = 1.0,
        threshold_min: float = -np.inf,
    ) -> None:
        super().__init__(
            initial,
            seed,
            measured,
            measures=measures,
            ranges=ranges,
            archive=archive,
            qd_offset=qd_offset,
            offered=offered,
            learning_rate=learning_rate,
            threshold_min=threshold_min,
        )
        if strategy not in STRATEGIES:
            raise ValueError(f"strategy={strategy!r}: must be one of {', '.join(STRATEGIES)}")
        self.population_size = whole_number("population_size", population_size, 3)
        count = whole_number("emitters", emitters, 1)
        sigma = positive_number("sigma", sigma)
        self.emitters = Emitters(count, strategy, self.initial, self.seed, sigma, self.population_size)

    @classmethod
    def numbers_kept(cls, parameters: int, options: Mapping[str, Any]) -> float:
        matrices = 4.0 * parameters**2 if options["strategy"] == "cma-es" else 0.0  # C, B, and both while they change
        each = matrices + 4.0 * parameters * options["population_size"]
        return super().numbers_kept(parameters, options) + options["emitters"] * each

    @abstractmethod
    def select(self, status: NDArray[np.int64], improvement: Floats) -> NDArray[np.intp]:
        """Return the parents among an emitter's individuals, best first; none where it should begin anew.

        status and improvement, (population,): what became of them in the archive.
        """

    def propose(self) -> EmittedPopulation:
        return self.emitters.propose()

    def update(self, population: EmittedPopulation, fitness: Floats, measures: Floats | None = None) -> None:
        assert measures is not None
        inserted, size = self.insert(population, fitness, measures), self.population_size
        for index in range(len(self.emitters.strategies)):
            own = slice(index * size, (index + 1) * size)
            status, improvement = inserted.status[own], inserted.improvement[own]
            known = improvement[np.isfinite(improvement)]
            parents = self.select(status, improvement) if len(known) else known.astype(np.intp)
            if len(parents):
                self.emitters.adapt(index, population.parts[index], parents)
            flat = len(known) > 1 and np.ptp(known) < _FLAT
            if not len(parents) or flat or self.emitters.is_exhausted(index):
                self.emitters.begin_anew(index, self._elite(self.archive, index))

    def _elite(self, archive: Archive, index: int) -> Floats:
        """Return the parameters of an elite drawn evenly, or where the search began while there is none."""
        cells = archive.elites()
        if not len(cells):
            return self.initial
        random = generator(self.seed, "new emitter", self.generation, index)
        return rows_of(archive.pool.population(cells[[random.integers(len(cells))]]))[0]

    def diagnostics(self) -> dict[str, float]:
        """Return those of `MapSearch`, and `restarts`: how often an emitter has begun anew."""
        return {**super().diagnostics(), "restarts": float(sum(self.emitters.restarts))}
