"""The gradient that antithetic pairs estimate from ranks.

Salimans, Ho, Chen, Sidor & Sutskever 2017, "Evolution Strategies as a Scalable Alternative to Reinforcement Learning",
Algorithm 1, line 5. The factor 1 / sigma is left out, as in the authors' code.
"""

import numpy as np
from numpy.typing import NDArray

from evo.genomes.noise import Noise, weighted_sum
from evo.operators.ranking import centred_ranks


def ranked_gradient(fitness: NDArray[np.float64], noise: Noise | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 / n sum F_i epsilon_i, (parameters,), F_i being the centred ranks of the fitness.

    fitness (2 pairs,): a pair's individuals side by side. noise: epsilon, (pairs, parameters), of the first of each.
    """
    shaped = centred_ranks(fitness)
    weights = shaped[0::2] - shaped[1::2]  # a mirrored pair shares one epsilon, with opposite signs
    return weighted_sum(weights, noise) / len(fitness)
