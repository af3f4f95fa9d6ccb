"""Graph genomes: their development into the rows that are evaluated, and rows read back as genomes."""

import copy
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from evo.envs.engine.compile import njit
from evo.genomes.rows import Rows
from evo.networks.wiring import HEADER, LINK, NODE, Wiring
from evo.numerics.node_functions import ACTIVATIONS
from evo.operators.graph_genes import Floats, Genes, node_place


@final
class GraphPopulation:
    """A population of graph genomes; its rows are their networks, as in `Wiring`.

    What does not lead from an input, the bias unit or a node with a bias to an output is left out; an output to which
    nothing leads stays, without links. A link from the bias unit, which is always 1, is added to the bias of the node
    that it leads to. mothers: of each, the individual of the generation before whose structure it began with, int64
    (individuals,); None where there was none. lesson_steps: steps of the problem that their learning took, else 0.
    """

    def __init__(self, genes: Genes, recurrent: bool, mothers: NDArray[np.int64] | None = None) -> None:
        self.genes, self.mothers, self.lesson_steps = genes, mothers, 0
        self.values, self.offsets = develop(genes, recurrent)
        self.lengths = np.diff(self.offsets)

    def after_learning(self, values: NDArray[np.float32], genes: Genes, steps: int) -> "GraphPopulation":
        """Return it with what learning made of its rows, (numbers,), the genes that it left, and the steps it took."""
        taught = copy.copy(self)
        taught.values, taught.genes, taught.lesson_steps = values.astype(np.float64), genes, steps
        return taught

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def size(self) -> int:
        return int(self.lengths.max())

    def row(self, individual: int, out: NDArray[Any]) -> None:
        if not 0 <= individual < len(self):
            raise IndexError(f"individual {individual} of {len(self)}")
        np.copyto(out, self.values[self.offsets[individual] : self.offsets[individual + 1]], casting="same_kind")

    def part(self, first: int, last: int) -> Rows:
        """Return the rows of the individuals from `first` to before `last`, in float32."""
        begin, end = self.offsets[first], self.offsets[last]
        return Rows(self.values[begin:end].astype(np.float32), self.offsets[first : last + 1] - begin)

    def dense(self) -> Floats:
        if len(set(self.lengths.tolist())) > 1:
            raise ValueError(
                f"graphs of {self.lengths.min()} to {self.lengths.max()} numbers: only a network of graphs (graph, or "
                "graph:recurrent) is evaluated on them"
            )
        return self.values.reshape(len(self), -1)


def develop(genes: Genes, recurrent: bool) -> tuple[Floats, NDArray[np.int64]]:
    """Return the rows of all genomes, float64, one after the other, and their offsets, int64 (genomes + 1,).

    Nodes of feed-forward networks stand by depth, the longest path from an input, those of equal depth by id; nodes of
    recurrent ones by id. Links to a node stand by innovation. Raises ValueError for a cycle in a feed-forward one.
    """
    return _develop(genes, recurrent)


@njit(cache=True)
def _develop(genes: Any, recurrent: bool) -> Any:
    # each array by itself: read from the tuple, it would be counted at every access
    node_offsets, link_offsets, ids, sources = genes.node_offsets, genes.link_offsets, genes.ids, genes.sources
    targets, enabled, weights, biases = genes.targets, genes.enabled, genes.weights, genes.biases
    activations, aggregations, responses, rates = genes.activations, genes.aggregations, genes.responses, genes.rates
    count, fixed = node_offsets.size - 1, genes.inputs + 1
    widest, longest = 0, 0
    for genome in range(count):
        widest = max(widest, node_offsets[genome + 1] - node_offsets[genome])
        longest = max(longest, link_offsets[genome + 1] - link_offsets[genome])
    values = np.empty(count * (HEADER + genes.outputs) + NODE * ids.size + LINK * sources.size)
    offsets = np.zeros(count + 1, np.int64)
    # Of each link the node that it comes from, counted within the genome (below 0: an input or the bias unit), and the
    # one it leads to; enabled links between nodes.
    inner = np.empty(longest, np.int64)
    begins, ends = np.empty(longest, np.int64), np.empty(longest, np.int64)
    live, reached, needed = np.empty(longest, np.bool_), np.empty(widest, np.bool_), np.empty(widest, np.bool_)
    depth, order, place = np.empty(widest, np.int64), np.empty(widest, np.int64), np.empty(widest, np.int64)
    # Of each node: how many links lead to it, where it stands in the row, where its next link does, and its bias.
    incoming, own, following = np.empty(widest, np.int64), np.empty(widest, np.int64), np.empty(widest, np.int64)
    bias = np.empty(widest)
    hidden = fixed + genes.outputs
    at = 0
    for genome in range(count):
        first, last = node_offsets[genome], node_offsets[genome + 1]
        begin = link_offsets[genome]
        nodes, links = last - first, link_offsets[genome + 1] - begin
        for node in range(nodes):
            reached[node], needed[node], depth[node] = biases[first + node] != 0, node < genes.outputs, 0
            incoming[node] = 0
        between = 0
        for link in range(links):
            source, target = sources[begin + link], targets[begin + link]
            begins[link] = source - fixed if source < hidden else node_place(ids, first, last, source) - first
            ends[link] = target - fixed if target < hidden else node_place(ids, first, last, target) - first
            live[link] = enabled[begin + link]
            if live[link] and begins[link] < 0:
                reached[ends[link]] = True
            elif live[link]:
                inner[between] = link
                between += 1
        changed = True
        while changed:
            changed = False
            for index in range(between):
                source, target = begins[inner[index]], ends[inner[index]]
                if reached[source] and not reached[target]:
                    reached[target] = changed = True
                if needed[target] and not needed[source]:
                    needed[source] = changed = True
        for link in range(links):
            source, target = begins[link], ends[link]
            live[link] = live[link] and needed[target] and (source < 0 or reached[source])
            incoming[target] += live[link] and source != -1
        changed = not recurrent
        while changed:
            changed = False
            for index in range(between):
                link = inner[index]
                if live[link] and depth[ends[link]] <= depth[begins[link]]:
                    depth[ends[link]] = depth[begins[link]] + 1
                    changed = True
                    if depth[ends[link]] >= nodes:
                        raise ValueError("a genome with a cycle, and feed-forward networks have none")
        standing, level = 0, 0
        kept = 0
        for node in range(nodes):
            place[node] = -1
            kept += node < genes.outputs or (reached[node] and needed[node])
        while standing < kept:
            for node in range(nodes):
                if depth[node] == level and (node < genes.outputs or (reached[node] and needed[node])):
                    order[standing], place[node] = node, standing
                    standing += 1
            level += 1
        row = at
        values[row], values[row + 1], values[row + 2] = genes.inputs, genes.outputs, standing
        at += HEADER
        for output in range(genes.outputs):
            values[at] = place[output]
            at += 1
        start = to = at + NODE * standing
        for index in range(standing):
            node = order[index]
            own[node], following[node], bias[node] = at, to, 0.0
            at += NODE
            to += LINK * incoming[node]
        values[row + 3] = (to - start) // LINK
        for link in range(links):
            if not live[link]:
                continue
            source, node = begins[link], ends[link]
            if source == -1:  # the bias unit
                bias[node] += weights[begin + link]
                continue
            at = following[node]
            values[at] = genes.inputs + place[source] if source >= 0 else source + fixed
            values[at + 1] = weights[begin + link]
            following[node] = at + LINK
        for index in range(standing):
            node = order[index]
            at = own[node]
            values[at], values[at + 1] = activations[first + node], aggregations[first + node]
            values[at + 2] = biases[first + node] + bias[node]
            values[at + 3], values[at + 4] = responses[first + node], rates[first + node]
            values[at + 5] = incoming[node]
        at = to
        offsets[genome + 1] = at
    return values[:at].copy(), offsets


def genes_of(wiring: Wiring, bias_unit: bool) -> Genes:
    """Return the one genome that a network is read back as.

    Outputs are nodes of their own, and hidden nodes are numbered as they stand. A link from an input, or the bias unit,
    to an output has the same innovation number in all networks of this many inputs and outputs; the others are numbered
    after these as they stand. bias_unit: whether biases become links from the bias unit, of outputs and nodes without
    links always, of others where they are not 0. Raises ValueError where two outputs read one node, or two links join
    the same.
    """
    inputs, outputs, nodes = wiring.inputs, len(wiring.outputs), len(wiring.incoming)
    if len(set(wiring.outputs.tolist())) < outputs:
        raise ValueError("a graph of which two outputs read one node: NEAT's outputs are nodes of their own")
    order = np.concatenate([wiring.outputs, np.setdiff1d(np.arange(nodes), wiring.outputs)])  # by id
    ids = np.empty(nodes, np.int64)
    ids[order] = inputs + 1 + np.arange(nodes)
    names = np.concatenate([np.arange(inputs), ids])  # of sources
    sources, targets, weights = names[wiring.sources], ids[wiring.targets], wiring.weights
    if bias_unit:
        alone = np.isin(np.arange(nodes), wiring.outputs) | (wiring.incoming == 0)
        biased = np.flatnonzero(alone | (wiring.biases != 0))
        sources = np.concatenate([sources, np.full(len(biased), inputs)])
        targets = np.concatenate([targets, ids[biased]])
        weights = np.concatenate([weights, wiring.biases[biased]])
    if len({*zip(sources.tolist(), targets.tolist(), strict=True)}) < len(sources):
        raise ValueError("a graph of which two links join the same nodes: NEAT's genomes have none")
    direct = (sources <= inputs) & (targets <= inputs + outputs)
    innovations = np.where(direct, sources * outputs + targets - inputs - 1, 0)
    innovations[~direct] = (inputs + 1) * outputs + np.arange(np.count_nonzero(~direct))
    aged = np.argsort(innovations, kind="stable")
    return Genes(
        inputs,
        outputs,
        np.array([0, nodes]),
        ids[order],
        wiring.activations[order],
        wiring.aggregations[order],
        np.zeros(nodes) if bias_unit else wiring.biases[order],
        wiring.responses[order],
        wiring.rates[order],
        np.array([0, len(aged)]),
        innovations[aged],
        sources[aged],
        targets[aged],
        weights[aged].astype(np.float64),
        np.ones(len(aged), np.bool_),
    )


def direct_wiring(inputs: int, outputs: int, activation: str = "steep_sigmoid") -> Wiring:
    """Return the network where NEAT begins: all inputs linked to all outputs, no hidden nodes, weights of 0.

    Raises ValueError for an unknown activation.
    """
    if activation not in ACTIVATIONS:
        raise ValueError(f"unknown activation {activation!r}; one of {', '.join(ACTIVATIONS)}")
    each = np.arange(outputs)
    return Wiring(
        inputs,
        each,
        np.full(outputs, ACTIVATIONS.index(activation)),
        np.zeros(outputs, np.int64),
        np.zeros(outputs),
        np.ones(outputs),
        np.ones(outputs),
        np.full(outputs, inputs),
        np.tile(np.arange(inputs), outputs),
        np.zeros(inputs * outputs),
    )
