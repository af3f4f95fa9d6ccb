"""Replacement: `f(fitness, children_fitness, ages, *, options)` chooses the survivors, (individuals,).

The result is indices into the old population followed by the children: i is the old individual i, individuals + j the
child j. `fitness` and `ages` (in generations) are the old population's, (individuals,), `children_fitness` is
(children,). Every rule is given all three and uses those it needs; the population size is constant. Fitness is
maximised. Too few or too many children for a rule, or a bad option, is a ValueError of one line.

To track ages, continue with `numpy.concatenate([ages + 1, numpy.zeros(children, int)])[result]`.
"""

import numpy as np
from numpy.typing import NDArray

from evo.numerics.validation import whole_number
from evo.operators.selection import best

Floats = NDArray[np.float64]
Ages = NDArray[np.int64]
Indices = NDArray[np.intp]


def generational_replacement(fitness: Floats, children_fitness: Floats, ages: Ages) -> Indices:
    """Replace the population by its children, as many as individuals, in order.

    Holland 1975, "Adaptation in Natural and Artificial Systems".
    """
    if len(children_fitness) != len(fitness):
        raise ValueError(f"{len(children_fitness)} children: must be {len(fitness)} to replace a whole population")
    return len(fitness) + np.arange(len(fitness))


def elitist_replacement(fitness: Floats, children_fitness: Floats, ages: Ages, *, elites: int = 2) -> Indices:
    """Keep the `elites` fittest old individuals and fill the other places with the fittest children, each best first.

    `elites` is in [0, individuals]; there must be enough children for the other places. De Jong 1975, "An Analysis of
    the Behavior of a Class of Genetic Adaptive Systems", plan R2.
    """
    whole_number("elites", elites, 0, len(fitness))
    _check_children(children_fitness, len(fitness) - elites)
    children = len(fitness) + best(children_fitness, len(fitness) - elites)
    return np.concatenate([best(fitness, elites), children])


def plus_replacement(fitness: Floats, children_fitness: Floats, ages: Ages) -> Indices:
    """(mu + lambda): keep the fittest of old individuals and children together, best first.

    Of equals a child comes before an old individual, so that search drifts over plateaus. Beyer & Schwefel 2002,
    "Evolution strategies: A comprehensive introduction".
    """
    individuals, children = len(fitness), len(children_fitness)
    fittest = best(np.concatenate([children_fitness, fitness]), individuals)  # ties by index: children first
    return (fittest + individuals) % (individuals + children)  # the result's indices have children after the old


def comma_replacement(fitness: Floats, children_fitness: Floats, ages: Ages) -> Indices:
    """(mu, lambda): keep only the fittest children, best first; there must be at least as many as individuals.

    Beyer & Schwefel 2002, "Evolution strategies: A comprehensive introduction".
    """
    _check_children(children_fitness, len(fitness))
    return len(fitness) + best(children_fitness, len(fitness))


def steady_state_replacement(fitness: Floats, children_fitness: Floats, ages: Ages) -> Indices:
    """Replace the worst individuals by fitter children: the best child takes the place of the worst, and so on.

    All others keep their places. The survivors are those of `plus_replacement`, except that of equals the old ones
    survive. Whitley 1989, "The GENITOR Algorithm and Selection Pressure", which makes one child at a time.
    """
    individuals = len(fitness)
    children = best(children_fitness, individuals)
    worst = best(fitness, individuals)[::-1][: len(children)]
    is_fitter = children_fitness[children] > fitness[worst]
    survivors = np.arange(individuals)
    survivors[worst[is_fitter]] = individuals + children[is_fitter]
    return survivors


def aging_replacement(fitness: Floats, children_fitness: Floats, ages: Ages) -> Indices:
    """Replace the oldest individuals, however fit, by all children, at most as many as individuals.

    Of equal age the first are replaced. The others stay in order and the children follow, so that a population is a
    queue. Real, Aggarwal, Huang & Le 2019, "Regularized Evolution for Image Classifier Architecture Search", Algorithm
    1.
    """
    individuals, children = len(fitness), len(children_fitness)
    if ages.shape != (individuals,):
        raise ValueError(f"ages of shape {ages.shape}: must be ({individuals},), one an individual")
    if children > individuals:
        raise ValueError(f"{children} children: must be at most {individuals}, as all of them live")
    oldest_first = np.argsort(-ages, kind="stable")
    return np.concatenate([np.sort(oldest_first[children:]), individuals + np.arange(children)])


def _check_children(children_fitness: Floats, least: int) -> None:
    if len(children_fitness) < least:
        raise ValueError(f"{len(children_fitness)} children: must be at least {least}, as this rule keeps no more old")
