"""Graph genomes for tests: random ones, and plain twins of what compiled code does with them."""

import math
from typing import Any

import numpy as np

from evo.envs.engine.random import words_of
from evo.genomes.graph import direct_wiring, genes_of
from evo.networks.wiring import Wiring
from evo.numerics.node_functions import ACTIVATIONS, AGGREGATIONS
from evo.numerics.randomness import generator
from evo.operators.graph_genes import Genes, check_genes, take
from evo.operators.graph_mating import mate
from evo.operators.graph_mutation import mutate_weights
from evo.operators.graph_structure import Counters, Growth, grow, shrink

FUNCTIONS = (len(ACTIVATIONS), len(AGGREGATIONS))
SMOOTH = np.array([ACTIVATIONS.index(name) for name in ("linear", "sigmoid", "steep_sigmoid", "tanh", "relu")])
SUMS = np.array([AGGREGATIONS.index("sum")])


def words(seed: int) -> np.ndarray:
    return np.array(words_of(generator(seed, "test").bit_generator.state), np.uint64)


def growth(recurrent: bool, most: int = 2**20, aggregations: np.ndarray = SUMS) -> Growth:
    return Growth(recurrent, most, 20, 1.0, SMOOTH, aggregations)


def genomes(seed: int, count: int, rounds: int, recurrent: bool, inputs: int = 3, outputs: int = 2) -> Genes:
    """Genomes that have been mated and mutated for some rounds, with splits and joins in most of them."""
    random, stream = np.random.default_rng(seed), words(seed)
    first = genes_of(direct_wiring(inputs, outputs), bias_unit=True)
    genes = take(first, np.zeros(count, np.int64))
    counters = Counters(int(first.ids[-1]) + 1, (inputs + 1) * outputs)
    for _ in range(rounds):
        split, join = random.random((2, count)) < 0.4
        genes, counters = grow(stream, genes, split, join, growth(recurrent), counters)
        cut, lose = random.random((2, count)) < 0.1
        genes = shrink(stream, genes, lose, cut)
        genes = mutate_weights(stream, genes, np.ones(count, bool), power=2.5, severe=0.5, limit=8.0)
        first_parents, second = random.integers(count, size=(2, count))
        genes = mate(stream, genes, random.random(count), first_parents, second, averaging=0.4, disabling=0.75)
    check_genes(genes, recurrent, FUNCTIONS)
    return genes


def links(genes: Genes, genome: int) -> list[dict[str, Any]]:
    places = range(genes.link_offsets[genome], genes.link_offsets[genome + 1])
    names = ("innovations", "sources", "targets", "weights", "enabled")
    return [{name: getattr(genes, name)[place].item() for name in names} for place in places]


def nodes(genes: Genes, genome: int) -> dict[int, dict[str, Any]]:
    places = range(genes.node_offsets[genome], genes.node_offsets[genome + 1])
    names = ("activations", "aggregations", "biases", "responses", "rates")
    return {int(genes.ids[place]): {name: getattr(genes, name)[place].item() for name in names} for place in places}


def activate(name: str, value: float) -> float:
    if name in ("sigmoid", "steep_sigmoid"):
        return 0.5 + 0.5 * math.tanh(0.5 * (4.9 if name == "steep_sigmoid" else 1.0) * value)
    return {"linear": value, "tanh": math.tanh(value), "relu": max(0.0, value)}[name]


def act(wiring: Wiring, inputs: np.ndarray, before: list[float], recurrent: bool) -> list[float]:
    """Values of a wiring's nodes, given those of the step before: sums only, rates of 1."""
    now = list(before) if recurrent else [0.0] * len(wiring.incoming)
    read = before if recurrent else now
    at = 0
    for node, count in enumerate(wiring.incoming):
        total = 0.0
        for link in range(at, at + count):
            source = wiring.sources[link]
            total += wiring.weights[link] * (inputs[source] if source < len(inputs) else read[source - len(inputs)])
        at += count
        total = wiring.biases[node] + wiring.responses[node] * total
        now[node] = activate(ACTIVATIONS[wiring.activations[node]], total)
    return now


def act_by_genes(genes: Genes, genome: int, inputs: np.ndarray, before: dict[int, float], recurrent: bool) -> dict:
    """Values of a genome's nodes by id, straight from its genes: what is not reached from an input is absent."""
    units = {**dict(enumerate(inputs.tolist())), genes.inputs: 1.0}
    enabled = [link for link in links(genes, genome) if link["enabled"]]
    reached, more = set(units), True
    while more:
        found = {link["targets"] for link in enabled if link["sources"] in reached} - reached
        more, reached = bool(found), reached | found
    values: dict[int, float] = {}

    def value(node: int) -> float:
        if node in units:
            return units[node]
        if recurrent:
            return before.get(node, 0.0)
        if node not in values:
            values[node] = computed(node)
        return values[node]

    def computed(node: int) -> float:
        into = [link for link in enabled if link["targets"] == node and link["sources"] in reached]
        return activate(
            ACTIVATIONS[nodes(genes, genome)[node]["activations"]],
            sum(link["weights"] * value(link["sources"]) for link in into),
        )

    outputs = range(genes.inputs + 1, genes.inputs + 1 + genes.outputs)
    return {node: computed(node) for node in nodes(genes, genome) if node in reached or node in outputs}
