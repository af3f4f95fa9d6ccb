"""Evolvable substrate: the network that ES-HyperNEAT deduces from a graph's pattern, compiled.

Risi & Stanley 2012, "An enhanced hypercube-based encoding for evolving the placement, density, and connectivity of
neurons", algorithm 3: from the inputs to hidden neurons, from these in some rounds to further ones, and from hidden
neurons to the outputs; what does not lead to an output is left out. Neurons are numbered as they are found; when there
is no room for more, no more are made. In a feed-forward network neurons have links only to those that the next round
finds.
"""

from typing import Any, NamedTuple

import numpy as np

from evo.envs.engine.compile import njit
from evo.envs.engine.physics import is_stopped
from evo.numerics.graph_nodes import HEADER, LINK, NODE
from evo.numerics.quadtree import EXPRESSED, ask, express_points, first_point, place_of_point

(
    STOP,
    INPUTS,
    OUTPUTS,
    DIMENSIONS,
    BIAS,
    ACTIVATION,
    RECURRENT,
    ROUNDS,
    NEURONS,
    NODES,
    _INITIAL_DEPTH,
    DEPTH,
    _DIVISION,
    _VARIANCE,
    _BAND,
    _MAXIMUM,
    PLACES,
) = range(17)  # whole numbers; from _DIVISION on the bits of float64; the places of inputs and outputs come last


class Rooms(NamedTuple):
    """Where in the memory what begins; the values of the network's nodes are first.

    built: whether the network is there. row: it. asked, unit, answers, states: see `evo.numerics.quadtree`. owners: the
    neuron at each point, and one. points, rounds, kept: of each neuron, where it is, in which round it was found, and
    which node it is, -1 for none. first, among, last: weights from inputs, between neurons and to outputs, target by
    target; 0 for no link.
    """

    built: int
    row: int
    asked: int
    unit: int
    answers: int
    states: int
    owners: int
    points: int
    rounds: int
    kept: int
    first: int
    among: int
    last: int
    end: int


@njit(cache=True)
def rooms(numbers: Any) -> Rooms:
    """Return the places in the memory for a layer with these numbers."""
    inputs, outputs, neurons = numbers[INPUTS], numbers[OUTPUTS], numbers[NEURONS]
    nodes, points, links = neurons + outputs, first_point(numbers[DEPTH] + 1), neurons * (inputs + outputs)
    among = neurons * neurons if numbers[ROUNDS] else 0
    within = among if numbers[RECURRENT] else (among - neurons) // 2 if among else 0
    built = inputs + nodes * (2 if numbers[RECURRENT] else 1)
    row = built + 1
    asked = row + HEADER + outputs + NODE * nodes + LINK * (links + within)
    unit = asked + 3 * numbers[DIMENSIONS] + numbers[NODES]
    answers = unit + numbers[DIMENSIONS]
    found = answers + 3 * points
    first = found + 3 * neurons
    return Rooms(
        built,
        row,
        asked,
        unit,
        answers,
        answers + points,
        answers + 2 * points,
        found,
        found + neurons,
        found + 2 * neurons,
        first,
        first + neurons * inputs,
        first + neurons * inputs + among,
        first + links + among,
    )


@njit(error_model="numpy")
def develop(numbers: Any, pattern: Any, memory: Any) -> None:
    """Write the row of the network that a pattern's row stands for into an empty memory, float32.

    Where it is stopped there is none.
    """
    room, floats = rooms(numbers), numbers.view(np.float64)
    inputs, outputs, most, dimensions = numbers[INPUTS], numbers[OUTPUTS], numbers[NEURONS], numbers[DIMENSIONS]
    depths, thresholds, maximum = numbers[_INITIAL_DEPTH:], floats[_DIVISION:], np.float32(floats[_MAXIMUM])
    asked, unit = memory[room.asked : room.unit], memory[room.unit : room.answers]
    answers, states = memory[room.answers : room.states], memory[room.states : room.owners].view(np.int32)
    owners = memory[room.owners : room.points].view(np.int32)
    points, rounds = memory[room.points : room.rounds].view(np.int32), memory[room.rounds : room.kept].view(np.int32)
    first, among, last = memory[room.first :], memory[room.among :], memory[room.last :]

    neurons = 0
    for source in range(inputs):
        for axis in range(dimensions):
            unit[axis] = floats[PLACES + source * dimensions + axis]
        express_points(pattern, asked, unit, True, depths, thresholds, answers, states, numbers[STOP])
        for point in range(states.size):
            if states[point] != EXPRESSED:
                continue
            if owners[point] == 0 and neurons < most:
                points[neurons], rounds[neurons] = point, 0
                neurons += 1
                owners[point] = neurons
            if owners[point]:
                first[(owners[point] - 1) * inputs + source] = answers[point] * maximum

    begin, end = 0, neurons
    for turn in range(1, numbers[ROUNDS] + 1):
        for source in range(begin, end):
            unit[:] = 0
            unit[0], unit[1] = place_of_point(points[source])
            express_points(pattern, asked, unit, True, depths, thresholds, answers, states, numbers[STOP])
            for point in range(states.size):
                if states[point] != EXPRESSED:
                    continue
                if owners[point] == 0 and neurons < most:
                    points[neurons], rounds[neurons] = point, turn
                    neurons += 1
                    owners[point] = neurons
                target = owners[point] - 1
                if target >= 0 and (numbers[RECURRENT] or rounds[target] == turn):
                    among[target * most + source] = answers[point] * maximum
        begin, end = end, neurons

    for target in range(outputs):
        for axis in range(dimensions):
            unit[axis] = floats[PLACES + (inputs + target) * dimensions + axis]
        express_points(pattern, asked, unit, False, depths, thresholds, answers, states, numbers[STOP])
        for point in range(states.size):
            if states[point] == EXPRESSED and owners[point]:
                last[target * most + owners[point] - 1] = answers[point] * maximum

    if not is_stopped(numbers[STOP]):
        _assemble(numbers, pattern, memory, neurons)


@njit(error_model="numpy")
def _assemble(numbers: Any, pattern: Any, memory: Any, neurons: int) -> None:
    """Write the row of the neurons that lead to an output, in the order in which they were found, and of the outputs.

    All were found on a way from an input.
    """
    room, floats = rooms(numbers), numbers.view(np.float64)
    inputs, outputs, most, dimensions = numbers[INPUTS], numbers[OUTPUTS], numbers[NEURONS], numbers[DIMENSIONS]
    maximum, bias = np.float32(floats[_MAXIMUM]), numbers[BIAS]
    asked, unit, row = memory[room.asked : room.unit], memory[room.unit : room.answers], memory[room.row : room.asked]
    points, kept = memory[room.points : room.rounds].view(np.int32), memory[room.kept : room.first].view(np.int32)
    first, among, last = memory[room.first :], memory[room.among :], memory[room.last :]

    kept[:] = -1
    changed = True
    while changed:
        changed = False
        for neuron in range(neurons - 1, -1, -1):
            if kept[neuron] >= 0:
                continue
            for target in range(outputs):
                if last[target * most + neuron] != 0:
                    kept[neuron] = 0
            for target in range(neurons if numbers[ROUNDS] else 0):
                if kept[target] >= 0 and among[target * most + neuron] != 0:
                    kept[neuron] = 0
            changed |= kept[neuron] >= 0
    nodes = 0
    for neuron in range(neurons):
        if kept[neuron] >= 0:
            kept[neuron] = nodes
            nodes += 1

    row[0], row[1], row[2] = inputs, outputs, nodes + outputs
    for target in range(outputs):
        row[HEADER + target] = nodes + target
    at = HEADER + outputs
    links = at + NODE * (nodes + outputs)
    begin = links
    for target in range(neurons + outputs):
        output, before = target - neurons, links
        if output < 0 and kept[target] < 0:
            continue
        for source in range(inputs if output < 0 else 0):
            weight = first[target * inputs + source]
            if weight != 0:
                row[links], row[links + 1] = source, weight
                links += LINK
        for source in range(neurons if output >= 0 or numbers[ROUNDS] else 0):
            weight = among[target * most + source] if output < 0 else last[output * most + source]
            if weight != 0 and kept[source] >= 0:
                row[links], row[links + 1] = inputs + kept[source], weight
                links += LINK
        row[at], row[at + 1] = numbers[ACTIVATION] if output < 0 else 0, 0
        row[at + 2], row[at + 3], row[at + 4], row[at + 5] = 0, 1, 1, (links - before) // LINK
        if bias:
            x, y = np.float32(0), np.float32(0)
            unit[:] = 0
            if output < 0:
                x, y = place_of_point(points[target])
            else:
                for axis in range(dimensions):
                    unit[axis] = floats[PLACES + (inputs + output) * dimensions + axis]
            row[at + 2] = ask(pattern, 1, asked, unit, x, y, output < 0) * maximum
        at += NODE
    row[3] = (links - begin) // LINK
