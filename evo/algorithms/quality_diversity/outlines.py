"""Outlines of the cells of two measures, as polygons in the unit square."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Voronoi as Diagram

from evo.algorithms.quality_diversity.cells import Cells, Grid

Floats = NDArray[np.float64]


def outline(cells: Cells, chosen: NDArray[np.int64]) -> list[Floats]:
    """Return the corners of the chosen cells in order around each, (corners, 2). Raises ValueError for other measures.

    The cells of centroids end at the border of the square, because every centroid is mirrored in its four sides.
    """
    centres = cells.centres()
    if centres.shape[1] != 2:
        raise ValueError(f"cells of {centres.shape[1]} measures have no outline in a plane")
    if isinstance(cells, Grid):
        corners = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]]) / cells.shape
        return [centre + corners for centre in centres[chosen]]
    mirrored = [centres]
    for axis in (0, 1):
        for side in (0.0, 1.0):
            image = centres.copy()
            image[:, axis] = 2 * side - image[:, axis]
            mirrored.append(image)
    diagram = Diagram(np.concatenate(mirrored))
    outlines = []
    for cell in chosen:
        corners = np.clip(diagram.vertices[diagram.regions[diagram.point_region[cell]]], 0.0, 1.0)
        away = corners - centres[cell]
        outlines.append(corners[np.argsort(np.arctan2(away[:, 1], away[:, 0]), kind="stable")])
    return outlines
