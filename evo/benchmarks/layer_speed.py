"""Time of a step of each layer, beside plain loops and torch."""

import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from evo.benchmarks import plain_layers as plain
from evo.envs.engine.compile import njit
from evo.export.torch_networks import acting
from evo.networks import Layer, Network, Shape
from evo.networks.layer import shape_text
from evo.networks.parsing import layers_of, words_of
from evo.networks.program import walk
from evo.numerics.randomness import generator

_INPUTS = 100  # used in turn
_TOLERANCE = 1e-4
_SECONDS = 0.02  # of a measurement
Steps = Callable[[int], np.ndarray]


class Case(NamedTuple):
    """A network to measure.

    network: in text, for inputs of a shape. plain: the same as loops; numbers: their arguments; memory: float32 numbers
    that the loops use for state and scratch.
    """

    network: str
    shape: Shape
    plain: Callable[..., None]
    numbers: tuple[int, ...] = ()
    memory: int = 0


_ATTENTION = 1 + 4 * 32 + 64 + 2 * 32 * 64
CASES = (
    Case("dense:64", (64,), plain.dense),
    Case("mlp:64,64>dense:6", (17,), plain.perceptron, (64,), 128),
    Case("residual(dense:64:tanh)", (64,), plain.residual),
    Case("layernorm", (64,), plain.layer_norm),
    Case("dropout:0.2", (64,), plain.copy),
    Case("embedding:64x16", (1,), plain.embedding),
    Case("recurrent:32", (16,), plain.recurrent, (), 32),
    Case("lstm:32", (16,), plain.lstm, (), 6 * 32),
    Case("gru:32", (16,), plain.gru, (), 7 * 32),
    Case("ctrnn:32", (16,), plain.ctrnn, (), 2 * 32),
    Case("spiking:32", (16,), plain.spiking, (), 3 * 32),
    Case("hebbian:32", (16,), plain.hebbian, (), 16 * 32 + 1),
    Case("cpg:8", (16,), plain.pattern_generator, (), 4 * 8),
    Case("attention:4", (32,), plain.attention, (4, 64), _ATTENTION),
    Case("transformer:32:4", (32,), plain.transformer, (4, 64), 6 * 32 + _ATTENTION),
    Case("conv:8x3", (28, 28, 1), plain.convolution, (28, 28, 1, 3)),
    Case("conv:16x3", (13, 13, 8), plain.convolution, (13, 13, 8, 3)),
    Case("pool:2", (26, 26, 8), plain.greatest_pool, (26, 26, 8, 2)),
    Case("average:2", (26, 26, 8), plain.average_pool, (26, 26, 8, 2)),
    Case("flatten", (28, 28, 1), plain.copy),
)


class _Loops(Layer):
    """A layer that runs a case's loops in place of its layers."""

    def __init__(self, case: Case, network: Network) -> None:
        self._case, self._network = case, network

    @property
    def step(self) -> Callable[..., None]:
        return self._case.plain

    def shape(self, inputs: Shape) -> Shape:
        return self._network.shapes[-1]

    def size(self, inputs: Shape) -> int:
        return self._network.size

    def memory_size(self, inputs: Shape) -> int:
        return self._case.memory

    def numbers(self, inputs: Shape) -> tuple[int, ...]:
        return self._case.numbers


@njit(cache=True)
def _walk_often(times: int, plan: Any, params: Any, memory: Any, scratch: Any, inputs: Any, outputs: Any) -> None:
    for step in range(times):
        turn = step % inputs.shape[0]
        scratch[: inputs.shape[1]] = inputs[turn]
        count, at = walk(plan, params, memory, scratch, inputs.shape[1])
        outputs[turn] = scratch[at : at + count]


def _walking(network: Network, params: np.ndarray, inputs: np.ndarray) -> Steps:
    """Return a function that runs a number of steps from an empty memory, on inputs (count, numbers) in turn.

    It returns the last outputs for each of the inputs, (count, outputs).
    """
    plan, scratch = network.plan, np.zeros(network.scratch_size, np.float32)

    def run(times: int) -> np.ndarray:
        memory = np.zeros(network.memory_size, np.float32)
        outputs = np.zeros((len(inputs), network.outputs), np.float32)
        _walk_often(times, plan, params, memory, scratch, inputs, outputs)
        return outputs

    return run


def sides(case: Case) -> dict[str, Steps]:
    """Return functions that step through a case: "ours", "plain", and "torch" where torch has its layers.

    Raises RuntimeError where they do not agree in the first steps.
    """
    layers = [layer for word in words_of(case.network) for layer in layers_of(word, case.network)]
    network, draws = Network(layers, case.shape, case.network, False), generator(0, "bench layers")
    params = network.initial(draws).astype(np.float32)
    params += np.float32(0.01) * draws.standard_normal(network.size, dtype=np.float32)
    loops = Network([_Loops(case, network)], case.shape, "", False)
    inputs = draws.standard_normal((_INPUTS, network.inputs), dtype=np.float32)
    if case.network.startswith("embedding"):
        inputs = draws.integers(0, 64, inputs.shape).astype(np.float32)
    found = {"ours": _walking(network, params, inputs), "plain": _walking(loops, params, inputs)}
    if (theirs := acting(network, params, inputs)) is not None:
        found["torch"] = theirs
    first = {name: run(_INPUTS) for name, run in found.items()}
    for name, outputs in first.items():
        if not np.allclose(outputs, first["ours"], _TOLERANCE, _TOLERANCE):
            raise RuntimeError(f"{case.network}: {name} computes something else")
    return found


def layer_speed(case: Case, pairs: int, seconds: float = _SECONDS) -> dict[str, Any]:
    """Return nanoseconds of a step: ours, the plain loops', torch's; and the ratios of theirs to ours.

    Processor time, which other work on the machine disturbs less: all use one thread. Medians over `pairs` rounds, in
    which each is measured for `seconds`, in alternating order. None where torch is not installed, or has no such layer.
    Raises RuntimeError where they do not compute the same.
    """
    runs = sides(case)
    times = {name: max(_INPUTS, int(_INPUTS * seconds / _time(run, _INPUTS))) for name, run in runs.items()}
    found: dict[str, list[float]] = {name: [] for name in runs}
    for pair in range(pairs):
        for name in list(runs)[:: 1 if pair % 2 else -1]:
            found[name].append(1e9 * _time(runs[name], times[name]) / times[name])

    def compared(name: str) -> float | None:
        return (
            statistics.median(b / a for a, b in zip(found["ours"], found[name], strict=True)) if name in found else None
        )

    return {
        "network": case.network,
        "inputs": shape_text(case.shape),
        "ns": statistics.median(found["ours"]),
        "plain_ns": statistics.median(found["plain"]),
        "torch_ns": statistics.median(found["torch"]) if "torch" in found else None,
        "times_plain": compared("plain"),
        "times_torch": compared("torch"),
        "pairs": pairs,
    }


def _time(run: Steps, times: int) -> float:
    began = time.thread_time()
    run(times)
    return time.thread_time() - began
