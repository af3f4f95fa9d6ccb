"""Racing: stop evaluating individuals that cannot reach the elite.

Maron & Moore 1994, "Hoeffding Races: Accelerating Model Selection Search for Classification and Function
Approximation"; with policies: Heidrich-Meisner & Igel 2009, "Hoeffding and Bernstein Races for Selecting Policies in
Evolutionary Direct Policy Search". Their bounds need the range of returns and make no use of common random numbers.
Here all individuals run the same episodes, so two are compared by Student's paired test, as in Birattari, Stützle,
Paquete & Varrentrapp 2002, "A Racing Algorithm for Configuring Metaheuristics".
"""

import functools

import numpy as np

from evo.genomes.population import Population, Subpopulation
from evo.learners.parts import Parts
from evo.numerics.running_statistics import ObservationStatistics
from evo.problems.problem import Evaluation, Problem, add, fitness_of

LEVEL = 0.05  # of the test that drops an individual
_FIRST = 3  # episodes before an individual may be dropped: two differences hardly estimate a deviation
_GROWTH = 1.5  # of the episodes from one round to the next


def rounds(episodes: int) -> list[int]:
    """Return the number of episodes run after each round: 3, 5, 8, 12, … and finally all."""
    counts, count = [], _FIRST
    while count < episodes:
        counts.append(count)
        count = int(np.ceil(count * _GROWTH))
    return [*counts, episodes]


def outrun(returns: np.ndarray, decisive: int) -> np.ndarray:
    """Return which individuals are significantly behind the `decisive` best: bool (individuals,).

    returns: finite, (individuals, episodes). Every individual is compared with the last of the current best by
    Student's paired test.
    """
    count = returns.shape[1]
    if len(returns) <= decisive:
        return np.zeros(len(returns), bool)
    last = np.argsort(-fitness_of(returns), kind="stable")[decisive - 1]
    differences = returns - returns[last]
    mean = fitness_of(differences)
    deviation = np.sqrt(fitness_of(np.square(differences - mean[:, None])) * count / (count - 1))
    return mean + _quantile(count - 1) * deviation / np.sqrt(count) < 0


@functools.cache
def _quantile(degrees: int) -> float:
    """Return the one-sided quantile of Student's t at LEVEL."""
    from scipy import special  # takes a fifth of a second to load, and few runs race

    return float(special.stdtrit(degrees, 1 - LEVEL))


def evaluate_racing(
    problem: Problem | Parts,
    population: Population,
    seeds: np.ndarray,
    statistics: ObservationStatistics,
    decisive: int,
) -> Evaluation:
    """Evaluate like `problem.evaluate`, in rounds, each only for individuals that may still be among the best.

    The fitness of a dropped individual is its mean so far, or just below the least of those evaluated to the end.
    returns: NaN where an episode failed or was left out.
    """
    returns = np.full((len(population), len(seeds)), np.nan)
    failed = np.zeros(len(population), bool)
    running, done, parts = np.arange(len(population)), 0, []
    for count in rounds(len(seeds)):
        part = problem.evaluate(Subpopulation(population, running), seeds[done:count], statistics, collect=True)
        parts.append(part)
        returns[running, done:count], done = part.returns, count
        failed[running] = np.isnan(part.returns).any(axis=1)
        running = running[~failed[running]]
        if done < len(seeds):
            running = running[~outrun(returns[running, :done], decisive)]
        if not len(running):
            break
    fitness = np.full(len(population), np.nan)
    fitness[running] = fitness_of(returns[running])
    dropped = ~failed
    dropped[running] = False
    for individual in np.flatnonzero(dropped):
        lived = returns[individual][~np.isnan(returns[individual])]
        below = np.nextafter(fitness[running].min(), -np.inf) if len(running) else np.inf
        fitness[individual] = min(fitness_of(lived[None])[0], below)
    fitness[failed] = fitness[~failed].min() if not failed.all() else np.nan
    return add(parts, returns, fitness)
