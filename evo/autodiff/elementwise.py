"""Elementwise operations of one operand; see `evo.autodiff.operations`."""

import math
from typing import Any

from evo.autodiff.operations import FIRST, OUTPUT, block, gradient_of
from evo.numerics import activations


def tanh(row: Any, values: Any, gradients: Any) -> None:
    out = block(row, values, OUTPUT)
    out[:] = block(row, values, FIRST)
    activations.tanh(out)


@gradient_of(tanh)
def tanh_backward(row: Any, values: Any, gradients: Any) -> None:
    out, above, below = block(row, values, OUTPUT), block(row, gradients, OUTPUT), block(row, gradients, FIRST)
    one = out.dtype.type(1)
    for index in range(out.size):
        below[index] += above[index] * (one - out[index] * out[index])


def relu(row: Any, values: Any, gradients: Any) -> None:
    out = block(row, values, OUTPUT)
    out[:] = block(row, values, FIRST)
    activations.relu(out)


@gradient_of(relu)
def relu_backward(row: Any, values: Any, gradients: Any) -> None:
    out, above, below = block(row, values, OUTPUT), block(row, gradients, OUTPUT), block(row, gradients, FIRST)
    zero = out.dtype.type(0)
    for index in range(out.size):
        below[index] += above[index] if out[index] > zero else zero


def elu(row: Any, values: Any, gradients: Any) -> None:
    out = block(row, values, OUTPUT)
    out[:] = block(row, values, FIRST)
    activations.elu(out)


@gradient_of(elu)
def elu_backward(row: Any, values: Any, gradients: Any) -> None:
    out, above, below = block(row, values, OUTPUT), block(row, gradients, OUTPUT), block(row, gradients, FIRST)
    zero, one = out.dtype.type(0), out.dtype.type(1)
    for index in range(out.size):
        below[index] += above[index] * (one if out[index] > zero else out[index] + one)


def sigmoid(row: Any, values: Any, gradients: Any) -> None:
    out = block(row, values, OUTPUT)
    out[:] = block(row, values, FIRST)
    activations.sigmoid(out)


@gradient_of(sigmoid)
def sigmoid_backward(row: Any, values: Any, gradients: Any) -> None:
    out, above, below = block(row, values, OUTPUT), block(row, gradients, OUTPUT), block(row, gradients, FIRST)
    one = out.dtype.type(1)
    for index in range(out.size):
        below[index] += above[index] * out[index] * (one - out[index])


def exp(row: Any, values: Any, gradients: Any) -> None:
    out, operand = block(row, values, OUTPUT), block(row, values, FIRST)
    for index in range(out.size):
        out[index] = math.exp(operand[index])


@gradient_of(exp)
def exp_backward(row: Any, values: Any, gradients: Any) -> None:
    out, above, below = block(row, values, OUTPUT), block(row, gradients, OUTPUT), block(row, gradients, FIRST)
    for index in range(out.size):
        below[index] += above[index] * out[index]


def log(row: Any, values: Any, gradients: Any) -> None:
    out, operand = block(row, values, OUTPUT), block(row, values, FIRST)
    for index in range(out.size):
        out[index] = math.log(operand[index])


@gradient_of(log)
def log_backward(row: Any, values: Any, gradients: Any) -> None:
    operand, above, below = block(row, values, FIRST), block(row, gradients, OUTPUT), block(row, gradients, FIRST)
    for index in range(above.size):
        below[index] += above[index] / operand[index]


def softplus(row: Any, values: Any, gradients: Any) -> None:
    """Compute log(1 + exp(x)) without overflow."""
    out, operand, zero = block(row, values, OUTPUT), block(row, values, FIRST), values.dtype.type(0)
    for index in range(out.size):
        x = operand[index]
        out[index] = max(x, zero) + math.log1p(math.exp(-abs(x)))


@gradient_of(softplus)
def softplus_backward(row: Any, values: Any, gradients: Any) -> None:
    operand, above, below = block(row, values, FIRST), block(row, gradients, OUTPUT), block(row, gradients, FIRST)
    one = above.dtype.type(1)
    for index in range(above.size):
        below[index] += above[index] / (one + math.exp(-operand[index]))
