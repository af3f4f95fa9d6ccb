"""Parts of a policy: its layers with their arrays, and what comes before and after them."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from evo.errors import EvoError
from evo.networks import GRU, LSTM, Dense, Dropout, Flatten, Graph, LayerNorm, Network, Recurrent, Squash, Take

FORMAT = 1
_STATES: Mapping[type[Any], int] = {Recurrent: 1, GRU: 1, LSTM: 2}  # arrays (units,) of state of each unit
_KINDS: Mapping[type[Any], str] = {
    Dense: "dense",
    LayerNorm: "layernorm",
    Recurrent: "recurrent",
    GRU: "gru",
    LSTM: "lstm",
    Squash: "dense",
    Take: "dense",
    Graph: "graph",
    Dropout: "",  # acts in training only
    Flatten: "",  # observations are rows of numbers
}
_OBSERVATIONS = 32  # compared, one after the other, as in an episode
_ROUNDING = 1e-5  # of the largest output: what the order of float32 sums may change


@dataclass(frozen=True, eq=False)
class Part:
    """A layer: its kind, its activation, its arrays by name, float32, and the size of its state."""

    kind: str
    activation: str
    arrays: Mapping[str, np.ndarray]
    state: int


@dataclass(frozen=True, eq=False)
class Parts:
    """A policy: action = decision(layers(clip((observation - mean) * scale))).

    mean, scale: float64 (observation_size,). low, high: float64 (action_size,), between which outputs are clipped.
    choices: number of outputs, of which the action is the index of the largest; 0 where the action is the outputs.
    about: what the policy is of, for its reader.
    """

    network: Network
    params: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    low: np.ndarray
    high: np.ndarray
    choices: int
    about: Mapping[str, Any]

    def layers(self) -> list[Part]:
        """Return the layers. Raises EvoError for one that cannot be exported."""
        for layer, shape in zip(self.network.layers, self.network.shapes, strict=False):
            if type(layer) not in _KINDS or len(shape) > 1:
                known = ", ".join(dict.fromkeys(kind for kind in _KINDS.values() if kind))
                raise EvoError(f"{layer.text} cannot be exported: policies of {known} layers on rows of numbers can be")
        arrays: dict[int, dict[str, np.ndarray]] = {}
        for block in self.network.layout():
            if self.network.layers[block.layer].own_length:
                continue
            array = np.array(self.params[block.place], np.float32).reshape(block.shape)
            arrays.setdefault(block.layer, {})[block.name] = array
        found = []
        for index, (layer, shape) in enumerate(zip(self.network.layers, self.network.shapes, strict=False)):
            if kind := _KINDS[type(layer)]:
                states = _STATES.get(type(layer), 0) * (layer.shape(shape)[0])
                activation = "tanh" if isinstance(layer, Squash) else getattr(layer, "activation", "linear")
                own = arrays.get(index, {})
                if isinstance(layer, Graph):  # the last one, which takes all to the end
                    own = {"row": np.array(self.params[sum(self.network.sizes[:index]) :], np.float32)}
                    states = int(own["row"][2]) if layer.recurrent else 0
                if isinstance(layer, Take):  # a row of zeros for each input that it leaves out
                    own = {"W": np.eye(shape[0], layer.count, dtype=np.float32), "b": np.zeros(layer.count, np.float32)}
                found.append(Part(kind, activation, own, states))
            if isinstance(layer, Squash):  # the scale to the range of actions: a diagonal matrix
                half, centre = np.diag(layer.half).astype(np.float32), layer.centre.astype(np.float32)
                found.append(Part("dense", "linear", {"W": half, "b": centre}, 0))
        return found

    @property
    def state(self) -> int:
        """Size of the state that it carries from one observation to the next, float32."""
        return sum(part.state for part in self.layers())

    def description(self) -> str:
        """Return what it is, as JSON."""
        clip = self.network.clip_observation
        layers = [{"kind": part.kind, "activation": part.activation, "state": part.state} for part in self.layers()]
        return json.dumps(
            {
                "format": FORMAT,
                **self.about,
                "layers": layers,
                "clip_observation": None if math.isinf(clip) else clip,
                "choices": self.choices,
            },
            default=str,
        )

    def outputs(self, observations: np.ndarray) -> np.ndarray:
        """Return the compiled network's outputs for observations (steps, observation_size), one after the other."""
        steps = self.network.unroll(self.params, observations, self.mean, self.scale)
        return np.array([outputs for outputs, _ in steps]).reshape(len(observations), self.network.outputs)

    def check(self, run: Callable[[np.ndarray], np.ndarray], what: str) -> float:
        """Compare a policy's outputs with the compiled network's on random observations; return the largest difference.

        run: takes observations, float32 (steps, observation_size), one after the other; returns outputs (steps,
        outputs). Raises EvoError where they differ by more than the rounding of float32.
        """
        rng = np.random.default_rng(0)
        spread = np.where(self.scale > 0, 1.0 / np.where(self.scale > 0, self.scale, 1.0), 1.0)
        drawn = self.mean + spread * rng.normal(size=(_OBSERVATIONS, len(self.mean)))
        observations = drawn.astype(np.float32)
        expected, found = self.outputs(observations), np.asarray(run(observations), np.float64)
        difference = float(np.max(np.abs(expected - found), initial=0.0))
        allowed = _ROUNDING * max(1.0, float(np.max(np.abs(expected), initial=0.0)))
        if not difference <= allowed:
            raise EvoError(
                f"the {what} would act otherwise: its outputs differ by {difference:.2g}, more than the {allowed:.2g} "
                "that rounding explains; nothing was written"
            )
        return difference
