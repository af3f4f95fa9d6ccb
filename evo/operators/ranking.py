"""Fitness shaping by ranks.

Salimans, Ho, Chen, Sidor & Sutskever 2017, "Evolution Strategies as a Scalable Alternative to Reinforcement Learning",
section 2: outliers lose their influence, and any monotone transform of the fitness leaves the search unchanged.
"""

import numpy as np
from numpy.typing import NDArray


def centred_ranks(fitness: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks spread evenly over [-0.5, 0.5], the best at 0.5: (individuals,) -> (individuals,).

    Equal fitness gets the average of its ranks, so equal fitness has equal weight and the ranks sum to zero.
    """
    individuals = len(fitness)
    if individuals < 2:
        return np.zeros(individuals)
    _, group, counts = np.unique(fitness, return_inverse=True, return_counts=True)
    average_rank = np.cumsum(counts) - (counts + 1) / 2  # (groups,), from 0 to individuals - 1
    # Centred before dividing: half-integers are exact, so opposite ranks have exactly opposite weights.
    return (average_rank[group] - (individuals - 1) / 2) / (individuals - 1)


def utilities(individuals: int) -> NDArray[np.float64]:
    """Return rank-based utilities, best to worst, (individuals,), with sum 0: all of the worse half have the same.

    Hansen & Ostermeier's weights as Wierstra et al. 2014, "Natural Evolution Strategies", section 3.1, shape fitness.
    """
    raw = np.maximum(0.0, np.log(individuals / 2 + 1) - np.log(np.arange(1, individuals + 1)))
    shaped: NDArray[np.float64] = raw / np.sum(raw) - 1 / individuals
    return shaped
