"""check_network: the contract of a layer."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba.core.runtime import _nrt_python as counts
from numba.core.runtime import rtsys

from evo.autodiff import Tape
from evo.envs.engine.compile import njit
from evo.errors import EvoError
from evo.networks import Layer, Network, Sequential, Shape
from evo.networks.program import walk
from evo.numerics.randomness import generator
from evo.testing.expectation import expect

_STEPS, _BATCH, _GUARD = 5, 2, np.float32(77.0)
_ROUNDING, _SMALL = 1e-4, 1e-6  # of float32, accumulated; and the distance of a finite difference


def check_network(layer: Layer | Sequential | Sequence[Layer], shape: Shape = (4,)) -> None:
    """Check a layer or a stack of layers: raise AssertionError, with a message, for the first requirement that fails.

    shape: of one example of its inputs. A layer's shapes, sizes and initial parameters fit each other; its step writes
    all of its outputs and nothing else but its memory, allocates nothing, and repeats itself from an empty memory.
    Where it is differentiable, `apply` on a sequence equals one step after the other, also from the carried state, and
    its gradients equal finite differences, or are just finite for surrogate gradients.
    """
    layers = [layer] if isinstance(layer, Layer) else list(layer.layers if isinstance(layer, Sequential) else layer)
    if not layers or not all(isinstance(one, Layer) for one in layers):
        raise EvoError(f"check_network takes a layer, or a stack of them; got {layer!r}")
    network = Network(layers, shape, "", False)
    for one, inputs, size in zip(layers, network.shapes, network.sizes, strict=False):
        _declarations(one, inputs, size)
    random = generator(0, "check network")
    params = network.initial(random)
    if not network.own_length:  # what such a layer takes, only its own check knows
        params += 0.3 * random.standard_normal(network.size)
    params = params.astype(np.float32)
    try:
        network.check(params)
    except ValueError as error:
        raise AssertionError(f"its check refuses what its initial makes: {error}") from error
    seen = random.standard_normal((_BATCH, _STEPS, network.inputs)).astype(np.float32)
    expected = np.stack([run_steps(network, params, sequence) for sequence in seen])
    again = np.stack([run_steps(network, params, sequence) for sequence in seen])
    expect(bool(np.isfinite(expected).all()), "its outputs are not finite")
    expect(np.array_equal(expected, again), "from an empty memory it does something else the second time")
    if not network.remembers:
        fresh = np.stack([[run_steps(network, params, one[np.newaxis])[0] for one in sequence] for sequence in seen])
        words = "it says that it remembers nothing, and what comes out depends on the steps before"
        expect(np.array_equal(expected, fresh), words)
    expect(not _allocations(network, params), "its step allocates: what it computes with is part of its memory")
    if all(one.differentiable for one in layers):
        _gradients(network, params, seen, expected, any(one.surrogate for one in layers))
        if network.remembers and network.carried.size:
            _going_on(network, params, seen, expected)


def _declarations(layer: Layer, inputs: Shape, size: int) -> None:
    name, first = type(layer).__name__, layer.initial(inputs, generator(0, "check initial"))
    expect(first.shape == (size,), f"{name}.initial gives {first.shape}: it must be ({size},), as its size says")
    expect(bool(np.isfinite(first).all()), f"{name}.initial gives numbers that are not finite")
    again = layer.initial(inputs, generator(0, "check initial"))
    expect(np.array_equal(first, again), f"{name}.initial must draw from the generator it is given, and from no other")
    units = layer.neurons(inputs)
    expect(units.shape == (size,), f"{name}.neurons gives {units.shape}: it must be ({size},), as its size says")


def run_steps(
    network: Network, params: np.ndarray, sequence: np.ndarray, remembered: np.ndarray | None = None
) -> np.ndarray:
    """Run compiled steps on a sequence, float32 (steps, inputs); return the outputs, float32 (steps, outputs).

    remembered: float32 (memory_size,), receives the final memory. Raises AssertionError where a step writes out of
    bounds, or changes the parameters. Outputs that it does not write are NaN.
    """
    given, memory = _guard(params), _guard(np.zeros(network.memory_size))
    scratch = _guard(np.zeros(network.scratch_size))
    outputs = np.zeros((len(sequence), network.outputs), np.float32)
    for step, inputs in enumerate(sequence):
        scratch[1:-1] = np.nan
        scratch[1 : 1 + len(inputs)] = inputs
        count, at = walk(network.plan, given[1:-1], memory[1:-1], scratch[1:-1], len(inputs))
        outputs[step] = scratch[1 + at : 1 + at + count]
    expect(np.array_equal(given[1:-1], params), "its step changes the parameters")
    for what, array in (("parameters", given), ("memory", memory), ("outputs", scratch)):
        expect(array[0] == array[-1] == _GUARD, f"its step writes outside of its {what}")
    if remembered is not None:
        remembered[:] = memory[1:-1]
    return outputs


@njit
def _walk_often(times: int, plan: Any, params: Any, memory: Any, scratch: Any, inputs: int) -> None:
    for _ in range(times):
        walk(plan, params, memory, scratch, inputs)


def _allocations(network: Network, params: np.ndarray) -> int:
    """Return the number of arrays that ten steps allocate."""
    memory, scratch = np.zeros(network.memory_size, np.float32), np.zeros(network.scratch_size, np.float32)
    counted = []
    counts.memsys_enable_stats()
    try:
        for times in (1, 11):
            before = rtsys.get_allocation_stats().mi_alloc
            _walk_often(times, network.plan, params, memory, scratch, network.inputs)
            counted.append(rtsys.get_allocation_stats().mi_alloc - before)
    finally:
        counts.memsys_disable_stats()
    return counted[1] - counted[0]


def _guard(values: np.ndarray) -> np.ndarray:
    return np.concatenate([[_GUARD], values.astype(np.float32), [_GUARD]]).astype(np.float32)


def _gradients(network: Network, params: np.ndarray, seen: np.ndarray, expected: np.ndarray, surrogate: bool) -> None:
    """Compare `apply` with the steps, and its gradients with finite differences, in float64."""
    weights = generator(0, "check weights").standard_normal((_STEPS, _BATCH, network.outputs))
    rows = _STEPS * _BATCH
    tape = Tape(network.size + rows * network.inputs, np.float64)  # inputs are parameters too, for their gradients
    inputs, factors = tape.parameters(network.size, rows, network.inputs), tape.input(rows, network.outputs)
    outputs = network.apply(tape, inputs, 0, _STEPS)
    program = tape.program((outputs * factors).total().mean())
    program.parameters[: network.size], program.value(factors)[:] = params, weights.reshape(factors.shape)
    program.value(inputs)[:] = seen.transpose(1, 0, 2).reshape(inputs.shape)
    program.forward()
    found = program.value(outputs).reshape(_STEPS, _BATCH, -1).transpose(1, 0, 2)
    errors = np.abs(found - expected) / (1 + np.abs(expected))
    worst = tuple(map(int, np.unravel_index(np.argmax(errors), errors.shape)))  # sequence, step, output
    told = f"output {worst[2]} of step {worst[1]} is {found[worst]:.6g} in apply, and {expected[worst]:.6g} in step"
    expect(errors[worst] < _ROUNDING, f"apply and one step after the other differ by {errors[worst]:.2g}: {told}")
    program.backward()
    gradient = program.gradient.copy()
    expect(bool(np.isfinite(gradient).all()), "its gradients are not finite")
    if surrogate:
        return
    places, least, greatest = network.bounds(params)
    for index in np.setdiff1d(np.arange(len(program.parameters)), places[least == greatest]):  # those that descend
        value, both = program.parameters[index], []
        for way in (_SMALL, -_SMALL):
            program.parameters[index] = value + way
            both.append(program.forward())
        program.parameters[index] = value
        difference = (both[0] - both[1]) / (2 * _SMALL)
        error = abs(difference - gradient[index]) / (1 + abs(difference))
        place = f"parameter {index}" if index < network.size else f"input {index - network.size}"
        words = f"the gradient by {place} is {gradient[index]:.6g}, and {difference:.6g} by finite differences"
        expect(error < _ROUNDING, words)


def _going_on(network: Network, params: np.ndarray, seen: np.ndarray, expected: np.ndarray) -> None:
    """Compare `apply` with the steps from the state carried after step 2, without and with a new episode at step 3."""
    memories = np.zeros((_BATCH, network.memory_size), np.float32)
    for sequence, memory in zip(seen, memories, strict=True):
        run_steps(network, params, sequence[:2], memory)
    steps, carried = _STEPS - 2, memories[:, network.carried]
    tape = Tape(network.size + 1, np.float64)  # one more parameter, because a loss must depend on parameters
    inputs, going_on = tape.input(steps * _BATCH, network.inputs), tape.input(steps * _BATCH, 1)
    tape.go_on(going_on)
    outputs = network.apply(tape, inputs, 0, steps)
    width = sum(state.columns for state in tape.states)
    expect(width == carried.shape[1], f"it carries {carried.shape[1]} numbers, and apply asks for {width}")
    program = tape.program((outputs * tape.parameters(network.size, 1, 1)).total().mean())
    program.parameters[: network.size], program.value(inputs)[:] = (
        params,
        seen[:, 2:].transpose(1, 0, 2).reshape(inputs.shape),
    )
    ends = np.cumsum([state.columns for state in tape.states])[:-1]
    for state, values in zip(tape.states, np.split(carried, ends, axis=1), strict=True):
        program.value(state)[:] = values
    anew = np.stack([run_steps(network, params, sequence[3:]) for sequence in seen])
    for begins, later in ((False, expected[:, 3:]), (True, anew)):
        program.value(going_on)[:] = 1.0
        program.value(going_on)[_BATCH : 2 * _BATCH] = 0.0 if begins else 1.0
        program.forward()
        found = program.value(outputs).reshape(steps, _BATCH, -1).transpose(1, 0, 2)
        right = np.concatenate([expected[:, 2:3], later], axis=1)
        worst = float(np.max(np.abs(found - right) / (1 + np.abs(right))))
        where = "where an episode begins" if begins else "from what it carries on"
        expect(worst < _ROUNDING, f"{where}, apply and one step after the other differ by {worst:.2g}")
