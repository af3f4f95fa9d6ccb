"""Writes fixtures/torch.npz: losses and gradients as torch computes them, for tests/test_autodiff.py and test_ppo.py.

Run it where torch is installed: `python tests/make_torch_fixtures.py`. The tests need only what it wrote.
"""

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

OPERATIONS = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "elu": torch.nn.functional.elu,
    "exp": torch.exp,
    "log_softmax": lambda x: torch.log_softmax(x, dim=1),
    "total": lambda x: x.sum(dim=1, keepdim=True),
    "mean": lambda x: x.mean().reshape(1, 1),
    "clip": lambda x: torch.clamp(x, -0.5, 0.7),
}
PAIRS = {
    "add": torch.add,
    "subtract": torch.sub,
    "multiply": torch.mul,
    "minimum": torch.minimum,
    "maximum": torch.maximum,
}
SHAPES = {"same": ((5, 4), (5, 4)), "row": ((5, 4), (1, 4)), "column": ((5, 4), (5, 1)), "number": ((5, 4), (1, 1))}
CLIP, VALUE_COEFFICIENT, ENTROPY_COEFFICIENT = 0.2, 0.3, 0.02
ACTOR, CRITIC, BATCH = (17, 16, 8, 6), (17, 12, 1), 32


def network(theta, at, widths, inputs):
    """Dense layers with tanh between them; parameters W (inputs, outputs) row by row, then b, from `at` on."""
    for index, (rows, columns) in enumerate(pairwise(widths)):
        weights = theta[at : at + rows * columns].reshape(rows, columns)
        bias = theta[at + rows * columns : at + rows * columns + columns]
        inputs, at = inputs @ weights + bias, at + rows * columns + columns
        if index < len(widths) - 2:
            inputs = torch.tanh(inputs)
    return inputs, at


def loss(theta, batch, discrete, clip_value):
    """Schulman 2017, equations 7 and 9, as CleanRL's ppo.py and ppo_continuous_action.py compute them."""
    outputs, at = network(theta, 0, ACTOR, batch["observations"])
    if discrete:
        distribution = torch.distributions.Categorical(logits=outputs)
        log_probability, entropy = distribution.log_prob(batch["choices"][:, 0]), distribution.entropy().mean()
    else:
        deviation, at = torch.exp(theta[at : at + ACTOR[-1]]), at + ACTOR[-1]
        distribution = torch.distributions.Normal(outputs, deviation.expand_as(outputs))
        log_probability = distribution.log_prob(batch["actions"]).sum(1)
        entropy = distribution.entropy().sum(1).mean()
    value = network(theta, at, CRITIC, batch["observations"])[0][:, 0]
    gain = batch["advantage"][:, 0]
    gain = (gain - gain.mean()) / (gain.std() + 1e-8)
    ratio = torch.exp(log_probability - batch["old_log_probability"][:, 0])
    policy_loss = torch.max(-gain * ratio, -gain * torch.clamp(ratio, 1 - CLIP, 1 + CLIP)).mean()
    target, old_value = batch["target"][:, 0], batch["old_value"][:, 0]
    square = (value - target) ** 2
    if clip_value:
        bounded = old_value + torch.clamp(value - old_value, -CLIP, CLIP)
        square = torch.max(square, (bounded - target) ** 2)
    return policy_loss + VALUE_COEFFICIENT * square.mean() - ENTROPY_COEFFICIENT * entropy


def main() -> None:
    rng = np.random.default_rng(2026)
    written = {}

    def tensor(shape, name=None):
        array = rng.normal(size=shape).astype(np.float32)
        if name:
            written[name] = array
        return torch.tensor(array, requires_grad=True)

    for name, function in OPERATIONS.items():
        operand = tensor((5, 4), f"{name}/first")
        out = function(operand)
        weights = rng.normal(size=out.shape).astype(np.float32)
        (out * torch.tensor(weights)).sum().backward()
        written |= {
            f"{name}/weights": weights,
            f"{name}/out": out.detach().numpy(),
            f"{name}/grad": operand.grad.numpy(),
        }
    for name, function in PAIRS.items():
        for kind, shapes in SHAPES.items():
            first, second = (tensor(shape, f"{name}/{kind}/{place}") for shape, place in zip(shapes, "ab", strict=True))
            out = function(first, second)
            weights = rng.normal(size=out.shape).astype(np.float32)
            (out * torch.tensor(weights)).sum().backward()
            written |= {f"{name}/{kind}/weights": weights, f"{name}/{kind}/out": out.detach().numpy()}
            written |= {f"{name}/{kind}/grad_a": first.grad.numpy(), f"{name}/{kind}/grad_b": second.grad.numpy()}
    operands = [tensor(shape, f"affine/{place}") for shape, place in (((5, 7), "a"), ((7, 3), "b"), ((1, 3), "c"))]
    out = operands[0] @ operands[1] + operands[2]
    weights = rng.normal(size=out.shape).astype(np.float32)
    (out * torch.tensor(weights)).sum().backward()
    written |= {"affine/weights": weights, "affine/out": out.detach().numpy()}
    written |= {f"affine/grad_{place}": one.grad.numpy() for place, one in zip("abc", operands, strict=True)}

    batch = {
        "observations": rng.normal(size=(BATCH, ACTOR[0])),
        "actions": rng.normal(size=(BATCH, ACTOR[-1])),
        "old_log_probability": rng.normal(-8.5, 0.3, size=(BATCH, 1)),
        "advantage": rng.normal(size=(BATCH, 1)),
        "target": rng.normal(size=(BATCH, 1)),
        "old_value": rng.normal(0.0, 0.3, size=(BATCH, 1)),
    }
    batch = {name: array.astype(np.float32) for name, array in batch.items()}
    batch["choices"] = rng.integers(0, ACTOR[-1], size=(BATCH, 1))
    size = sum((a + 1) * b for widths in (ACTOR, CRITIC) for a, b in pairwise(widths))
    for discrete in (False, True):
        theta = (rng.normal(size=size + (0 if discrete else ACTOR[-1])) * 0.3).astype(np.float32)
        old = batch | {"old_log_probability": batch["old_log_probability"] + (math.log(1 / 6) + 8.5 if discrete else 0)}
        old["old_log_probability"] = old["old_log_probability"].astype(np.float32)
        for clip_value in (False, True):
            name = f"ppo/{'discrete' if discrete else 'continuous'}/{'clipped' if clip_value else 'plain'}"
            leaf = torch.tensor(theta, requires_grad=True)
            result = loss(leaf, {key: torch.tensor(value) for key, value in old.items()}, discrete, clip_value)
            result.backward()
            written |= {f"{name}/parameters": theta, f"{name}/gradient": leaf.grad.numpy()}
            written |= {f"{name}/loss": np.float32(result.item())}
            written |= {f"{name}/{key}": value for key, value in old.items()}
    folder = Path(__file__).parent / "fixtures"
    folder.mkdir(exist_ok=True)
    np.savez_compressed(folder / "torch.npz", **written)


if __name__ == "__main__":
    main()
