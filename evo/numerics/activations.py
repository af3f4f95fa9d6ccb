"""Activation functions, compiled, in place on float32 vectors (float64 to check gradients).

In float32 tanh is a rational approximation whose error is a few units in the last place: it uses only additions,
products and one division, so a loop over it is vectorised and its bits are the same on every processor.
"""

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from evo.envs.engine.compile import njit

# The minimax coefficients of Eigen's and XLA's float32 tanh: x P(x^2) / Q(x^2) on |x| <= 7.9053.
_LIMIT = np.float32(7.90531110763549805)
_P0 = np.float32(4.89352455891786e-03)
_P1 = np.float32(6.37261928875436e-04)
_P2 = np.float32(1.48572235717979e-05)
_P3 = np.float32(5.12229709037114e-08)
_P4 = np.float32(-8.60467152213735e-11)
_P5 = np.float32(2.00018790482477e-13)
_P6 = np.float32(-2.76076847742355e-16)
_Q0 = np.float32(4.89352518554385e-03)
_Q1 = np.float32(2.26843463243900e-03)
_Q2 = np.float32(1.18534705686654e-04)
_Q3 = np.float32(1.19825839466702e-06)

# The coefficients of Cephes's expf (Moshier 1989): x = whole log 2 + rest, and exp(rest) = 1 + rest + rest^2 R(rest).
_LEAST = np.float32(-87.0)  # the exponential of a smaller number is subnormal
_PER_LOG2 = np.float32(1.44269504088896341)
_LOG2_HIGH = np.float32(0.693359375)
_LOG2_LOW = np.float32(-2.12194440e-4)
_ROUNDING = np.float32(1.5 * 2**23)  # adding it rounds to a whole number, which the last bits of the sum hold
_R0 = np.float32(5.0000001201e-1)
_R1 = np.float32(1.6666665459e-1)
_R2 = np.float32(4.1665795894e-2)
_R3 = np.float32(8.3334519073e-3)
_R4 = np.float32(1.3981999507e-3)
_R5 = np.float32(1.9875691500e-4)


ACTIVATIONS = ("linear", "tanh", "relu", "elu")  # `activate` takes an index into this tuple


def check_activation(name: str) -> None:
    """Raise ValueError for an unknown activation."""
    if name not in ACTIVATIONS:
        raise ValueError(f"unknown activation {name!r}; one of {', '.join(ACTIVATIONS)}")


@njit(error_model="numpy")  # a check for division by zero would keep the loop from being vectorised
def compute_tanh(value: Any) -> Any:
    """Compute tanh of one float32 number by the rational approximation."""
    x = min(max(value, -_LIMIT), _LIMIT)
    s = x * x
    p = ((((((_P6 * s + _P5) * s + _P4) * s + _P3) * s + _P2) * s + _P1) * s + _P0) * x
    q = ((_Q3 * s + _Q2) * s + _Q1) * s + _Q0
    return p / q


@njit(error_model="numpy")
def tanh(values: Any) -> None:
    if values.itemsize > 4:
        for index in range(values.size):
            values[index] = math.tanh(values[index])
        return
    for index in range(values.size):
        values[index] = compute_tanh(values[index])


@njit
def relu(values: Any) -> None:
    zero = values.dtype.type(0)
    for index in range(values.size):
        values[index] = max(values[index], zero)


@njit
def elu(values: Any) -> None:
    """Compute ELU in place: x for x > 0, else exp(x) - 1 (Clevert 2015, equation 16 with alpha 1)."""
    for index in range(values.size):
        if values[index] <= 0:
            values[index] = values.dtype.type(math.expm1(values[index]))


@njit(error_model="numpy")
def sigmoid(values: Any) -> None:
    """Compute the logistic sigmoid in place: 1 / (1 + exp(-x)) = (1 + tanh(x / 2)) / 2."""
    half = values.dtype.type(0.5)
    if values.itemsize > 4:
        for index in range(values.size):
            values[index] = half + half * math.tanh(half * values[index])
        return
    for index in range(values.size):
        values[index] = half + half * compute_tanh(half * values[index])


@njit
def activate(values: Any, place: int) -> None:
    """Apply the activation with index `place` in ACTIVATIONS, in place."""
    if place == 1:
        tanh(values)
    elif place == 2:
        relu(values)
    elif place == 3:
        elu(values)


@njit
def differentiate(outputs: Any, gradients: Any, place: int) -> None:
    """Multiply gradients, in place, by the derivative of the activation with this index, given its outputs."""
    zero, one = outputs.dtype.type(0), outputs.dtype.type(1)
    if place == 1:
        for index in range(outputs.size):
            gradients[index] *= one - outputs[index] * outputs[index]
    elif place == 2:
        for index in range(outputs.size):
            gradients[index] = gradients[index] if outputs[index] > zero else zero
    elif place == 3:
        for index in range(outputs.size):
            gradients[index] *= one if outputs[index] > zero else outputs[index] + one


@intrinsic
def _power_of_two(typing: Any, whole: Any) -> Any:
    """Return 2 to the power of the whole number held by the last bits of a float32."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = ir.IntType(32)
        exponent = builder.shl(builder.bitcast(arguments[0], word), word(23))
        return builder.bitcast(builder.add(exponent, word(127 << 23)), ir.FloatType())

    return types.float32(types.float32), codegen


@njit
def compute_exp(value: Any) -> Any:
    """Compute the exponential of one float32 number that is no greater than 88; below -87 that of -87."""
    x = max(value, _LEAST)
    shifted = x * _PER_LOG2 + _ROUNDING
    whole = shifted - _ROUNDING
    x = (x - whole * _LOG2_HIGH) - whole * _LOG2_LOW
    r = ((((_R5 * x + _R4) * x + _R3) * x + _R2) * x + _R1) * x + _R0
    return ((r * x) * x + x + np.float32(1)) * _power_of_two(shifted)


@njit
def _exp_below(values: Any, greatest: Any) -> None:
    """Compute exp(x - greatest) in place, for values no greater than `greatest`."""
    if values.itemsize > 4:
        for index in range(values.size):
            values[index] = math.exp(values[index] - greatest)
        return
    for index in range(values.size):
        values[index] = compute_exp(values[index] - greatest)


@njit(error_model="numpy")
def softmax(values: Any) -> None:
    """Compute softmax in place, shifted by the maximum so that nothing overflows.

    Maximum and sum are kept in four independent accumulators: a single chain of additions waits for each of them.
    """
    whole = values.size - values.size % 4
    greatest0 = greatest1 = greatest2 = greatest3 = values[0]
    for index in range(0, whole, 4):
        greatest0, greatest1 = max(greatest0, values[index]), max(greatest1, values[index + 1])
        greatest2, greatest3 = max(greatest2, values[index + 2]), max(greatest3, values[index + 3])
    for index in range(whole, values.size):
        greatest0 = max(greatest0, values[index])
    _exp_below(values, max(max(greatest0, greatest1), max(greatest2, greatest3)))
    total0 = total1 = total2 = total3 = values.dtype.type(0)
    for index in range(0, whole, 4):
        total0, total1 = total0 + values[index], total1 + values[index + 1]
        total2, total3 = total2 + values[index + 2], total3 + values[index + 3]
    for index in range(whole, values.size):
        total0 += values[index]
    share = values.dtype.type(1) / ((total0 + total1) + (total2 + total3))
    for index in range(values.size):
        values[index] *= share


@njit
def spike(values: Any) -> None:
    """Compute the spike function in place: 1 above the threshold, which is 1, else 0."""
    one, zero = values.dtype.type(1), values.dtype.type(0)
    for index in range(values.size):
        values[index] = one if values[index] > one else zero
