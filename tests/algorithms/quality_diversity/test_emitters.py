"""CMA-ME and CMA-MAE: emitters are our strategies, ranked as the papers say, and they fill more of a map."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from evo.algorithms.quality_diversity.archive import IMPROVED, NEW, REJECTED
from evo.algorithms.quality_diversity.cma_mae import CMAMAE
from evo.algorithms.quality_diversity.cma_me import CMAME
from evo.algorithms.quality_diversity.map_elites import MAPElites
from evo.algorithms.strategies.cma_es import CMAES
from evo.problems.measured_functions import MEASURED_FUNCTIONS

Floats = NDArray[np.float64]
SPHERE = MEASURED_FUNCTIONS["projected-sphere"]


def ranges(size: int) -> str:
    return ",".join(f"{low}:{high}" for low, high in SPHERE.ranges(size))


def fill(algorithm: Any, generations: int) -> dict[str, float]:
    for _ in range(generations):
        rows = algorithm.ask().dense()
        algorithm.tell(SPHERE.fitness(rows), measures=SPHERE.measure(rows))
    found: dict[str, float] = algorithm.diagnostics()
    return found


def test_improvement_emitters_choose_who_filled_a_cell_before_who_improved_one() -> None:
    """Fontaine 2020, section 3.2."""
    algorithm = CMAME(np.zeros(3), 0, ranges="0:1,0:1", archive="grid:2")
    status = np.array([REJECTED, IMPROVED, NEW, IMPROVED, NEW, REJECTED])
    improvement = np.array([-1.0, 9.0, 1.0, 7.0, 2.0, -np.inf])
    assert algorithm.select(status, improvement).tolist() == [4, 2, 1, 3]
    assert len(algorithm.select(np.full(6, REJECTED), -np.ones(6))) == 0


def test_emitters_of_annealing_choose_the_half_that_passes_its_threshold_farthest() -> None:
    algorithm = CMAMAE(np.zeros(3), 0, ranges="0:1,0:1", archive="grid:2")
    improvement = np.array([-1.0, 9.0, 1.0, -np.inf, 2.0, 0.0])
    assert algorithm.select(np.zeros(6, np.int64), improvement).tolist() == [1, 4, 2]


def test_annealing_that_never_learns_is_cma_es() -> None:
    """Fontaine & Nikolaidis 2023, theorem 4.1: with thresholds that stay, ranks are those of the fitness."""
    mae = CMAMAE(
        np.ones(4), 3, ranges=ranges(4), archive="grid:5", emitters=1, population_size=10, learning_rate=1e-300
    )
    twin = CMAES(np.ones(4), mae.emitters.strategies[0].seed, sigma=0.5, population_size=10, active=False)
    for _ in range(20):
        rows = mae.ask().dense()
        np.testing.assert_array_equal(rows, twin.ask().dense())
        fitness = SPHERE.fitness(rows)
        mae.tell(fitness, measures=SPHERE.measure(rows))
        twin.tell(fitness)
    assert mae.diagnostics()["restarts"] == 0


@pytest.mark.parametrize("strategy", ["cma-es", "sep-cma-es"])
def test_emitters_fill_more_of_the_projected_sphere_than_gaussian_map_elites(strategy: str) -> None:
    """As Fontaine 2020 and 2023 find, on a smaller problem: 20 numbers, 30 × 30 cells, 36,000 evaluations."""
    common: dict[str, Any] = {"ranges": ranges(20), "archive": "grid:30"}
    evaluations, each = 36_000, 180
    plain = MAPElites(
        np.zeros(20),
        0,
        population_size=each,
        cross="none",
        mutate="gaussian:sigma=0.5",
        genome="real:spread=0.5",
        **common,
    )
    emitted = {"emitters": 5, "population_size": each // 5, "strategy": strategy, **common}
    scores = {
        kind: fill(algorithm, evaluations // each)["qd_score"]
        for kind, algorithm in (
            ("plain", plain),
            ("me", CMAME(np.zeros(20), 0, **emitted)),
            ("mae", CMAMAE(np.zeros(20), 0, **emitted)),
        )
    }
    assert scores["me"] > scores["plain"] and scores["mae"] > scores["plain"], scores


def test_an_emitter_that_changes_nothing_begins_anew_at_an_elite() -> None:
    algorithm = CMAME(np.zeros(3), 0, ranges="-9:9,-9:9", archive="grid:3", emitters=1, population_size=6)
    rows = algorithm.ask().dense()
    algorithm.tell(np.arange(6.0), measures=np.zeros((6, 2)))
    assert algorithm.diagnostics()["restarts"] == 0
    algorithm.ask()
    algorithm.tell(np.zeros(6) - np.arange(6.0), measures=np.zeros((6, 2)))
    assert algorithm.diagnostics()["restarts"] == 1
    np.testing.assert_array_equal(algorithm.emitters.strategies[0].mean, rows[5])


def test_a_generation_of_failures_is_survived() -> None:
    for kind in (CMAME, CMAMAE):
        algorithm = kind(np.zeros(3), 0, ranges="-9:9,-9:9", archive="grid:3", emitters=2, population_size=6)
        algorithm.ask()
        algorithm.tell(np.zeros(12), measures=np.full((12, 2), np.nan))
        assert np.isfinite(algorithm.ask().dense()).all() and len(algorithm.archive) == 0
