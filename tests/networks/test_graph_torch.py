"""Graphs against torch's, unrolled by hand: outputs, and gradients of the row and of the inputs."""

from typing import Any

import numpy as np
import pytest

from evo.autodiff import Tape
from evo.networks import Graph, Network
from evo.networks.wiring import Wiring
from evo.numerics.node_functions import ACTIVATIONS, AGGREGATIONS
from tests.support.places import FIXTURES

TORCH = np.load(FIXTURES / "graphs.npz")
GRAPHS = sorted({name.rsplit("/", 1)[0] for name in TORCH.files})


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 2e-5), (np.float64, 1e-10)])
@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_equals_torchs(name: str, dtype: Any, tolerance: float) -> None:
    row, given, expected, weights, *gradients = (
        TORCH[f"{name}/{key}"] for key in ("row", "inputs", "outputs", "weights", "of_row", "of_inputs")
    )
    (steps, batch, width), count = given.shape, expected.shape[2]
    network = Network([Graph(8, name.startswith("recurrent"), count)], width, name, False)
    tape = Tape(given.size + len(row), dtype)  # inputs stand before the row, so that they have gradients
    inputs, factors = tape.parameters(0, steps * batch, width), tape.input(steps * batch, count)
    outputs = network.apply(tape, inputs, given.size, steps)
    program = tape.program((outputs * factors).total().mean() * float(steps * batch))
    program.parameters[:] = np.concatenate([given.ravel(), row])
    program.value(factors)[:] = weights.reshape(-1, count)
    program.forward()
    found = program.value(outputs).reshape(expected.shape)
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
    program.backward()
    mine = program.gradient[given.size :], program.gradient[: given.size].reshape(given.shape)
    for ours, theirs in zip(mine, gradients, strict=True):
        assert np.linalg.norm(ours - theirs) <= tolerance * (np.linalg.norm(theirs) + 1e-3)


def test_all_functions_of_nodes_are_among_them() -> None:
    wirings = [Wiring.of(TORCH[f"{name}/row"]) for name in GRAPHS]
    for kind, known in (("activations", ACTIVATIONS), ("aggregations", AGGREGATIONS)):
        assert {place for wiring in wirings for place in getattr(wiring, kind).tolist()} == set(range(len(known)))
    assert sum(np.abs(TORCH[f"{name}/of_row"]).sum() > 0 for name in GRAPHS) > len(GRAPHS) / 2
