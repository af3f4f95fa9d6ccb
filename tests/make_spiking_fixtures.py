"""Writes fixtures/spiking.npz: a spiking layer as torch computes it, with gradients, for tests/test_biology.py.

Run it where torch is installed: `python tests/make_spiking_fixtures.py`. The tests need only what it wrote. Parameters
stand in the order of evo's layer.
"""

from pathlib import Path

import numpy as np
import torch

STEPS, BATCH, INPUTS, UNITS, STEEPNESS = 9, 3, 4, 6, 10.0


class Spike(torch.autograd.Function):
    """Heaviside's step at a threshold of 1, with the surrogate derivative of Zenke & Ganguli 2018."""

    @staticmethod
    def forward(context, membrane):
        context.save_for_backward(membrane)
        return (membrane > 1.0).to(membrane.dtype)

    @staticmethod
    def backward(context, above):
        (membrane,) = context.saved_tensors
        return above / (1.0 + STEEPNESS * (membrane - 1.0).abs()) ** 2


def spiking(parameters, inputs):
    """Traces (steps, batch, units), membranes and spikes."""
    heard, own, bias, leaks, decays = torch.split(parameters, [INPUTS * UNITS, UNITS * UNITS, UNITS, UNITS, UNITS])
    leaks, decays = torch.sigmoid(leaks), torch.sigmoid(decays)
    membrane = spikes = trace = torch.zeros(BATCH, UNITS, dtype=parameters.dtype)
    found = []
    for now in inputs:
        current = now @ heard.reshape(INPUTS, UNITS) + trace @ own.reshape(UNITS, UNITS) + bias
        membrane = leaks * membrane + current - spikes.detach()
        spikes = Spike.apply(membrane)
        trace = decays * trace + (1.0 - decays) * (2.0 * spikes - 1.0)
        found.append((trace, membrane, spikes))
    return (torch.stack(each) for each in zip(*found, strict=True))


def main() -> None:
    rng = np.random.default_rng(2026)
    size = (INPUTS + UNITS + 3) * UNITS
    drawn = rng.normal(size=size) * 0.7
    drawn[-3 * UNITS : -2 * UNITS] += 0.7  # biases at which neurons fire
    parameters = torch.tensor(drawn, requires_grad=True)
    inputs = torch.tensor(rng.normal(size=(STEPS, BATCH, INPUTS)))
    outputs, membranes, spikes = spiking(parameters, inputs)
    # float32 must spike where float64 does, and there must be something to learn from
    assert (membranes - 1.0).abs().min() > 1e-3
    assert 0.1 < spikes.mean() < 0.9
    weights = rng.normal(size=outputs.shape)
    (outputs * torch.tensor(weights)).sum().backward()
    found = {"parameters": parameters, "inputs": inputs, "outputs": outputs, "gradient": parameters.grad}
    written = {key: value.detach().numpy() for key, value in found.items()}
    np.savez_compressed(Path(__file__).parent / "fixtures" / "spiking.npz", weights=weights, **written)


if __name__ == "__main__":
    main()
