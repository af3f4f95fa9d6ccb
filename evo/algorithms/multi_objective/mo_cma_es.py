"""MO-CMA-ES.

Igel, Hansen & Roth 2007, "Covariance Matrix Adaptation for Multi-objective Optimization", Evolutionary Computation 15.
A child succeeds where it is among the next parents: Voss, Hansen & Igel 2010, "Improved Step Size Adaptation for the
MO-CMA-ES". C is kept by its Cholesky factor A, which a rank-one update keeps triangular: Golub & Van Loan, "Matrix
Computations", section 6.5.4.
"""

import math
from collections.abc import Mapping
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.multi_objective.dominance import rank_fronts, split_fronts
from evo.algorithms.multi_objective.front_search import Domain, FrontSearch
from evo.algorithms.multi_objective.hypervolume import contributions
from evo.algorithms.multi_objective.objectives import Known
from evo.envs.engine.compile import njit
from evo.genomes.population import DensePopulation
from evo.numerics.randomness import generator
from evo.numerics.validation import positive_number

Floats = NDArray[np.float64]

_TARGET = 1 / 5.5  # p_succ^target, of one child for each parent
_RATE = _TARGET / (2 + _TARGET)  # c_p
_THRESHOLD = 0.44  # p_thresh


@final
class MOCMAES(FrontSearch):
    """MO-CMA-ES: every parent is a CMA-ES of its own with one child; survival by fronts and hypervolume.

    Of the last front that does not fit whole, those that add the least hypervolume go one after the other; the
    reference point is as far behind the front's worst as the front is wide, so that its ends stay.

    Args:
        population_size: parents mu, and children of a generation.
        sigma: step size at the beginning, as a share of the domain where the task has one.
        objectives: names of the objectives, as in `speed,energy`; empty for all of a function, or a world's first two.
        reference: the point above which the hypervolume is measured, as in `-1.1,-1.1`; empty for that of the function,
            else the worst of each objective in the first generation.
        offered: number of the fittest of the front that are candidates for champion.
    """

    summary = "several objectives: a CMA-ES for every parent, chosen by hypervolume (Igel 2007; Voss 2010)"
    held = (0, 8)
    remembered = (*FrontSearch.remembered, "sigmas", "successes", "paths", "factors")

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        noisy: bool = False,
        domain: Domain | None = None,
        known_objectives: Known = (),
        *,
        population_size: int = 100,
        sigma: float = 0.2,
        objectives: str = "",
        reference: str = "",
        offered: int = 3,
    ) -> None:
        super().__init__(
            initial,
            seed,
            noisy,
            known_objectives,
            population_size=population_size,
            objectives=objectives,
            reference=reference,
            offered=offered,
        )
        n = self.initial.size
        self.domain = None if domain is None else np.broadcast_arrays(*domain, self.initial)[:2]
        widths = np.ones(n) if self.domain is None else np.asarray(self.domain[1] - self.domain[0], np.float64)
        self.sigmas = np.full(self.population_size, positive_number("sigma", sigma))
        self.successes = np.full(self.population_size, _TARGET)  # mean p_succ
        self.paths = np.zeros((self.population_size, n))  # p_c
        self.factors = np.tile(np.diag(widths), (self.population_size, 1, 1))  # A, where C = A A^T

    @classmethod
    def numbers_kept(cls, parameters: int, options: Mapping[str, Any]) -> float:
        """Return how many numbers the covariance matrices have: of parents, of children, and of an earlier state."""
        return 3.0 * float(options["population_size"]) * parameters**2

    def propose_children(self) -> Floats:
        random = generator(self.seed, "population", self.generation)
        noise = random.standard_normal(self.individuals.shape)
        if self.generation or self.domain is None:
            return _sample(self.individuals, self.sigmas, self.factors, noise)  # x ~ N(x, sigma² C)
        low, high = self.domain
        return random.uniform(low, high, size=self.individuals.shape)

    def update(self, population: DensePopulation, fitness: Floats, objectives: Floats | None = None) -> None:
        assert objectives is not None
        pool = self.gather(population, fitness, objectives)
        survivors = self._select(pool.objectives)
        if not self.generation:
            self.keep(pool, survivors)
            return
        mu = self.population_size
        lives = np.isin(np.arange(mu, 2 * mu), survivors)
        steps = (pool.rows[mu:] - pool.rows[:mu]) / self.sigmas[:, np.newaxis]
        # a child takes all over from its parent, and both learn whether it succeeds
        successes = (1 - _RATE) * self.successes + _RATE * lives
        damping = 1 + self.initial.size / 2  # d
        sigmas = self.sigmas * np.exp((successes - _TARGET) / (damping * (1 - _TARGET)))
        paths, factors = _adapt(self.paths, self.factors, steps, successes < _THRESHOLD, survivors, mu)
        self.keep(pool, survivors)
        parents = survivors % mu
        self.sigmas, self.successes = sigmas[parents], successes[parents]
        self.paths, self.factors = paths, factors

    def _select(self, objectives: Floats) -> NDArray[np.intp]:
        """Return who survives, (population,), whole fronts first."""
        whole, last = split_fronts(rank_fronts(objectives), self.population_size)
        left = self.population_size - len(whole)
        if not left or not np.isfinite(objectives[last]).all():
            return np.concatenate([whole, last[:left]])
        front = objectives[last]
        span = np.ptp(front, axis=0)
        reference = front.min(axis=0) - np.where(span > 0, span, 1.0)
        while len(last) > left:
            added = contributions(objectives[last], reference)
            last = np.delete(last, len(last) - 1 - int(np.argmin(added[::-1])))  # of equals the last
        return np.concatenate([whole, last])


@njit(cache=True)
def _sample(centres: Any, sigmas: Any, factors: Any, noise: Any) -> Any:
    """Return x + sigma A z for every individual, (individuals, n)."""
    count, n = centres.shape
    rows = np.empty((count, n))
    for one in range(count):
        for i in range(n):
            total = 0.0
            for j in range(i + 1):
                total += factors[one, i, j] * noise[one, j]
            rows[one, i] = centres[one, i] + sigmas[one] * total
    return rows


@njit(cache=True)
def _adapt(paths: Any, factors: Any, steps: Any, low: Any, survivors: Any, mu: int) -> Any:
    """Return p_c and A of the survivors: of a child its parent's, moved by its step; `low`: mean p_succ < p_thresh."""
    n = paths.shape[1]
    c_c, c_cov = 2 / (n + 2), 2 / (n * n + 6)
    push = math.sqrt(c_c * (2 - c_c))
    new_paths, new_factors = np.empty((len(survivors), n)), np.empty((len(survivors), n, n))
    for place in range(len(survivors)):
        parent = survivors[place] % mu
        new_paths[place], new_factors[place] = paths[parent], factors[parent]
        if survivors[place] < mu:
            continue
        path, factor, kept = new_paths[place], new_factors[place], 1 - c_cov
        for i in range(n):
            path[i] = (1 - c_c) * path[i] + (push * steps[parent, i] if low[parent] else 0.0)
        if not low[parent]:
            kept += c_cov * c_c * (2 - c_c)
        root, weight = math.sqrt(kept), math.sqrt(c_cov)
        vector = np.empty(n)
        for i in range(n):
            vector[i] = weight * path[i]
            for j in range(i + 1):
                factor[i, j] *= root
        for j in range(n):  # A A^T + v v^T
            length = math.sqrt(factor[j, j] * factor[j, j] + vector[j] * vector[j])
            c, s = length / factor[j, j], vector[j] / factor[j, j]
            factor[j, j] = length
            for i in range(j + 1, n):
                factor[i, j] = (factor[i, j] + s * vector[i]) / c
                vector[i] = c * vector[i] - s * factor[i, j]
    return new_paths, new_factors
