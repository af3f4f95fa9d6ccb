"""Deterministic crowding: its plain twin, and the peaks that it keeps and a plain genetic algorithm loses."""

import numpy as np
import pytest
from numpy.typing import NDArray

from evo.algorithms.genetic.crowding import Crowding
from evo.algorithms.genetic.ga import GA
from evo.numerics.randomness import generator

Floats = NDArray[np.float64]


def hamming(first: list[int], second: list[int]) -> int:
    return sum(one != other for one, other in zip(first, second, strict=True))


def test_it_equals_mahfouds_loop() -> None:
    N, n, seed = 8, 7, 3
    algorithm = Crowding(
        np.zeros(n), seed, population_size=N, genome="binary", cross="one-point", mutate="bit-flip", elites=1
    )
    P = (algorithm.ask().dense() > 0).astype(int).tolist()
    F = generator(seed, "fitness", 0).standard_normal(N).tolist()
    algorithm.tell(np.array(F))
    for generation in range(1, 9):
        order = generator(seed, "selection", generation).permutation(N).tolist()
        cuts = generator(seed, "crossover", generation).integers(1, n, size=(N // 2, 1))[:, 0].tolist()
        flips = (generator(seed, "mutation", generation).random((N, n)) < 1 / n).tolist()
        children = []
        for pair in range(N // 2):
            p1, p2 = P[order[2 * pair]], P[order[2 * pair + 1]]
            children += [p1[: cuts[pair]] + p2[cuts[pair] :], p2[: cuts[pair]] + p1[cuts[pair] :]]
        children = [[gene ^ flips[i][g] for g, gene in enumerate(child)] for i, child in enumerate(children)]
        elite = max(range(N), key=lambda i: F[i])
        np.testing.assert_array_equal(algorithm.ask().dense(), [P[elite], *children])

        told = generator(seed, "fitness", generation).standard_normal(1 + N).tolist()
        algorithm.tell(np.array(told))
        F[elite], scores = told[0], told[1:]
        for pair in range(N // 2):
            (i, j), (c, d) = order[2 * pair : 2 * pair + 2], (2 * pair, 2 * pair + 1)
            straight = hamming(P[i], children[c]) + hamming(P[j], children[d])
            crossed = hamming(P[i], children[d]) + hamming(P[j], children[c])
            contests = [(i, c), (j, d)] if straight <= crossed else [(i, d), (j, c)]
            for parent, child in contests:
                if scores[child] > F[parent]:
                    P[parent], F[parent] = children[child], scores[child]
        P, F = [P[i] for i in order], [F[i] for i in order]
        np.testing.assert_array_equal(algorithm.state()["individuals"], P)
        np.testing.assert_array_equal(algorithm.state()["fitness"], F)


def peaks(population: Floats) -> Floats:
    """Five equal peaks on a line, at -4, -2, 0, 2 and 4."""
    fitness: Floats = np.exp(-8 * np.square(population[:, 0] - np.clip(2 * np.round(population[:, 0] / 2), -4, 4)))
    return fitness


@pytest.mark.parametrize(("niching", "kept"), [(True, 5), (False, 1)])
def test_it_keeps_every_peak_and_a_plain_genetic_algorithm_one(niching: bool, kept: int) -> None:
    chosen = {"cross": "none", "mutate": "gaussian:sigma=0.1", "genome": "real:spread=3"}
    made = Crowding if niching else GA
    algorithm = made(np.zeros(1), 0, population_size=50, **chosen)
    for _ in range(150):
        algorithm.tell(peaks(algorithm.ask().dense()))
    living = algorithm.state()["individuals"][:, 0]
    assert sum((np.abs(living - peak) < 0.3).any() for peak in (-4, -2, 0, 2, 4)) == kept


def test_scored_anew_a_lucky_parent_gives_way() -> None:
    def stays(elites: int) -> bool:
        algorithm = Crowding(np.zeros(3), 0, population_size=6, elites=elites)
        lucky = algorithm.ask().dense()[4]
        algorithm.tell(np.array([0.0, 0.0, 0.0, 0.0, 99.0, 0.0]))
        for _ in range(5):
            algorithm.ask()
            algorithm.tell(np.concatenate([np.zeros(elites), np.ones(6)]))
        return bool((algorithm.state()["individuals"] == lucky).all(axis=1).any())

    assert stays(0) and not stays(1)
