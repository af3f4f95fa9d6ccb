"""Sequential: networks as text or as layer objects.

In text: `linear`, `mlp:64,64`, `dense:64:relu>lstm:32>dense:6`, `conv:8x3,16x3>pool:2>dense:10`. Parentheses nest:
`residual(layernorm>attention:4)`. (In a shell, chains must be quoted, as it interprets `>`.)
"""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Protocol

import numpy as np

from evo.envs.creatures.places import Places, places_of
from evo.networks.layer import Layer, Shape
from evo.networks.layers.dense import Dense
from evo.networks.layers.embedding import Embedding
from evo.networks.layers.painted import Painted
from evo.networks.layers.squash import Squash
from evo.networks.network import Network
from evo.networks.parsing import layers_of, words_of

# The last layer's weights begin at zero: a creature begins at rest, as ARS's linear policies do (Mania 2018).
_LAST = "zero"
_WIDTH = 16  # the width of an implicit embedding


class Acts(Protocol):
    """What a network acts in: a task's observations and actions."""

    @property
    def observation_size(self) -> int: ...
    @property
    def outputs(self) -> int: ...
    @property
    def choices(self) -> int: ...
    @property
    def action_low(self) -> np.ndarray | None: ...
    @property
    def action_high(self) -> np.ndarray | None: ...


class Sequential:
    """Layers in sequence, to be sized for a task: `Sequential(Dense(64, "tanh"), Dense(6))`. No layer is added.

    Raises ValueError for no layers, TypeError for arguments that are not layers.
    """

    def __init__(self, *layers: Layer) -> None:
        for layer in layers:
            if not isinstance(layer, Layer):
                raise TypeError(f"Sequential takes layers, such as Dense(64); got {layer!r}")
        if not layers:
            raise ValueError("Sequential needs at least one layer")
        self.layers = layers

    @property
    def text(self) -> str:
        """Return the layers as they are written: `dense:64:tanh>dense:6`."""
        # a single word gets a trailing `>`, as otherwise an action layer would be appended
        return ">".join(layer.text for layer in self.layers) + (">" if len(self.layers) == 1 else "")

    def __repr__(self) -> str:
        return f"Sequential({self.text!r})"


def network_from_text(
    text: str,
    inputs: int | Shape,
    outputs: int,
    normalise: bool = False,
    symbols: int = 0,
    clip_observation: float = math.inf,
    bounds: tuple[np.ndarray, np.ndarray] | None = None,
    body: Callable[[], tuple[Places, Places]] | None = None,
) -> Network:
    """Return the network written as `text`, from `inputs` observations, or a picture, to `outputs` actions.

    A picture is (height, width, channels). normalise, clip_observation: see `Network`. symbols: where the inputs are
    indices of symbols, how many there are. bounds: of actions, (outputs,) each, which a last `squash` scales to; None
    without any. body: gives the places of a body's sensors and actuators, for layout `body`. Raises ValueError.

    A single word gets the action layer appended, and an embedding before it where the inputs are symbols; a chain,
    words with `>` between them, or one word with a `>` after it, is taken unchanged. If the last layer is dense and
    gives no initialisation, its weights begin at zero.
    """
    words = words_of(text)
    literal = len(words) > 1
    if literal and not words[-1]:
        words.pop()
    layers = [layer for word in words for layer in layers_of(word, text)]
    if symbols and not isinstance(layers[0] if layers else None, Embedding):
        if literal:
            raise ValueError(f"{text!r}: its inputs are {symbols} symbols: begin it with embedding:{symbols}x{_WIDTH}")
        layers.insert(0, Embedding(symbols, _WIDTH))
    last = layers[-1].as_action_layer(outputs, bounds) if layers else None
    if last is not None:
        if body is not None and isinstance(last, Painted) and last.layout == "body":
            last = last.on_body(*body())
        layers[-1] = last
    elif not literal:
        layers.append(Dense(outputs, bias=bool(layers), initial_weights=_LAST))
    elif "linear" in words:
        raise ValueError(f"{text!r}: 'linear' stands alone; in a chain it is dense:{outputs}")
    elif isinstance(layers[-1], Dense) and not layers[-1].initial_weights:
        layers[-1] = replace(layers[-1], initial_weights=_LAST)
    network = Network(layers, inputs, text, normalise, clip_observation)
    if network.outputs != outputs:
        raise ValueError(
            f"{text!r} ends in {network.outputs} numbers, and {outputs} are needed: end it in dense:{outputs}"
        )
    return network


def network_for_task(text: str, task: Acts, normalise: bool = False, clip_observation: float = math.inf) -> Network:
    """Return the network written as `text` that acts in a task. Raises ValueError."""
    if task.choices and words_of(text)[-1] == Squash.word:
        raise ValueError(
            f"{text!r} ends in squash, which is for continuous actions, as are sac and td3; this task takes one of "
            f"{task.choices} choices: for example mlp:64,64, with ppo"
        )
    low, high = task.action_low, task.action_high
    bounds = None if task.choices or low is None or high is None else (low, high)
    sizes, body = (task.observation_size, task.outputs), partial(places_of, task)
    return network_from_text(text, *sizes, normalise, clip_observation=clip_observation, bounds=bounds, body=body)
