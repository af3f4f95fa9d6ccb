"""Parsing of network texts such as `mlp:64,64`, `conv:8x3,16x3`, `residual(layernorm > dense:8)` into layers.

The grammar is `evo.grammar`'s; how a layer is written, its class says (`Layer.from_call`).
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from evo.envs.reference import UntrustedName, of_module, resolve
from evo.errors import nearest
from evo.grammar import Call, chain, parse_call, value_of
from evo.networks import layers as every
from evo.networks.arguments import Arguments
from evo.networks.layer import Layer
from evo.networks.layers.attention import Attention
from evo.networks.layers.dense import Dense
from evo.networks.layers.layernorm import LayerNorm
from evo.networks.layers.residual import Residual

_LONGEST = 20_000  # characters


class Word(NamedTuple):
    """A word for networks: a line about it, and the layers that a call of it stands for, before the action layer."""

    summary: str
    layers: Callable[[Call], list[Layer]]


def _linear(call: Call) -> list[Layer]:
    Arguments(call).nothing()
    return []


def _mlp(call: Call) -> list[Layer]:
    return Dense.several(call, "hidden layers", "64,64", "tanh")


def _transformer(call: Call) -> list[Layer]:
    given = Arguments(call)
    widths = given.widths("width", "the widths of its blocks", "32,32")
    try:
        attention = Attention(*map(int, given.words), **given.named("heads", "window"))
    except (TypeError, ValueError) as error:
        raise given.refuses("after its widths stand heads and window, as in 'transformer:32:4:64'") from error
    given.words.clear()
    given.options()
    layers: list[Layer] = []
    for before, width in zip([0, *widths], widths, strict=False):
        layers += [] if width == before else [Dense(width)]
        layers.append(Residual(LayerNorm(), attention))
        layers.append(Residual(LayerNorm(), Dense(4 * width, "relu"), Dense(width)))
    return [*layers, LayerNorm()]


def _residual(call: Call) -> list[Layer]:
    if not call.in_parentheses:
        raise ValueError(
            f"'residual' needs layers in parentheses, as in 'residual(layernorm>dense:32)'; got {call.text!r}"
        )
    words = words_of(call.written)
    if "linear" in words:
        raise ValueError(f"{call.text!r}: 'linear' stands alone; in a chain it is dense, with its width")
    return [Residual(*(layer for word in words for layer in layers_of(word, call.written)))]


# Words for layers are those of their classes.
NETWORKS: dict[str, Word] = {
    "linear": Word("linear: one matrix, no bias, as in ARS (Mania 2018).", _linear),
    "mlp": Word("mlp:64,64 or mlp:32:relu: hidden layers of these widths, tanh (the default), relu or elu.", _mlp),
    "transformer": Word(
        "transformer:32, transformer:32,32 or transformer:32:4:64: transformer blocks of these widths; heads; window "
        "(Vaswani 2017).",
        _transformer,
    ),
    "residual": Word(
        "residual(layernorm>dense:64:relu>dense:32): the outputs of these layers added to their inputs (He 2016).",
        _residual,
    ),
}
for _layer in (getattr(every, name) for name in every.__all__):
    if _layer.word:
        NETWORKS[_layer.word] = Word(_layer.summary, _layer.from_call)


def words_of(text: str) -> list[str]:
    """Split a chain at each `>` outside of parentheses. Raises ValueError."""
    if len(text) > _LONGEST:
        raise ValueError(f"a network of {len(text):,} letters, {text[:20]!r}…; at most {_LONGEST:,} are meant")
    if re.search(r"(?<![.\d])\d{10}", text):
        raise ValueError(f"{text!r}: a number of ten digits is larger than any network")
    return chain(text)


def layers_of(word: str, text: str) -> list[Layer]:
    """Parse one word of a chain, `text`, into its layers. Raises ValueError."""
    call = parse_call(word, NETWORKS)
    if call.name in NETWORKS:
        return NETWORKS[call.name].layers(call)
    if ":" in call.name:
        return _own_layers(call)
    if module := of_module(call.name):
        raise ValueError(f"unknown network {word!r}{module}")
    place = f" in {text!r}" if word != text else ""
    if (near := nearest(call.name, NETWORKS)).startswith("; one of"):
        near = f"; one of {', '.join(NETWORKS)}, as in 'linear' or 'mlp:64,64'"
    raise ValueError(f"unknown network {word!r}{place}{near}")


def _own_layers(call: Call) -> list[Layer]:
    """Return the layers made by a user's function: of values in parentheses, or of the text after a colon.

    Raises ValueError where it fails or returns something else.
    """
    alone, named = call.arguments() if call.in_parentheses else ([], {})
    try:
        make = resolve(call.name)
        if call.in_parentheses:
            made = make(*map(value_of, alone), **{name: value_of(value) for name, value in named.items()})
        else:
            made = make(call.written)
    except UntrustedName:
        raise
    except Exception as error:  # a user's module may raise anything
        said = str(error) if isinstance(error, ImportError) else f"{type(error).__name__}: {error}"
        if isinstance(error, TypeError) and not call.in_parentheses and not call.written:
            said += f"; what takes no text is written with parentheses, as in {call.name}()"
        raise ValueError(f"{call.name}: {said}") from error
    layers = [made] if isinstance(made, Layer) else made
    if not isinstance(layers, list) or not all(isinstance(layer, Layer) for layer in layers):
        raise ValueError(f"{call.name} gives a {type(made).__name__}: it must give a Layer, or a list of them")
    return layers
