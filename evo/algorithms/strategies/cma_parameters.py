"""Default strategy parameters and evolution paths of the CMA-ES family.

Hansen 2016, "The CMA Evolution Strategy: A Tutorial", arXiv:1604.00772, table 1; equation numbers are the tutorial's.
"""

import math
from typing import final

import numpy as np
from numpy.typing import NDArray

from evo.algorithms.strategies.covariance import squared_lengths
from evo.numerics.validation import whole_number


def default_population_size(size: int) -> int:
    """Return the default population size, lambda = 4 + floor(3 ln n), equation 48."""
    return 4 + math.floor(3 * math.log(size))


def choose_population_size(population_size: int | None, size: int, least: int) -> int:
    """Return lambda as asked for, at least `least`, or the default for `size` parameters. Raises ValueError."""
    return whole_number(
        "population_size", default_population_size(size) if population_size is None else population_size, least
    )


@final
class CMAParameters:
    """Strategy parameters from the number of parameters, the population size, and whether negative weights are used.

    weights: (population,), of the individuals from best to worst: the first `parents` positive with sum 1, the rest
    negative, or 0 where not active. effective_parents: mu_eff. expected_length: E|N(0, I)|. decompose_every:
    generations, at least 1, between decompositions of a full matrix, of which about 1 / (2 n) has been relearnt by
    then. That is the gap of Hansen's purecma.py, five times the tutorial's: it costs no evaluations. separable: C is
    diagonal and learns (n + 2) / 3 times as fast: Ros & Hansen 2008, "A Simple Modification in CMA-ES Achieving Linear
    Time and Space Complexity", section 3.
    """

    def __init__(self, size: int, population_size: int, active: bool, separable: bool = False) -> None:
        n = size
        raw = math.log((population_size + 1) / 2) - np.log(np.arange(1, population_size + 1))  # w'               (49)
        parents = population_size // 2  # mu
        positive, negative = raw[:parents], raw[parents:]
        effective = float(np.sum(positive) ** 2 / np.sum(np.square(positive)))  # mu_eff
        worst = np.sum(np.square(negative))
        effective_negative = float(np.sum(negative) ** 2 / worst) if worst > 0 else 0.0

        alpha = 2.0
        c_1 = alpha / ((n + 1.3) ** 2 + effective)  #                                                             (57)
        c_mu = alpha * (0.25 + effective + 1 / effective - 2) / ((n + 2) ** 2 + alpha * effective / 2)  #         (58)
        if separable:
            c_1, c_mu = c_1 * (n + 2) / 3, c_mu * (n + 2) / 3
        c_1 = min(1.0, c_1)
        c_mu = min(1 - c_1, c_mu)

        weights = np.zeros(population_size)
        weights[:parents] = positive / np.sum(positive)  #                                                        (53)
        if active and c_mu > 0 and np.any(negative < 0):
            most = min(
                1 + c_1 / c_mu,  #                                                                                (50)
                1 + 2 * effective_negative / (effective + 2),  #                                                  (51)
                (1 - c_1 - c_mu) / (n * c_mu),  # (52): C stays positive definite
            )
            below = np.minimum(negative, 0.0)
            weights[parents:] = most * below / np.sum(np.abs(below))

        self._size, self._total = n, float(np.sum(weights))
        self.weights = weights
        self.parents = parents
        self.effective_parents = effective
        self.c_sigma = (effective + 2) / (n + effective + 5)  #                                                   (55)
        self.d_sigma = 1 + 2 * max(0.0, math.sqrt((effective - 1) / (n + 1)) - 1) + self.c_sigma
        self.c_c = (4 + effective / n) / (n + 4 + 2 * effective / n)  #                                           (56)
        self.c_1, self.c_mu = c_1, c_mu
        self.expected_length = math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n**2))
        self.decompose_every = max(1, math.floor(0.5 / (n * (c_1 + c_mu))))

    def adapt_sigma(
        self, step_path: NDArray[np.float64], sigma: float, whitened: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], float]:
        """Return p_sigma (n,) and sigma after a generation with the whitened step C^{-1/2} <y>_w, (n,)."""
        push = math.sqrt(self.c_sigma * (2 - self.c_sigma) * self.effective_parents)
        moved = (1 - self.c_sigma) * step_path + push * whitened  #                                               (43)
        growth = self.c_sigma / self.d_sigma * (_length(moved) / self.expected_length - 1)
        return moved, sigma * math.exp(min(1.0, growth))  # (44); e times at most, as in Hansen's code

    def stalls(self, step_path: NDArray[np.float64], generations: int) -> bool:
        """Return whether h_sigma is 0 after these generations: the step-size must grow first, and p_c waits."""
        unbiased = _length(step_path) / math.sqrt(1 - (1 - self.c_sigma) ** (2 * generations))
        return unbiased >= (1.4 + 2 / (len(step_path) + 1)) * self.expected_length

    def move_path(self, path: NDArray[np.float64], step: NDArray[np.float64], stalled: bool) -> NDArray[np.float64]:
        """Return p_c (n,) after a generation with the step <y>_w, (n,)."""
        push = 0.0 if stalled else math.sqrt(self.c_c * (2 - self.c_c) * self.effective_parents)
        return (1 - self.c_c) * path + push * step  #                                                             (45)

    def decay(self, stalled: bool) -> float:
        """Return the factor of C in its update, 1 + c_1 delta(h_sigma) - c_1 - c_mu sum w_j, equation 47."""
        lost = self.c_c * (2 - self.c_c) if stalled else 0.0  # delta(h_sigma)
        return 1 + self.c_1 * lost - self.c_1 - self.c_mu * self._total

    def rank_weights(self, squares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return c_mu w°, (individuals,), equation 46.

        squares: |C^{-1/2} y|² of the individuals that are not parents, best first; none where only parents count.
        """
        weights = self.c_mu * self.weights[: self.parents + len(squares)]
        weights[self.parents :] *= self._size / np.maximum(squares, 1e-300)
        return weights


def _length(vector: NDArray[np.float64]) -> float:
    return math.sqrt(squared_lengths(vector[np.newaxis])[0])
