"""Layers as plain loops written from the papers: a reference for speed and for correctness.

Each takes what a layer's step takes, (numbers, params, memory, inputs, outputs), with the layer's parameters; numbers
and memory are laid out differently. The only optimisation: the inner loop runs along the rows of weights, so that it is
vectorised.
"""

import math
from typing import Any

import numpy as np

from evo.envs.engine.compile import njit

_ONE, _ZERO = np.float32(1), np.float32(0)
_TURN = 2 * math.pi


@njit
def _add_product(weights: Any, inputs: Any, outputs: Any) -> None:
    for index in range(inputs.size):
        for unit in range(outputs.size):
            outputs[unit] += inputs[index] * weights[index * outputs.size + unit]


@njit
def _affine(params: Any, inputs: Any, outputs: Any) -> None:
    outputs[:] = params[inputs.size * outputs.size : (inputs.size + 1) * outputs.size]
    _add_product(params, inputs, outputs)


@njit(error_model="numpy")
def _sigmoid(value: Any) -> Any:
    return _ONE / (_ONE + math.exp(-value))


@njit
def _tanh(values: Any) -> None:
    for index in range(values.size):
        values[index] = math.tanh(values[index])


def dense(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    _affine(params, inputs, outputs)


def perceptron(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    """Perceptron with two hidden tanh layers and a linear output layer. numbers: the hidden widths."""
    first, second = memory[: numbers[0]], memory[numbers[0] :]
    begin = (inputs.size + 1) * first.size
    _affine(params, inputs, first)
    _tanh(first)
    _affine(params[begin:], first, second)
    _tanh(second)
    _affine(params[begin + (first.size + 1) * second.size :], second, outputs)


def residual(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    """Residual layer: the inputs, plus a tanh layer."""
    _affine(params, inputs, outputs)
    _tanh(outputs)
    for index in range(outputs.size):
        outputs[index] += inputs[index]


def copy(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    for index in range(outputs.size):
        outputs[index] = inputs[index]


def recurrent(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    units = outputs.size
    outputs[:] = params[(inputs.size + units) * units :]
    _add_product(params, inputs, outputs)
    _add_product(params[inputs.size * units :], memory, outputs)
    _tanh(outputs)
    memory[:] = outputs


def lstm(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    """Long short-term memory. memory: hidden state, cell, gates."""
    units = outputs.size
    hidden, cell, gates = memory[:units], memory[units : 2 * units], memory[2 * units :]
    gates[:] = params[(inputs.size + units) * 4 * units :]
    _add_product(params, inputs, gates)
    _add_product(params[inputs.size * 4 * units :], hidden, gates)
    for unit in range(units):
        enter, keep = _sigmoid(gates[unit]), _sigmoid(gates[units + unit])
        cell[unit] = keep * cell[unit] + enter * math.tanh(gates[2 * units + unit])
        hidden[unit] = _sigmoid(gates[3 * units + unit]) * math.tanh(cell[unit])
        outputs[unit] = hidden[unit]


def gru(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    """Gated recurrent unit. memory: hidden state, gate sums of the inputs, and of the hidden state."""
    units, width = outputs.size, 3 * outputs.size
    hidden, heard, past = memory[:units], memory[units : units + width], memory[units + width :]
    biases = params[(inputs.size + units) * width :]
    heard[:], past[:] = biases[:width], biases[width:]
    _add_product(params, inputs, heard)
    _add_product(params[inputs.size * width :], hidden, past)
    for unit in range(units):
        reset, update = _sigmoid(heard[unit] + past[unit]), _sigmoid(heard[units + unit] + past[units + unit])
        candidate = math.tanh(heard[2 * units + unit] + reset * past[2 * units + unit])
        hidden[unit] = candidate + update * (hidden[unit] - candidate)
        outputs[unit] = hidden[unit]


def ctrnn(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    """Continuous-time recurrent network. memory: membrane, firing."""
    units, end = outputs.size, (inputs.size + outputs.size) * outputs.size
    membrane, firing, theta, rates = memory[:units], memory[units:], params[end : end + units], params[end + units :]
    for unit in range(units):
        firing[unit] = math.tanh(membrane[unit] + theta[unit])
    outputs[:] = _ZERO
    _add_product(params, inputs, outputs)
    _add_product(params[inputs.size * units :], firing, outputs)
    for unit in range(units):
        membrane[unit] += _sigmoid(rates[unit]) * (outputs[unit] - membrane[unit])
        outputs[unit] = math.tanh(membrane[unit] + theta[unit])


def spiking(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    """Spiking layer. memory: membrane, spikes, trace."""
    units, end = outputs.size, (inputs.size + outputs.size) * outputs.size
    membrane, spikes, trace = memory[:units], memory[units : 2 * units], memory[2 * units :]
    leaks, decays = params[end + units : end + 2 * units], params[end + 2 * units :]
    outputs[:] = params[end : end + units]
    _add_product(params, inputs, outputs)
    _add_product(params[inputs.size * units :], trace, outputs)
    for unit in range(units):
        membrane[unit] = _sigmoid(leaks[unit]) * membrane[unit] + outputs[unit] - spikes[unit]
        spikes[unit] = _ONE if membrane[unit] > _ONE else _ZERO
        decay = _sigmoid(decays[unit])
        trace[unit] = decay * trace[unit] + (_ONE - decay) * (spikes[unit] + spikes[unit] - _ONE)
        outputs[unit] = trace[unit]


def hebbian(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    """Hebbian tanh layer. memory: the weights, and whether they are initialised."""
    size, units = inputs.size * outputs.size, outputs.size
    weights, rule = memory[:size], params[size + units :]
    if memory[size] == 0:
        weights[:] = params[:size]
        memory[size] = _ONE
    greatest = _ONE
    for at in range(size):
        greatest = max(greatest, abs(weights[at]))
    for at in range(size):
        weights[at] /= greatest
    outputs[:] = params[size : size + units]
    _add_product(weights, inputs, outputs)
    _tanh(outputs)
    for index in range(inputs.size):
        for unit in range(units):
            at, before, after = index * units + unit, inputs[index], outputs[unit]
            hebb = rule[size + at] * before * after + rule[2 * size + at] * before
            weights[at] += rule[at] * (hebb + rule[3 * size + at] * after + rule[4 * size + at])


def pattern_generator(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    """Central pattern generator. memory: phase, amplitude, amplitude's speed, target amplitude before the sigmoid."""
    count, end = outputs.size, inputs.size * outputs.size
    phase, amplitude, speed = memory[:count], memory[count : 2 * count], memory[2 * count : 3 * count]
    aim, pulls = memory[3 * count :], params[end + 2 * count :]
    _affine(params, inputs, aim)
    for one in range(count):
        turn = _TURN / 4 * _sigmoid(params[end + count + one])
        for other in range(count):
            apart = phase[other] - phase[one] - pulls[(count + other) * count + one]
            turn += amplitude[other] * pulls[other * count + one] * math.sin(apart)
        outputs[one] = turn
    for one in range(count):
        phase[one] = (phase[one] + outputs[one]) % _TURN
        push = (_sigmoid(aim[one]) - amplitude[one]) / 4 - speed[one]
        amplitude[one] += speed[one]
        speed[one] += push
        outputs[one] = amplitude[one] * math.cos(phase[one])


def convolution(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    """Convolution with relu. numbers: height, width, channels, kernel."""
    height, width, channels, kernel = numbers[0], numbers[1], numbers[2], numbers[3]
    down, across = height - kernel + 1, width - kernel + 1
    filters = outputs.size // (down * across)
    for y in range(down):
        for x in range(across):
            out = outputs[(y * across + x) * filters : (y * across + x + 1) * filters]
            out[:] = params[kernel * kernel * channels * filters :]
            for r in range(kernel):
                for c in range(kernel):
                    for channel in range(channels):
                        seen = inputs[((y + r) * width + x + c) * channels + channel]
                        weights = params[((r * kernel + c) * channels + channel) * filters :]
                        for unit in range(filters):
                            out[unit] += seen * weights[unit]
            for unit in range(filters):
                out[unit] = max(out[unit], _ZERO)


def greatest_pool(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    """Max pooling. numbers: height, width, channels, window."""
    height, width, channels, window = numbers[0], numbers[1], numbers[2], numbers[3]
    for y in range(height // window):
        for x in range(width // window):
            for channel in range(channels):
                best = -np.float32(np.inf)
                for r in range(window):
                    for c in range(window):
                        best = max(best, inputs[((y * window + r) * width + x * window + c) * channels + channel])
                outputs[(y * (width // window) + x) * channels + channel] = best


def average_pool(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    """Average pooling. numbers: height, width, channels, window."""
    height, width, channels, window = numbers[0], numbers[1], numbers[2], numbers[3]
    for y in range(height // window):
        for x in range(width // window):
            for channel in range(channels):
                total = _ZERO
                for r in range(window):
                    for c in range(window):
                        total += inputs[((y * window + r) * width + x * window + c) * channels + channel]
                outputs[(y * (width // window) + x) * channels + channel] = total / np.float32(window * window)


@njit
def _layer_norm(params: Any, inputs: Any, outputs: Any) -> None:
    count, mean, variance = np.float32(inputs.size), _ZERO, _ZERO
    for index in range(inputs.size):
        mean += inputs[index] / count
    for index in range(inputs.size):
        variance += (inputs[index] - mean) ** 2 / count
    for index in range(inputs.size):
        scaled = (inputs[index] - mean) / math.sqrt(variance + np.float32(1e-5))
        outputs[index] = params[index] * scaled + params[inputs.size + index]


def layer_norm(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    _layer_norm(params, inputs, outputs)


def embedding(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    symbol = int(inputs[0])
    for column in range(outputs.size):
        outputs[column] = params[symbol * outputs.size + column]


@njit
def _attend(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    """Causal self-attention over a ring buffer. numbers: heads, window.

    memory: the step; queries, keys and values of this step; the heads' outputs; scores; then the keys and the values of
    the window's steps, a row for each.
    """
    heads, window, width = numbers[0], numbers[1], inputs.size
    each, now = width // heads, int(memory[0])
    heard, mixed = memory[1 : 1 + 3 * width], memory[1 + 3 * width : 1 + 4 * width]
    scores, ring = memory[1 + 4 * width :], 1 + 4 * width + window
    keys, values = memory[ring : ring + window * width], memory[ring + window * width :]
    _affine(params, inputs, heard)
    for number in range(width):
        keys[now % window * width + number] = heard[width + number]
        values[now % window * width + number] = heard[2 * width + number]
    memory[0] += _ONE
    for head in range(heads):
        slope, total = np.float32(2.0 ** (-8.0 * (head + 1) / heads)), _ZERO
        for place in range(min(now + 1, window)):
            score = _ZERO
            for number in range(head * each, (head + 1) * each):
                score += heard[number] * keys[place * width + number]
            score = score / np.float32(math.sqrt(each)) - slope * np.float32((now - place) % window)
            scores[place] = math.exp(score)
            total += scores[place]
        for number in range(head * each, (head + 1) * each):
            mixed[number] = _ZERO
        for place in range(min(now + 1, window)):
            for number in range(head * each, (head + 1) * each):
                mixed[number] += scores[place] / total * values[place * width + number]
    _affine(params[3 * width * (width + 1) :], mixed, outputs)


def attention(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    _attend(numbers, params, memory, inputs, outputs)


def transformer(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    """Transformer: a dense layer, and one block; as many inputs as outputs.

    memory: values, normalised values, the hidden layer, and attention's memory.
    """
    width = outputs.size
    values, normal, hidden = memory[:width], memory[width : 2 * width], memory[2 * width : 6 * width]
    _affine(params, inputs, values)
    at = width * (width + 1)
    _layer_norm(params[at : at + 2 * width], values, normal)
    at += 2 * width
    _attend(numbers, params[at:], memory[6 * width :], normal, outputs)
    for index in range(width):
        values[index] += outputs[index]
    at += 4 * width * (width + 1)
    _layer_norm(params[at : at + 2 * width], values, normal)
    at += 2 * width
    _affine(params[at:], normal, hidden)
    for index in range(hidden.size):
        hidden[index] = max(hidden[index], _ZERO)
    _affine(params[at + (width + 1) * 4 * width :], hidden, outputs)
    for index in range(width):
        values[index] += outputs[index]
    _layer_norm(params[params.size - 2 * width :], values, outputs)
