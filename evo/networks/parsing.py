"""Parsing of network texts such as `mlp:64,64`, `conv:8x3,16x3`, `lstm:32` into layers."""

import re
from collections.abc import Callable, Iterable, Mapping

from evo.envs.reference import UntrustedName, resolve
from evo.errors import nearest
from evo.networks.initialisation import INITIALISATIONS
from evo.networks.layer import Layer
from evo.networks.layers.attention import Attention
from evo.networks.layers.convolution import PADDINGS, Conv
from evo.networks.layers.ctrnn import CTRNN
from evo.networks.layers.dense import NO_BIAS, Dense
from evo.networks.layers.dropout import Dropout
from evo.networks.layers.embedding import Embedding
from evo.networks.layers.flatten import Flatten
from evo.networks.layers.gru import GRU
from evo.networks.layers.hebbian import Hebbian
from evo.networks.layers.layernorm import LayerNorm
from evo.networks.layers.lstm import LSTM
from evo.networks.layers.pattern_generator import PatternGenerator
from evo.networks.layers.pooling import AveragePool, MaxPool
from evo.networks.layers.recurrent import Recurrent
from evo.networks.layers.residual import Residual
from evo.networks.layers.spiking import Spiking
from evo.numerics.activations import ACTIVATIONS

_DEEPEST = 20  # nested parentheses
_LONGEST = 20_000  # characters


def _linear(arguments: str) -> list[Layer]:
    """linear: one matrix, no bias, as in ARS (Mania 2018)."""
    if arguments:
        raise ValueError(f"'linear' takes nothing after it, got 'linear:{arguments}'")
    return []


def _mlp(arguments: str) -> list[Layer]:
    """mlp:64,64 or mlp:32:relu: hidden layers of these widths, tanh (the default), relu or elu."""
    return _dense_layers("mlp", arguments, "hidden layers", "64,64", "tanh")


def _dense(arguments: str) -> list[Layer]:
    """dense:6, dense:64:relu or dense:64:relu:he: linear (the default), tanh, relu or elu; how its weights begin."""
    return _dense_layers("dense", arguments, "layers", "6", "linear")


def _dense_layers(name: str, arguments: str, what: str, example: str, usual: str) -> list[Layer]:
    widths, words = _widths(name, arguments, what, example)
    known = {"an activation": ACTIVATIONS, "an initialisation": INITIALISATIONS, "a bias": [NO_BIAS]}
    activation, begun, bias = _chosen(f"{name}:{arguments}", words, known)
    return [Dense(width, activation or usual, not bias, begun) for width in widths]


def _chosen(place: str, words: list[str], known: Mapping[str, Iterable[str]]) -> list[str]:
    """Return the written word of each kind, "" where there is none; known: the words of each kind, by its name."""
    for word in words:
        if not any(word in kind for kind in known.values()):
            kinds = " nor ".join(f"{name} ({', '.join(kind)})" for name, kind in known.items())
            raise ValueError(f"{place!r}: {word!r} is {'neither' if len(known) > 1 else 'not'} {kinds}")
    chosen = []
    for name, kind in known.items():
        several = [word for word in words if word in kind]
        if len(several) > 1:
            raise ValueError(f"{place!r}: {several[0]!r} and {several[1]!r} are each {name}; write one")
        chosen.append("".join(several))
    return chosen


def _conv(arguments: str) -> list[Layer]:
    """conv:8x3,16x3: 8 filters of 3 × 3 on a picture, then 16, relu; then words: another activation, same, stride2."""
    place, (text, *words) = f"conv:{arguments}", arguments.split(":")
    parts = [part if "x" in part else f"{part}x3" for part in text.split(",")]
    sizes = [re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", part) for part in parts]
    if text != ",".join(parts) or not all(sizes):
        right = f"conv:{','.join(parts) if all(sizes) else '8x3,16x3'}"
        raise ValueError(f"'conv' needs its filters and their size, as in {right!r}; got {place!r}")
    strides = [word for word in words if re.fullmatch(r"stride[1-9]\d*", word)]
    known = {
        "an activation": ACTIVATIONS,
        "an initialisation": INITIALISATIONS,
        "a padding": PADDINGS,
        "a stride": strides or ["stride2"],
    }
    activation, begun, padding, stride = _chosen(place, words, known)
    return [
        Conv(
            int(filters),
            int(kernel),
            activation or "relu",
            int(stride.removeprefix("stride") or 1),
            padding or "valid",
            begun,
        )
        for filters, kernel in (size.groups() for size in sizes if size)
    ]


def _pool(arguments: str) -> list[Layer]:
    """pool:2: the greatest of each 2 × 2 places of a picture."""
    return [MaxPool(_window("pool", arguments))]


def _average(arguments: str) -> list[Layer]:
    """average:2: the mean of each 2 × 2 places of a picture."""
    return [AveragePool(_window("average", arguments))]


def _window(name: str, arguments: str) -> int:
    if not re.fullmatch(r"[1-9]\d*", arguments):
        raise ValueError(f"{name!r} needs the width of its windows, as in '{name}:2'; got '{name}:{arguments}'")
    return int(arguments)


def _flatten(arguments: str) -> list[Layer]:
    """flatten: a picture as a row of features, for a recurrent layer."""
    if arguments:
        raise ValueError(f"'flatten' takes nothing after it, got 'flatten:{arguments}'")
    return [Flatten()]


def _recurrent(arguments: str) -> list[Layer]:
    """recurrent:32: simple recurrent layers of so many units (Elman 1990)."""
    return [Recurrent(units) for units in _units("recurrent", arguments)]


def _lstm(arguments: str) -> list[Layer]:
    """lstm:32: long short-term memory (Hochreiter & Schmidhuber 1997)."""
    return [LSTM(units) for units in _units("lstm", arguments)]


def _gru(arguments: str) -> list[Layer]:
    """gru:32: gated recurrent units (Cho 2014)."""
    return [GRU(units) for units in _units("gru", arguments)]


def _ctrnn(arguments: str) -> list[Layer]:
    """ctrnn:16: continuous-time units, each with a time constant of its own (Beer 1995)."""
    return [CTRNN(units) for units in _units("ctrnn", arguments)]


def _spiking(arguments: str) -> list[Layer]:
    """spiking:32: leaky integrate-and-fire neurons, heard through traces of their spikes (Neftci 2019)."""
    return [Spiking(units) for units in _units("spiking", arguments)]


def _hebbian(arguments: str) -> list[Layer]:
    """hebbian:32 or hebbian:32:relu: dense layers that learn while they live (Najarro & Risi 2020); tanh, relu, elu."""
    widths, words = _widths("hebbian", arguments, "layers", "32")
    (activation,) = _chosen(f"hebbian:{arguments}", words, {"an activation": ACTIVATIONS})
    return [Hebbian(units, activation or "tanh") for units in widths]


def _cpg(arguments: str) -> list[Layer]:
    """cpg:8: a central pattern generator of so many coupled oscillators (Ijspeert 2007)."""
    return [PatternGenerator(oscillators) for oscillators in _units("cpg", arguments)]


def _transformer(arguments: str) -> list[Layer]:
    """transformer:32, transformer:32,32 or transformer:32:4:64: blocks of such widths, heads, window (Vaswani 2017)."""
    widths, words = _widths("transformer", arguments, "blocks", "32,32")
    try:
        attention = Attention(*map(int, words))
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"'transformer:{arguments}': after its widths stand heads and window, as in 'transformer:32:4:64'"
        ) from error
    layers: list[Layer] = []
    for before, width in zip([0, *widths], widths, strict=False):
        layers += [] if width == before else [Dense(width)]
        layers.append(Residual(LayerNorm(), attention))
        layers.append(Residual(LayerNorm(), Dense(4 * width, "relu"), Dense(width)))
    return [*layers, LayerNorm()]


def _attention(arguments: str) -> list[Layer]:
    """attention:4 or attention:4:64: self-attention of so many heads, over the last 64 steps (Vaswani 2017)."""
    return [Attention(*_numbers("attention", arguments, r"(\d+)(?::(\d+))?", "heads, and a window", "4:64"))]


def _embedding(arguments: str) -> list[Layer]:
    """embedding:64x16: for each of 64 symbols 16 numbers, which are learned."""
    return [Embedding(*_numbers("embedding", arguments, r"(\d+)x(\d+)", "symbols and numbers for each", "64x16"))]


def _layernorm(arguments: str) -> list[Layer]:
    """layernorm: mean 0 and variance 1, then a gain and a bias (Ba 2016)."""
    if arguments:
        raise ValueError(f"'layernorm' takes nothing after it, got 'layernorm:{arguments}'")
    return [LayerNorm()]


def _dropout(arguments: str) -> list[Layer]:
    """dropout:0.2: this share of its inputs are zero while it learns (Srivastava 2014)."""
    try:
        share = float(arguments)
    except ValueError as error:
        raise ValueError(f"'dropout' needs a share, as in 'dropout:0.2'; got 'dropout:{arguments}'") from error
    return [Dropout(share)]


def _residual(arguments: str) -> list[Layer]:
    """residual(layernorm>dense:64:relu>dense:32): the inputs, and what these layers make of them, added (He 2016)."""
    if not (arguments.startswith("(") and arguments.endswith(")")):
        raise ValueError(
            f"'residual' needs layers in parentheses, as in 'residual(layernorm>dense:32)'; got 'residual{arguments}'"
        )
    chain = arguments[1:-1]
    words = words_of(chain)
    if "linear" in words:
        raise ValueError(f"'residual{arguments}': 'linear' stands alone; in a chain it is dense, with its width")
    return [Residual(*(layer for word in words for layer in layers_of(word, chain)))]


def _numbers(name: str, arguments: str, pattern: str, what: str, example: str) -> list[int]:
    found = re.fullmatch(pattern, arguments)
    if not found:
        raise ValueError(f"{name!r} needs {what}, as in '{name}:{example}'; got '{name}:{arguments}'")
    return [int(number) for number in found.groups() if number is not None]


def _widths(name: str, arguments: str, what: str, example: str) -> tuple[list[int], list[str]]:
    """Parse widths, and the words written after them."""
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


# Name → the layers before the action layer.
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
    "conv": _conv,
    "pool": _pool,
    "average": _average,
    "flatten": _flatten,
    "transformer": _transformer,
    "attention": _attention,
    "embedding": _embedding,
    "layernorm": _layernorm,
    "dropout": _dropout,
    "residual": _residual,
}


def words_of(text: str) -> list[str]:
    """Split a chain at each `>` outside of parentheses. Raises ValueError."""
    if len(text) > _LONGEST:
        raise ValueError(f"a network of {len(text):,} letters, {text[:20]!r}…; at most {_LONGEST:,} are meant")
    if re.search(r"(?<![.\d])\d{10}", text):
        raise ValueError(f"{text!r}: a number of ten digits is larger than any network")
    words, depth, begin = [], 0, 0
    for at, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if depth > _DEEPEST:
            raise ValueError(f"more than {_DEEPEST} parentheses within each other")
        if depth < 0:
            raise ValueError(f"{text!r}: a ')' closes nothing")
        if sign == ">" and depth == 0:
            words.append(text[begin:at])
            begin = at + 1
    if depth:
        raise ValueError(f"{text!r}: a '(' is never closed")
    return [word.strip() for word in (*words, text[begin:])]


def layers_of(word: str, text: str) -> list[Layer]:
    """Parse one word of a chain, `text`, into its layers. Raises ValueError."""
    name = re.split("[:(]", word, maxsplit=1)[0]
    arguments = word[len(name) :].removeprefix(":")
    if name in NETWORKS:
        return NETWORKS[name](arguments)
    attribute, _, arguments = arguments.partition(":")
    if attribute.isidentifier():
        return _own_layers(f"{name}:{attribute}", arguments)
    place = f" in {text!r}" if word != text else ""
    if (near := nearest(name, NETWORKS)).startswith("; one of"):
        near = f"; one of {', '.join(NETWORKS)}, as in 'linear' or 'mlp:64,64'"
    raise ValueError(f"unknown network {word!r}{place}{near}")


def _own_layers(reference: str, arguments: str) -> list[Layer]:
    """Return the layers made by a user's function. Raises ValueError where it fails or returns something else."""
    try:
        made = resolve(reference)(arguments)
    except UntrustedName:
        raise
    except Exception as error:  # a user's module may raise anything
        raise ValueError(f"{reference}: {type(error).__name__}: {error}") from error
    layers = [made] if isinstance(made, Layer) else made
    if not isinstance(layers, list) or not all(isinstance(layer, Layer) for layer in layers):
        raise ValueError(f"{reference} gives a {type(made).__name__}: it must give a Layer, or a list of them")
    return layers
