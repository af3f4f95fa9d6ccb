"""Writes fixtures/layers.npz: what torch's layers give on sequences, with gradients, for tests/test_layers.py.

Run it where torch is installed: `python tests/make_layer_fixtures.py`. The tests need only what it wrote. Parameters
stand in the order of evo's layers.
"""

from pathlib import Path

import numpy as np
import torch

STEPS, BATCH, INPUTS, UNITS = 5, 3, 4, 6
RECURRENT = {"recurrent": (torch.nn.RNN, 1, 1), "lstm": (torch.nn.LSTM, 4, 1), "gru": (torch.nn.GRU, 3, 2)}


def recurrent(name, parameters, inputs):
    """W (inputs, gates × units), U (units, gates × units), then the biases."""
    layer, gates, biases = RECURRENT[name]
    columns = gates * UNITS
    heard, own, *rest = torch.split(parameters, [INPUTS * columns, UNITS * columns, *(columns,) * biases])
    given = {
        "weight_ih_l0": heard.reshape(INPUTS, columns).T,
        "weight_hh_l0": own.reshape(UNITS, columns).T,
        "bias_ih_l0": rest[0],
        "bias_hh_l0": rest[1] if biases == 2 else torch.zeros(columns, dtype=parameters.dtype),
    }
    return torch.func.functional_call(layer(INPUTS, UNITS).double(), given, (inputs,))[0]


def main() -> None:
    rng, written = np.random.default_rng(2026), {}
    for name, (_, gates, biases) in RECURRENT.items():
        size = (INPUTS + UNITS + biases) * gates * UNITS
        parameters = torch.tensor(rng.normal(size=size) * 0.5, requires_grad=True)
        inputs = torch.tensor(rng.normal(size=(STEPS, BATCH, INPUTS)), requires_grad=True)
        outputs = recurrent(name, parameters, inputs)
        weights = rng.normal(size=outputs.shape)
        (outputs * torch.tensor(weights)).sum().backward()
        found = {"parameters": parameters, "inputs": inputs, "outputs": outputs, "gradient": parameters.grad}
        written |= {f"{name}/{key}": value.detach().numpy() for key, value in found.items()}
        written |= {f"{name}/weights": weights}
    np.savez_compressed(Path(__file__).parent / "fixtures" / "layers.npz", **written)


if __name__ == "__main__":
    main()
