"""ME-ES: MAP-Elites whose variation is an evolution strategy.

Colas, Madhavan, Huizinga & Clune 2020, "Scaling MAP-Elites to Deep Neuroevolution", GECCO 2020. The strategy is that of
Salimans et al. 2017; novelty is measured to all centres so far (Conti et al. 2018, "Improving Exploration in Evolution
Strategies for Deep Reinforcement Learning via a Population of Novelty-Seeking Agents"). Defaults, but for the number of
pairs, are the paper's.

The paper evaluates a new centre before anything else. Here it is evaluated in the next generation, beside the pairs, on
the same episodes as these; so a cell is chosen before the last centre of the steps before it is in the map.
"""

from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.quality_diversity.cells import scale
from evo.algorithms.quality_diversity.map_search import MapSearch
from evo.algorithms.quality_diversity.measured import Known
from evo.algorithms.quality_diversity.novelty import novelty_beside
from evo.algorithms.quality_diversity.pools import rows_of
from evo.algorithms.strategies.ranked_gradient import ranked_gradient
from evo.genomes.noise import Noise
from evo.genomes.population import DensePopulation, PerturbedPopulation
from evo.numerics.randomness import generator
from evo.numerics.validation import number_between, positive_number, whole_number
from evo.optimizers import Adam

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MODES = ("explore", "exploit", "explore-exploit")
_FAILED = -1.0  # novelty of an individual without measures: less than any other
# Of the fittest, of the last updated, and of the most novel cells a new centre is drawn.
_FITTEST, _UPDATED, _NOVEL = 2, 5, 5


@final
class ProbedPopulation:
    """Antithetic pairs, and after them one individual more, `made`, (parameters,)."""

    def __init__(self, pairs: PerturbedPopulation, made: Floats) -> None:
        self.pairs, self.made = pairs, made

    def __len__(self) -> int:
        return len(self.pairs) + 1

    @property
    def size(self) -> int:
        return self.pairs.size

    def row(self, individual: int, out: NDArray[Any]) -> None:
        if individual < len(self.pairs):
            self.pairs.row(individual, out)
        else:
            np.copyto(out, self.made, casting="same_kind")

    def dense(self) -> Floats:
        return np.concatenate([self.pairs.dense(), self.made[np.newaxis]])


@final
class MEES(MapSearch[ProbedPopulation]):
    """ME-ES: an evolution strategy that begins at elites of a map, and whose centres fill it.

    For some generations it follows the gradient of novelty (explore) or of fitness (exploit); then it begins at another
    elite with a new optimiser. Only centres enter the map: the pairs around them are for the gradient alone.

    Args:
        learning_rate: learning rate of Adam.
        sigma: standard deviation of the noise on the parameters.
        pairs: number of antithetic pairs.
        weight_decay: coefficient of the L2 penalty, whose gradient is added to the estimate.
        mode: `explore` follows novelty, `exploit` fitness, `explore-exploit` one after the other.
        consecutive: generations from one choice of an elite to the next.
        neighbours: number of the nearest behaviours, to which the mean distance is novelty.
        remembered_most: behaviours of centres that are remembered at most; the oldest are forgotten first.
        measures: names of the measures that span the map, as in `x,y` or `feet`; empty for feet, else the first two.
        ranges: range of each measure, as in `0:1,-5:5`, its unit of distance; empty for those that the task names.
        archive: cells of the map, as in `cvt:1024` or `grid:50` or `grid:100x50`.
        qd_offset: fitness that counts as nothing in the QD score.
        offered: number of the fittest that are candidates for champion.
    """

    summary = "a map filled by an evolution strategy for novelty and for fitness (Colas 2020)"
    growing = (*MapSearch.growing, "behaviours", "updated")
    remembered = (*MapSearch.remembered, "center", "made", "optimizer", "behaviours", "updated", "novelty")

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        measured: Known = (),
        *,
        learning_rate: float = 0.01,
        sigma: float = 0.02,
        pairs: int = 32,
        weight_decay: float = 0.005,
        mode: str = "explore-exploit",
        consecutive: int = 10,
        neighbours: int = 10,
        remembered_most: int = 10_000,
        measures: str = "",
        ranges: str = "",
        archive: str = "cvt:1024",
        qd_offset: float = 0.0,
        offered: int = 3,
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
        )
        if mode not in MODES:
            raise ValueError(f"mode={mode!r}: must be one of {', '.join(MODES)}")
        self.mode = mode
        self.learning_rate = positive_number("learning_rate", learning_rate)
        self.sigma = positive_number("sigma", sigma)
        self.pairs = whole_number("pairs", pairs, 1)
        self.weight_decay = number_between("weight_decay", weight_decay, 0)
        self.consecutive = whole_number("consecutive", consecutive, 1)
        self.neighbours = whole_number("neighbours", neighbours, 1)
        self.remembered_most = whole_number("remembered_most", remembered_most, 1)

        self.center = self.initial  # of the pairs, (parameters,)
        self.made = self.initial  # what the last step made, (parameters,): not evaluated yet
        self.optimizer = self._optimizer()
        self.behaviours = np.zeros((0, len(self.measured.names)))  # of centres, the oldest first, in units of ranges
        self.updated = np.zeros(0, np.int64)  # cells whose elite changed last, the latest at the end
        self.novelty = 0.0  # of the last centre that was evaluated

    def _optimizer(self) -> Adam:
        return Adam(self.initial.size, self.learning_rate)

    def explores(self, generation: int) -> bool:
        """Return whether a generation follows novelty."""
        return self.mode == "explore" or (self.mode != "exploit" and generation // self.consecutive % 2 == 0)

    def propose(self) -> ProbedPopulation:
        noise = Noise(generator(self.seed, "noise", self.generation), self.pairs, self.initial.size)
        return ProbedPopulation(PerturbedPopulation(self.center, noise, self.sigma), self.made)

    def update(self, population: ProbedPopulation, fitness: Floats, measures: Floats | None = None) -> None:
        assert measures is not None
        chosen = self.see(measures)
        self._keep(fitness[-1:], chosen[-1:])
        score = self._novelty(chosen[:-1]) if self.explores(self.generation) else fitness[:-1]
        gradient = ranked_gradient(score, population.pairs.noise)
        self.made = self.center + self.optimizer.step(gradient - self.weight_decay * self.center)
        self.center = self.made
        if (self.generation + 1) % self.consecutive == 0 and len(self.archive):
            cell = self._choose(self.explores(self.generation + 1), self.generation + 1)
            self.center = rows_of(self.archive.pool.population(np.array([cell])))[0]
            self.optimizer = self._optimizer()

    def _keep(self, fitness: Floats, measures: Floats) -> None:
        """Put the centre that was evaluated into the map, and its behaviour, of one row each, beside the others'."""
        if np.isnan(measures).any():
            return
        self.novelty = float(self._novelty(measures)[0])
        inserted = self.archive.add(DensePopulation(self.made[np.newaxis]), fitness, measures)
        cells = inserted.cells[inserted.winners]
        self.updated = np.concatenate([self.updated[~np.isin(self.updated, cells)], cells])[-_UPDATED:]
        behaviours = np.concatenate([self.behaviours, scale(measures, self.measured.ranges)])
        self.behaviours = behaviours[-self.remembered_most :]

    def _novelty(self, measures: Floats) -> Floats:
        """Return the mean distance to the nearest centres remembered, (individuals,)."""
        known = ~np.isnan(measures).any(axis=1)
        novelty = np.full(len(measures), _FAILED)
        behaviours = scale(measures[known], self.measured.ranges)
        novelty[known] = novelty_beside(behaviours, self.behaviours, self.neighbours)
        return novelty

    def _choose(self, explores: bool, generation: int) -> int:
        """Return the cell whose elite is the centre from a generation on.

        To explore, one of the five most novel. To exploit, one of the two fittest, of all cells or, as often, of the
        five updated last.
        """
        random = generator(self.seed, "cell", generation)
        elites = self.archive.elites()
        if explores:
            best = elites[np.argsort(-self._novelty(self.archive.measures[elites]), kind="stable")[:_NOVEL]]
        elif random.random() < 0.5:
            best = self.archive.best(_FITTEST)
        else:
            best = self.updated[np.argsort(-self.archive.fitness[self.updated], kind="stable")[:_FITTEST]]
        return int(best[random.integers(len(best))])

    def check(self, state: Any) -> None:
        super().check(state)
        cells, updated = np.asarray(state["archive_cells"]), np.asarray(state["updated"])
        if len(updated) > _UPDATED or not np.isin(updated, cells).all() or (len(cells) and not len(updated)):
            raise ValueError(
                f"state 'updated' is {updated.tolist()}, expected cells of the archive, at most {_UPDATED}"
            )

    def diagnostics(self) -> dict[str, float]:
        """Return those of `MapSearch`, `novelty` of the last centre, and whether the generation `explored`."""
        explored = self.explores(max(0, self.generation - 1))
        return {**super().diagnostics(), "novelty": self.novelty, "explored": float(explored)}
