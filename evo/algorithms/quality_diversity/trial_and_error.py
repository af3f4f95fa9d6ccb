"""Intelligent trial and error: which elites of a map to try, when what the map expects of them may no longer hold.

Cully, Clune, Tarapore & Mouret 2015, "Robots that can adapt like animals", its map-based Bayesian optimisation, with
the constants of its methods and of the authors' code.
"""

from typing import final

import numpy as np
from numpy.typing import NDArray

from evo.numerics.gaussian_process import GaussianProcess

Floats = NDArray[np.float64]

LENGTH_SCALE = 0.4  # rho, in units of the cube of measures
NOISE = 0.001  # variance of a measured performance
KAPPA = 0.05  # deviations that an elite is expected to be better than its mean
ENOUGH = 0.9  # alpha, the share of the best expected performance with which the search is content


@final
class TrialAndError:
    """Chooses an elite to try, and learns from its performance what to expect of those that behave like it.

    measures: (elites, m), scaled to [0, 1]. expected: (elites,), the performance that the map knows, in a unit in which
    its best is about 1.
    """

    def __init__(self, measures: Floats, expected: Floats) -> None:
        self.process = GaussianProcess(measures, expected, LENGTH_SCALE, NOISE)
        self.tried = list[int]()
        self.performances = list[float]()

    def choose(self) -> int:
        """Return the elite to try: that of the greatest upper confidence bound, of equals the first."""
        return int(np.argmax(self.process.mean + KAPPA * np.sqrt(self.process.variance)))

    def tell(self, elite: int, performance: float) -> None:
        """Learn how an elite performed."""
        self.process.observe(elite, performance)
        self.tried.append(elite)
        self.performances.append(performance)

    @property
    def satisfied(self) -> bool:
        """Whether the best performance so far is at least 0.9 of the best that is expected anywhere."""
        return bool(self.tried) and max(self.performances) >= ENOUGH * float(self.process.mean.max())

    @property
    def best(self) -> int:
        """The place among the trials of the best performance, the first of equals."""
        return int(np.argmax(self.performances))
