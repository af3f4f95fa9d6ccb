"""Outlines divide the unit square as the cells do."""

import numpy as np
import pytest

from evo.algorithms.quality_diversity.cells import CellsPlan
from evo.algorithms.quality_diversity.outlines import outline


@pytest.mark.parametrize("plan", ["grid:5x8", "grid:1", "cvt:1", "cvt:2", "cvt:97"])
def test_outlines_fill_the_square_and_hold_the_points_of_their_cells(plan: str) -> None:
    cells = CellsPlan(plan).build(2)
    outlines = outline(cells, np.arange(cells.count))
    turned = [np.roll(corners, -1, axis=0) for corners in outlines]
    areas = [0.5 * np.sum(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) for a, b in zip(outlines, turned, strict=True)]
    assert min(areas) > 0 and sum(areas) == pytest.approx(1.0, abs=1e-9)
    points = np.random.default_rng(2).uniform(size=(2000, 2))
    for point, cell in zip(points, cells.locate(points), strict=True):
        side, away = turned[cell] - outlines[cell], point - outlines[cell]
        assert (side[:, 0] * away[:, 1] - side[:, 1] * away[:, 0] > -1e-9).all()


def test_a_few_cells_are_outlined_as_among_all() -> None:
    cells = CellsPlan("cvt:40").build(2)
    whole, few = outline(cells, np.arange(40)), outline(cells, np.array([3, 17]))
    for cell, corners in zip((3, 17), few, strict=True):
        np.testing.assert_array_equal(corners, whole[cell])
    with pytest.raises(ValueError, match="cells of 3 measures have no outline"):
        outline(CellsPlan("cvt:4").build(3), np.arange(1))
