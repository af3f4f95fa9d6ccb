"""First generations with hidden nodes, for ablations of growth from minimal structure.

As in the ablations of Stanley & Miikkulainen 2002, section 5: a layer of 10 hidden nodes, fully connected, and
structures drawn at random, of 1 to 10 hidden nodes, as the authors' NEAT C++ draws them: any two nodes that may be
linked are, with one chance, and what is at the same place has the same innovation number in all genomes.
"""

from collections.abc import Callable

import numpy as np

from evo.numerics.node_functions import ACTIVATIONS
from evo.numerics.randomness import generator
from evo.operators.graph_genes import Genes

Start = Callable[[Genes, int, int], Genes]
"""Makes a first generation: of the genome where NEAT would begin, a seed, and how many individuals there are."""

HIDDEN = 10  # nodes, at most
LINKED = 0.5  # chance that two nodes are linked
_HIDDEN_ACTIVATION = ACTIVATIONS.index("steep_sigmoid")
_SPREAD = 1.0  # bound ± of first weights: NEAT's `first_spread`


def hidden_layer(minimal: Genes, seed: int, count: int) -> Genes:
    """Return genomes of one hidden layer that all inputs and the bias unit lead to, and that leads to all outputs."""
    rng = generator(seed, "hidden layer")
    links = [(*link, 1.0) for link in _links(minimal, HIDDEN) if _is_layered(minimal, *link[1:])]
    return _genomes(minimal, rng, [HIDDEN] * count, [links] * count)


def random_structures(minimal: Genes, seed: int, count: int) -> Genes:
    """Return feed-forward genomes of 1 to 10 hidden nodes each, whose nodes are linked at random."""
    rng = generator(seed, "random structures")
    nodes = rng.integers(1, HIDDEN + 1, count).tolist()
    return _genomes(minimal, rng, nodes, [[(*link, LINKED) for link in _links(minimal, each)] for each in nodes])


def _links(minimal: Genes, hidden: int) -> list[tuple[int, int, int]]:
    """Return all links of a feed-forward genome: innovation number, source, target, in the order of the numbers.

    The first numbers are those of links from inputs and the bias unit to outputs, as NEAT has them everywhere.
    """
    fixed = minimal.inputs + 1
    outputs = range(fixed, fixed + minimal.outputs)
    first = fixed + minimal.outputs
    pairs = [(source, target) for source in range(fixed) for target in outputs]
    for node in range(first, first + HIDDEN):
        pairs += [(source, node) for source in (*range(fixed), *range(first, node))]
        pairs += [(node, target) for target in outputs]
    most = first + hidden
    return [(number, *pair) for number, pair in enumerate(pairs) if max(pair) < most]


def _is_layered(minimal: Genes, source: int, target: int) -> bool:
    first = minimal.inputs + 1 + minimal.outputs
    return (source >= first) != (target >= first)


def _genomes(
    minimal: Genes, rng: np.random.Generator, nodes: list[int], links: list[list[tuple[int, int, int, float]]]
) -> Genes:
    """Return genomes with so many hidden nodes each, and each of its links with the chance that stands last in it."""
    first, outputs = minimal.inputs + 1, minimal.outputs
    ids = np.concatenate([np.arange(first, first + outputs + count) for count in nodes])
    found = [np.array([link[:3] for link in each if rng.random() < link[3]]) for each in links]
    innovations, sources, targets = np.concatenate(found).T
    total = len(ids)
    is_output = ids < first + outputs
    return minimal._replace(
        node_offsets=np.cumsum([0, *(outputs + count for count in nodes)]),
        ids=ids,
        activations=np.where(is_output, minimal.activations[(ids - first) % outputs], _HIDDEN_ACTIVATION),
        aggregations=np.zeros(total, np.int64),
        biases=np.zeros(total),
        responses=np.where(is_output, minimal.responses[(ids - first) % outputs], 1.0),
        rates=np.ones(total),
        link_offsets=np.cumsum([0, *map(len, found)]),
        innovations=innovations.copy(),
        sources=sources.copy(),
        targets=targets.copy(),
        weights=rng.uniform(-_SPREAD, _SPREAD, len(innovations)),
        enabled=np.ones(len(innovations), np.bool_),
    )
