"""Functions of a graph's nodes: activations and aggregations by name; a graph names them by their place here.

On float32 they use sums, products, one division and no mathematical library, so their bits are the same on every
machine; on float64, in which gradients are checked, the functions of `math`.

sigmoid: 1 / (1 + exp(-x)). steep_sigmoid: 1 / (1 + exp(-4.9 x)), Stanley & Miikkulainen 2002, section 4.1. gaussian:
exp(-x²). step: 1 above 0, else 0. clamped: x within [-1, 1]. largest: the value of largest magnitude, the first of
equal ones. A node without links aggregates to 0.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from evo.envs.engine.compile import njit
from evo.numerics.activations import compute_exp, compute_tanh

ACTIVATIONS = (
    "linear",
    "sigmoid",
    "steep_sigmoid",
    "tanh",
    "relu",
    "gaussian",
    "sine",
    "cosine",
    "absolute",
    "square",
    "step",
    "clamped",
)
AGGREGATIONS = ("sum", "product", "mean", "maximum", "minimum", "largest")

_ZERO, _HALF, _ONE, _TWO = (np.float32(number) for number in (0.0, 0.5, 1.0, 2.0))
_STEEP = np.float32(4.9)

# π/2 in two parts, of which the first has 33 bits, so that its products by whole numbers below 2^20 are exact (fdlibm's
# e_rem_pio2.c, Sun Microsystems 1993); then the coefficients of Cephes's sinf and cosf (Moshier 1989) on |x| <= π/4.
_FARTHEST = 2.0**20  # larger angles are taken as this one
_PER_QUARTER = 0.6366197723675814
_QUARTER_HIGH = 1.57079632673412561417
_QUARTER_LOW = 6.07710050650619224932e-11
_S0, _S1, _S2 = np.float32(-1.6666654611e-1), np.float32(8.3321608736e-3), np.float32(-1.9515295891e-4)
_C0, _C1, _C2 = np.float32(4.166664568298827e-2), np.float32(-1.388731625493765e-3), np.float32(2.443315711809948e-5)


@njit
def _sine_of_quarters(value: Any, quarters: int) -> Any:
    """Compute the sine of one float32 number plus so many quarters of a turn."""
    angle = min(max(np.float64(value), -_FARTHEST), _FARTHEST)
    whole = math.floor(angle * _PER_QUARTER + 0.5)
    x = np.float32((angle - whole * _QUARTER_HIGH) - whole * _QUARTER_LOW)
    s, quadrant = x * x, (whole + quarters) & 3
    if quadrant & 1:
        found = ((_C2 * s + _C1) * s + _C0) * s * s - _HALF * s + _ONE
    else:
        found = ((_S2 * s + _S1) * s + _S0) * s * x + x
    return -found if quadrant & 2 else found


def _by_type(single: Callable[[Any], Any], double: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a function that in compiled code is `single` of a float32 number, and `double` of a float64 one."""

    def function(value: Any) -> Any:
        raise NotImplementedError("it is for compiled code")

    def choose(value: Any) -> Any:
        return single if value == types.float32 else double

    overload(function)(choose)
    return function


def _single_tanh(value: Any) -> Any:
    return compute_tanh(value)


def _double_tanh(value: Any) -> Any:
    return math.tanh(value)


def _single_exp(value: Any) -> Any:
    return compute_exp(value)


def _double_exp(value: Any) -> Any:
    return math.exp(value)


def _single_sine(value: Any) -> Any:
    return _sine_of_quarters(value, 0)


def _double_sine(value: Any) -> Any:
    return math.sin(value)


def _single_cosine(value: Any) -> Any:
    return _sine_of_quarters(value, 1)


def _double_cosine(value: Any) -> Any:
    return math.cos(value)


# functions with names of their own, by which compiled code is kept
_tanh = _by_type(_single_tanh, _double_tanh)
_exp = _by_type(_single_exp, _double_exp)
_sine = _by_type(_single_sine, _double_sine)
_cosine = _by_type(_single_cosine, _double_cosine)


@njit(error_model="numpy")
def activate_node(value: Any, place: int) -> Any:
    """Return the activation with this index in ACTIVATIONS of one number, in its precision."""
    if place == 0:
        return value
    if place == 1:
        return _HALF + _HALF * _tanh(_HALF * value)
    if place == 2:
        return _HALF + _HALF * _tanh(_HALF * _STEEP * value)
    if place == 3:
        return _tanh(value)
    if place == 4:
        return max(value, _ZERO)
    if place == 5:
        return _exp(-(value * value))
    if place == 6:
        return _sine(value)
    if place == 7:
        return _cosine(value)
    if place == 8:
        return abs(value)
    if place == 9:
        return value * value
    if place == 10:
        return _ONE if value > _ZERO else _ZERO
    return min(max(value, -_ONE), _ONE)


@njit(error_model="numpy")
def aggregate_links(links: Any, values: Any, place: int) -> Any:
    """Return the aggregation with this index in AGGREGATIONS of weight × source.

    links: source and weight of each in turn, (2 links,). values: what the sources are indices of.
    """
    count = links.size // 2
    total = values.dtype.type(0)
    if place == 0 or place == 2:
        for link in range(count):
            total += links[2 * link + 1] * values[np.uint32(links[2 * link])]
        return total / np.float32(count) if place == 2 and count else total
    for link in range(count):
        term = links[2 * link + 1] * values[np.uint32(links[2 * link])]
        if link == 0:
            total = term
        elif place == 1:
            total *= term
        elif place == 3:
            total = max(total, term)
        elif place == 4:
            total = min(total, term)
        elif abs(term) > abs(total):
            total = term
    return total


@njit(error_model="numpy")
def differentiate_node(value: Any, place: int) -> Any:
    """Return the derivative of the activation with this index at one number; 0 where it has none."""
    if place == 0:
        return _ONE
    if place == 1 or place == 2:
        found = activate_node(value, place)
        return (_STEEP if place == 2 else _ONE) * found * (_ONE - found)
    if place == 3:
        found = _tanh(value)
        return _ONE - found * found
    if place == 4:
        return _ONE if value > _ZERO else _ZERO
    if place == 5:
        return -_TWO * value * _exp(-(value * value))
    if place == 6:
        return _cosine(value)
    if place == 7:
        return -_sine(value)
    if place == 8:
        return _ONE if value > _ZERO else (-_ONE if value < _ZERO else _ZERO)
    if place == 9:
        return _TWO * value
    if place == 10:
        return _ZERO
    return _ONE if abs(value) < _ONE else _ZERO


@njit(error_model="numpy")
def differentiate_links(
    links: Any, values: Any, total: Any, error: Any, errors: Any, of_links: Any, place: int, needed: bool
) -> None:
    """Add the gradients of an aggregation, to those of the values, errors, and, where needed, of the links' weights.

    total: what it aggregates to. error: the gradient of that. of_links: as long as links. Of several links that are the
    maximum, minimum or largest the first has the gradient.
    """
    count = links.size // 2
    share = error / np.float32(count) if place == 2 and count else error
    for link in range(count):
        weight, source = links[2 * link + 1], np.uint32(links[2 * link])
        if place == 1:
            share = error
            for other in range(count):
                if other != link:
                    share *= links[2 * other + 1] * values[np.uint32(links[2 * other])]
        elif place >= 3 and weight * values[source] != total:
            continue
        errors[source] += share * weight
        if needed:
            of_links[2 * link + 1] += share * values[source]
        if place >= 3:
            return
