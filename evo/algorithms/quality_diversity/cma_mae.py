"""CMA-MAE: thresholds that learn slowly, between optimisation and exploration.

Fontaine & Nikolaidis 2023, "Covariance Matrix Adaptation MAP-Annealing", arXiv:2205.10752, algorithm 1. Learning rate,
emitters, individuals and first step are those of its experiments in pyribs.
"""

from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.quality_diversity.emitters import EmitterSearch
from evo.algorithms.quality_diversity.measured import Known

Floats = NDArray[np.float64]


@final
class CMAMAE(EmitterSearch):
    """CMA-MAE: CMA-ES strategies ranked by how far they pass their cell's threshold, which follows them slowly.

    Args:
        emitters: number of strategies that search at the same time.
        population_size: individuals of each emitter in a generation.
        sigma: standard deviation with which an emitter begins.
        strategy: of an emitter: `cma-es`, or `sep-cma-es` for many parameters.
        learning_rate: how fast thresholds follow the fitness that passes them, up to 1; slower ones optimise more.
        threshold_min: fitness at which all thresholds begin: the least that is worth having.
        measures: names of the measures that span the map, as in `x,y` or `feet`; empty for feet, else the first two.
        ranges: range of each measure, as in `0:1,-5:5`; empty for those that the task names.
        archive: cells of the map, as in `cvt:1024` or `grid:50` or `grid:100x50`.
        qd_offset: fitness that counts as nothing in the QD score.
        offered: number of the fittest that are candidates for champion.
    """

    summary = "CMA-ME with thresholds that learn slowly (Fontaine & Nikolaidis 2023)"

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        measured: Known = (),
        *,
        emitters: int = 15,
        population_size: int = 36,
        sigma: float = 0.5,
        strategy: str = "cma-es",
        learning_rate: float = 0.01,
        threshold_min: float = 0.0,
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
            emitters=emitters,
            population_size=population_size,
            sigma=sigma,
            strategy=strategy,
            learning_rate=learning_rate,
            threshold_min=threshold_min,
            measures=measures,
            ranges=ranges,
            archive=archive,
            qd_offset=qd_offset,
            offered=offered,
        )

    def select(self, status: NDArray[np.int64], improvement: Floats) -> NDArray[np.intp]:
        """Return the better half by improvement, which may be negative."""
        return np.argsort(-improvement, kind="stable")[: len(improvement) // 2]
