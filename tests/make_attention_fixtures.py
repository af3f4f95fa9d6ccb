"""Writes fixtures/attention.npz, for tests/test_attention.py: what torch's layers of transformers give on sequences,
with gradients, and how two small classifiers learn by plain descent.

Run it where torch is installed: `python tests/make_attention_fixtures.py`. The tests need only what it wrote.
Parameters stand in the order of evo's layers.
"""

from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

STEPS, BATCH, WIDTH = 7, 3, 6
SYMBOLS, CLASSES, UNITS, STEP_SIZE, UPDATES = 5, 3, 6, 0.5, 5


class Parts:
    """Takes matrices off a vector of parameters, one after the other."""

    def __init__(self, parameters):
        self.parameters, self.at = parameters, 0

    def take(self, *shape):
        size = int(np.prod(shape))
        self.at += size
        return self.parameters[self.at - size : self.at].reshape(shape)


def mask(heads, window, steps):
    """Linear biases of Press 2022, and minus infinity for what is ahead or too long ago: (heads, steps, steps)."""
    distance = torch.arange(steps)[:, None] - torch.arange(steps)[None, :]
    slopes = torch.tensor([2.0 ** (-8.0 * (head + 1) / heads) for head in range(heads)], dtype=torch.float64)
    biases = -slopes[:, None, None] * distance
    return biases.masked_fill((distance < 0) | (distance >= window), -torch.inf)


def embedding(parts, inputs):
    return functional.embedding(inputs.long(), parts.take(SYMBOLS, WIDTH)).flatten(2)


def layernorm(parts, inputs):
    width = inputs.shape[-1]
    return functional.layer_norm(inputs, (width,), parts.take(width), parts.take(width))


def dense(parts, inputs, outputs):
    weights, bias = parts.take(inputs.shape[-1], outputs), parts.take(outputs)
    return functional.linear(inputs, weights.T, bias)


def attention(parts, inputs, heads, window):
    """By torch's scaled dot products."""
    steps, batch, width = inputs.shape
    # (steps, batch, 3, heads, numbers) to three of (batch, heads, steps, numbers)
    heard = dense(parts, inputs, 3 * width).reshape(steps, batch, 3, heads, -1).permute(2, 1, 3, 0, 4)
    mixed = functional.scaled_dot_product_attention(*heard, attn_mask=mask(heads, window, steps))
    return dense(parts, mixed.permute(2, 0, 1, 3).reshape(steps, batch, width), width)


def attention_module(parts, inputs, heads, window):
    """By torch's whole layer."""
    steps, batch, width = inputs.shape
    weights, bias, last, last_bias = (
        parts.take(*shape) for shape in ((width, 3 * width), (3 * width,), (width, width), (width,))
    )
    given = {"in_proj_weight": weights.T, "in_proj_bias": bias, "out_proj.weight": last.T, "out_proj.bias": last_bias}
    layer = torch.nn.MultiheadAttention(width, heads, dtype=torch.float64)
    biases = mask(heads, window, steps).repeat(batch, 1, 1)
    return torch.func.functional_call(layer, given, (inputs,) * 3, {"attn_mask": biases, "need_weights": False})[0]


def transformer(parts, inputs, heads, window, width=WIDTH):
    values = dense(parts, inputs, width)
    values = values + attention_module(parts, layernorm(parts, values), heads, window)
    hidden = functional.relu(dense(parts, layernorm(parts, values), 4 * width))
    return layernorm(parts, values + dense(parts, hidden, width))


def lstm(parts, inputs):
    columns = 4 * UNITS
    heard, own, bias = parts.take(inputs.shape[-1], columns), parts.take(UNITS, columns), parts.take(columns)
    given = {"weight_ih_l0": heard.T, "weight_hh_l0": own.T, "bias_ih_l0": bias, "bias_hh_l0": torch.zeros_like(bias)}
    layer = torch.nn.LSTM(inputs.shape[-1], UNITS, dtype=torch.float64)
    return torch.func.functional_call(layer, given, (inputs,))[0]


LAYERS = {
    "embedding": (embedding, 2, SYMBOLS * WIDTH),
    "layernorm": (layernorm, WIDTH, 2 * WIDTH),
    "attention": (lambda parts, inputs: attention(parts, inputs, 2, 3), WIDTH, 4 * WIDTH * (WIDTH + 1)),
    "far": (lambda parts, inputs: attention(parts, inputs, 3, 64), WIDTH, 4 * WIDTH * (WIDTH + 1)),
    "block": (lambda parts, inputs: transformer(parts, inputs, 2, 4), 4, 552),
}
CLASSIFIERS = {
    "transformer": (lambda parts, inputs: dense(parts, transformer(parts, inputs, 2, 4)[-1], CLASSES), 552 + 21),
    "lstm": (lambda parts, inputs: dense(parts, lstm(parts, inputs)[-1], CLASSES), (4 + UNITS + 1) * 4 * UNITS + 21),
}


def main() -> None:
    rng, written = np.random.default_rng(2026), {}
    for name, (function, width, size) in LAYERS.items():
        shape = (STEPS, BATCH, width)
        inputs = rng.integers(0, SYMBOLS, shape) * 1.0 if name == "embedding" else rng.normal(size=shape)
        parameters = torch.tensor(rng.normal(size=size) * 0.5, requires_grad=True)
        parts = Parts(parameters)
        outputs = function(parts, torch.tensor(inputs))
        assert parts.at == size, (name, parts.at)
        weights = rng.normal(size=outputs.shape)
        (outputs * torch.tensor(weights)).sum().backward()
        found = {"parameters": parameters, "outputs": outputs, "gradient": parameters.grad}
        written |= {f"{name}/{key}": value.detach().numpy() for key, value in found.items()}
        written |= {f"{name}/weights": weights, f"{name}/inputs": inputs}
    for name, (function, size) in CLASSIFIERS.items():
        inputs, labels = rng.normal(size=(STEPS, BATCH * 2, 4)), rng.integers(0, CLASSES, BATCH * 2)
        first = rng.normal(size=size) * 0.3
        parameters, losses = torch.tensor(first, requires_grad=True), []
        descent = torch.optim.SGD([parameters], lr=STEP_SIZE)
        for _ in range(UPDATES):
            descent.zero_grad()
            loss = functional.cross_entropy(function(Parts(parameters), torch.tensor(inputs)), torch.tensor(labels))
            loss.backward()
            descent.step()
            losses.append(loss.item())
        found = {
            "inputs": inputs,
            "labels": labels,
            "first": first,
            "losses": losses,
            "last": parameters.detach().numpy(),
        }
        written |= {f"learning {name}/{key}": np.asarray(value) for key, value in found.items()}
    np.savez_compressed(Path(__file__).parent / "fixtures" / "attention.npz", **written)


if __name__ == "__main__":
    main()
