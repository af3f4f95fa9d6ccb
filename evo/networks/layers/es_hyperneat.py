"""ES-HyperNEAT: a network whose neurons stand where the pattern of a graph carries information.

Risi & Stanley 2012, "An enhanced hypercube-based encoding for evolving the placement, density, and connectivity of
neurons". The graph of an individual, a connective pattern-producing network, answers with the weight between two
places, as in HyperNEAT, but nobody says where hidden neurons are: a quadtree finds them in the plane (see
`evo.networks.evolvable_substrate`). Inputs and outputs lie off the plane of hidden neurons, or on two of its sides.

The network is developed at the first step of an episode into the layer's memory, which is zero then.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from evo.envs.engine.compile import njit
from evo.envs.engine.physics import StopFlag, run_interruptibly
from evo.grammar import Call
from evo.networks import evolvable_substrate as evolvable
from evo.networks.arguments import Arguments, Choice
from evo.networks.layer import Layer, Shape
from evo.networks.layers.graph import Graph, run_graph
from evo.networks.layers.painted import Painted, painted_choices
from evo.networks.wiring import HEADER, LINK, NODE, Wiring
from evo.numerics.node_functions import ACTIVATIONS
from evo.numerics.quadtree import first_point

_DEEPEST = 8  # 256 × 256 points
_THRESHOLDS = ("division", "variance", "band")


@njit(cache=True)
def _row(numbers: Any, params: Any, memory: Any) -> Any:
    """Return the row of the developed network, which is there from the first step on."""
    room = evolvable.rooms(numbers)
    if memory[room.built] == 0:
        evolvable.develop(numbers, params, memory)
        memory[room.built] = 1
    return memory[room.row : room.asked]


def _step(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    behind = numbers[evolvable.NEURONS] + numbers[evolvable.OUTPUTS] if numbers[evolvable.RECURRENT] else 0
    run_graph(_row(numbers, params, memory), behind, memory, inputs, outputs)


@dataclass(frozen=True)
class ESHyperNEAT(Painted):
    """A network whose neurons each individual's graph places, and whose weights it paints (Risi & Stanley 2012).

    depth: how often the plane may be quartered, and `initial_depth` how often it always is. activation: of hidden
    neurons, a function of graphs' nodes; the outputs are linear. recurrent: whether all links are kept, and values of
    the step before are read; else only those to neurons that the next round finds. rounds: how often neurons are looked
    for from those that were found last. hidden: the most of them; further ones are not made. division: the
    variance of four answers above which squares are quartered. variance: that below a point from which on it stands
    for itself no more. band: the difference to answers on both sides that a link needs. For the rest see `Painted`.

    Parameters: the row of a `Wiring`, of its own length. Its inputs are the places of two units and their difference,
    3 × dimensions (2 on lines, 3 otherwise); its outputs are one for weights, then one for biases. Raises ValueError
    for other values.
    """

    word = "es-hyperneat"
    summary = (
        "es-hyperneat, es-hyperneat:3:grid:nobias or es-hyperneat:body:recurrent, at the end: neurons where the "
        "pattern of each individual's graph carries information, to this depth of a quadtree, by default 4 (Risi & "
        "Stanley 2012); initial_depth=3, rounds=1, hidden=256, division=0.03, variance=0.03, band=0.3, maximum=3 in "
        "parentheses."
    )

    depth: int = 4
    activation: str = "tanh"
    recurrent: bool = False
    initial_depth: int = 3
    rounds: int = 1
    hidden: int = 256
    division: float = 0.03
    variance: float = 0.03
    band: float = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"unknown activation {self.activation!r}; one of {', '.join(ACTIVATIONS)}")
        if not 1 <= self.depth <= _DEEPEST:
            raise ValueError(f"depth={self.depth}: a plane is quartered 1 to {_DEEPEST} times")
        if not 1 <= self.initial_depth <= self.depth:
            raise ValueError(f"initial_depth={self.initial_depth}: it must be from 1 to the depth, {self.depth}")
        if not 0 <= self.rounds <= 16:
            raise ValueError(f"rounds={self.rounds}: it must be from 0 to 16")
        if self.hidden < 1:
            raise ValueError(f"hidden={self.hidden}: it needs room for one at least")
        for name in _THRESHOLDS:
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name}={getattr(self, name)}: the threshold must be a number, 0 or more")

    @classmethod
    def from_call(cls, call: Call) -> list[Layer]:
        given = Arguments(call)
        given.leave_numbers_out()
        depths = given.widths("depth", "how often the plane may be quartered", "4") if given.numbers else []
        if len(depths) > 1:
            raise given.refuses("it takes one number, the depth")
        floats = dict.fromkeys((*_THRESHOLDS, "maximum"), float)
        named: dict[str, Any] = {"depth": depths[0]} if depths else {}
        named |= given.named("depth", "initial_depth", "rounds", "hidden", "nodes", *floats, **floats)
        kinds = {**painted_choices(ACTIVATIONS), "recurrent": Choice("a kind of network", {"recurrent": True})}
        return [cls(**named, **given.options(**kinds))]

    @property
    def text(self) -> str:
        depth = "" if self.depth == ESHyperNEAT.depth else str(self.depth)
        fields = "initial_depth", "rounds", "hidden", *_THRESHOLDS, "maximum", "nodes"
        return self.written(depth, ["recurrent"] if self.recurrent else [], fields)

    @property
    def step(self) -> Any:
        return _step

    def shape(self, inputs: Shape) -> Shape:
        self._units(inputs)
        return (self.outputs,)

    def _units(self, inputs: Shape) -> tuple[np.ndarray, np.ndarray]:
        """Return the places of inputs and outputs, float64 (units, dimensions) each. Raises ValueError without any.

        The last coordinate of inputs is below 0, that of outputs above; hidden neurons are at 0, except where all are
        in one plane, whose lower and upper sides inputs and outputs on lines are.
        """
        first, last = self.ends(inputs)
        if self.layout == "line":
            return first - np.array([0.0, 1.0]), last + np.array([0.0, 1.0])
        first, last = (np.pad(each, ((0, 0), (0, 3 - each.shape[1]))) for each in (first, last))
        up, scale = np.array([0.0, 0.0, 1.0]), np.array([1.0, 1.0, 0.5])
        return (first - up) * scale, (last + up) * scale

    def pattern(self, inputs: Shape) -> tuple[Graph, Shape]:
        dimensions = 2 if self.layout == "line" else 3
        return Graph(self.nodes, outputs=1 + self.bias), (3 * dimensions,)

    def develop(self, params: np.ndarray, inputs: Shape) -> Wiring:
        """Return the network of an individual, as a network `graph` runs it. params: of it, (own length,)."""
        numbers, memory = np.array(self.numbers(inputs)), np.zeros(self.memory_size(inputs), np.float32)
        pattern, stop = np.array(params, np.float32), StopFlag()
        numbers[evolvable.STOP] = stop.address
        row = run_interruptibly(lambda: _row(numbers, pattern, memory), stop)
        return Wiring.of(row[: HEADER + int(row[1]) + NODE * int(row[2]) + LINK * int(row[3])])

    @property
    def most_neurons(self) -> int:
        return min(self.hidden, int(first_point(self.depth + 1)))

    def products(self, inputs: Shape) -> int:
        """Return the most links that the network may have."""
        room = evolvable.rooms(np.array(self.numbers(inputs)))
        return int(room.end - room.first)

    def memory_size(self, inputs: Shape) -> int:
        """Return room for the nodes' values, the network, and what its development needs."""
        return int(evolvable.rooms(np.array(self.numbers(inputs))).end)

    def remembers(self, inputs: Shape) -> bool:
        return self.recurrent

    def numbers(self, inputs: Shape) -> tuple[int, ...]:
        units = self._units(inputs)
        floats = np.concatenate(
            [[self.division, self.variance, self.band, self.maximum], *(each.ravel() for each in units)]
        )
        return (
            0,
            len(units[0]),
            len(units[1]),
            units[0].shape[1],
            int(self.bias),
            ACTIVATIONS.index(self.activation),
            int(self.recurrent),
            self.rounds,
            self.most_neurons,
            self.nodes,
            self.initial_depth,
            self.depth,
            *floats.view(np.int64).tolist(),
        )
