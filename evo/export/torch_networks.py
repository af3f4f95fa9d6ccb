"""Our networks as torch modules with the same parameters; optional."""

import functools
import importlib
import importlib.util
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from evo.networks import (
    GRU,
    LSTM,
    Attention,
    AveragePool,
    Conv,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Layer,
    LayerNorm,
    MaxPool,
    Network,
    Recurrent,
    Residual,
    Shape,
    Squash,
    Take,
)

Made = Callable[
    [Any], Any
]  # from a tensor to a tensor: (batch, features), or pictures (batch, channels, height, width)
Makers = Mapping[type[Layer], Callable[[Any, Any, Shape, Any], Made]]


def torch_module() -> Any:
    """Return torch, or None where it is not installed."""
    return importlib.import_module("torch") if importlib.util.find_spec("torch") else None


def translate(torch: Any, layers: Any, shapes: Any, params: np.ndarray, makers: Makers) -> list[Made] | None:
    """Return torch's counterparts of layers, given inputs of these shapes; None where one has none."""
    made, at = [], 0
    for layer, shape in zip(layers, shapes, strict=False):
        if type(layer) not in makers:
            return None
        own = torch.tensor(params[at : at + layer.size(shape)])
        made.append(makers[type(layer)](torch, layer, shape, own))
        at += layer.size(shape)
    return made


def to_torch(torch: Any, inputs: np.ndarray, shape: Shape) -> Any:
    """Return examples (count, numbers) of a shape as torch takes them: the channels of a picture come first."""
    tensor = torch.tensor(np.array(inputs))
    return tensor.reshape(-1, *shape).movedim(-1, 1).contiguous() if len(shape) == 3 else tensor


def acting(network: Network, params: np.ndarray, inputs: np.ndarray) -> Callable[[int], np.ndarray] | None:
    """Return a function that takes a number of steps, on inputs (count, numbers) in turn.

    A step is one observation; the state persists between calls. It returns the last outputs for each of the inputs,
    (count, outputs). One thread. None where torch has no such network.
    """
    torch = torch_module()
    made = None if torch is None else translate(torch, network.layers, network.shapes, params, CELLS)
    if made is None:
        return None
    observations = to_torch(torch, inputs, network.shapes[0]).split(1)

    def run(times: int) -> np.ndarray:
        threads, found = torch.get_num_threads(), [observations[0]] * len(inputs)
        torch.set_num_threads(1)
        try:
            with torch.no_grad():
                for step in range(times):
                    values = observations[step % len(inputs)]
                    for layer in made:
                        values = layer(values)
                    found[step % len(inputs)] = values
        finally:
            torch.set_num_threads(threads)
        told = [values.movedim(1, -1) if values.ndim == 4 else values for values in found[: min(times, len(inputs))]]
        return np.concatenate([values.reshape(1, -1).numpy() for values in told])

    return run


def _fill(torch: Any, module: Any, **values: Any) -> Any:
    """Return a module with its parameters set to these values."""
    with torch.no_grad():
        for name, value in values.items():
            getattr(module, name).copy_(value)
    return module


def _activate(torch: Any, module: Any, activation: str) -> Any:
    if activation == "linear":
        return module
    return torch.nn.Sequential(
        module, {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU, "elu": torch.nn.ELU}[activation]()
    )


def _dense(torch: Any, layer: Any, shape: Shape, params: Any) -> Any:
    inputs = int(np.prod(shape))
    weights, bias = params[: inputs * layer.outputs], params[inputs * layer.outputs :]
    if len(shape) == 3:  # torch stores a picture channel by channel
        turned = weights.reshape(*shape, layer.outputs).movedim(2, 0).reshape(inputs, layer.outputs)
    else:
        turned = weights.reshape(inputs, layer.outputs)
    module = torch.nn.Linear(inputs, layer.outputs, bias=layer.bias)
    module = _fill(torch, module, weight=turned.T, **({"bias": bias} if layer.bias else {}))
    module = _activate(torch, module, layer.activation)
    return torch.nn.Sequential(torch.nn.Flatten(), module) if len(shape) > 1 else module


def _squash(torch: Any, layer: Any, shape: Shape, params: Any) -> Any:
    """Return the sums, tanh, and the scale to the range of actions as a diagonal matrix."""
    count = len(layer.half)
    sums = _dense(torch, Dense(count, "tanh"), shape, params)
    half, centre = (torch.tensor(numbers, dtype=torch.float32) for numbers in (layer.half, layer.centre))
    scale = _fill(torch, torch.nn.Linear(count, count), weight=torch.diag(half), bias=centre)
    return torch.nn.Sequential(sums, scale)


def _take(torch: Any, layer: Any, shape: Shape, params: Any) -> Any:
    """Return a matrix with a row of zeros for each input that is left out."""
    return _dense(torch, Dense(layer.count, bias=False), shape, torch.eye(int(np.prod(shape)), layer.count).ravel())


def _convolution(torch: Any, layer: Any, shape: Shape, params: Any) -> Any:
    weights, bias = params[: -layer.filters], params[-layer.filters :]
    weights = weights.reshape(layer.kernel, layer.kernel, shape[2], layer.filters).permute(3, 2, 0, 1)
    module = torch.nn.Conv2d(shape[2], layer.filters, layer.kernel, layer.stride, layer.padding)
    return _activate(torch, _fill(torch, module, weight=weights, bias=bias), layer.activation)


def build_gated(torch: Any, layer: Any, shape: Shape, params: Any, module: Any, end: str = "") -> Any:
    """Return a recurrent module with its parameters set; torch always has two biases."""
    columns = layer.gates * layer.units
    heard, own, *biases = params.split(
        [shape[0] * columns, layer.units * columns, *[columns] * (len(params) // columns - shape[0] - layer.units)]
    )
    second = biases[1] if len(biases) > 1 else torch.zeros(columns)
    values = {
        "weight_ih": heard.reshape(-1, columns).T,
        "weight_hh": own.reshape(-1, columns).T,
        "bias_ih": biases[0],
        "bias_hh": second,
    }
    return _fill(torch, module, **{name + end: value for name, value in values.items()})


def _cell(name: str, torch: Any, layer: Any, shape: Shape, params: Any) -> Made:
    cell = build_gated(torch, layer, shape, params, getattr(torch.nn, name)(shape[0], layer.units))
    state = None

    def step(values: Any) -> Any:
        nonlocal state
        state = cell(values, state)
        return state[0] if isinstance(state, tuple) else state

    return step


def _lstm(torch: Any, layer: Any, shape: Shape, params: Any) -> Any:
    """Return a module from sequences (batch, steps, features) to the outputs after the last step."""
    module = torch.nn.LSTM(shape[0], layer.units, batch_first=True)
    module = build_gated(torch, layer, shape, params, module, "_l0")

    class Last(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = module

        def forward(self, values: Any) -> Any:
            return self.lstm(values)[0][:, -1]

    return Last()


def _layer_norm(torch: Any, layer: Any, shape: Shape, params: Any) -> Any:
    gain, bias = params.reshape(2, *shape)
    return _fill(torch, torch.nn.LayerNorm(shape), weight=gain, bias=bias)


def _embedding(torch: Any, layer: Any, shape: Shape, params: Any) -> Made:
    module = _fill(torch, torch.nn.Embedding(layer.symbols, layer.width), weight=params.reshape(layer.symbols, -1))
    return lambda values: module(values.long()).flatten(1)


def _residual(torch: Any, layer: Any, shape: Shape, params: Any) -> Made:
    shapes = [shape]
    for one in layer.layers:
        shapes.append(one.shape(shapes[-1]))
    made = translate(torch, layer.layers, shapes, params.numpy(), CELLS)
    if made is None:
        raise ValueError(f"torch has no {layer.text}")

    def step(values: Any) -> Any:
        return values + functools.reduce(lambda before, one: one(before), made, values)

    return step


def _attention(torch: Any, layer: Any, shape: Shape, params: Any) -> Made:
    """Return a step by scaled_dot_product_attention with a key–value cache, one observation at a time."""
    (width,), heads, window, functional = shape, layer.heads, layer.window, torch.nn.functional
    heard, bias, mixed, last = params.split([3 * width * width, 3 * width, width * width, width])
    heard, mixed = heard.reshape(width, -1).T.contiguous(), mixed.reshape(width, -1).T.contiguous()
    slopes = torch.tensor([2.0 ** (-8.0 * (head + 1) / heads) for head in range(heads)])
    farness = -slopes[:, None, None] * torch.arange(window - 1.0, -1.0, -1.0)  # (heads, 1, window)
    keys = values = torch.zeros(heads, 0, width // heads)

    def step(seen: Any) -> Any:
        nonlocal keys, values
        query, key, value = functional.linear(seen, heard, bias).reshape(3, heads, 1, -1)
        keys, values = torch.cat([keys[:, 1 - window :], key], 1), torch.cat([values[:, 1 - window :], value], 1)
        found = functional.scaled_dot_product_attention(
            query[None], keys[None], values[None], attn_mask=farness[:, :, -keys.shape[1] :]
        )
        return functional.linear(found.reshape(1, width), mixed, last)

    return step


_ALIKE: Makers = {
    Dense: _dense,
    Conv: _convolution,
    MaxPool: lambda torch, layer, shape, params: torch.nn.MaxPool2d(layer.window),
    AveragePool: lambda torch, layer, shape, params: torch.nn.AvgPool2d(layer.window),
    Flatten: lambda torch, layer, shape, params: torch.nn.Flatten(),
    LayerNorm: _layer_norm,
    Squash: _squash,
    Take: _take,
}
CELLS: Makers = {
    **_ALIKE,
    Recurrent: functools.partial(_cell, "RNNCell"),
    LSTM: functools.partial(_cell, "LSTMCell"),
    GRU: functools.partial(_cell, "GRUCell"),
    Attention: _attention,
    Embedding: _embedding,
    Residual: _residual,
    Dropout: lambda torch, layer, shape, params: torch.nn.Dropout(layer.share).eval(),
}
LEARNING: Makers = {**_ALIKE, LSTM: _lstm}  # for learning from whole sequences
