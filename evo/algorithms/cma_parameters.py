"""Default strategy parameters of the CMA-ES family.

Hansen 2016, "The CMA Evolution Strategy: A Tutorial", arXiv:1604.00772, table 1; equation numbers are the tutorial's.
"""

import math
from typing import final

import numpy as np


def default_population(size: int) -> int:
    """lambda = 4 + floor(3 ln n)                                                                              (48)"""
    return 4 + math.floor(3 * math.log(size))


@final
class CMAParameters:
    """What follows from the number of parameters, the population, and whether the worse half teaches too.

    weights: (population,), of the individuals from best to worst: the first `parents` positive with sum 1, the rest
    negative, or 0 where not active. effective_parents: mu_eff. expected_length: E|N(0, I)|.
    decompose_every: generations, at least 1, between decompositions of a full matrix.
    separable: C is diagonal and learns (n + 2) / 3 times as fast: Ros & Hansen 2008, "A Simple Modification in CMA-ES
    Achieving Linear Time and Space Complexity", section 3.
    """

    def __init__(self, size: int, population: int, active: bool, separable: bool = False) -> None:
        n = size
        raw = math.log((population + 1) / 2) - np.log(np.arange(1, population + 1))  # w'                         (49)
        parents = population // 2  # mu
        positive, negative = raw[:parents], raw[parents:]
        effective = float(np.sum(positive) ** 2 / np.sum(np.square(positive)))  # mu_eff
        worst = np.sum(np.square(negative))
        effective_negative = float(np.sum(negative) ** 2 / worst) if worst > 0 else 0.0

        alpha = 2.0
        c_1 = alpha / ((n + 1.3) ** 2 + effective)  # (57)
        c_mu = alpha * (0.25 + effective + 1 / effective - 2) / ((n + 2) ** 2 + alpha * effective / 2)  # (58)
        if separable:
            c_1, c_mu = c_1 * (n + 2) / 3, c_mu * (n + 2) / 3
        c_1 = min(1.0, c_1)
        c_mu = min(1 - c_1, c_mu)

        weights = np.zeros(population)
        weights[:parents] = positive / np.sum(positive)  # (53)
        if active and c_mu > 0 and np.any(negative < 0):
            most = min(
                1 + c_1 / c_mu,  # (50)
                1 + 2 * effective_negative / (effective + 2),  # (51)
                (1 - c_1 - c_mu) / (n * c_mu),  # (52): C stays positive definite
            )
            below = np.minimum(negative, 0.0)
            weights[parents:] = most * below / np.sum(np.abs(below))

        self.weights = weights
        self.parents = parents
        self.effective_parents = effective
        self.c_sigma = (effective + 2) / (n + effective + 5)  # (55)
        self.d_sigma = 1 + 2 * max(0.0, math.sqrt((effective - 1) / (n + 1)) - 1) + self.c_sigma
        self.c_c = (4 + effective / n) / (n + 4 + 2 * effective / n)  # (56)
        self.c_1, self.c_mu = c_1, c_mu
        self.expected_length = math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n**2))
        self.decompose_every = max(1, math.floor(1 / (10 * n * (c_1 + c_mu))))
