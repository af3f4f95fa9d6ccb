"""Lexicase selection: parents chosen by single cases in random order, instead of by their sum.

As in `evo.operators.selection`, but with `cases`, (individuals, cases), in place of the fitness: each individual's
score on each case (an episode's seed, a terrain, an example), finite and maximised; booleans count as 0 and 1.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evo.envs.engine.compile import njit

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


def lexicase_selection(random: np.random.Generator, cases: NDArray[Any], count: int) -> Indices:
    """Select each parent by cases in a new random order, each keeping only the best of those left; ties are drawn.

    Indices, (count,). Spector 2012, "Assessment of Problem Modality by Differential Performance of Lexicase Selection
    in Genetic Programming"; Helmuth, Spector & Matheson 2015, "Solving Uncompromising Problems with Lexicase
    Selection".
    """
    cases = _check(cases)
    return _select(random, cases, count, np.zeros(cases.shape[1]))


def epsilon_lexicase_selection(random: np.random.Generator, cases: NDArray[Any], count: int) -> Indices:
    """Select by lexicase where a case also keeps those within epsilon of its best, as continuous scores need.

    Epsilon is the case's median absolute deviation over the population. This is the semi-dynamic variant: the best is
    that of those left, epsilon that of all. Indices, (count,). La Cava, Spector & Danai 2016, "Epsilon-Lexicase
    Selection for Regression"; the variants are named in La Cava, Helmuth, Spector & Moore 2019, "A Probabilistic and
    Multi-Objective Analysis of Lexicase Selection and ε-Lexicase Selection".
    """
    cases = _check(cases)
    return _select(random, cases, count, np.median(np.abs(cases - np.median(cases, axis=0)), axis=0))


def _select(random: np.random.Generator, cases: Floats, count: int, epsilon: Floats) -> Indices:
    orders = random.permuted(np.tile(np.arange(len(epsilon)), (count, 1)), axis=1)  # (count, cases)
    return _survivors_of_all(cases, orders, random.random(count), epsilon)


def _check(cases: NDArray[Any]) -> Floats:
    if cases.ndim != 2 or cases.size == 0 or not np.isfinite(cases).all():
        raise ValueError(f"cases of shape {cases.shape}: must be finite and (individuals, cases), one at least of each")
    return np.ascontiguousarray(cases, dtype=np.float64)  # in one memory layout, so that the kernel compiles once


@njit(cache=True)
def _survivors_of_all(cases: Any, orders: Any, ties: Any, epsilon: Any) -> Any:
    """Return one individual for each order, (count,); ties: (count,) in [0, 1), choose among those left at the end."""
    chosen = np.empty(len(orders), dtype=np.intp)
    pool = np.empty(len(cases), dtype=np.intp)
    for parent in range(len(orders)):
        size = len(cases)
        for individual in range(size):
            pool[individual] = individual
        for case in orders[parent]:
            best = -math.inf
            for place in range(size):
                best = max(best, cases[pool[place], case])
            kept = 0
            for place in range(size):
                if cases[pool[place], case] >= best - epsilon[case]:
                    pool[kept] = pool[place]
                    kept += 1
            size = kept
            if size == 1:
                break
        chosen[parent] = pool[int(ties[parent] * size)]
    return chosen
