"""Writes fixtures/convolution.npz: what torch's picture layers give, with gradients, for tests/test_convolution.py.

Run it where torch is installed: `python tests/make_convolution_fixtures.py`. The tests need only what it wrote.
Parameters stand in the order of evo's layers, and pictures have their channels last, as evo's do.
"""

from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

BATCH = 3


def convolved(pictures, parameters, filters, kernel, **options):
    """W (kernel × channels, filters), then b (filters,); pictures (batch, channels, ...) in torch's order."""
    channels, places = pictures.shape[1], (kernel,) * (pictures.ndim - 2)
    weights = parameters[:-filters].reshape(*places, channels, filters)
    convolution = functional.conv2d if len(places) == 2 else functional.conv1d
    return convolution(pictures, weights.movedim((-1, -2), (0, 1)), parameters[-filters:], **options)


def stack(pictures, parameters):
    """conv:3x3>pool:2>conv:4x2:tanh:same>average:2>dense:5 on 10 × 9 × 2."""
    first, second, last = torch.split(parameters, [3 * 19, 4 * 13, 5 * 9])
    pictures = functional.max_pool2d(torch.relu(convolved(pictures, first, 3, 3)), 2)
    pictures = functional.avg_pool2d(torch.tanh(convolved(pictures, second, 4, 2, padding="same")), 2)
    row = pictures.movedim(1, -1).flatten(1)
    return row @ last[:-5].reshape(row.shape[1], 5) + last[-5:]


# Shape of a picture, number of parameters, and what becomes of pictures in torch's order.
CASES = {
    "valid": ((6, 5, 2), 4 * 19, lambda x, p: convolved(x, p, 4, 3)),
    "same": ((6, 5, 2), 4 * 19, lambda x, p: convolved(x, p, 4, 3, padding="same")),
    "same even": ((5, 4, 3), 2 * 49, lambda x, p: convolved(x, p, 2, 4, padding="same")),
    "stride": ((8, 7, 2), 3 * 19, lambda x, p: convolved(x, p, 3, 3, stride=2)),
    "wide stride": ((9, 8, 1), 3 * 5, lambda x, p: convolved(x, p, 3, 2, stride=3)),
    "sequence": ((9, 2), 4 * 7, lambda x, p: convolved(x, p, 4, 3)),
    "sequence same": ((9, 2), 4 * 9, lambda x, p: convolved(x, p, 4, 4, padding="same")),
    "sequence stride": ((9, 2), 4 * 7, lambda x, p: convolved(x, p, 4, 3, stride=2)),
    "pool": ((7, 6, 3), 0, lambda x, p: functional.max_pool2d(x, 2)),
    "pool of 3": ((7, 6, 3), 0, lambda x, p: functional.max_pool2d(x, 3)),
    "pool of a sequence": ((7, 3), 0, lambda x, p: functional.max_pool1d(x, 2)),
    "average": ((7, 6, 3), 0, lambda x, p: functional.avg_pool2d(x, 2)),
    "average of a sequence": ((7, 3), 0, lambda x, p: functional.avg_pool1d(x, 3)),
    "stack": ((10, 9, 2), 3 * 19 + 4 * 13 + 5 * 9, stack),
}


def main() -> None:
    rng, written = np.random.default_rng(2026), {}
    for name, (shape, size, function) in CASES.items():
        # halves: equal numbers stand side by side in what is pooled
        drawn = (
            np.round(rng.normal(size=(BATCH, *shape)) * 2) / 2 if "pool" in name else rng.normal(size=(BATCH, *shape))
        )
        pictures = torch.tensor(drawn, requires_grad=True)
        parameters = torch.tensor(rng.normal(size=size) * 0.5, requires_grad=True)
        outputs = function(pictures.movedim(-1, 1), parameters)
        outputs = outputs.movedim(1, -1) if outputs.ndim > 2 else outputs
        weights = rng.normal(size=outputs.shape)
        (outputs * torch.tensor(weights)).sum().backward()
        found = {"pictures": pictures, "parameters": parameters, "outputs": outputs, "by pictures": pictures.grad}
        written |= {f"{name}/{key}": value.detach().numpy() for key, value in found.items()}
        written |= {f"{name}/weights": weights, f"{name}/by parameters": np.zeros(0)}
        if size:
            written[f"{name}/by parameters"] = parameters.grad.numpy()
    np.savez_compressed(Path(__file__).parent / "fixtures" / "convolution.npz", **written)


if __name__ == "__main__":
    main()
