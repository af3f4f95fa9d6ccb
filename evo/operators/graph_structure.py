"""Mutation of the structure of graph genomes: links are split by nodes and nodes joined by links, or both removed.

Stanley & Miikkulainen 2002, "Evolving Neural Networks through Augmenting Topologies", sections 3.1 and 3.2, figure 3.
In one generation, the same link split, or the same nodes joined, gives the same numbers in all genomes: they follow
from what was split or joined, not from who came first. Which link is split is the authors' NEAT C++'s (version 1.2)
choice: in a genome of fewer than 15 links one of the oldest, so that splits spread, else any.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evo.envs.engine.compile import njit
from evo.envs.engine.random import random
from evo.operators.graph_genes import Genes, Ints, copy_link, copy_node, empty_genes, leads_to, node_place

_SMALL = 15  # links: below it the oldest are split first
_ON = 0.3  # the chance to go on from a link to the next oldest
_JOIN = 1 << 62  # marks a key as that of a join


class Growth(NamedTuple):
    """How genomes grow.

    recurrent: whether links may close cycles. most_nodes: the most node genes, outputs included. tries: how often nodes
    that may be joined are looked for. power: bound ± of a new link's weight. activations, aggregations: int64, what a
    new node's are drawn from.
    """

    recurrent: bool
    most_nodes: int
    tries: int
    power: float
    activations: Ints
    aggregations: Ints


class Counters(NamedTuple):
    """The next numbers that no gene has yet."""

    node: int
    innovation: int


def grow(
    stream: Any,
    genes: Genes,
    split: NDArray[np.bool_],
    join: NDArray[np.bool_],
    growth: Growth,
    counters: Counters,
) -> tuple[Genes, Counters]:
    """Return genomes of which some, bool (genomes,) each, have a link split by a node, or two nodes joined by a link.

    A link that is split is disabled; the link into the new node has weight 1, that from it the old weight. A genome
    that is both split and joined is split; where nothing is found to split or join, it stays. stream: uint64 (4,),
    moves on.
    """
    made, *following = _grow(stream, genes, split, join, growth, counters)
    return made, Counters(*following)


@njit(cache=True)
def _grow(stream: Any, genes: Any, split: Any, join: Any, growth: Any, counters: Any) -> Any:
    count = split.size
    places, keys = np.full(count, -1, np.int64), np.full(count, -1, np.int64)
    widest = 0
    for genome in range(count):
        widest = max(widest, genes.node_offsets[genome + 1] - genes.node_offsets[genome])
    marks = np.empty(widest, np.bool_)
    for genome in range(count):
        if split[genome]:
            place = _link_to_split(stream, genes, genome, growth)
            if place >= 0:
                places[genome], keys[genome] = place, genes.innovations[place]
        elif join[genome]:
            source, target = _nodes_to_join(stream, genes, genome, growth, marks)
            if source >= 0:
                keys[genome] = _JOIN | source << 31 | target
    node_offsets, link_offsets = np.zeros(count + 1, np.int64), np.zeros(count + 1, np.int64)
    for genome in range(count):
        more = 0 if keys[genome] < 0 else (1 if keys[genome] >= _JOIN else 2)
        node_offsets[genome + 1] = node_offsets[genome] + (
            genes.node_offsets[genome + 1] - genes.node_offsets[genome] + more // 2
        )
        link_offsets[genome + 1] = link_offsets[genome] + (
            genes.link_offsets[genome + 1] - genes.link_offsets[genome] + more
        )
    known = np.unique(keys[keys >= 0])  # in order: splits, then joins
    splits = np.searchsorted(known, _JOIN)
    made = empty_genes(genes, node_offsets, link_offsets)
    for genome in range(count):
        at = node_offsets[genome]
        for node in range(genes.node_offsets[genome], genes.node_offsets[genome + 1]):
            copy_node(genes, node, made, at)
            at += 1
        to = link_offsets[genome]
        for link in range(genes.link_offsets[genome], genes.link_offsets[genome + 1]):
            copy_link(genes, link, made, to)
            to += 1
        key = keys[genome]
        if key < 0:
            continue
        rank = np.searchsorted(known, key)
        if key >= _JOIN:
            made.innovations[to] = counters.innovation + splits + rank  # 2 splits + (rank - splits)
            made.sources[to], made.targets[to] = (key ^ _JOIN) >> 31, key & 0x7FFFFFFF
            made.weights[to], made.enabled[to] = growth.power * (2.0 * random(stream) - 1.0), True
            continue
        old = places[genome]
        made.ids[at] = counters.node + rank
        made.activations[at] = growth.activations[int(random(stream) * growth.activations.size)]
        made.aggregations[at] = growth.aggregations[int(random(stream) * growth.aggregations.size)]
        made.biases[at], made.responses[at], made.rates[at] = 0.0, 1.0, 1.0
        made.enabled[link_offsets[genome] + old - genes.link_offsets[genome]] = False
        for part in range(2):
            made.innovations[to + part] = counters.innovation + 2 * rank + part
            made.enabled[to + part] = True
        made.sources[to], made.targets[to], made.weights[to] = genes.sources[old], made.ids[at], 1.0
        made.sources[to + 1], made.targets[to + 1], made.weights[to + 1] = (
            made.ids[at],
            genes.targets[old],
            genes.weights[old],
        )
    return made, counters.node + splits, counters.innovation + splits + known.size


@njit(cache=True)
def _link_to_split(stream: Any, genes: Any, genome: int, growth: Any) -> int:
    """Return the place of an enabled link that does not come from the bias unit; -1 where none is found."""
    if genes.node_offsets[genome + 1] - genes.node_offsets[genome] >= growth.most_nodes:
        return -1
    begin, end = genes.link_offsets[genome], genes.link_offsets[genome + 1]
    if end - begin < _SMALL:
        chosen = -1
        for link in range(begin, end):
            if genes.enabled[link] and genes.sources[link] != genes.inputs:
                chosen = link
                if random(stream) >= _ON:
                    break
        return chosen
    for _ in range(growth.tries):
        link = begin + int(random(stream) * (end - begin))
        if genes.enabled[link] and genes.sources[link] != genes.inputs:
            return link
    return -1


@njit(cache=True)
def _nodes_to_join(stream: Any, genes: Any, genome: int, growth: Any, marks: Any) -> tuple[int, int]:
    """Return the ids of two nodes that may be joined, source and target; (-1, -1) where none are found.

    Outputs are sources in recurrent networks only.
    """
    first, last = genes.node_offsets[genome], genes.node_offsets[genome + 1]
    begin, end = genes.link_offsets[genome], genes.link_offsets[genome + 1]
    fixed = genes.inputs + 1
    begins = first if growth.recurrent else first + genes.outputs  # node genes that are sources
    for _ in range(growth.tries):
        place = int(random(stream) * (fixed + last - begins))
        source = place if place < fixed else genes.ids[begins + place - fixed]
        target = genes.ids[first + int(random(stream) * (last - first))]
        there = False
        for link in range(begin, end):
            if genes.sources[link] == source and genes.targets[link] == target:
                there = True
                break
        if there:
            continue
        if growth.recurrent or source < fixed or not leads_to(genes, genome, target, source, marks):
            return source, target
    return -1, -1


def shrink(stream: Any, genes: Genes, nodes: NDArray[np.bool_], links: NDArray[np.bool_]) -> Genes:
    """Return genomes of which some, bool (genomes,) each, have lost a hidden node with its links, or a link.

    Hidden nodes that are left without a link to them, or from them, go too, with what links they have, as in phased
    search (Green 2004, "Phased Searching with NEAT"). A genome chosen for both loses a node.
    """
    return Genes(*_shrink(stream, genes, nodes, links))


@njit(cache=True)
def _shrink(stream: Any, genes: Any, nodes: Any, links: Any) -> Any:
    count = nodes.size
    keep_node, keep_link = np.ones(genes.ids.size, np.bool_), np.ones(genes.innovations.size, np.bool_)
    node_offsets, link_offsets = np.zeros(count + 1, np.int64), np.zeros(count + 1, np.int64)
    for genome in range(count):
        first, last = genes.node_offsets[genome], genes.node_offsets[genome + 1]
        begin, end = genes.link_offsets[genome], genes.link_offsets[genome + 1]
        hidden = first + genes.outputs
        lost = False
        if nodes[genome]:
            if last > hidden:
                keep_node[hidden + int(random(stream) * (last - hidden))] = False
                lost = True
        elif links[genome] and end > begin:
            keep_link[begin + int(random(stream) * (end - begin))] = False
            lost = True
        while lost:
            lost = False
            for link in range(begin, end):
                source = node_place(genes.ids, first, last, genes.sources[link])
                target = node_place(genes.ids, first, last, genes.targets[link])
                if keep_link[link] and not ((source < 0 or keep_node[source]) and keep_node[target]):
                    keep_link[link] = False
            for node in range(hidden, last):
                into, out = False, False
                for link in range(begin, end):
                    if keep_link[link] and genes.sources[link] != genes.targets[link]:
                        into = into or genes.targets[link] == genes.ids[node]
                        out = out or genes.sources[link] == genes.ids[node]
                if keep_node[node] and not (into and out):
                    keep_node[node] = False
                    lost = True
        node_offsets[genome + 1] = node_offsets[genome] + keep_node[first:last].sum()
        link_offsets[genome + 1] = link_offsets[genome] + keep_link[begin:end].sum()
    return (
        genes.inputs,
        genes.outputs,
        node_offsets,
        genes.ids[keep_node],
        genes.activations[keep_node],
        genes.aggregations[keep_node],
        genes.biases[keep_node],
        genes.responses[keep_node],
        genes.rates[keep_node],
        link_offsets,
        genes.innovations[keep_link],
        genes.sources[keep_link],
        genes.targets[keep_link],
        genes.weights[keep_link],
        genes.enabled[keep_link],
    )
