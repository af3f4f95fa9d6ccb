"""Painted: what HyperNEAT and ES-HyperNEAT share: parameters that are a graph, and units that have places."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from evo.envs.creatures.places import Places
from evo.networks import substrate
from evo.networks.arguments import Choice, one_of
from evo.networks.layer import Layer, Shape, shape_text
from evo.networks.layers.dense import NO_BIAS
from evo.networks.layers.graph import Graph


def painted_choices(activations: Iterable[str]) -> dict[str, Choice]:
    """Return what words in text may stand for: the layout, the activation, and that there are no biases."""
    return {
        "layout": one_of("a layout", substrate.LAYOUTS),
        "activation": one_of("an activation", activations),
        "bias": Choice("a bias", {NO_BIAS: False}),
    }


@dataclass(frozen=True, kw_only=True)
class Painted(Layer):
    """A layer that each individual's graph paints, as a pattern over its units' places.

    layout: of inputs and outputs, `line`, `grid`, or `body`, where the task's sensors and actuators are. bias: whether
    units have biases. maximum: the largest weight. nodes: the most that a graph may have. outputs, places: of the task
    that it acts in (`as_action_layer`), and where its sensors and actuators are (`on_body`).

    Parameters: the row of a `Wiring`, of its own length. Raises ValueError for other values.
    """

    own_length = True
    interruptible = True

    layout: str = "line"
    bias: bool = True
    maximum: float = 3.0
    nodes: int = 256
    outputs: int = 0
    places: tuple[Places, Places] | None = None

    def __post_init__(self) -> None:
        if self.layout not in substrate.LAYOUTS:
            raise ValueError(f"unknown layout {self.layout!r}; one of {', '.join(substrate.LAYOUTS)}")
        if not 0 < self.maximum < 1e6:
            raise ValueError(f"maximum={self.maximum}: the largest weight must be above 0, and below a million")

    def written(self, numbers: str, words: Iterable[str], fields: Iterable[str]) -> str:
        """Return it as text: these numbers, if any, words for what differs from the defaults, and fields by name."""
        kind = type(self)
        found = [numbers] if numbers else []
        found += [
            getattr(self, name) for name in ("activation", "layout") if getattr(self, name) != getattr(kind, name)
        ]
        found += [*([] if self.bias else [NO_BIAS]), *words]
        named = [f"{name}={getattr(self, name)}" for name in fields if getattr(self, name) != getattr(kind, name)]
        return f"{self.word}({', '.join(found + named)})" if named else ":".join([self.word, *found])

    def as_action_layer(self, outputs: int, bounds: tuple[np.ndarray, np.ndarray] | None) -> Self:
        """Return it with as many outputs as there are actions; it does not bound them."""
        return replace(self, outputs=outputs)

    def on_body(self, sensors: Places, actuators: Places) -> Self:
        """Return it with inputs and outputs in these places, the coordinates of each in [-1, 1]."""
        return replace(self, places=(sensors, actuators))

    def ends(self, inputs: Shape) -> tuple[np.ndarray, np.ndarray]:
        """Return the places of inputs and outputs, float64 (units, dimensions) each. Raises ValueError without any."""
        if not self.outputs:
            raise ValueError(f"{self.text!r} stands at the end, and has as many outputs as a task needs")
        if self.layout != "body":
            return substrate.ends(self.layout, inputs, self.outputs)
        if self.places is None:
            raise ValueError(f"{self.text!r}: nothing here has a body that says where units are; take line or grid")
        first, last = map(np.array, self.places)
        if (len(first), len(last)) != (math.prod(inputs), self.outputs):
            raise ValueError(
                f"{self.text!r}: the body has {len(first)} sensors and {len(last)} actuators, and the layer "
                f"{shape_text(inputs)} inputs and {self.outputs} outputs"
            )
        return first, last

    def pattern(self, inputs: Shape) -> tuple[Graph, Shape]:
        """Return the layer that the graph of an individual is, and its inputs."""
        raise NotImplementedError

    def size(self, inputs: Shape) -> int:
        graph, given = self.pattern(inputs)
        return graph.size(given)

    def initial(self, inputs: Shape, rng: np.random.Generator) -> np.ndarray:
        graph, given = self.pattern(inputs)
        return graph.initial(given, rng)

    def check(self, params: np.ndarray, inputs: Shape) -> None:
        graph, given = self.pattern(inputs)
        graph.check(params, given)

    def misfit(self, values: np.ndarray, places: np.ndarray, inputs: Shape) -> int:
        graph, given = self.pattern(inputs)
        return graph.misfit(values, places, given)

    @property
    def facts(self) -> dict[str, Any]:
        """Return what an algorithm may know of the graph: `recurrent` and `most_nodes`."""
        return {"recurrent": False, "most_nodes": self.nodes}
