"""HyperNEAT: a multilayer perceptron whose weights a graph paints, as a pattern over its units' places.

Stanley, D'Ambrosio & Gauci 2009, "A hypercube-based encoding for evolving large-scale neural networks". The graph, a
connective pattern-producing network, is given two units' places and the way from one to the other, which is the
paper's Δ (section 4.1), and answers with the weight between them. Answers within ±threshold are no connection; beyond
it, up to ±1, they are scaled to ±maximum (section 3.1). There is one output for the weights into each layer, and then
one for the biases of each, painted as weights from the middle of the substrate.

The weights are painted at the first step of an episode into the layer's memory, which is zero then.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from evo.envs.engine.compile import njit
from evo.envs.engine.physics import StopFlag, is_stopped, run_interruptibly
from evo.grammar import Call
from evo.networks import substrate
from evo.networks.arguments import Arguments
from evo.networks.layer import Layer, Shape
from evo.networks.layers.dense import Dense, affine
from evo.networks.layers.graph import Graph
from evo.networks.layers.painted import Painted, painted_choices
from evo.networks.wiring import HEADER
from evo.numerics.activations import ACTIVATIONS, activate, check_activation
from evo.numerics.graph_nodes import compute_nodes

_STOP, _LAYERS, _DIMENSIONS, _BIAS, _ACTIVATION, _PAINTED, _WIDEST, _THRESHOLD, _MAXIMUM = range(9)
_SIZES = 9  # of the layers; their units' places follow


@njit
def _weight(answer: Any, threshold: Any, maximum: Any) -> Any:
    """Return the weight that a graph's answer stands for; none for what is no number."""
    one = np.float32(1)
    if not abs(answer) > threshold:
        return np.float32(0)
    weight = (min(abs(answer), one) - threshold) / (one - threshold) * maximum
    return weight if answer > 0 else -weight


@njit(error_model="numpy")
def _paint(numbers: Any, params: Any, memory: Any) -> None:
    """Write weights and biases of all layers, as dense layers have them, from memory[1] on, unless it is stopped."""
    layers, dimensions = numbers[_LAYERS], numbers[_DIMENSIONS]
    floats = numbers.view(np.float64)
    threshold, maximum = np.float32(floats[_THRESHOLD]), np.float32(floats[_MAXIMUM])
    values, count = memory[1 + numbers[_PAINTED] + 2 * numbers[_WIDEST] :], 3 * dimensions  # inputs, then nodes
    place, at = _SIZES + layers + 1, 1
    for layer in range(layers):
        before, after = numbers[_SIZES + layer], numbers[_SIZES + layer + 1]
        targets = place + before * dimensions
        for unit in range(before + numbers[_BIAS]):  # the last one is the middle, from where biases come
            if is_stopped(numbers[_STOP]):
                return
            for target in range(after):
                for axis in range(dimensions):
                    here = np.float32(floats[place + unit * dimensions + axis]) if unit < before else np.float32(0)
                    there = np.float32(floats[targets + target * dimensions + axis])
                    values[axis], values[dimensions + axis], values[2 * dimensions + axis] = here, there, there - here
                compute_nodes(params, values, count, 0)
                output = layer if unit < before else layers + layer
                memory[at] = _weight(values[count + int(params[HEADER + output])], threshold, maximum)
                at += 1
        place = targets


def _step(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    layers, widest = numbers[_LAYERS], numbers[_WIDEST]
    if memory[0] == 0:
        _paint(numbers, params, memory)
        memory[0] = 1
    at, source = 1, inputs
    for layer in range(layers):
        before, after = numbers[_SIZES + layer], numbers[_SIZES + layer + 1]
        room = 1 + numbers[_PAINTED] + layer % 2 * widest
        target = outputs if layer == layers - 1 else memory[room : room + after]
        end = at + (before + numbers[_BIAS]) * after
        affine(memory[at:end], source, target)
        if layer < layers - 1:
            activate(target, numbers[_ACTIVATION])
        at, source = end, target


@dataclass(frozen=True)
class HyperNEAT(Painted):
    """A multilayer perceptron whose weights each individual's graph paints (Stanley, D'Ambrosio & Gauci 2009).

    hidden: (columns, rows) of each hidden layer. activation: of hidden layers, one of ACTIVATIONS; the outputs are
    linear. threshold: of answers, below which there is no connection. For the rest see `Painted`.

    Parameters: the row of a `Wiring`, of its own length. Its inputs are the places of two units and their difference,
    3 × dimensions (2, or 3 on bodies and pictures with colours); its outputs are one for the weights into each layer,
    then one for the biases of each. Raises ValueError for other values.
    """

    word = "hyperneat"
    summary = (
        "hyperneat, hyperneat:16:body or hyperneat:5x5:grid:nobias, at the end: hidden widths of a perceptron whose "
        "weights each individual's graph paints by the units' places (Stanley 2009): line (the default), grid or body; "
        "activation tanh (the default), linear, relu or elu; threshold=0.2, maximum=3 in parentheses."
    )

    hidden: tuple[tuple[int, int], ...] = ()
    activation: str = "tanh"
    threshold: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        check_activation(self.activation)
        if not 0 <= self.threshold < 1:
            raise ValueError(f"threshold={self.threshold}: answers reach 1, so it must be in [0, 1)")
        if any(min(sides) < 1 for sides in self.hidden):
            raise ValueError(f"hidden layers of {self.hidden}: each needs one unit at least")

    @classmethod
    def from_call(cls, call: Call) -> list[Layer]:
        given = Arguments(call)
        given.leave_numbers_out()
        sides = [width.split("x") for width in given.numbers.split(",") if width]
        if not all(len(each) <= 2 and all(side.isdecimal() for side in each) for each in sides):
            raise given.needs("the widths of its hidden layers, or their columns x rows", "16,5x5")
        numbers = given.named("nodes", "threshold", "maximum", threshold=float, maximum=float)
        hidden = tuple((int(each[0]), int(each[1]) if len(each) > 1 else 1) for each in sides)
        return [cls(hidden=hidden, **numbers, **given.options(**painted_choices(ACTIVATIONS)))]

    @property
    def text(self) -> str:
        widths = ",".join(f"{columns}x{rows}" if rows > 1 else str(columns) for columns, rows in self.hidden)
        return self.written(widths, [], ("threshold", "maximum", "nodes"))

    @property
    def step(self) -> Any:
        return _step

    def shape(self, inputs: Shape) -> Shape:
        self._substrate(inputs)
        return (self.outputs,)

    def _substrate(self, inputs: Shape) -> list[np.ndarray]:
        """Return the places of each layer's units, float64 (units, dimensions). Raises ValueError without any."""
        first, last = self.ends(inputs)
        return substrate.together([first, *(substrate.grid(*sides) for sides in self.hidden), last])

    def pattern(self, inputs: Shape) -> tuple[Graph, Shape]:
        units = self._substrate(inputs)
        return Graph(self.nodes, outputs=(len(units) - 1) * (1 + self.bias)), (3 * units[0].shape[1],)

    def painted(self, params: np.ndarray, inputs: Shape) -> tuple[list[Dense], np.ndarray, list[np.ndarray]]:
        """Return the perceptron that an individual's graph paints.

        Its layers, their parameters, float32 (parameters,), and the places of all layers' units, inputs first, float64
        (units, dimensions) each.
        """
        units, memory = self._substrate(inputs), np.zeros(self.memory_size(inputs), np.float32)
        numbers, row, stop = np.array(self.numbers(inputs)), np.array(params, np.float32), StopFlag()
        numbers[_STOP] = stop.address
        run_interruptibly(lambda: _paint(numbers, row, memory), stop)
        kinds = [*(self.activation,) * (len(units) - 2), "linear"]
        layers = [Dense(len(after), kind, bias=self.bias) for after, kind in zip(units[1:], kinds, strict=True)]
        return layers, memory[1 : 1 + self.products(inputs)], units

    def products(self, inputs: Shape) -> int:
        """Return the number of weights and biases that are painted."""
        sizes = [len(units) for units in self._substrate(inputs)]
        return sum((before + self.bias) * after for before, after in pairwise(sizes))

    def memory_size(self, inputs: Shape) -> int:
        """Return room for a mark, all weights, two layers' units, and the graph's inputs and nodes."""
        graph, given = self.pattern(inputs)
        return 1 + self.products(inputs) + 2 * self._widest + graph.memory_size(given)

    def remembers(self, inputs: Shape) -> bool:
        return False

    @property
    def _widest(self) -> int:
        return max((columns * rows for columns, rows in self.hidden), default=0)

    def numbers(self, inputs: Shape) -> tuple[int, ...]:
        units = self._substrate(inputs)
        floats = np.concatenate([[self.threshold, self.maximum], *(each.ravel() for each in units)])
        bits = np.ascontiguousarray(floats).view(np.int64).tolist()
        activation = ACTIVATIONS.index(self.activation)
        head = (0, len(units) - 1, units[0].shape[1], int(self.bias), activation, self.products(inputs), self._widest)
        return (*head, *bits[:2], *map(len, units), *bits[2:])
