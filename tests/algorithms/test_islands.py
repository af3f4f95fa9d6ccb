"""Islands: a ring of populations, what migrates and when, and that it is otherwise as if each were alone."""

import functools
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from evo.algorithms import AskTell
from evo.algorithms.genetic.differential_evolution import DifferentialEvolution
from evo.algorithms.genetic.ga import GA
from evo.algorithms.genetic.islands import Islands
from evo.numerics.randomness import generator

Floats = NDArray[np.float64]

SMALL = "ga:population_size=6,select='truncation:truncation=3',elites=1"


def sphere(population: Floats) -> Floats:
    fitness: Floats = -np.sum(np.square(population), axis=1)
    return fitness


def run(algorithm: AskTell[Any], generations: int) -> None:
    for _ in range(generations):
        algorithm.tell(sphere(algorithm.ask().dense()))


def test_between_migrations_each_island_is_alone() -> None:
    islands = Islands(np.ones(3), 5, islands=3, algorithm=SMALL, interval=4)
    seeds = [int(generator(5, "island", island).integers(2**62)) for island in range(3)]
    alone = [GA(np.ones(3), seed, population_size=6, select="truncation:truncation=3", elites=1) for seed in seeds]
    for _ in range(3):
        np.testing.assert_array_equal(islands.ask().dense(), np.concatenate([one.ask().dense() for one in alone]))
        run(islands, 1)
        for one in alone:
            run(one, 1)
    assert len({tuple(one.candidates()[0]) for one in alone}) == 3


@pytest.mark.parametrize("algorithm", [SMALL, "differential-evolution:population_size=6"])
def test_the_best_migrate_round_the_ring_all_at_once(algorithm: str) -> None:
    every, never = (Islands(np.ones(3), 5, islands=3, algorithm=algorithm, interval=i, migrants=2) for i in (4, 99))
    for islands in (every, never):
        run(islands, 4)
    before, after = never.state(), every.state()
    for island in range(3):
        source = (island - 1) % 3
        stayed, came = ([before[f"archipelago_{i}_{name}"] for name in NAMES] for i in (island, source))
        order = sorted(range(6), key=lambda i: -stayed[1][i])
        expected = [array.tolist() for array in stayed]
        for worst, fittest in zip(order[::-1], sorted(range(6), key=lambda i: -came[1][i])[:2], strict=False):
            for array, arriving in zip(expected, came, strict=True):
                array[worst] = arriving[fittest].tolist()
        for name, array in zip(NAMES, expected, strict=True):
            np.testing.assert_array_equal(after[f"archipelago_{island}_{name}"], array)


NAMES = ["individuals", "fitness"]


def test_migrants_bring_their_age_and_sigma() -> None:
    algorithm = "ga:population_size=6,select='uniform',mutate='self-adaptive',replace='plus',elites=0"
    islands = Islands(np.ones(3), 1, islands=2, algorithm=algorithm, interval=5, migrants=6)
    run(islands, 4)
    apart = [island.state() for island in islands.archipelago.islands]
    run(islands, 1)
    alone = GA(np.ones(3), 0, population_size=6, select="uniform", mutate="self-adaptive", replace="plus", elites=0)
    alone.seed = int(generator(1, "island", 0).integers(2**62))
    alone.restore(apart[0])
    run(alone, 1)
    # with as many migrants as individuals the second island has become the first
    moved, order = islands.archipelago.islands[1].state(), np.argsort(-alone.fitness, kind="stable")
    places = np.argsort(-moved["fitness"], kind="stable")
    for name in ("individuals", "fitness", "ages", "sigmas"):
        np.testing.assert_array_equal(moved[name][places], alone.state()[name][order])
    assert len(np.unique(alone.sigmas)) > 1


def test_its_candidates_are_the_best_of_each_island() -> None:
    islands = Islands(np.ones(3), 0, islands=4, algorithm=SMALL)
    run(islands, 7)
    candidates = islands.candidates()
    assert candidates.shape == (4, 3)
    fitness = sphere(candidates)
    assert (np.diff(fitness) <= 0).all()
    assert set(fitness) == {island.fitness.max() for island in islands.archipelago.islands}


def test_distances_tell_islands_apart() -> None:
    islands = Islands(np.zeros(2), 0, islands=2, algorithm=SMALL)
    rows = islands.ask().dense()
    run(islands, 1)
    told = islands.diagnostics()
    assert told["diversity"] == pytest.approx(np.sqrt(np.mean(np.sum((rows - rows.mean(axis=0)) ** 2, axis=1))))
    squares = [np.sum((part - part.mean(axis=0)) ** 2, axis=1) for part in (rows[:6], rows[6:])]
    assert told["diversity_within"] == pytest.approx(np.sqrt(np.mean(squares)))


def test_islands_are_of_any_constructor_that_keeps_individuals() -> None:
    evolved = Islands(np.ones(4), 0, algorithm=functools.partial(DifferentialEvolution, population_size=10), interval=3)
    run(evolved, 80)
    assert sphere(evolved.candidates()[:1])[0] > -1e-4


def test_the_groups_of_parameters_reach_the_islands() -> None:
    algorithm = "ga:population_size=8,select='uniform',cross='neuron',mutate='gaussian:sigma=0',elites=0"
    islands = Islands(np.zeros(4), 0, np.array([0, 0, 1, 1]), islands=2, algorithm=algorithm, interval=9)
    rows = islands.ask().dense()[:8]
    run(islands, 1)
    children = islands.ask().dense()[:8]
    mothers = (children[:, np.newaxis] == rows).argmax(axis=1)
    assert (mothers[:, 0] == mothers[:, 1]).all()
    assert (mothers[:, 2] == mothers[:, 3]).all()
    assert (mothers[:, 0] != mothers[:, 2]).any()


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"algorithm": "ars"}, "algorithm: ARS keeps no individuals; one of crowding, differential-evolution, ga"),
        ({"algorithm": "gaa"}, "algorithm: unknown operator 'gaa'; did you mean 'ga'?"),
        (
            {"algorithm": "ga:populations=9"},
            "algorithm: ga has no option 'populations'; did you mean 'population_size'?",
        ),
        (
            {"algorithm": "ga:population_size=8,select='truncation:truncation=16'"},
            "algorithm: select: truncation=16: must be a whole number in [1, 8]",
        ),
        ({"algorithm": SMALL, "migrants": 7}, "migrants=7: must be a whole number in [1, 6]"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(chosen: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as error:
        Islands(np.zeros(3), 0, **chosen)
    assert str(error.value) == message
