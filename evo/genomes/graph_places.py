"""Which gene each number of a graph's row came from, and what a row has learned written back into genes."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evo.envs.engine.compile import njit
from evo.genomes.graph import develop
from evo.networks.wiring import HEADER, LINK, NODE
from evo.operators.graph_genes import Genes, Ints

_HALF = 0.5  # stands for a bias, beside the whole number that stands for a link


class Places(NamedTuple):
    """Of each number of all rows, one after the other, the gene that it came from: int64 (numbers,), -1 for none.

    links: the link gene whose weight it is, or that leads from the bias unit to the node whose bias it is. nodes: the
    node gene whose bias it is. Counts, functions, sources, responses and rates have neither; nor has the bias of a node
    without links and with a bias of 0, which would be another network if it changed.
    """

    links: Ints
    nodes: Ints


def gene_places(genes: Genes, recurrent: bool) -> Places:
    """Return the places of the genes of all genomes in the rows that `evo.genomes.graph.develop` makes of them."""
    # Development itself carries the genes' names to where their values would be: responses stand for nodes.
    named = genes._replace(
        weights=np.arange(1.0, len(genes.weights) + 1),
        biases=np.where(genes.biases == 0, 0.0, _HALF),
        responses=np.arange(float(len(genes.ids))),
    )
    values, offsets = develop(named, recurrent)
    return Places(*_read_names(values, offsets))


@njit(cache=True)
def _read_names(values: Any, offsets: Any) -> Any:
    links, nodes = np.full(values.size, -1, np.int64), np.full(values.size, -1, np.int64)
    for genome in range(offsets.size - 1):
        row = offsets[genome]
        first = row + HEADER + int(values[row + 1])
        end = first + NODE * int(values[row + 2])
        for node in range(first, end, NODE):
            link = int(values[node + 2]) - 1
            links[node + 2] = link
            if values[node + 2] != 0 or values[node + 5] > 0:
                nodes[node + 2] = int(values[node + 3])
        for link in range(end, offsets[genome + 1], LINK):
            links[link + 1] = int(values[link + 1]) - 1
    return links, nodes


def inherit(genes: Genes, places: Places, before: NDArray[Any], after: NDArray[Any]) -> Genes:
    """Return genes that develop into the rows `after`, in float32, where they developed into `before`.

    before, after: the numbers of all rows, (numbers,). Numbers that are equal in float32 leave their genes as they are,
    to the bit; innovations, disabled genes and those that lead nowhere stay anyway. Raises ValueError for another
    length, and for a number that differs and has no gene, or a bias of a node gene that became 0.
    """
    former, found = np.asarray(before, np.float32), np.asarray(after, np.float32)
    if not former.shape == found.shape == places.links.shape:
        raise ValueError(f"rows of {former.shape} and {found.shape} numbers, where genomes have {places.links.shape}")
    changed = former != found
    linked = changed & (places.links >= 0)
    noded = changed & (places.nodes >= 0) & ~linked
    if (lost := changed & ~linked & ~noded).any():
        raise ValueError(f"number {int(np.argmax(lost))} of the rows changed, and comes from no gene")
    if (found[noded] == 0).any():
        raise ValueError("a bias became 0, which may change what leads to an output")
    weights, biases = genes.weights.copy(), genes.biases.copy()
    biases[places.nodes[noded]] = found[noded]
    of_node = np.where(places.nodes[linked] >= 0, genes.biases[places.nodes[linked]], 0.0)
    weights[places.links[linked]] = found[linked] - of_node
    return genes._replace(weights=weights, biases=biases)
