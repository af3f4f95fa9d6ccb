"""Activation functions, compiled, in place on float32 vectors; on float64 ones to check gradients by.

In float32 tanh is a rational approximation whose error is a few units in the last place: it uses only additions,
products and one division, so a loop over it is vectorised and its bits are the same on every processor.
"""

import math
from typing import Any

import numpy as np

from envs.kernels import njit

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


@njit(error_model="numpy")  # a check for division by zero would keep the loop from being vectorised
def tanh(values: Any) -> None:
    if values.itemsize > 4:
        for index in range(values.size):
            values[index] = math.tanh(values[index])
        return
    for index in range(values.size):
        x = min(max(values[index], -_LIMIT), _LIMIT)
        s = x * x
        p = ((((((_P6 * s + _P5) * s + _P4) * s + _P3) * s + _P2) * s + _P1) * s + _P0) * x
        q = ((_Q3 * s + _Q2) * s + _Q1) * s + _Q0
        values[index] = p / q


@njit
def relu(values: Any) -> None:
    zero = values.dtype.type(0)
    for index in range(values.size):
        values[index] = max(values[index], zero)


@njit
def elu(values: Any) -> None:
    """x for x > 0, else exp(x) - 1 (Clevert 2015, equation 16 with alpha 1)."""
    for index in range(values.size):
        if values[index] <= 0:
            values[index] = values.dtype.type(math.expm1(values[index]))


@njit(error_model="numpy")
def sigmoid(values: Any) -> None:
    """1 / (1 + exp(-x)) = (1 + tanh(x / 2)) / 2."""
    half = values.dtype.type(0.5)
    for index in range(values.size):
        values[index] *= half
    tanh(values)
    for index in range(values.size):
        values[index] = half + half * values[index]


@njit
def spike(values: Any) -> None:
    """1 above the threshold, which is 1, else 0."""
    one, zero = values.dtype.type(1), values.dtype.type(0)
    for index in range(values.size):
        values[index] = one if values[index] > one else zero
