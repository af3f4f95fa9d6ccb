"""Random graphs, and a plain twin of the graph layer."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from evo.networks.wiring import Wiring
from evo.numerics.node_functions import ACTIVATIONS, AGGREGATIONS

SMOOTH = ("linear", "sigmoid", "steep_sigmoid", "tanh", "gaussian", "sine", "cosine")


def random_wiring(
    rng: np.random.Generator,
    inputs: int,
    outputs: int,
    recurrent: bool,
    nodes: int = 8,
    activations: tuple[str, ...] = ACTIVATIONS,
    aggregations: tuple[str, ...] = AGGREGATIONS,
) -> Wiring:
    """A graph of up to so many nodes with these functions; numbers that float32 holds, half of the rates 1."""
    count = int(rng.integers(1, nodes + 1))
    sources = [
        rng.integers(0, inputs + (count if recurrent else node), int(rng.integers(0, 5))) for node in range(count)
    ]

    def numbers(size: int) -> Any:
        return rng.normal(size=size).astype(np.float32).astype(float)

    links = sum(map(len, sources))
    rates = rng.uniform(0.05, 1.0, count).astype(np.float32).astype(float)
    return Wiring(
        inputs=inputs,
        outputs=rng.integers(0, count, outputs),
        activations=np.array([ACTIVATIONS.index(name) for name in rng.choice(activations, count)]),
        aggregations=np.array([AGGREGATIONS.index(name) for name in rng.choice(aggregations, count)]),
        biases=numbers(count),
        responses=numbers(count),
        rates=np.where(rng.random(count) < 0.5, 1.0, rates),
        incoming=np.array([len(each) for each in sources]),
        sources=np.concatenate(sources).astype(np.int64),
        weights=numbers(links),
    )


def layered_wiring(rng: np.random.Generator, inputs: int, hidden: int, outputs: int) -> Wiring:
    """A perceptron of one hidden layer, tanh, as a graph."""
    count, incoming = hidden + outputs, np.repeat([inputs, inputs + hidden], [hidden, outputs])
    return Wiring(
        inputs=inputs,
        outputs=np.arange(hidden, count),
        activations=np.repeat([ACTIVATIONS.index("tanh"), ACTIVATIONS.index("linear")], [hidden, outputs]),
        aggregations=np.zeros(count, np.int64),
        biases=np.zeros(count),
        responses=np.ones(count),
        rates=np.ones(count),
        incoming=incoming,
        sources=np.concatenate([np.arange(links) for links in incoming]),
        weights=rng.normal(size=incoming.sum()).astype(np.float32).astype(float),
    )


def connected_wiring(rng: np.random.Generator, inputs: int, nodes: int, outputs: int) -> Wiring:
    """A recurrent graph in which every node reads every input and every node, tanh, at rates of its own."""
    incoming = np.full(nodes, inputs + nodes)
    return Wiring(
        inputs=inputs,
        outputs=np.arange(outputs),
        activations=np.full(nodes, ACTIVATIONS.index("tanh")),
        aggregations=np.zeros(nodes, np.int64),
        biases=np.zeros(nodes),
        responses=np.ones(nodes),
        rates=rng.uniform(0.1, 1.0, nodes).astype(np.float32).astype(float),
        incoming=incoming,
        sources=np.tile(np.arange(inputs + nodes), nodes),
        weights=rng.normal(size=incoming.sum()).astype(np.float32).astype(float),
    )


def structure_of(wiring: Wiring) -> list[Any]:
    """What gradients leave as it is."""
    return [
        getattr(wiring, name).tolist() for name in ("outputs", "activations", "aggregations", "incoming", "sources")
    ]


def _aggregated(name: str, terms: list[Any], number: Callable[[float], Any]) -> Any:
    if not terms:
        return number(0)
    if name in ("sum", "mean"):
        total = number(0)
        for term in terms:
            total = total + term
        return total / number(len(terms)) if name == "mean" else total
    if name == "product":
        return math.prod(terms[1:], start=terms[0])
    return {"maximum": max, "minimum": min, "largest": lambda each: max(each, key=abs)}[name](terms)


def activation(name: str, x: float) -> float:
    """An activation in Python's own float64."""
    return {
        "linear": lambda: x,
        "sigmoid": lambda: 1 / (1 + math.exp(-x)),
        "steep_sigmoid": lambda: 1 / (1 + math.exp(-4.9 * x)),
        "tanh": lambda: math.tanh(x),
        "relu": lambda: max(x, 0.0),
        "gaussian": lambda: math.exp(-x * x),
        "sine": lambda: math.sin(x),
        "cosine": lambda: math.cos(x),
        "absolute": lambda: abs(x),
        "square": lambda: x * x,
        "step": lambda: float(x > 0),
        "clamped": lambda: min(max(x, -1.0), 1.0),
    }[name]()


def run_plainly(
    wiring: Wiring,
    sequence: np.ndarray,
    recurrent: bool,
    number: Callable[[float], Any] = float,
    activate: Callable[[str, Any], Any] = activation,
) -> np.ndarray:
    """What a graph gives for inputs (steps, inputs), (steps, outputs), in numbers of one kind, node by node."""
    begins = np.concatenate([[0], np.cumsum(wiring.incoming)])
    values = [number(0)] * len(wiring.incoming)
    found = []
    for given in sequence:
        before = [number(one) for one in given] + (values if recurrent else [])
        now = list(before)
        for node, name in enumerate(wiring.activations):
            links = range(begins[node], begins[node + 1])
            terms = [number(wiring.weights[link]) * now[wiring.sources[link]] for link in links]
            total = _aggregated(AGGREGATIONS[wiring.aggregations[node]], terms, number)
            value = activate(ACTIVATIONS[name], number(wiring.biases[node]) + number(wiring.responses[node]) * total)
            rate, old = number(wiring.rates[node]), values[node] if recurrent else number(0)
            value = value if rate == 1 else old + rate * (value - old)
            if recurrent:
                values = [*values[:node], value, *values[node + 1 :]]
            else:
                now.append(value)
        values = values if recurrent else now[wiring.inputs :]
        found.append([values[node] for node in wiring.outputs])
    return np.array(found)
