"""check_network: layers of ours pass, and one that is broken in one way is told what is wrong with it."""

from typing import Any

import numpy as np
import pytest

from evo.networks import (
    CTRNN,
    GRU,
    LSTM,
    Attention,
    Dense,
    Hebbian,
    Layer,
    PatternGenerator,
    Recurrent,
    Residual,
    Shape,
    Spiking,
)
from evo.testing import check_network

LAYERS: dict[str, Layer | list[Layer]] = {
    "dense": Dense(3, "elu"),
    "linear": Dense(3, bias=False),
    "recurrent": Recurrent(3),
    "lstm": LSTM(3),
    "gru": GRU(3),
    "ctrnn": CTRNN(3),
    "spiking": Spiking(3),
    "hebbian": Hebbian(3),
    "cpg": PatternGenerator(3),
    "attention": [Dense(4), Attention(2, 2)],  # when it goes on, its ring has come round
    "long attention": [Dense(4), Attention(2, 9)],
    "one step of attention": [Dense(4), Attention(2, 1)],
    "residual": [Dense(4), Residual(Attention(2, 3)), Residual(Dense(4), GRU(4)), LSTM(2)],
    "stack": [Dense(5, "tanh"), LSTM(2), Dense(1)],
}


@pytest.mark.parametrize("name", LAYERS)
def test_our_layers_keep_their_promises(name: str) -> None:
    check_network(LAYERS[name], (3,))


def _gain(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    for index in range(outputs.size):
        outputs[index] = params[index] * inputs[index]


class Gain(Layer):
    """Each input times a parameter; what the others are broken versions of."""

    @property
    def step(self) -> Any:
        return _gain

    def shape(self, inputs: Shape) -> Shape:
        return inputs

    def size(self, inputs: Shape) -> int:
        return inputs[0]

    def apply(self, tape: Any, inputs: Any, at: int, shape: Shape, steps: int) -> Any:
        return inputs * tape.parameters(at, 1, inputs.columns)


def _lazy(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    outputs[0] = inputs[0]


def _allocating(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    outputs[:] = params * inputs


def _learning(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    for index in range(outputs.size):
        outputs[index] = params[index] * inputs[index]
        params[index] += np.float32(1)


def _squared(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    for index in range(outputs.size):
        outputs[index] = params[index] * inputs[index] * inputs[index]


def _wide(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    for index in range(outputs.size):
        outputs[index] = params[index] * inputs[index]
    memory[0] = np.float32(1)


STEPS = {
    "leaves an output": (_lazy, "its outputs are not finite"),
    "allocates": (_allocating, "its step allocates"),
    "changes parameters": (_learning, "its step changes the parameters"),
    "does something else": (_squared, "apply and one step after the other differ by"),
    "has no memory": (_wide, "its step writes outside of its memory"),
}


def test_a_plain_layer_passes() -> None:
    check_network(Gain(), (3,))


@pytest.mark.parametrize("name", STEPS)
def test_a_broken_step_is_told(name: str) -> None:
    step, words = STEPS[name]

    class Broken(Gain):
        @property
        def step(self) -> Any:
            return step

    with pytest.raises(AssertionError, match=words):
        check_network(Broken(), (3,))


def test_a_wrong_size_is_told() -> None:
    class Greedy(Gain):
        def initial(self, inputs: Shape, rng: np.random.Generator) -> np.ndarray:
            return rng.normal(size=inputs[0] + 1)

    class Careless(Gain):
        def initial(self, inputs: Shape, rng: np.random.Generator) -> np.ndarray:
            return np.random.default_rng().normal(size=inputs[0])

    with pytest.raises(AssertionError, match=r"Greedy.initial gives \(4,\): it must be \(3,\)"):
        check_network(Greedy(), (3,))
    with pytest.raises(AssertionError, match="must draw from the generator it is given"):
        check_network(Careless(), (3,))


def test_who_denies_a_memory_is_told() -> None:
    class Denying(Recurrent):
        def remembers(self, inputs: Shape) -> bool:
            return False

    with pytest.raises(AssertionError, match="it says that it remembers nothing, and what comes out depends"):
        check_network(Denying(2), (3,))


def test_what_carries_something_else_is_told() -> None:
    class Turned(LSTM):
        """Its cell for its hidden state, and the other way round."""

        def carried(self, inputs: Shape) -> np.ndarray:
            return super().carried(inputs)[::-1].copy()

    class Lacking(LSTM):
        def carried(self, inputs: Shape) -> np.ndarray:
            return np.arange(self.units)

    class Unending(Recurrent):
        """It does not begin anew with an episode."""

        def apply(self, tape: Any, inputs: Any, at: int, shape: Shape, steps: int) -> Any:
            batch, (weights, own, bias) = inputs.rows // steps, self.parts(tape, inputs, at)
            states, state = tape.empty(inputs.rows, self.units), tape.state(batch, self.units)
            for time in range(steps):
                heard = inputs.part(time * batch, batch).affine(weights, bias)
                state = heard.add_affine(own, state).tanh(states.part(time * batch, batch))
            return states

    class Silent(Turned):
        """It does not say what it carries, so nobody begins with it."""

        def carried(self, inputs: Shape) -> np.ndarray:
            return np.zeros(0, np.int64)

    with pytest.raises(AssertionError, match="from what it carries on, apply and one step after the other differ by"):
        check_network(Turned(2), (3,))
    with pytest.raises(AssertionError, match="it carries 2 numbers, and apply asks for 4"):
        check_network(Lacking(2), (3,))
    with pytest.raises(AssertionError, match="where an episode begins, apply and one step after the other differ by"):
        check_network(Unending(2), (3,))
    check_network(Silent(2), (3,))


def test_a_wrong_gradient_by_inputs_is_told() -> None:
    class Blind(Gain):
        def apply(self, tape: Any, inputs: Any, at: int, shape: Shape, steps: int) -> Any:
            seen = type(inputs)(tape, inputs.at, inputs.rows, inputs.columns, False)
            return seen * tape.parameters(at, 1, inputs.columns)

    with pytest.raises(AssertionError, match="the gradient by input 0 is 0, and"):
        check_network(Blind(), (3,))


def test_a_wrong_gradient_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Detached(Gain):
        def apply(self, tape: Any, inputs: Any, at: int, shape: Shape, steps: int) -> Any:
            params = tape.parameters(at, 1, inputs.columns)
            return inputs * type(params)(tape, params.at, 1, params.columns, False) + params * 0.0

    with pytest.raises(AssertionError, match="the gradient by parameter 0 is"):
        check_network(Detached(), (3,))


def test_a_surrogates_gradient_is_only_finite() -> None:
    def held(node: Any) -> Any:
        return type(node)(node.tape, node.at, *node.shape, False)

    class Surrogate(Gain):
        """Its gradient is twice the true one."""

        surrogate = True

        def apply(self, tape: Any, inputs: Any, at: int, shape: Shape, steps: int) -> Any:
            gained = super().apply(tape, inputs, at, shape, steps)
            return gained * 2.0 - held(gained)

    class Endless(Surrogate):
        def apply(self, tape: Any, inputs: Any, at: int, shape: Shape, steps: int) -> Any:
            gained = super().apply(tape, inputs, at, shape, steps)
            large = gained * 1e200
            return gained + (large - held(large)) * 1e200

    class Wrong(Surrogate):
        surrogate = False

    check_network(Surrogate(), (3,))
    with pytest.raises(AssertionError, match="its gradients are not finite"):
        check_network(Endless(), (3,))
    with pytest.raises(AssertionError, match="the gradient by parameter 0 is"):
        check_network(Wrong(), (3,))
