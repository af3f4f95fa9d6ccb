"""Safe mutation (Lehman et al. 2018): steps scaled by the sensitivity of the outputs to each parameter.

Lehman, Chen, Clune & Stanley 2018, "Safe Mutations for Deep and Recurrent Neural Networks through Output Gradients".
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from evo.numerics.validation import number_between, positive_number
from evo.operators.genomes import check_real

_Floats = NDArray[np.float64]


def safe_mutation(
    random: np.random.Generator,
    population: _Floats,
    *,
    sensitivity: Callable[[_Floats], _Floats],
    sigma: float = 0.02,
    least: float = 0.01,
) -> _Floats:
    """Move genes by N(0, deviation²) divided by their sensitivity, (individuals, genes): SM-G of Lehman 2018.

    sensitivity: given genomes, (individuals, genes), returns how strongly each gene affects the outputs; used as
    `least` > 0 where it is less, so that a gene without any effect yet does not run away.
    """
    check_real(population)
    moves = number_between("sigma", sigma, 0) * random.standard_normal(population.shape)
    sensitivities = sensitivity(population)
    if sensitivities.shape != population.shape or not (sensitivities >= 0).all():
        raise ValueError(f"sensitivity gave shape {sensitivities.shape}: must be {population.shape}, and all >= 0")
    return population + moves / np.maximum(sensitivities, positive_number("least", least))
