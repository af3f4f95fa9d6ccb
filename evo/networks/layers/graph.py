"""Graph: a network of single nodes, whose structure each individual has for itself: NEAT's and CPPNs.

The parameters of an individual are the row that `evo.networks.wiring.Wiring` describes. A node's value is activation(
bias + response × aggregation of weight × source), followed with the node's rate r: value += r (new - value). Nodes of a
feed-forward graph are computed in order, from the values of this step, and follow from 0. In a recurrent graph all
nodes read the inputs of this step and the nodes' values of the step before, which last for the episode; with rates
below 1 it is a continuous-time network (Beer 1995) by Euler's method, with time constants of 1 / r control steps.
"""

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from evo.envs.engine.compile import njit
from evo.grammar import Call
from evo.networks.arguments import Arguments, Choice
from evo.networks.layer import Layer, Shape, shape_text
from evo.networks.wiring import HEADER, LINK, NODE, Wiring
from evo.numerics.graph_nodes import compute_nodes
from evo.numerics.node_functions import ACTIVATIONS, AGGREGATIONS

if TYPE_CHECKING:  # acting does not need scipy, which brings BLAS
    from evo.autodiff import Node, Tape

_MOST = 256  # nodes, unless a number is given: 2 KB of memory in each episode
_LEAST_RATE = 2.0**-10  # that gradient descent may reach: a time constant of 1,024 steps
_FUNCTIONS = len(ACTIVATIONS), len(AGGREGATIONS)


@njit(error_model="numpy")
def run_graph(row: Any, behind: int, memory: Any, inputs: Any, outputs: Any) -> None:
    """Compute a step of the graph that a row describes.

    memory: room for the inputs, then the nodes' values, and, where the graph is recurrent, `behind` numbers further,
    those of this step. behind: 0 for a feed-forward graph.
    """
    count = inputs.size
    memory[:count] = inputs
    compute_nodes(row, memory, count, behind)
    for place in range(count, count + int(row[2])):
        memory[place] = memory[place + behind]
    for index in range(outputs.size):
        outputs[index] = memory[count + int(row[HEADER + index])]


def _step(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    run_graph(params, numbers[0], memory, inputs, outputs)


@njit(error_model="numpy")
def _fits(row: Any, inputs: int, outputs: int, most: int, ordered: bool, functions: Any) -> bool:
    """Return whether a row is a graph of this layer: what `Wiring.of` and `Graph.check` refuse in words, compiled."""
    zero = np.float32(0)
    if row.size < HEADER or row[0] != inputs or row[1] != outputs or not zero <= row[2] <= most:
        return False
    nodes, first = int(row[2]), HEADER + outputs
    at = first + NODE * nodes
    links = (row.size - at) // LINK
    if row[2] != nodes or row.size < at or row[3] != links or row.size != at + LINK * links:
        return False
    for index in range(row.size):
        if not math.isfinite(row[index]):
            return False
    for index in range(HEADER, first):
        if not zero <= row[index] < nodes or row[index] != math.floor(row[index]):
            return False
    for node in range(nodes):
        here = row[first + NODE * node :]
        for place in range(2):
            if not zero <= here[place] < functions[place] or here[place] != math.floor(here[place]):
                return False
        if not zero < here[4] <= np.float32(1) or not zero <= here[5] <= links or here[5] != math.floor(here[5]):
            return False
        end = at + LINK * int(here[5])
        if end > row.size:
            return False
        for link in range(at, end, LINK):
            if not zero <= row[link] < inputs + (node if ordered else nodes) or row[link] != math.floor(row[link]):
                return False
        at = end
    return at == row.size


@njit
def _misfit(values: Any, places: Any, inputs: int, outputs: int, most: int, ordered: bool, functions: Any) -> int:
    """Return the first row that does not fit, -1 where all do."""
    for row in range(len(places)):
        if not _fits(values[places[row, 0] : places[row, 1]], inputs, outputs, most, ordered, functions):
            return row
    return -1


@dataclass(frozen=True)
class Graph(Layer):
    """A network of single nodes, whose number, links and functions each individual has for itself.

    nodes: the most that an individual may have. recurrent: whether nodes read each other's values of the step before,
    in any order. outputs: how many it has; as the last layer in text, those that a task needs (`as_action_layer`).
    Parameters: the row of a `Wiring`, as long as the individual likes. Outputs are nodes' values, whose activations
    bound them or do not. `initial` links all inputs to all outputs, linear, with weights of 0. Raises ValueError for
    fewer nodes than one.
    """

    word = "graph"
    summary = (
        "graph, graph:1024 or graph:recurrent, at the end: single nodes with links of each individual's own, as NEAT "
        "grows them (Stanley & Miikkulainen 2002); the most nodes, by default 256."
    )
    own_length = True

    nodes: int = _MOST
    recurrent: bool = False
    outputs: int = 0

    def __post_init__(self) -> None:
        if self.nodes < 1:
            raise ValueError(f"a graph needs at least one node, got {self.nodes}")

    @classmethod
    def from_call(cls, call: Call) -> list[Layer]:
        given = Arguments(call)
        given.leave_numbers_out()
        counts = given.widths("nodes", "the most nodes that it may have", "256") if given.numbers else []
        if len(counts) > 1:
            raise given.refuses("it takes one number, of nodes")
        named = given.named("nodes") or ({"nodes": counts[0]} if counts else {})
        return [cls(**named, **given.options(recurrent=Choice("a kind of graph", {"recurrent": True})))]

    def as_action_layer(self, outputs: int, bounds: tuple[np.ndarray, np.ndarray] | None) -> "Graph":
        """Return it with as many outputs as there are actions; it does not bound them."""
        return replace(self, outputs=outputs)

    @property
    def text(self) -> str:
        number = "" if self.nodes == _MOST else f":{self.nodes}"
        return f"{self.word}{number}{':recurrent' if self.recurrent else ''}"

    @property
    def step(self) -> Any:
        return _step

    def numbers(self, inputs: Shape) -> tuple[int, ...]:
        """Return how far behind the earlier values of its nodes the new ones are, 0 for a feed-forward graph."""
        return (self.nodes if self.recurrent else 0,)

    def shape(self, inputs: Shape) -> Shape:
        if not self.outputs:
            raise ValueError(f"{self.text!r} stands at the end, and has as many outputs as a task needs")
        if self.outputs > self.nodes:
            raise ValueError(
                f"{self.text!r}: {self.outputs} outputs, and no more than {self.nodes} nodes; write graph:"
                f"{2 * self.outputs}"
            )
        return (self.outputs,)

    def size(self, inputs: Shape) -> int:
        return HEADER + self.outputs * (1 + NODE + LINK * math.prod(inputs))

    def initial(self, inputs: Shape, rng: np.random.Generator) -> np.ndarray:
        count, zeros = math.prod(inputs), np.zeros(self.outputs, np.int64)
        links = count * self.outputs
        return Wiring(
            inputs=count,
            outputs=np.arange(self.outputs),
            activations=zeros,
            aggregations=zeros,
            biases=np.zeros(self.outputs),
            responses=np.ones(self.outputs),
            rates=np.ones(self.outputs),
            incoming=np.full(self.outputs, count),
            sources=np.tile(np.arange(count), self.outputs),
            weights=np.zeros(links),
        ).row()

    def check(self, params: np.ndarray, inputs: Shape) -> None:
        with np.errstate(over="ignore"):  # what is too large for float32 is infinite, and refused
            row = np.ascontiguousarray(params, np.float32)
        given = math.prod(inputs)
        if row.ndim != 1 or not _fits(row, given, self.outputs, self.nodes, not self.recurrent, _FUNCTIONS):
            self._refuse(row, inputs)

    def misfit(self, values: np.ndarray, places: np.ndarray, inputs: Shape) -> int:
        """Check all rows in one compiled call: see `Layer.misfit`."""
        return _misfit(values, places, math.prod(inputs), self.outputs, self.nodes, not self.recurrent, _FUNCTIONS)

    def _refuse(self, row: np.ndarray, inputs: Shape) -> NoReturn:
        """Raise ValueError that says why a row is no graph of this layer."""
        wiring = Wiring.of(row)
        sizes = wiring.inputs, len(wiring.outputs), len(wiring.incoming)
        if sizes[:2] != (math.prod(inputs), self.outputs):
            raise ValueError(
                f"a graph from {sizes[0]} inputs to {sizes[1]} outputs; it must be from {shape_text(inputs)} to "
                f"{self.outputs}"
            )
        if sizes[2] > self.nodes:
            raise ValueError(
                f"a graph of {sizes[2]} nodes, where {self.text!r} takes {self.nodes} at most; write graph:{sizes[2]}"
            )
        wiring.check_order()
        raise AssertionError("a graph that fits")

    @property
    def facts(self) -> dict[str, Any]:
        """Return `recurrent` and `most_nodes`."""
        return {"recurrent": self.recurrent, "most_nodes": self.nodes}

    def memory_size(self, inputs: Shape) -> int:
        """Return room for the inputs and the nodes' values; in a recurrent graph also for those of this step."""
        return math.prod(inputs) + (2 if self.recurrent else 1) * self.nodes

    def remembers(self, inputs: Shape) -> bool:
        return self.recurrent

    def carried(self, inputs: Shape) -> np.ndarray:
        return math.prod(inputs) + np.arange(self.nodes if self.recurrent else 0)

    def bounds(self, params: np.ndarray, inputs: Shape) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what gradient descent leaves as it is, which is the structure, and the range of the rates."""
        wiring = Wiring.of(params)
        free, count = np.full(len(wiring.incoming), np.inf), len(wiring.weights)
        most = replace(wiring, biases=free, responses=free, rates=np.ones_like(free), weights=np.full(count, np.inf))
        rates = np.minimum(wiring.rates, _LEAST_RATE)
        least = replace(wiring, biases=-free, responses=-free, rates=rates, weights=np.full(count, -np.inf))
        places = np.flatnonzero(np.isfinite(most.row()))
        return places, least.row()[places], most.row()[places]

    def apply(self, tape: "Tape", inputs: "Node", at: int, shape: Shape, steps: int) -> "Node":
        from evo.autodiff.graph import nodes, pick_outputs

        count, behind = math.prod(shape), self.numbers(shape)[0]
        params, columns = tape.parameters(at, 1, tape.size - at), count + behind + self.nodes
        if self.recurrent:
            batch = inputs.rows // steps
            values, state = tape.empty(inputs.rows, columns), tape.state(batch, self.nodes)
            for time in range(steps):
                now, before = (time * batch, batch), tape.carried(state, time)
                operands, into = (inputs.part(*now), params, before), values.part(*now)
                state = tape.record(nodes, batch, columns, *operands, into=into, numbers=(behind,))
                state = state.take(count + behind, self.nodes)
        else:
            values = tape.record(nodes, inputs.rows, columns, inputs, params, numbers=(behind,))
        return tape.record(pick_outputs, inputs.rows, self.outputs, values, params, numbers=(count + behind,))
