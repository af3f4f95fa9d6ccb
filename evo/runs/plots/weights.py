"""The weights of a champion's network: a histogram of each layer, and its matrices."""

from collections.abc import Sequence

import numpy as np

from evo.errors import EvoError
from evo.networks import Network
from evo.networks.wiring import Wiring
from evo.problems.shared import NetworkProblem
from evo.runs.pictures.network import names_of
from evo.runs.plots.kind import Kind, of
from evo.runs.plots.subject import Subject
from evo.visualize.charts import Line, Lines, Raster, Row
from evo.visualize.colours import PALETTE

_BINS = 41
_MATRICES = 6  # drawn of a network
_NAMED = 32  # rows of a matrix that are named
_BESIDE = 2  # matrices in a row


def weights_of(network: Network, params: np.ndarray) -> dict[str, np.ndarray]:
    """Return the arrays of weights of a network by layer and name, without biases and other vectors.

    Of a graph, whose row also holds its structure, they are the weights of its links, (links,).
    """
    found: dict[str, np.ndarray] = {}
    blocks, at = network.layout(), 0
    for index, (layer, size) in enumerate(zip(network.layers, network.sizes, strict=False)):
        if layer.own_length:
            found[f"{layer.text}, links"] = Wiring.of(params[at:]).weights
            break
        own = [block for block in blocks if block.layer == index]
        for block in own:
            if len(block.shape) > 1:
                found[f"{index + 1}: {layer.text} {block.name}"] = params[block.place].reshape(block.shape)
        at += size
    return found


def _rows(subjects: Sequence[Subject], seconds: float) -> list[Row]:
    rows = []
    for subject in subjects:
        champion = subject.champion
        if not isinstance(champion.problem, NetworkProblem):
            raise EvoError(f"{champion.task_name} is a {champion.kind}: its champion is a point, without weights")
        found = weights_of(champion.network, np.asarray(champion.params, np.float64))
        if not found:
            raise EvoError(f"{champion.network_text} has no weights, only vectors, so that there is nothing to draw")
        rows.append(Row([_histogram(found, of(subject, "weights"))], 2.3))
        inputs = [*names_of(champion.problem).inputs]
        matrices = [
            _matrix(name, array, inputs if not at else [])
            for at, (name, array) in enumerate(found.items())
            if array.ndim > 1
        ]
        rows += [Row(matrices[first : first + _BESIDE], 2.6) for first in range(0, len(matrices[:_MATRICES]), _BESIDE)]
    return rows


def _histogram(found: dict[str, np.ndarray], title: str) -> Lines:
    every = np.concatenate([array.ravel() for array in found.values()])
    edges = np.linspace(*_reach(every), _BINS + 1)
    lines = []
    for index, (name, array) in enumerate(found.items()):
        shares = np.histogram(np.clip(array, edges[0], edges[-1]), edges)[0] / max(array.size, 1)
        heights = np.append(shares, shares[-1]) * 100
        lines.append(Line(edges, heights, f"{name}, {array.size:,}", PALETTE[index % len(PALETTE)], stepped=True))
    return Lines("weight; those farther out are counted at the ends", "share of the layer / %", lines, title)


def _reach(values: np.ndarray) -> tuple[float, float]:
    most = float(np.percentile(np.abs(values), 99.5)) if len(values) else 0.0
    return (-most, most) if most > 0 else (-1.0, 1.0)


def _matrix(name: str, array: np.ndarray, names: list[str]) -> Raster:
    table = array.reshape(-1, array.shape[-1])
    shape = "×".join(f"{side}" for side in array.shape)
    names = names if len(names) == len(table) <= _NAMED else []
    most, up = _reach(table.ravel())[1], "" if names else "from"
    return Raster(table, "to", most, f"{name}, {shape}", names, unit="weight", up=up)


WEIGHTS = Kind(
    "weights",
    "the weights of the network: a histogram of each layer, and its matrices",
    _rows,
    lambda one: isinstance(one.champion.problem, NetworkProblem),
)
