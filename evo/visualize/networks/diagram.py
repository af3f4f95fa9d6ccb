"""Diagram: the units and links of a network, read from its layers and an individual's parameters."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from evo.networks import (
    Clock,
    Dense,
    Dropout,
    ESHyperNEAT,
    Flatten,
    Graph,
    HyperNEAT,
    Layer,
    Network,
    Shape,
    Squash,
    Take,
)
from evo.networks.wiring import Wiring
from evo.numerics.node_functions import ACTIVATIONS, AGGREGATIONS

_PASSING = (Dropout, Flatten, Take)  # layers that hand on units of the layer before


@dataclass(frozen=True, eq=False)
class Diagram:
    """Units of a network, inputs first, and the links between them.

    inputs: how many units are inputs. activations, aggregations: names, one a unit; those of inputs are "". biases:
    float64 (units,). outputs: int64 (outputs,), the unit that each output reads. sources, targets: int64 (links,),
    units. weights: float64 (links,). places: int64 (units, 2), the layer of each unit of a substrate and its place from
    the top; None where links say where units are drawn. unlinked: layers whose units are known, but not their links.
    """

    inputs: int
    activations: tuple[str, ...]
    aggregations: tuple[str, ...]
    biases: np.ndarray
    outputs: np.ndarray
    sources: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    places: np.ndarray | None = None
    unlinked: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.activations)


@dataclass(frozen=True)
class Names:
    """Names of a network's inputs and outputs; () where they have none, and are numbered."""

    inputs: Sequence[str] = ()
    outputs: Sequence[str] = ()


def diagram_of(network: Network, params: np.ndarray) -> Diagram:
    """Return the diagram of a network with an individual's parameters, (parameters,).

    Of a layer that is no sum of weighted inputs (a memory, an attention, a convolution) the units are its outputs.
    """
    substrate = _substrate_of(network, params)
    network, params = _painted(network, params)
    reading, at = _Reading(math.prod(network.shapes[0])), 0
    for layer, shape, size in zip(network.layers, network.shapes, network.sizes, strict=False):
        reading.add(layer, shape, np.asarray(params[at:] if layer.own_length else params[at : at + size], np.float64))
        at += size
    return reading.diagram() if substrate is None else _on_substrate(reading.diagram(), substrate)


def _painted(network: Network, params: np.ndarray) -> tuple[Network, np.ndarray]:
    """Return the network whose weights stand in its parameters: of a HyperNEAT, the perceptron that it paints."""
    last, at = network.layers[-1], sum(network.sizes[:-1])
    if not isinstance(last, HyperNEAT):
        return network, params
    layers, weights, _ = last.painted(params[at:], network.shapes[-2])
    alike = network.shapes[0], network.text, network.normalise, network.clip_observation
    return Network([*network.layers[:-1], *layers], *alike), np.concatenate([params[:at], weights])


def _substrate_of(network: Network, params: np.ndarray) -> list[np.ndarray] | None:
    """Return the places of the units of each layer where a substrate is the whole network."""
    whole = network.layers[0]
    return whole.painted(params, network.shapes[0])[2] if isinstance(whole, HyperNEAT) else None


def _on_substrate(diagram: Diagram, layers: Sequence[np.ndarray]) -> Diagram:
    """Return a diagram without the links that are no connections, its units where those of the layers are.

    layers: places of their units, (units, dimensions) each: drawn from the top by y, then by x, then by what is left.
    """
    places = []
    for layer, units in enumerate(layers):
        ranks, others = np.empty(len(units), np.int64), units.T[:1:-1]
        ranks[np.lexsort((*others, units[:, 0], -units[:, 1]))] = np.arange(len(units))
        places.append(np.column_stack([np.full(len(units), layer), ranks]))
    there = diagram.weights != 0
    links = {name: getattr(diagram, name)[there] for name in ("sources", "targets", "weights")}
    return replace(diagram, places=np.concatenate(places), **links)


def activity(
    network: Network, params: np.ndarray, observations: np.ndarray, mean: np.ndarray, scale: np.ndarray
) -> np.ndarray:
    """Return the value of every unit of the diagram at every step, float64 (steps, units), by the compiled network.

    observations: (steps, inputs), in the order of an episode. mean, scale: what normalises them.
    """
    network, params = _painted(network, params)
    parts, kept = [], 0  # kept: memory of the layers before
    for depth in range(len(network.layers) + 1):
        steps = network.unroll(params, observations, mean, scale, depth)
        layer, shape = (network.layers[depth - 1], network.shapes[depth - 1]) if depth else (None, ())
        if isinstance(layer, Clock):
            parts.append(np.array([outputs[-2 * layer.overtones :] for outputs, _ in steps]))
        elif isinstance(layer, Graph | ESHyperNEAT):  # its memory begins with its inputs, then its nodes' values
            wiring = _wiring(layer, shape, params[sum(network.sizes[: depth - 1]) :])
            first = kept + math.prod(shape)
            nodes = slice(first, first + len(wiring.biases))
            parts.append(np.array([memory[nodes].astype(np.float64) for _, memory in steps]))
        elif not isinstance(layer, _PASSING):
            parts.append(np.array([outputs for outputs, _ in steps]))
        kept += layer.memory_size(shape) if layer is not None else 0
    return np.concatenate(parts, axis=1)


def _wiring(layer: Graph | ESHyperNEAT, shape: Shape, params: np.ndarray) -> Wiring:
    """Return the graph that an individual is, or develops into."""
    return Wiring.of(params) if isinstance(layer, Graph) else layer.develop(params, shape)


@dataclass
class _Reading:
    """Units and links found so far; `current` are the units that the next layer reads."""

    inputs: int
    activations: list[str] = field(default_factory=list)
    aggregations: list[str] = field(default_factory=list)
    biases: list[np.ndarray] = field(default_factory=list)
    links: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list)  # sources, targets, weights
    unlinked: list[str] = field(default_factory=list)
    places: list[np.ndarray] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.current = self._add_units([""] * self.inputs, [""] * self.inputs, np.zeros(self.inputs))

    def add(self, layer: Layer, shape: Shape, params: np.ndarray) -> None:
        """Add a layer with its own parameters."""
        if isinstance(layer, Dense | Squash):
            self._add_dense(layer, shape, params)
        elif isinstance(layer, Graph | ESHyperNEAT):
            self._add_graph(_wiring(layer, shape, params))
        elif isinstance(layer, Clock):
            count = layer.overtones
            rhythm = self._add_units(["sine", "cosine"] * count, [""] * 2 * count, np.zeros(2 * count))
            self.current = np.concatenate([self.current, rhythm])
        elif isinstance(layer, Take):
            self.current = self.current[: layer.count]
        elif not isinstance(layer, _PASSING):
            count = math.prod(layer.shape(shape))
            self.current = self._add_units([""] * count, [""] * count, np.zeros(count))
            self.unlinked.append(layer.text)

    def _add_dense(self, layer: Dense | Squash, shape: Shape, params: np.ndarray) -> None:
        before, (count,) = self.current, layer.shape(shape)
        weights, biases = params[: len(before) * count], params[len(before) * count :]
        activation = layer.activation if isinstance(layer, Dense) else "tanh"
        units = self._add_units([activation] * count, ["sum"] * count, biases if len(biases) else np.zeros(count))
        self.links.append((np.repeat(before, count), np.tile(units, len(before)), weights))
        self.current = units

    def _add_graph(self, wiring: Wiring) -> None:
        """Add the nodes and links of a graph that reads the current units."""
        activations = [ACTIVATIONS[index] for index in wiring.activations]
        units = self._add_units(activations, [AGGREGATIONS[index] for index in wiring.aggregations], wiring.biases)
        sources = np.concatenate([self.current, units])[wiring.sources]
        self.links.append((sources, units[wiring.targets], wiring.weights))
        self.current = units[wiring.outputs]

    def _add_units(self, activations: list[str], aggregations: list[str], biases: np.ndarray) -> np.ndarray:
        first = len(self.activations)
        self.places.append(np.column_stack([np.full(len(activations), len(self.places)), np.arange(len(activations))]))
        self.activations += activations
        self.aggregations += aggregations
        self.biases.append(np.asarray(biases, np.float64))
        return np.arange(first, len(self.activations))

    def diagram(self) -> Diagram:
        """Return what was found."""
        none = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
        sources, targets, weights = (np.concatenate(part) for part in zip(none, *self.links, strict=True))
        return Diagram(
            self.inputs,
            tuple(self.activations),
            tuple(self.aggregations),
            np.concatenate(self.biases),
            self.current,
            sources,
            targets,
            weights,
            np.concatenate(self.places) if self.unlinked else None,
            tuple(self.unlinked),
        )
