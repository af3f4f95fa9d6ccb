"""The nodes of a graph, compiled: their values, and the gradient of these by everything in the graph's row.

For the row see `evo.networks.wiring`. Values, (inputs + nodes,), are the inputs and then the nodes'; of a recurrent
graph first the nodes' values of the step before, and `behind` places further those of this step. behind is 0 for a
feed-forward graph.
"""

from typing import Any

from evo.envs.engine.compile import njit
from evo.numerics.node_functions import activate_node, aggregate_links, differentiate_links, differentiate_node

HEADER, NODE, LINK = 4, 6, 2  # how many numbers the counts, a node and a link are


@njit
def compute_nodes(row: Any, values: Any, inputs: int, behind: int) -> None:
    """Compute all nodes of one step, whose inputs, and whose nodes before, are in values."""
    nodes, first = int(row[2]), HEADER + int(row[1])
    at, zero, one = first + NODE * nodes, values.dtype.type(0), values.dtype.type(1)
    for node in range(nodes):
        own, place = row[first + NODE * node :], inputs + node
        end = at + LINK * int(own[5])
        total = aggregate_links(row[at:end], values, int(own[1]))
        value = activate_node(own[2] + own[3] * total, int(own[0]))
        if own[4] != one:  # where it is 1, the sum below may round
            before = values[place] if behind else zero
            value = before + own[4] * (value - before)
        values[place + behind] = value
        at = end


@njit
def differentiate_nodes(
    row: Any, values: Any, errors: Any, of_row: Any, inputs: int, behind: int, needed: bool
) -> None:
    """Add gradients of one step: from those of its nodes' values to those of all values and, where needed, of the row.

    values: as `compute_nodes` left them. errors: the gradients of the values, as long as these. of_row: of the row's
    biases, responses, rates and weights; of its whole numbers there is none.
    """
    nodes, first = int(row[2]), HEADER + int(row[1])
    end, zero, one = first + NODE * nodes + LINK * int(row[3]), values.dtype.type(0), values.dtype.type(1)
    for node in range(nodes - 1, -1, -1):
        start, place = first + NODE * node, inputs + node
        own = row[start : start + NODE]
        at = end - LINK * int(own[5])
        links, aggregation, activation = row[at:end], int(own[1]), int(own[0])
        total = aggregate_links(links, values, aggregation)
        summed = own[2] + own[3] * total
        before = values[place] if behind else zero
        error = errors[place + behind]
        if needed:
            of_row[start + 4] += error * (activate_node(summed, activation) - before)
        if behind:
            errors[place] += error * (one - own[4])
        error *= own[4] * differentiate_node(summed, activation)
        if needed:
            of_row[start + 2] += error
            of_row[start + 3] += error * total
        differentiate_links(links, values, total, error * own[3], errors, of_row[at:end], aggregation, needed)
        end = at
