"""Wiring: the nodes and links of one graph network, and the row of numbers that it is evaluated from.

A row is the four counts (inputs, outputs, nodes, links), then the node that each output reads, then six numbers for
each node, then two for each link:

    node: activation, aggregation, bias, response, rate, number of links into it
    link: source, weight

Activations and aggregations are indices into `evo.numerics.node_functions`. Sources 0 to inputs - 1 are the inputs,
inputs + k is node k. Nodes stand in the order in which they are computed, links in the order of the nodes they lead
to. Whole numbers below 2²⁴ are exact in float32, in which rows are evaluated.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evo.numerics.graph_nodes import HEADER, LINK, NODE
from evo.numerics.node_functions import ACTIVATIONS, AGGREGATIONS

__all__ = ["HEADER", "LINK", "MOST", "NODE", "Wiring"]

MOST = 2**24  # whole numbers below it are exact in float32


@dataclass(frozen=True)
class Wiring:
    """A graph network as arrays.

    inputs: number of inputs. outputs: int64 (outputs,), the node that each output reads. activations, aggregations:
    int64 (nodes,). biases, responses, rates: float64 (nodes,); a node's value is
    activation(bias + response × aggregation of weight × source), followed with this rate: 1 at once, less slowly.
    incoming: int64 (nodes,), how many links lead to each node. sources: int64 (links,); weights: float64 (links,).
    """

    inputs: int
    outputs: NDArray[np.int64]
    activations: NDArray[np.int64]
    aggregations: NDArray[np.int64]
    biases: NDArray[np.float64]
    responses: NDArray[np.float64]
    rates: NDArray[np.float64]
    incoming: NDArray[np.int64]
    sources: NDArray[np.int64]
    weights: NDArray[np.float64]

    @property
    def targets(self) -> NDArray[np.int64]:
        """The node that each link leads to, int64 (links,)."""
        return np.repeat(np.arange(len(self.incoming)), self.incoming)

    def row(self) -> NDArray[np.float64]:
        """Return the row that it is evaluated from, float64 (numbers,)."""
        counts = [self.inputs, len(self.outputs), len(self.incoming), len(self.sources)]
        nodes = [self.activations, self.aggregations, self.biases, self.responses, self.rates, self.incoming]
        links = [self.sources, self.weights]
        parts = [counts, self.outputs, np.column_stack(nodes).ravel(), np.column_stack(links).ravel()]
        return np.concatenate([np.asarray(part, np.float64) for part in parts])

    @classmethod
    def of(cls, row: NDArray[Any]) -> "Wiring":
        """Return the wiring that a row describes. Raises ValueError for one that describes none."""
        values = np.asarray(row, np.float64)
        if values.ndim != 1 or len(values) < HEADER:
            raise ValueError(f"a graph of shape {values.shape}: its row begins with {HEADER} counts")
        inputs, outputs, nodes, links = _whole("counts", values[:HEADER], MOST).tolist()
        length = HEADER + outputs + NODE * nodes + LINK * links
        if len(values) != length:
            raise ValueError(
                f"a graph of {nodes} nodes, {links} links and {outputs} outputs is {length} numbers, not {len(values)}"
            )
        if not inputs or not outputs:
            raise ValueError(f"a graph of {inputs} inputs and {outputs} outputs: it needs one of each at least")
        if not np.isfinite(values).all():
            raise ValueError("a graph with a number that is not finite")
        node_rows = values[HEADER + outputs :][: NODE * nodes].reshape(nodes, NODE)
        link_rows = values[length - LINK * links :].reshape(links, LINK)
        found = cls(
            inputs,
            _whole("outputs' nodes", values[HEADER:][:outputs], nodes),
            _whole("activations", node_rows[:, 0], len(ACTIVATIONS)),
            _whole("aggregations", node_rows[:, 1], len(AGGREGATIONS)),
            node_rows[:, 2],
            node_rows[:, 3],
            node_rows[:, 4],
            _whole("numbers of links", node_rows[:, 5], links + 1),
            _whole("sources", link_rows[:, 0], inputs + nodes),
            link_rows[:, 1],
        )
        if found.incoming.sum() != links:
            raise ValueError(f"a graph whose nodes take {found.incoming.sum()} links and that has {links}")
        if not ((found.rates > 0) & (found.rates <= 1)).all():
            raise ValueError("a graph with a rate outside (0, 1]")
        return found

    def check_order(self) -> None:
        """Raise ValueError where a node reads one that is computed after it, or itself."""
        late = self.sources - self.inputs >= self.targets
        if late.any():
            link = int(np.argmax(late))
            raise ValueError(
                f"a feed-forward graph whose node {self.targets[link]} reads node {self.sources[link] - self.inputs}, "
                "which is not computed before it"
            )


def _whole(name: str, values: NDArray[np.float64], end: int) -> NDArray[np.int64]:
    """Return whole numbers from 0 to before `end`. Raises ValueError for others."""
    if not ((values >= 0) & (values < end) & (values == np.floor(values))).all():
        raise ValueError(f"a graph whose {name} are not all whole numbers from 0 to {end - 1}")
    return values.astype(np.int64)
