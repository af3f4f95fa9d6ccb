"""MAP-Elites: it fills a map, its variation is the papers', and what cannot be a map is told in one line."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from evo.algorithms.quality_diversity.map_elites import MAPElites
from evo.errors import EvoError
from evo.numerics.randomness import generator
from evo.problems.measured_functions import MEASURED_FUNCTIONS

Floats = NDArray[np.float64]


def fill(algorithm: MAPElites, name: str, generations: int) -> dict[str, float]:
    function = MEASURED_FUNCTIONS[name]
    for _ in range(generations):
        rows = algorithm.ask().dense()
        algorithm.tell(function.fitness(rows), measures=function.measure(rows))
    return algorithm.diagnostics()


def make(name: str, size: int, **options: Any) -> MAPElites:
    ranges = ",".join(f"{low}:{high}" for low, high in MEASURED_FUNCTIONS[name].ranges(size))
    return MAPElites(np.zeros(size), 0, ranges=ranges, **options)


def test_children_are_those_of_iso_and_line() -> None:
    algorithm = MAPElites(np.zeros(3), 4, ranges="-1:1,-1:1", archive="grid:4", population_size=5)
    first = algorithm.ask().dense()
    algorithm.tell(-np.arange(5.0), measures=first[:, :2])
    elites = algorithm.archive.pool.rows[algorithm.archive.elites()]
    chosen = generator(4, "selection", 1).integers(len(elites), size=(2, 5))
    along = generator(4, "crossover", 1).standard_normal((5, 1))
    noise = generator(4, "mutation", 1).standard_normal((5, 3))
    for child in range(5):
        one, other = elites[chosen[0, child]], elites[chosen[1, child]]
        expected = one + 0.2 * along[child] * (other - one) + 0.01 * noise[child]
        np.testing.assert_allclose(algorithm.ask().dense()[child], expected, rtol=1e-14)


@pytest.mark.parametrize("archive", ["cvt:200", "grid:14"])
def test_a_map_of_the_arm_is_filled_with_even_postures(archive: str) -> None:
    """The disc of reach 1 covers 79 % of the square of measures; a stretched or a curled arm is perfectly even."""
    algorithm = make("arm-repertoire", 8, archive=archive, mutate="gaussian:sigma=0.05")
    found = fill(algorithm, "arm-repertoire", 300)
    assert 0.70 < found["coverage"] < 0.90
    assert found["archive_best"] > 95  # as even as its mutations are large
    assert found["qd_score"] / found["elites"] > 75


def test_it_keeps_of_every_cell_the_fittest_that_it_met() -> None:
    algorithm, function = make("projected-sphere", 6, archive="grid:8"), MEASURED_FUNCTIONS["projected-sphere"]
    met: dict[int, float] = {}
    for _ in range(50):
        rows = algorithm.ask().dense()
        fitness, measures = function.fitness(rows), function.measure(rows)
        for cell, value in zip(algorithm.archive.locate(measures).tolist(), fitness.tolist(), strict=True):
            met[cell] = max(met.get(cell, -np.inf), value)
        algorithm.tell(fitness, measures=measures)
    assert met == {cell: algorithm.archive.fitness[cell] for cell in algorithm.archive.elites().tolist()}
    best = algorithm.candidates()
    assert function.fitness(best)[0] == max(met.values()) and len(best) == 3


@pytest.mark.parametrize("genome", ["binary", "integer(low=0, high=5)", "permutation"])
def test_genomes_of_any_kind_have_maps(genome: str) -> None:
    initial = np.arange(6.0) if genome == "permutation" else np.zeros(6)
    operators = {"binary": ("uniform", "bit-flip"), "permutation": ("order", "swap")}
    cross, mutate = operators.get(genome, ("uniform", "uniform-reset"))
    algorithm = MAPElites(initial, 0, ranges="0:5,0:5", archive="grid:6", genome=genome, cross=cross, mutate=mutate)
    for _ in range(20):
        rows = algorithm.ask().dense()
        algorithm.tell(rows @ np.arange(6.0), measures=rows[:, :2])
    assert algorithm.variation.kind.keeps(algorithm.archive.pool.rows[algorithm.archive.elites()].astype(np.int64)) or (
        genome == "binary"
    )
    assert len(algorithm.archive) > 3


def test_the_failed_are_in_no_cell() -> None:
    algorithm = MAPElites(np.zeros(3), 0, ranges="-1:1,-1:1", archive="grid:4", population_size=4)
    algorithm.ask()
    algorithm.tell(np.zeros(4), measures=np.full((4, 2), np.nan))
    assert len(algorithm.archive) == 0 and np.array_equal(algorithm.candidates(), np.zeros((1, 3)))
    before = algorithm.ask().dense()
    algorithm.tell(np.zeros(4), measures=np.array([[0.0, 0.0], [np.nan, np.nan], [0.9, 0.9], [0.9, -0.9]]))
    assert len(algorithm.archive) == 3
    assert not (algorithm.archive.pool.rows[algorithm.archive.elites()] == before[1]).all(axis=1).any()


KNOWN = [("x", -1.0, 1.0), ("y", -2.0, 2.0), ("left_foot", 0.0, 1.0), ("right_foot", 0.0, 1.0), ("odd", np.nan, np.nan)]


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, ("left_foot", "right_foot")),
        ({"measures": "y,x"}, ("y", "x")),
        ({"measures": "feet, y"}, ("left_foot", "right_foot", "y")),
        ({"measures": "odd", "ranges": "0:3"}, ("odd",)),
    ],
)
def test_measures_are_chosen_by_name(options: dict[str, str], names: tuple[str, ...]) -> None:
    algorithm = MAPElites(np.zeros(3), 0, measured=KNOWN, archive="cvt:16", population_size=3, **options)
    assert algorithm.measured.names == names
    told = np.arange(15.0).reshape(3, 5)
    expected = told[:, [[name for name, _, _ in KNOWN].index(name) for name in names]]
    np.testing.assert_array_equal(algorithm.measured.choose(told), expected)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"measures": "z"}, "measures='z': must be names of measures, and 'z' is none"),
        ({"measures": "left_fot"}, "did you mean 'left_foot'"),
        ({"measures": "x,x"}, "measures='x,x': must be different ones"),
        ({"measures": "x,odd"}, "ranges='': must be given, as nobody knows that of odd"),
        ({"measures": "x", "ranges": "0:1,0:1"}, "ranges='0:1,0:1': must be 1 ranges, one for each of x"),
        ({"ranges": "1:0,0:1"}, "ranges='1:0,0:1': must be low:high"),
        ({"ranges": "a"}, "ranges='a': must be low:high"),
        ({"measured": []}, "ranges='': must be given, as this task names no measures"),
        ({"measured": [], "measures": "x"}, "measures='x': must be empty"),
        ({"mutate": "self-adaptive"}, "mutate='self-adaptive': must be a mutation without"),
        ({"archive": "cvt:10000000"}, "archive='cvt:10000000': must be at most 100,000 centroids"),
        ({"measured": [("x", 1.0, -1.0), ("y", 0.0, 1.0)]}, "ranges='': must be given, as nobody knows that of x"),
        ({"resampled": 64}, "resampled=64: must be"),
        ({"archive": "grid:3x3x3"}, "archive='grid:3x3x3': must be one size, or one for each of 2"),
    ],
)
def test_what_spans_no_map_is_refused_in_one_line(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError) as error:
        MAPElites(np.zeros(3), 0, **{"measured": KNOWN, **options})
    assert said in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("measures", "said"),
    [
        (lambda rows: np.stack([rows[:, 0], np.full(len(rows), 0.5)], axis=1), "measure 1 was 0.5 of every individual"),
        (lambda rows: rows[:, :2] + [0, 50], "measure 1 was between .* all outside its range -1:1"),
        (lambda rows: rows[:, :3], "an individual has 3 measures, and the archive was made for 2"),
    ],
    ids=["constant", "out of range", "too many"],
)
def test_measures_that_make_no_map_end_the_search(measures: Any, said: str) -> None:
    algorithm = MAPElites(np.zeros(3), 0, ranges="-1:1,-1:1", archive="grid:4", population_size=8)

    def search() -> None:
        for _ in range(10):
            rows = algorithm.ask().dense()
            algorithm.tell(np.zeros(8), measures=measures(rows))

    with pytest.raises(EvoError, match=said):
        search()


def test_an_archive_too_large_for_memory_is_told_beforehand() -> None:
    from evo.algorithms.algorithm import build_algorithm

    with pytest.raises(EvoError, match=r"MAPElites on 100,000 parameters.*that needs .* of memory"):
        build_algorithm(MAPElites, np.zeros(100_000), 0, {}, archive="cvt:100000", ranges="0:1,0:1")


def test_a_grid_of_many_measures_too_large_for_memory_is_told_beforehand() -> None:
    with pytest.raises(EvoError, match=r"an archive of 6,250,000 cells on 100,000 parameters: .* take fewer cells"):
        MAPElites(np.zeros(100_000), 0, archive="grid:50", ranges="0:1,0:1,0:1,0:1")


def noisy(rows: Floats, generation: int) -> tuple[Floats, Floats]:
    random = generator(generation, "noise")
    return random.normal(size=len(rows)) - np.square(rows[:, 2:]).sum(axis=1), rows[:, :2] + random.normal(
        0, 0.05, (len(rows), 2)
    )


def search(algorithm: MAPElites, first: int, last: int) -> MAPElites:
    for generation in range(first, last):
        fitness, measures = noisy(algorithm.ask().dense(), generation)
        algorithm.tell(fitness, measures=measures)
    return algorithm


def make_noisy(resampled: int) -> MAPElites:
    options = {"population_size": 40, "mutate": "gaussian:sigma=0.1", "ranges": "-1:1,-1:1", "archive": "grid:6"}
    return MAPElites(np.full(4, 0.5), 1, resampled=resampled, **options)  # type: ignore[arg-type]


def test_elites_that_are_evaluated_again_have_the_means_of_all_their_evaluations() -> None:
    algorithm, told = make_noisy(10), dict[bytes, list[tuple[float, Floats]]]()
    for generation in range(40):
        rows = algorithm.ask().dense()
        fitness, measures = noisy(rows, generation)
        before = {row.tobytes() for row in algorithm.archive.pool.population(algorithm.archive.elites()).dense()}
        for row, value, measure in zip(rows, fitness, measures, strict=True):
            if row.tobytes() not in before:
                told.pop(row.tobytes(), None)
            told.setdefault(row.tobytes(), []).append((value, measure))
        algorithm.tell(fitness, measures=measures)
    cells = algorithm.archive.elites()
    for cell, row in zip(cells, algorithm.archive.pool.population(cells).dense(), strict=True):
        values, places = zip(*told[row.tobytes()], strict=True)
        assert algorithm.samples[cell] == len(values)
        assert algorithm.archive.fitness[cell] == pytest.approx(np.mean(values))
        np.testing.assert_allclose(algorithm.archive.measures[cell], np.mean(places, axis=0))
    assert algorithm.samples.max() > 2 and len(algorithm.ask()) == 40


def test_what_is_evaluated_again_owes_less_to_luck() -> None:
    """The noise has deviation 1, so that the luckiest of many is some 2 above its worth."""
    luck = []
    for resampled in (0, 20):
        archive = search(make_noisy(resampled), 0, 120).archive
        cells = archive.elites()
        luck.append(
            np.mean(archive.fitness[cells] + np.square(archive.pool.population(cells).dense()[:, 2:]).sum(axis=1))
        )
    assert luck[0] > 1.5 and luck[1] < luck[0] - 0.7


def test_evaluating_again_goes_on_from_a_state_to_the_bit() -> None:
    whole, resumed = search(make_noisy(9), 0, 25), make_noisy(9)
    resumed.restore(search(make_noisy(9), 0, 11).state())
    again = search(resumed, 11, 25).state()
    assert all(np.array_equal(array, again[name]) for name, array in whole.state().items())
