"""Parent selection: `f(random, fitness, count, *, options)` returns the indices of `count` parents, (count,).

`fitness` is (individuals,), finite and maximised. Parents are drawn with replacement, and as indices, so selection
works for genomes of any kind. A fitness or an option that is out of range is a ValueError of one line.
"""

import numpy as np
from numpy.typing import NDArray

from evo.numerics.validation import number_between, positive_number, whole_number
from evo.operators.ranking import centred_ranks

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


def best(fitness: Floats, count: int) -> Indices:
    """Return indices of the `count` fittest, best first, (count,); equal fitness in order of index."""
    return np.argsort(-fitness, kind="stable")[:count]


def rescore(fitness: Floats, again: int, told: Floats) -> tuple[Floats, Floats]:
    """Return the survivors' fitness, with new scores for the `again` fittest of them, and the newcomers' fitness.

    told: the fitness of the evaluated population: the `again` fittest survivors, best first, then the newcomers. Under
    noise an individual that is never evaluated again would survive for ever after one lucky score.
    """
    known = fitness.copy()
    known[best(fitness, again)] = told[:again]
    return known, told[again:]


def uniform_selection(random: np.random.Generator, fitness: Floats, count: int) -> Indices:
    """Draw parents uniformly, whatever their fitness, as evolution strategies do: survival is their selection.

    Beyer & Schwefel 2002, "Evolution strategies: A comprehensive introduction".
    """
    _check(fitness)
    return random.integers(len(fitness), size=count)


def truncation_selection(
    random: np.random.Generator, fitness: Floats, count: int, *, truncation: int | None = None
) -> Indices:
    """Draw uniformly from the `truncation` fittest, in [1, individuals]; None: an eighth of them, rounded down.

    Mühlenbein & Schlierkamp-Voosen 1993, "Predictive Models for the Breeder Genetic Algorithm".
    """
    _check(fitness)
    fittest = resolve_truncation(truncation, len(fitness))
    return best(fitness, fittest)[random.integers(fittest, size=count)]


def resolve_truncation(truncation: int | None, individuals: int) -> int:
    """Return the number of individuals that `truncation_selection` draws from."""
    return max(1, individuals // 8) if truncation is None else whole_number("truncation", truncation, 1, individuals)


def tournament_selection(random: np.random.Generator, fitness: Floats, count: int, *, size: int = 2) -> Indices:
    """Choose the fittest of `size` >= 1 contestants, drawn uniformly with replacement; of equals the first drawn wins.

    With all fitness different, the individual at rank k (0: the best) of n is drawn with probability ((n - k)^size - (n
    - k - 1)^size) / n^size. Goldberg & Deb 1991, "A Comparative Analysis of Selection Schemes Used in Genetic
    Algorithms", section 4.
    """
    _check(fitness)
    contestants = random.integers(len(fitness), size=(count, whole_number("size", size, 1)))
    winners = np.argmax(fitness[contestants], axis=1)  # the first of the greatest
    return contestants[np.arange(count), winners]


def windowed_fitness(fitness: Floats) -> Floats:
    """Return fitness less the minimum, (individuals,): never negative, the least 0; all ones where all are equal.

    Proportional selection needs it for a fitness of any sign ("windowing" over one generation: Grefenstette 1986,
    "Optimization of Control Parameters for Genetic Algorithms"). Raises ValueError where the range overflows.
    """
    _check(fitness)
    with np.errstate(over="ignore"):
        windowed = fitness - fitness.min()
    greatest = windowed.max()
    if greatest == np.inf:
        raise ValueError("fitness: its greatest less its least must be a finite number")
    return windowed if greatest > 0 else np.ones(len(fitness))


def roulette_selection(random: np.random.Generator, fitness: Floats, count: int) -> Indices:
    """Draw in proportion to the windowed fitness: the least fit never, uniformly where all fitness is equal.

    Windowing makes the chances independent of a constant added to the fitness, which may be negative. Holland 1975,
    "Adaptation in Natural and Artificial Systems"; Goldberg 1989, "Genetic Algorithms in Search", chapter 1.
    """
    return _drawn(random, windowed_fitness(fitness), count)


def stochastic_universal_sampling(random: np.random.Generator, fitness: Floats, count: int) -> Indices:
    """Draw with `count` evenly spaced pointers on roulette's wheel, spun once: each one's share, rounded down or up.

    The weights are those of `roulette_selection`; the parents come in random order, so that neighbours are random
    pairs. Baker 1987, "Reducing Bias and Inefficiency in the Selection Algorithm".
    """
    wheel = _wheel(windowed_fitness(fitness))
    pointers = wheel[-1] * ((random.random() + np.arange(count)) / count)
    # The last pointer may be rounded up to the end of the wheel, which is past the last individual.
    return random.permuted(np.searchsorted(wheel, np.minimum(pointers, np.nextafter(wheel[-1], 0.0)), side="right"))


def rank_selection(random: np.random.Generator, fitness: Floats, count: int, *, pressure: float = 1.5) -> Indices:
    """Draw with chances linear in the rank; individuals of equal fitness share their average rank.

    The best is drawn `pressure` times as often as the average, in [1, 2], the worst 2 - pressure times. Baker 1985,
    "Adaptive Selection Methods for Genetic Algorithms", where pressure is MAX.
    """
    _check(fitness)
    pressure = number_between("pressure", pressure, 1, 2)
    return _drawn(random, 1 + 2 * (pressure - 1) * centred_ranks(fitness), count)


def boltzmann_selection(
    random: np.random.Generator, fitness: Floats, count: int, *, temperature: float = 1.0
) -> Indices:
    """Draw in proportion to exp(fitness / temperature), temperature > 0 in units of fitness.

    De la Maza & Tidor 1993, "An Analysis of Selection Procedures with Particular Attention Paid to Proportional and
    Boltzmann Selection".
    """
    _check(fitness)
    positive_number("temperature", temperature)
    with np.errstate(over="ignore", under="ignore"):  # beyond the range of floats the chance is 0
        weights = np.exp((fitness - fitness.max()) / temperature)  # the greatest is 1: nothing overflows
    return _drawn(random, weights, count)


def _check(fitness: Floats) -> None:
    if fitness.size == 0 or not np.isfinite(fitness).all():
        raise ValueError("fitness: must be finite, of at least one individual")


def _wheel(weights: Floats) -> Floats:
    """Return the running sum of the weights, (individuals,), scaled to a greatest weight of 1 against overflow."""
    return np.cumsum(weights / weights.max())


def _drawn(random: np.random.Generator, weights: Floats, count: int) -> Indices:
    """Draw `count` indices in proportion to the weights >= 0, at least one of which is positive."""
    wheel = _wheel(weights)
    # The first whose running sum exceeds the pointer, so never one of weight 0.
    return np.searchsorted(wheel, wheel[-1] * random.random(count), side="right")
