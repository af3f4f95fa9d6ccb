"""Networks in words: `linear`, `mlp:64,64`, `lstm:32`, and chains such as `dense:64:relu>lstm:32>dense:6`.

(A shell takes `>` for its own: there, chains are written in quotes.)
"""

from collections.abc import Callable
from dataclasses import replace

from envs.reference import resolve
from evo.networks.ctrnn import CTRNN
from evo.networks.dense import STEPS, Dense
from evo.networks.gru import GRU
from evo.networks.hebbian import Hebbian
from evo.networks.initialisation import INITIALISATIONS
from evo.networks.layer import Layer
from evo.networks.lstm import LSTM
from evo.networks.pattern_generator import PatternGenerator
from evo.networks.recurrent import Recurrent
from evo.networks.sequential import Network
from evo.networks.spiking import Spiking

# Weights of the last layer begin at zero: a creature begins at rest, as ARS's linear policies do (Mania 2018).
_LAST = "zero"


def _linear(arguments: str) -> list[Layer]:
    """linear: one matrix, no bias, as in ARS (Mania 2018)"""
    if arguments:
        raise ValueError(f"'linear' takes nothing after it, got 'linear:{arguments}'")
    return []


def _mlp(arguments: str) -> list[Layer]:
    """mlp:64,64 or mlp:32:relu: hidden layers of these widths, tanh (the default), relu or elu"""
    return _dense_layers("mlp", arguments, "hidden layers", "64,64", "tanh")


def _dense(arguments: str) -> list[Layer]:
    """dense:6, dense:64:relu or dense:64:relu:he: linear (the default), tanh, relu or elu; how its weights begin"""
    return _dense_layers("dense", arguments, "layers", "6", "linear")


def _dense_layers(name: str, arguments: str, what: str, example: str, usual: str) -> list[Layer]:
    widths, words = _widths(name, arguments, what, example)
    activation = next((word for word in words if word in STEPS), usual)
    begun = next((word for word in words if word in INITIALISATIONS), "")
    unknown = [word for word in words if word not in (activation, begun)]
    if unknown:
        known = f"an activation ({', '.join(STEPS)}) nor an initialisation ({', '.join(INITIALISATIONS)})"
        raise ValueError(f"'{name}:{arguments}': {unknown[0]!r} is neither {known}")
    return [Dense(width, activation, initial_weights=begun) for width in widths]


def _recurrent(arguments: str) -> list[Layer]:
    """recurrent:32: simple recurrent layers of so many units (Elman 1990)"""
    return [Recurrent(units) for units in _units("recurrent", arguments)]


def _lstm(arguments: str) -> list[Layer]:
    """lstm:32: long short-term memory (Hochreiter & Schmidhuber 1997)"""
    return [LSTM(units) for units in _units("lstm", arguments)]


def _gru(arguments: str) -> list[Layer]:
    """gru:32: gated recurrent units (Cho 2014)"""
    return [GRU(units) for units in _units("gru", arguments)]


def _ctrnn(arguments: str) -> list[Layer]:
    """ctrnn:16: continuous-time units, each with a time constant of its own (Beer 1995)"""
    return [CTRNN(units) for units in _units("ctrnn", arguments)]


def _spiking(arguments: str) -> list[Layer]:
    """spiking:32: leaky integrate-and-fire neurons, heard through traces of their spikes (Neftci 2019)"""
    return [Spiking(units) for units in _units("spiking", arguments)]


def _hebbian(arguments: str) -> list[Layer]:
    """hebbian:32 or hebbian:32:relu: dense layers that learn while they live (Najarro & Risi 2020); tanh, relu, ..."""
    widths, words = _widths("hebbian", arguments, "layers", "32")
    if len(words) > 1:
        raise ValueError(f"'hebbian:{arguments}': it takes one activation, as in 'hebbian:32:relu'")
    return [Hebbian(units, *words) for units in widths]


def _cpg(arguments: str) -> list[Layer]:
    """cpg:8: a central pattern generator of so many coupled oscillators (Ijspeert 2007)"""
    return [PatternGenerator(oscillators) for oscillators in _units("cpg", arguments)]


def _widths(name: str, arguments: str, what: str, example: str) -> tuple[list[int], list[str]]:
    """Widths, and the words written after them."""
    text, *words = arguments.split(":")
    try:
        widths = [int(width) for width in text.split(",")]
    except ValueError:
        widths = []
    if not widths or min(widths) < 1:
        raise ValueError(f"{name!r} needs the widths of its {what}, as in '{name}:{example}'; got '{name}:{arguments}'")
    return widths, words


def _units(name: str, arguments: str) -> list[int]:
    widths, words = _widths(name, arguments, "layers", "32")
    if words:
        raise ValueError(f"'{name}:{arguments}': its units take no {words[0]!r}")
    return widths


# Name → the layers that come before the action layer.
NETWORKS: dict[str, Callable[[str], list[Layer]]] = {
    "linear": _linear,
    "mlp": _mlp,
    "dense": _dense,
    "recurrent": _recurrent,
    "lstm": _lstm,
    "gru": _gru,
    "ctrnn": _ctrnn,
    "spiking": _spiking,
    "hebbian": _hebbian,
    "cpg": _cpg,
}


def network_from_text(text: str, inputs: int, outputs: int, normalise: bool = False) -> Network:
    """The network written as `text`, from `inputs` observations to `outputs` actions. Raises ValueError.

    To one word the action layer is appended; a chain, words with `>` between them, is taken as it is. The last layer,
    if it is dense and does not say how it begins, begins at zero.
    """
    words = text.split(">")
    layers = [layer for word in words for layer in _layers(word.strip(), text)]
    if len(words) == 1:
        layers.append(Dense(outputs, bias=bool(layers), initial_weights=_LAST))
    elif "linear" in map(str.strip, words):
        raise ValueError(f"{text!r}: 'linear' stands alone; in a chain it is dense:{outputs}")
    elif isinstance(layers[-1], Dense) and not layers[-1].initial_weights:
        layers[-1] = replace(layers[-1], initial_weights=_LAST)
    network = Network(layers, inputs, text, normalise)
    if network.outputs != outputs:
        raise ValueError(
            f"{text!r} ends in {network.outputs} numbers, and {outputs} are needed: end it in dense:{outputs}"
        )
    return network


def _layers(word: str, text: str) -> list[Layer]:
    name, _, arguments = word.partition(":")
    if name in NETWORKS:
        return NETWORKS[name](arguments)
    attribute, _, arguments = arguments.partition(":")
    if attribute.isidentifier():
        return _own_layers(f"{name}:{attribute}", arguments)
    known = ", ".join(NETWORKS)
    place = f" in {text!r}" if word != text else ""
    raise ValueError(f"unknown network {word!r}{place}; one of {known}, as in 'linear' or 'mlp:64,64'")


def _own_layers(reference: str, arguments: str) -> list[Layer]:
    """What a function of the user's gives."""
    try:
        made = resolve(reference)(arguments)
    except Exception as error:  # a module of the user's may fail in any way
        raise ValueError(f"{reference}: {type(error).__name__}: {error}") from error
    layers = [made] if isinstance(made, Layer) else made
    if not isinstance(layers, list) or not all(isinstance(layer, Layer) for layer in layers):
        raise ValueError(f"{reference} gives a {type(made).__name__}: it must give a Layer, or a list of them")
    return layers
