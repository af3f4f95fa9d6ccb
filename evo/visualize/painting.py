"""Pictures painted by a network of the pixels' places (Stanley 2007): at any resolution."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from evo.datasets.picture import pixels, size_of
from evo.errors import EvoError, one_line
from evo.problems.supervised import Supervised
from evo.visualize.encoding import write
from evo.visualize.strips import Frame

_MOST = 2**24  # pixels
_BAND = 2**18  # pixels that are painted at once


def paint(problem: Supervised, params: np.ndarray, width: int) -> Frame:
    """Return the picture that a network on the data set `picture` paints, uint8 (height, width, 3).

    The height is that of the data set's picture, in proportion. Colours outside of 0 to 1 are clipped. Raises EvoError
    for a picture of no pixels, or of more than 2²⁴.
    """
    across, down = size_of(problem.dataset.test.inputs[:, 0])
    height = max(1, round(width * down / across))
    if not 1 <= width <= _MOST // height:
        raise EvoError(f"a picture of {width:,} × {height:,} pixels; paint 1 to {_MOST:,}")
    places, painted = pixels(width, height), []
    for first in range(0, len(places), _BAND):
        outputs = problem.answers(params, problem.prepare_inputs(places[first : first + _BAND])).outputs
        assert outputs is not None
        painted.append(outputs[0, :, 0])
    shares = np.clip(np.nan_to_num(np.concatenate(painted)), 0.0, 1.0)
    colours = np.round(255 * shares).astype(np.uint8).reshape(height, width, -1)
    return np.ascontiguousarray(np.broadcast_to(colours, (height, width, 3)))


def painting(problem: Supervised, params: np.ndarray, width: int, path: Path) -> None:
    """Write the picture that a network paints, a .png of this width. Raises EvoError."""
    frame = paint(problem, params, width)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write([frame], path, 1)
    except OSError as error:
        raise EvoError(f"cannot write {path}: {one_line(error)}") from error


def beside_its_model(axes: tuple[Axes, Axes], problem: Supervised, params: np.ndarray, width: int) -> None:
    """Draw the pixels that were learned, and what the network paints at a width in pixels."""
    split = problem.dataset.test
    inputs, targets = split.inputs[:, 0], split.targets[:, 0]
    size = size_of(inputs)
    order = np.lexsort((inputs[:, 0], inputs[:, 1]))
    model = np.broadcast_to(targets[order].reshape(size[1], size[0], -1), (size[1], size[0], 3))
    painted = paint(problem, params, width)
    for one, shown, title in zip(axes, (model, painted), ("pixels to learn", "painted"), strict=True):
        one.imshow(shown)
        one.axis("off")
        one.set_title(f"{title}, {shown.shape[1]} × {shown.shape[0]}", fontsize=10)
