"""Hypervolume: what a front dominates above a reference point, exact, by moocore.

Zitzler & Thiele 1998, "Multiobjective Optimization Using Evolutionary Algorithms: A Comparative Case Study". Objectives
are (individuals, objectives), each maximised; those not above the reference in every objective count for nothing.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def hypervolume(objectives: Floats, reference: Floats) -> float:
    """Return the volume between the front and the reference, (objectives,)."""
    above = objectives[(objectives > reference).all(axis=1)]
    if not len(above):
        return 0.0
    import moocore  # takes half a second

    return float(moocore.hypervolume(above, ref=reference, maximise=True))


def contributions(objectives: Floats, reference: Floats) -> Floats:
    """Return the volume that only this individual adds, (individuals,), of individuals that do not dominate another."""
    import moocore

    return np.asarray(moocore.hv_contributions(objectives, ref=reference, maximise=True), np.float64)
