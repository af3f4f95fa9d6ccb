"""Networks in words: `linear`, `mlp:64,64`, `mlp:32,32:relu`."""

from collections.abc import Callable

from evo.networks.dense import STEPS, Dense
from evo.networks.layer import Layer
from evo.networks.sequential import Network

# Weights of the action layer begin at zero: a creature begins at rest, as ARS's linear policies do (Mania 2018).
_ACTION_SCALE = 0.0


def _linear(arguments: str, outputs: int) -> list[Layer]:
    """linear: one matrix, no bias, as in ARS (Mania 2018)"""
    if arguments:
        raise ValueError(f"'linear' takes nothing after it, got 'linear:{arguments}'")
    return [Dense(outputs, bias=False, scale=_ACTION_SCALE)]


def _mlp(arguments: str, outputs: int) -> list[Layer]:
    """mlp:64,64 or mlp:32:relu: hidden layers of these widths, tanh (the default), relu or elu"""
    widths, _, activation = arguments.partition(":")
    try:
        hidden = [int(width) for width in widths.split(",")]
    except ValueError:
        hidden = []
    if not hidden or min(hidden) < 1:
        raise ValueError(f"'mlp' needs the widths of its hidden layers, as in 'mlp:64,64'; got 'mlp:{arguments}'")
    activation = activation or "tanh"
    if activation not in STEPS:
        raise ValueError(f"'mlp:{arguments}': unknown activation {activation!r}; one of {', '.join(STEPS)}")
    return [*(Dense(width, activation) for width in hidden), Dense(outputs, scale=_ACTION_SCALE)]


NETWORKS: dict[str, Callable[[str, int], list[Layer]]] = {"linear": _linear, "mlp": _mlp}


def network_from_text(text: str, inputs: int, outputs: int, normalise: bool = False) -> Network:
    """The network written as `text`, from `inputs` observations to `outputs` actions. Raises ValueError."""
    name, _, arguments = text.partition(":")
    if name not in NETWORKS:
        known = ", ".join(NETWORKS)
        raise ValueError(f"unknown network {text!r}; one of {known}, as in 'linear' or 'mlp:64,64'")
    return Network(NETWORKS[name](arguments, outputs), inputs, text, normalise)
