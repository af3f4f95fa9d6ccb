"""CMA-ME with improvement emitters.

Fontaine, Togelius, Nikolaidis & Hoover 2020, "Covariance Matrix Adaptation for the Rapid Illumination of Behavior
Space", algorithm 2. The number of emitters, their individuals and their first step are those of pyribs' comparison.
"""

from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.quality_diversity.archive import REJECTED
from evo.algorithms.quality_diversity.emitters import EmitterSearch
from evo.algorithms.quality_diversity.measured import Known

Floats = NDArray[np.float64]


@final
class CMAME(EmitterSearch):
    """CMA-ME: CMA-ES strategies whose parents are those that filled a cell, then those that improved one.

    Args:
        emitters: number of strategies that search at the same time.
        population_size: individuals of each emitter in a generation.
        sigma: standard deviation with which an emitter begins.
        strategy: of an emitter: `cma-es`, or `sep-cma-es` for many parameters.
        measures: names of the measures that span the map, as in `x,y` or `feet`; empty for feet, else the first two.
        ranges: range of each measure, as in `0:1,-5:5`; empty for those that the task names.
        archive: cells of the map, as in `cvt:1024` or `grid:50` or `grid:100x50`.
        qd_offset: fitness that counts as nothing in the QD score.
        offered: number of the fittest that are candidates for champion.
    """

    summary = "a map filled by CMA-ES emitters that are ranked by improvement (Fontaine 2020)"

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
            measures=measures,
            ranges=ranges,
            archive=archive,
            qd_offset=qd_offset,
            offered=offered,
        )

    def select(self, status: NDArray[np.int64], improvement: Floats) -> NDArray[np.intp]:
        """Return those who changed the archive: who filled a cell before who improved one, by how much.

        An emitter that changed nothing begins anew at an elite.
        """
        order = np.lexsort((-improvement, -status))
        return order[: np.count_nonzero(status != REJECTED)]
