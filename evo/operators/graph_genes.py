"""Genes of graph networks: many genomes of nodes and links in flat arrays, each genome of its own length.

A link gene has an innovation number, its historical marking: genes of the same number, in whatever genomes, join the
same two nodes. Stanley & Miikkulainen 2002, "Evolving Neural Networks through Augmenting Topologies", section 3.1.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evo.envs.engine.compile import njit

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Genes(NamedTuple):
    """Genomes of graphs with the same inputs and outputs; all arrays but the offsets are one genome after the other.

    Nodes are named by ids: 0 to inputs - 1 are the inputs, `inputs` is the bias unit, which is always 1, then come the
    outputs, then hidden nodes. Inputs and the bias unit have no genes.

    node_offsets: int64 (genomes + 1,); genome k has the node genes from node_offsets[k] to before node_offsets[k + 1].
    ids: int64 (nodes,), ascending in each genome, which begins with all outputs. activations, aggregations: int64
    (nodes,), indices into `evo.numerics.node_functions`. biases, responses, rates: float64 (nodes,).
    link_offsets: int64 (genomes + 1,). innovations: int64 (links,), ascending in each genome. sources, targets: int64
    (links,), ids. weights: float64 (links,). enabled: bool (links,); a link that is not has no effect.
    """

    inputs: int
    outputs: int
    node_offsets: Ints
    ids: Ints
    activations: Ints
    aggregations: Ints
    biases: Floats
    responses: Floats
    rates: Floats
    link_offsets: Ints
    innovations: Ints
    sources: Ints
    targets: Ints
    weights: Floats
    enabled: NDArray[np.bool_]

    @property
    def genomes(self) -> int:
        """The number of genomes."""
        return len(self.node_offsets) - 1


ARRAYS = Genes._fields[2:]
NODE_ARRAYS = ("ids", "activations", "aggregations", "biases", "responses", "rates")
_MOST = 2**24  # inputs and outputs; whole numbers below it are exact in float32
LINK_ARRAYS = ("innovations", "sources", "targets", "weights", "enabled")


def take(genes: Genes, genomes: Ints) -> Genes:
    """Return some of the genomes, (genomes,) indices, in this order; any may be there more than once."""
    nodes, node_offsets = _ranges(genes.node_offsets, genomes)
    links, link_offsets = _ranges(genes.link_offsets, genomes)
    changed: dict[str, Any] = {name: getattr(genes, name)[nodes] for name in NODE_ARRAYS}
    changed |= {name: getattr(genes, name)[links] for name in LINK_ARRAYS}
    return genes._replace(node_offsets=node_offsets, link_offsets=link_offsets, **changed)


def join(first: Genes, second: Genes) -> Genes:
    """Return the genomes of one, followed by those of another."""
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in NODE_ARRAYS + LINK_ARRAYS
    }
    for name in ("node_offsets", "link_offsets"):
        before = getattr(first, name)
        arrays[name] = np.concatenate([before, before[-1] + getattr(second, name)[1:]])
    return first._replace(**arrays)


def _ranges(offsets: Ints, genomes: Ints) -> tuple[Ints, Ints]:
    """Return the places of all genes of some genomes, and the offsets of these genomes among themselves."""
    counts = np.diff(offsets)[genomes]
    new = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return np.arange(new[-1]) + np.repeat(offsets[:-1][genomes] - new[:-1], counts), new


@njit
def empty_genes(genes: Any, node_offsets: Any, link_offsets: Any) -> Any:
    """Return genomes with these offsets, and the inputs and outputs of others, whose genes are still to be written."""
    nodes, links = node_offsets[-1], link_offsets[-1]
    return Genes(
        genes.inputs,
        genes.outputs,
        node_offsets,
        np.empty(nodes, np.int64),
        np.empty(nodes, np.int64),
        np.empty(nodes, np.int64),
        np.empty(nodes),
        np.empty(nodes),
        np.empty(nodes),
        link_offsets,
        np.empty(links, np.int64),
        np.empty(links, np.int64),
        np.empty(links, np.int64),
        np.empty(links),
        np.empty(links, np.bool_),
    )


@njit
def copy_node(genes: Any, node: int, made: Any, place: int) -> None:
    """Write a node gene to a place among those that are made."""
    made.ids[place], made.activations[place] = genes.ids[node], genes.activations[node]
    made.aggregations[place], made.biases[place] = genes.aggregations[node], genes.biases[node]
    made.responses[place], made.rates[place] = genes.responses[node], genes.rates[node]


@njit
def copy_link(genes: Any, link: int, made: Any, place: int) -> None:
    """Write a link gene to a place among those that are made."""
    made.innovations[place], made.sources[place] = genes.innovations[link], genes.sources[link]
    made.targets[place], made.weights[place] = genes.targets[link], genes.weights[link]
    made.enabled[place] = genes.enabled[link]


def enabled_links(genes: Genes) -> Ints:
    """Return how many links of each genome are enabled, int64 (genomes,)."""
    return _enabled_links(genes.enabled, genes.link_offsets)


@njit(cache=True)
def _enabled_links(enabled: Any, offsets: Any) -> Any:
    counts = np.zeros(offsets.size - 1, np.int64)
    for genome in range(counts.size):
        for link in range(offsets[genome], offsets[genome + 1]):
            counts[genome] += enabled[link]
    return counts


@njit(cache=True)
def node_place(ids: Any, begin: int, end: int, wanted: int) -> int:
    """Return the place of an id among ascending ones from `begin` to before `end`; -1 where it is not there."""
    low, high = begin, end
    while low < high:
        middle = (low + high) // 2
        if ids[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low if low < end and ids[low] == wanted else -1


@njit(cache=True)
def leads_to(genes: Any, genome: int, begin: int, wanted: int, marks: Any) -> bool:
    """Return whether a path of links, enabled or not, leads from node `begin` to node `wanted`; true for the same.

    marks: working space, bool, as long as the node genes of the longest genome.
    """
    if begin == wanted:
        return True
    first, last = genes.node_offsets[genome], genes.node_offsets[genome + 1]
    marks[: last - first] = False
    start = node_place(genes.ids, first, last, begin)
    if start < 0:
        return False
    marks[start - first] = True
    changed = True
    while changed:
        changed = False
        for link in range(genes.link_offsets[genome], genes.link_offsets[genome + 1]):
            source = node_place(genes.ids, first, last, genes.sources[link])
            if source < 0 or not marks[source - first]:
                continue
            if genes.targets[link] == wanted:
                return True
            target = node_place(genes.ids, first, last, genes.targets[link]) - first
            if not marks[target]:
                marks[target] = changed = True
    return False


def check_genes(genes: Genes, recurrent: bool, functions: tuple[int, int]) -> None:
    """Raise ValueError, naming the genome, where genes are not such as compiled operators take.

    recurrent: whether cycles are allowed. functions: how many activations and aggregations there are.
    """
    if genes.inputs < 1 or genes.outputs < 1:
        raise ValueError(
            f"genomes of {genes.inputs} inputs and {genes.outputs} outputs: they need one of each at least"
        )
    if genes.inputs + genes.outputs >= _MOST:
        raise ValueError(f"genomes of {genes.inputs} inputs and {genes.outputs} outputs: {_MOST} are too many")
    _check_lengths(genes)
    if not (
        np.isfinite(genes.biases).all() and np.isfinite(genes.responses).all() and np.isfinite(genes.weights).all()
    ):
        raise ValueError("genomes with a number that is not finite")
    if not ((genes.rates > 0) & (genes.rates <= 1)).all():
        raise ValueError("genomes with a rate outside (0, 1]")
    for name, most in zip(("activations", "aggregations"), functions, strict=True):
        values = getattr(genes, name)
        if len(values) and not (0 <= values.min() and values.max() < most):
            raise ValueError(f"genomes whose {name} are not all from 0 to {most - 1}")
    genome, fault = _fault(genes, recurrent)
    if fault:
        raise ValueError(f"genome {genome} {_FAULTS[fault]}")


def _check_lengths(genes: Genes) -> None:
    for offsets, names in ((genes.node_offsets, NODE_ARRAYS), (genes.link_offsets, LINK_ARRAYS)):
        sizes = {len(getattr(genes, name)) for name in names}
        counted = len(offsets) and offsets[0] == 0 and (np.diff(offsets) >= 0).all() and sizes == {int(offsets[-1])}
        if not counted or len(genes.node_offsets) != len(genes.link_offsets):
            raise ValueError(f"genomes whose {', '.join(names)} are not as many as their offsets say")


_FAULTS = (
    "",
    "does not begin with all outputs in order",
    "has node ids that do not ascend",
    "has innovation numbers that do not ascend from 0",
    "has a link from a node that it does not have",
    "has a link to a node that it does not have",
    "has two links that join the same nodes",
    "has a cycle, and feed-forward networks have none",
)


@njit(cache=True)
def _fault(genes: Any, recurrent: bool) -> tuple[int, int]:
    """Return the first genome that has a fault, and which of _FAULTS; (0, 0) for none."""
    fixed = genes.inputs + 1
    widest = 0
    for genome in range(genes.node_offsets.size - 1):
        widest = max(widest, genes.node_offsets[genome + 1] - genes.node_offsets[genome])
    marks = np.zeros(widest, np.bool_)
    for genome in range(genes.node_offsets.size - 1):
        first, last = genes.node_offsets[genome], genes.node_offsets[genome + 1]
        if last - first < genes.outputs:
            return genome, 1
        for output in range(genes.outputs):
            if genes.ids[first + output] != fixed + output:
                return genome, 1
        for node in range(first + 1, last):
            if genes.ids[node] <= genes.ids[node - 1]:
                return genome, 2
        begin, end = genes.link_offsets[genome], genes.link_offsets[genome + 1]
        joined = {(np.int64(-1), np.int64(-1))}
        for link in range(begin, end):
            if genes.innovations[link] < 0 or (link > begin and genes.innovations[link] <= genes.innovations[link - 1]):
                return genome, 3
            source, target = genes.sources[link], genes.targets[link]
            if source < 0 or (source >= fixed and node_place(genes.ids, first, last, source) < 0):
                return genome, 4
            if node_place(genes.ids, first, last, target) < 0:
                return genome, 5
            if (source, target) in joined:
                return genome, 6
            joined.add((source, target))
        if not recurrent:
            for link in range(begin, end):
                if genes.sources[link] >= fixed and leads_to(
                    genes, genome, genes.targets[link], genes.sources[link], marks
                ):
                    return genome, 7
    return 0, 0
