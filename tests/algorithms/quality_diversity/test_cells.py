"""Cells: each measure falls into the nearest, centroids are spread evenly and are always the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evo.algorithms.quality_diversity.cells import CellsPlan, Grid, Voronoi
from evo.algorithms.quality_diversity.cvt import centroids
from evo.numerics.randomness import generator


@given(st.integers(0, 2**20), st.integers(1, 40), st.integers(1, 4))
def test_a_voronoi_cell_is_that_of_the_nearest_centroid(seed: int, count: int, measures: int) -> None:
    cells, rows = Voronoi(count, measures, seed), generator(seed, "test").uniform(-0.5, 1.5, (17, measures))
    points, inside = cells.centres(), np.clip(rows, 0, 1)
    squares = np.square(inside[:, None] - points).sum(axis=2)
    np.testing.assert_array_equal(cells.locate(rows), squares.argmin(axis=1))


def test_centroids_are_near_the_means_of_their_cells() -> None:
    """As near as means of 25 samples are: of a cell of side 1 / 8 their deviation is 0.29 / 8 / 5."""
    points = centroids(64, 2, 0)
    samples = generator(1, "samples").random((200_000, 2))
    cells = Voronoi(64, 2, 0).locate(samples)
    means = np.stack([samples[cells == cell].mean(axis=0) for cell in range(64)])
    assert np.sqrt(np.mean(np.square(means - points))) < 2 * 0.29 / 8 / 5
    uniform = generator(0, "centroids", 64, 2).random((64, 2))  # where the search for them begins
    assert distortion(samples, points) < 0.7 * distortion(samples, uniform)


def distortion(samples: np.ndarray, points: np.ndarray) -> float:
    return float(np.square(samples[:, None] - points).sum(axis=2).min(axis=1).mean())


def test_centroids_follow_from_their_numbers() -> None:
    first = centroids(30, 3, 0).copy()
    centroids.cache_clear()
    assert np.array_equal(centroids(30, 3, 0), first)
    assert not np.array_equal(centroids(30, 3, 1), first)


@given(st.lists(st.floats(-2, 3, allow_nan=False), min_size=2, max_size=2))
def test_a_grid_is_its_boxes(unit: list[float]) -> None:
    grid = Grid((4, 5))
    expected = [min(max(int(np.floor(value * size)), 0), size - 1) for value, size in zip(unit, (4, 5), strict=True)]
    assert grid.locate(np.array([unit])).tolist() == [5 * expected[0] + expected[1]]


@pytest.mark.parametrize("cells", [Grid((3, 4, 2)), Voronoi(50, 3, 0)], ids=["grid", "cvt"])
def test_the_centre_of_a_cell_is_in_it(cells: Grid | Voronoi) -> None:
    np.testing.assert_array_equal(cells.locate(cells.centres()), np.arange(cells.count))


@pytest.mark.parametrize(
    ("text", "measures", "count"), [("cvt:100", 4, 100), ("grid:5", 3, 125), ("grid:4x6", 2, 24), ("cvt", 2, 1024)]
)
def test_an_archives_text_says_its_cells(text: str, measures: int, count: int) -> None:
    plan = CellsPlan(text)
    assert plan.count(measures) == plan.build(measures).count == count


@pytest.mark.parametrize("text", ["", "tree:5", "grid:0", "grid:2x", "cvt:3x4", "cvt:x", "cvt:10:20", "grid:10,seed=1"])
def test_an_archive_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^archive=") as error:
        CellsPlan(text).build(2)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("text", "measures"), [("grid:4x5", 3), ("grid:10000", 2), ("grid:50", 6)])
def test_a_grid_that_does_not_fit_is_refused(text: str, measures: int) -> None:
    with pytest.raises(ValueError, match=r"^archive=.*: must be"):
        CellsPlan(text).build(measures)
