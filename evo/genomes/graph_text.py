"""Genomes of graphs as text: for people, as JSON, and as neat-python prints them.

genes = evo.genomes.graph.genes_of(Wiring.of(champion.params), bias_unit=True)
print(genome_to_text(genes))
"""

import json
import math
import re
from typing import Any

import numpy as np

from evo.errors import one_line
from evo.networks.wiring import Wiring
from evo.numerics.node_functions import ACTIVATIONS, AGGREGATIONS
from evo.operators.graph_genes import LINK_ARRAYS, Genes, check_genes

_FORMAT = "evo graph genome 1"
_FUNCTIONS = (len(ACTIVATIONS), len(AGGREGATIONS))
_LINK = ("innovation", "source", "target", "weight", "enabled")


def genome_to_text(genes: Genes) -> str:
    """Return the one genome of some genes in words, a node or a link a line, links by the node that they lead to."""
    names = {node: f"input {node}" for node in range(genes.inputs)} | {genes.inputs: "bias unit"}
    names |= {genes.inputs + 1 + output: f"output {output}" for output in range(genes.outputs)}
    lines = [f"{genes.inputs} inputs, {genes.outputs} outputs, {len(genes.ids) - genes.outputs} hidden nodes"]
    for place, node in enumerate(genes.ids.tolist()):
        what = f"{ACTIVATIONS[genes.activations[place]]} of {AGGREGATIONS[genes.aggregations[place]]}"
        extras = [
            f"{name} {value:g}"
            for name, value, usual in (
                ("bias", genes.biases[place], 0.0),
                ("response", genes.responses[place], 1.0),
                ("rate", genes.rates[place], 1.0),
            )
            if value != usual
        ]
        lines.append(f"{names.get(node, f'node {node}')}: {', '.join([what, *extras])}")
        for link in np.flatnonzero(genes.targets == node):
            source = names.get(int(genes.sources[link]), f"node {genes.sources[link]}")
            off = "" if genes.enabled[link] else ", disabled"
            lines.append(f"    {genes.weights[link]:+.4g} from {source} (innovation {genes.innovations[link]}{off})")
    return "\n".join(lines)


def genome_to_json(genes: Genes) -> str:
    """Return the one genome of some genes as JSON, exactly; `genome_from_json` reads it."""
    nodes = [
        {
            "id": node,
            "activation": ACTIVATIONS[genes.activations[place]],
            "aggregation": AGGREGATIONS[genes.aggregations[place]],
            "bias": float(genes.biases[place]),
            "response": float(genes.responses[place]),
            "rate": float(genes.rates[place]),
        }
        for place, node in enumerate(genes.ids.tolist())
    ]
    columns = [getattr(genes, name).tolist() for name in LINK_ARRAYS]
    links = [dict(zip(_LINK, values, strict=True)) for values in zip(*columns, strict=True)]
    whole = {"format": _FORMAT, "inputs": genes.inputs, "outputs": genes.outputs, "nodes": nodes, "links": links}
    return json.dumps(whole, indent=1)


def genome_from_json(text: str, recurrent: bool = True) -> Genes:
    """Return the genome that `genome_to_json` wrote. recurrent: whether it may have cycles.

    Raises ValueError of one line for any other text.
    """
    try:
        whole = json.loads(text)
        if not isinstance(whole, dict) or whole.get("format") != _FORMAT:
            raise ValueError(f'its "format" must be "{_FORMAT}"')
        inputs, outputs = (_typed(whole, name, int) for name in ("inputs", "outputs"))
        nodes, links = (_typed(whole, name, list) for name in ("nodes", "links"))
        genes = Genes(
            inputs,
            outputs,
            np.array([0, len(nodes)]),
            np.array([_typed(node, "id", int) for node in nodes], np.int64),
            np.array([_place(node, "activation", ACTIVATIONS) for node in nodes], np.int64),
            np.array([_place(node, "aggregation", AGGREGATIONS) for node in nodes], np.int64),
            np.array([_typed(node, "bias", float) for node in nodes], np.float64),
            np.array([_typed(node, "response", float) for node in nodes], np.float64),
            np.array([_typed(node, "rate", float) for node in nodes], np.float64),
            np.array([0, len(links)]),
            np.array([_typed(link, "innovation", int) for link in links], np.int64),
            np.array([_typed(link, "source", int) for link in links], np.int64),
            np.array([_typed(link, "target", int) for link in links], np.int64),
            np.array([_typed(link, "weight", float) for link in links], np.float64),
            np.array([_typed(link, "enabled", bool) for link in links], np.bool_),
        )
        check_genes(genes, recurrent, _FUNCTIONS)
    except (ValueError, OverflowError, RecursionError) as error:
        raise ValueError(f"no graph genome: {one_line(error)}") from error
    return genes


def _typed(table: Any, name: str, kind: type) -> Any:
    """Return an entry of a table. Raises ValueError where it is not there, or of another type."""
    value = table.get(name) if isinstance(table, dict) else None
    kinds = (int, float) if kind is float else (kind,)
    if not isinstance(value, kinds) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{name!r} is {value!r}, where {kind.__name__} is meant")
    return value


def _place(table: Any, name: str, known: tuple[str, ...]) -> int:
    value = _typed(table, name, str)
    if value not in known:
        raise ValueError(f"{name} {value!r} is none of {', '.join(known)}")
    return known.index(value)


# neat-python's functions: ours, and by what it multiplies a node's sum first (its `activations.py`).
_OTHERS = {
    "sigmoid": ("sigmoid", 5.0),
    "tanh": ("tanh", 2.5),
    "sin": ("sine", 5.0),
    "gauss": ("gaussian", math.sqrt(5.0)),
    "relu": ("relu", 1.0),
    "identity": ("linear", 1.0),
    "clamped": ("clamped", 1.0),
    "abs": ("absolute", 1.0),
    "square": ("square", 1.0),
}
_SUMS = {"sum": "sum", "product": "product", "mean": "mean", "max": "maximum", "min": "minimum", "maxabs": "largest"}
_NUMBER = r"([-+.\deE]+)"
_NODE_LINE = re.compile(
    rf"NodeGene\(key=(\d+), bias={_NUMBER}, response={_NUMBER}, activation=(\w+), aggregation=(\w+)\)"
)
_LINK_LINE = re.compile(rf"ConnectionGene\(key=\((-?\d+), (\d+)\), weight={_NUMBER}, enabled=(True|False)\)")


def wiring_from_neat_python(text: str, inputs: int, outputs: int, recurrent: bool = False) -> Wiring:
    """Return the network of a genome that neat-python printed (`print(genome)`, its default genes).

    inputs, outputs: as in its configuration. Its sigmoid is steeper than ours, and so on: responses and biases are
    scaled, so that nodes have the same values. Raises ValueError of one line for another text, or another function.
    """
    found = {int(key): rest for key, *rest in _NODE_LINE.findall(text)}
    links = [(int(a), int(b), float(weight)) for a, b, weight, on in _LINK_LINE.findall(text) if on == "True"]
    missing = [key for key in range(outputs) if key not in found]
    if missing:
        raise ValueError(f"no genome of neat-python's with {outputs} outputs: node {missing[0]} is not there")
    order = _order(found.keys(), links, recurrent)
    place = {key: inputs + index for index, key in enumerate(order)} | {-1 - index: index for index in range(inputs)}
    for source, target, _ in links:
        if source not in place or target not in place:
            raise ValueError(
                f"a genome of neat-python's with a link from {source} to {target}, which are not both there"
            )
    functions, biases, responses = [], [], []
    for key in order:
        bias, response, activation, aggregation = found[key]
        if activation not in _OTHERS or aggregation not in _SUMS:
            raise ValueError(f"node {key} has {activation} of {aggregation}, which a graph cannot be given")
        name, slope = _OTHERS[activation]
        functions.append((ACTIVATIONS.index(name), AGGREGATIONS.index(_SUMS[aggregation])))
        biases.append(slope * float(bias))
        responses.append(slope * float(response))
    ordered = sorted(links, key=lambda link: place[link[1]])
    incoming = [sum(target == key for _, target, _ in links) for key in order]
    kinds = np.array(functions, np.int64)
    return Wiring(
        inputs,
        np.array([place[key] - inputs for key in range(outputs)]),
        kinds[:, 0],
        kinds[:, 1],
        np.array(biases),
        np.array(responses),
        np.ones(len(order)),
        np.array(incoming, np.int64),
        np.array([place[source] for source, _, _ in ordered], np.int64),
        np.array([weight for _, _, weight in ordered], np.float64),
    )


def _order(keys: Any, links: list[tuple[int, int, float]], recurrent: bool) -> list[int]:
    """Return node keys so that each follows those that it reads. Raises ValueError where a cycle forbids it."""
    waiting, order = sorted(keys), list[int]()
    while waiting and not recurrent:
        ready = [key for key in waiting if not any(b == key and a in waiting for a, b, _ in links)]
        if not ready:
            raise ValueError("a genome of neat-python's with a cycle: it is recurrent")
        order += ready
        waiting = [key for key in waiting if key not in ready]
    return order + waiting
